/**
 * What the end of a flow comes to for a client that polls (directory/polled-grants.ts): its grant is approved with how the user
 * signed on, or denied, inside the unit of the flow's last step. RFC 8628 section 3.5, OpenID CIBA Core section 11.
 *
 * Never: a grant approved that the flow's own user did not come to by their code, their link or their app.
 */
import type { Context } from '../contract/operation.ts'
import { approvePolledGrant, denyPolledGrant } from '../directory/polled-grants.ts'
import type { Effect } from '../flow/question.ts'
import type { FlowState } from '../flow/state.ts'
import type { UnitBody } from '../storage/port.ts'

/** The effect of a flow that is answered. */
export type Answered = Extract<Effect, { kind: 'issue' | 'deny' }>

/** Whether a flow is for a client that polls, so that its browser has nothing to bring back. */
export function isForPolling({ request }: Pick<FlowState, 'request'>): boolean {
  return request.deviceGrant !== undefined || request.backchannel !== undefined
}

/**
 * Settles the grant of a flow.
 * @returns false when there is nothing to approve: it was decided meanwhile, or its time is over
 */
export function* settlePolledGrant(context: Context, state: FlowState, effect: Answered): UnitBody<boolean> {
  const { environment, now } = context
  const { backchannel, hintedUserId } = state.request
  const entered = state.proofs.find(({ deviceRequest }) => deviceRequest)
  const id = backchannel?.grantId ?? entered?.deviceRequest?.grantId
  const userId = backchannel ? hintedUserId : entered?.userId
  // Whoever fails before they entered a code has decided nothing.
  if (id === undefined || userId == null) return effect.kind === 'deny'
  const whose = { userId, clientId: state.application.id, subject: { type: 'AUTHORIZATION', id } }
  const kind = backchannel ? 'BACKCHANNEL_AUTHENTICATION' : 'DEVICE_AUTHORIZATION'
  if (effect.kind === 'deny') {
    const isDenied = yield* denyPolledGrant(environment.id, id, userId, now)
    if (isDenied) yield context.record({ action: `${kind}.DENIED`, result: 'FAILED', ...whose })
    return true
  }
  if (!(yield* approvePolledGrant(environment.id, id, effect.outcome, now))) return false
  yield context.record({ action: `${kind}.APPROVED`, ...whose, sessionId: effect.outcome.session.id })
  return true
}
