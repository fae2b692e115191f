/**
 * The binding of a flow to its browser: decisions D1 and D2, rows J03, J04, I03, I04. A flow id alone is worthless.
 *
 * | door     | reached by            | needs the flow's `ST`            |
 * |----------|-----------------------|----------------------------------|
 * | redirect | anything              | always                           |
 * | pi.flow  | the flows API, resume | once somebody is there           |
 * | pi.flow  | its sign-on page      | always                           |
 * | any      | the app on a device   | never: it proves its own key     |
 *
 * A flow with the door `backchannel` is reached by nothing else than the app.
 */
import { timingSafeEqual } from 'node:crypto'
import { hashSessionToken } from '../directory/session-cookie.ts'
import { externalStatuses } from '../flow/actions/account/external.ts'
import type { FlowState } from '../flow/state.ts'

/** By which way a request reaches a flow. */
export type Way = 'api' | 'page' | 'device'

/** Whether the token a request carries is the one the flow is bound to. */
export function carriesBinding(tokenHash: string | null, token: string | undefined): boolean {
  if (tokenHash === null || token === undefined) return false
  return timingSafeEqual(Buffer.from(tokenHash, 'base64url'), Buffer.from(hashSessionToken(token), 'base64url'))
}

/** Whether a request may reach the flow at all. */
export function mayReach(state: FlowState, way: Way, carries: boolean): boolean {
  if (way === 'device') return true
  if (state.door === 'backchannel') return false
  if (state.door === 'redirect' || way === 'page') return carries
  return !isAboutSomebody(state) || carries
}

/**
 * Whether somebody named themselves in the flow, or came back from an identity provider: whether anybody has that name
 * must make no difference (row K11).
 */
export function isAboutSomebody({ user, identifier, status }: Pick<FlowState, 'user' | 'identifier' | 'status'>) {
  return user !== null || identifier !== null || externalStatuses.some((external) => external === status)
}
