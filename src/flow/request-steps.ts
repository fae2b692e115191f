/**
 * The steps that a request adds to every policy: before all its actions what an invitation asks for, behind them what the
 * user grants, and to whom.
 */
import { backchannelConsent } from './actions/backchannel-consent.ts'
import { deviceConsent } from './actions/device-consent.ts'
import { deviceUserCode } from './actions/device-user-code.ts'
import { type ActionType, actionOfType } from './actions/index.ts'
import { invitation } from './actions/invitation.ts'
import { oauthConsent } from './actions/oauth-consent.ts'
import type { CompiledAction } from './policy.ts'
import type { FlowState } from './state.ts'

/** Their ids; those of policies are UUIDs. */
const stepIds = {
  invitation: invitation.type,
  'oauth-consent': oauthConsent.type,
  'device-user-code': deviceUserCode.type,
  'device-consent': deviceConsent.type,
  'backchannel-consent': backchannelConsent.type,
} as const satisfies Readonly<Record<string, ActionType>>

type StepId = keyof typeof stepIds

/** Whether an action is one of these steps. */
export function isRequestStep(id: string): boolean {
  return Object.hasOwn(stepIds, id)
}

/** What is looked at. */
type Requesting = Pick<FlowState, 'request' | 'candidates' | 'candidate'>

/** The steps before all actions of the policy, as actions without a condition. */
export function firstSteps(flow: Requesting): readonly CompiledAction[] {
  const { invitation: invited } = flow.request
  return invited ? stepsOf(flow, [['invitation', invited]]) : []
}

/** The steps behind them, in their order; none where nothing has to be granted. */
export function lastSteps(flow: Requesting): readonly CompiledAction[] {
  const { consent, deviceGrant, backchannel } = flow.request
  return stepsOf(flow, [
    ...(consent ? [['oauth-consent', consent] as const] : []),
    ...(deviceGrant ? [['device-user-code', deviceGrant] as const, ['device-consent', {}] as const] : []),
    ...(backchannel ? [['backchannel-consent', backchannel] as const] : []),
  ])
}

function stepsOf(
  { candidates, candidate }: Requesting,
  wanted: readonly (readonly [id: StepId, config: unknown])[],
): readonly CompiledAction[] {
  const policyVersion = candidates[candidate]?.version
  if (policyVersion === undefined) return []
  return wanted.map(([id, config]) => {
    const type = stepIds[id]
    return { id, policyVersion, type, priority: 0, definition: actionOfType(type), config, condition: null }
  })
}

/** One of them by its id; undefined where the request does not add it. */
export function requestStep(flow: Requesting, id: string): CompiledAction | undefined {
  return [...firstSteps(flow), ...lastSteps(flow)].find((step) => step.id === id)
}
