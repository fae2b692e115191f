/**
 * The binding of a flow to its browser: decisions D1 and D2, rows J03, J04, I03, I04. A flow id alone is worthless.
 *
 * | door     | reached by            | needs the flow's `ST`            |
 * |----------|-----------------------|----------------------------------|
 * | redirect | anything              | always                           |
 * | pi.flow  | the flows API, resume | once it is about somebody        |
 * | pi.flow  | its sign-on page      | always                           |
 */
import { timingSafeEqual } from 'node:crypto'
import { hashSessionToken } from '../directory/session-cookie.ts'
import type { FlowState, FlowStatus } from '../flow/state.ts'

/** By which way a request reaches a flow. */
export type Way = 'api' | 'page'

/** Whether the token a request carries is the one the flow is bound to. */
export function carriesBinding(tokenHash: string | null, token: string | undefined): boolean {
  if (tokenHash === null || token === undefined) return false
  return timingSafeEqual(Buffer.from(tokenHash, 'base64url'), Buffer.from(hashSessionToken(token), 'base64url'))
}

/** Whether a request may reach the flow at all. */
export function mayReach(state: FlowState, way: Way, carries: boolean): boolean {
  if (state.door === 'redirect' || way === 'page') return carries
  return !isAboutSomebody(state) || carries
}

/** Statuses in which somebody has come back from an identity provider and no account is theirs yet. */
const cameBack: readonly FlowStatus[] = ['ACCOUNT_CONFIRMATION_REQUIRED', 'ACCOUNT_LINKING_REQUIRED']

/**
 * Whether somebody named themselves in the flow, or came back to it from an identity provider. Whether anybody has that
 * name must make no difference (row K11).
 */
export function isAboutSomebody({ user, identifier, status }: FlowState): boolean {
  return user !== null || identifier !== null || cameBack.includes(status)
}
