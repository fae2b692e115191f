/** What a decision to prove something leaves in the state: the proofs, and what it demands beside them. */
import type { Decision } from './action.ts'
import { type ActionStatus, actionOfType } from './actions/index.ts'
import type { Json } from './json.ts'
import type { CompiledAction } from './policy.ts'
import { isAuthenticator, type Method, type Proof } from './proof.ts'
import type { FlowStep } from './state.ts'

type Proving = Extract<Decision<Json, ActionStatus>, { outcome: 'prove' }>

/**
 * One proof.
 * @param now epoch milliseconds
 */
export function proofOf(
  method: Method,
  { user, provider, webhook, factor, shows, userVerified, agreement, consentId, deviceRequest }: Proving,
  { id, type }: CompiledAction,
  now: number,
): Proof {
  return {
    method,
    userId: user.id,
    at: now,
    actionId: id,
    ...(method === 'idp' && provider !== undefined ? { provider: { id: provider, trustedBy: type } } : {}),
    ...(method === 'webhook' && webhook ? { webhook } : {}),
    ...(factor ? { factor } : {}),
    ...(userVerified ? { userVerified } : {}),
    ...(shows ? { shows } : {}),
    ...(agreement === undefined ? {} : { agreement }),
    ...(consentId === undefined ? {} : { consentId }),
    ...(deviceRequest ? { deviceRequest } : {}),
  }
}

/** Whether there is a step of this type to demand, one that proves who somebody is. */
export function canBeDemanded(steps: readonly FlowStep[], type: string): boolean {
  return steps.some((step) => step.type === type && actionOfType(step.type).methods.some(isAuthenticator))
}

/** A step after somebody demanded its type: it is required from now on, whatever its condition (D20). */
export function demanded(step: FlowStep, demands: string | undefined): FlowStep {
  if (step.type !== demands || step.standing === 'SATISFIED' || step.standing === 'REQUIRED') return step
  return { ...step, standing: 'REQUIRED', reason: 'demanded' }
}
