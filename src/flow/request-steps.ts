/** The steps that a request adds to every policy, behind all its actions: what the user grants, and to whom. */
import { backchannelConsent } from './actions/backchannel-consent.ts'
import { deviceConsent } from './actions/device-consent.ts'
import { deviceUserCode } from './actions/device-user-code.ts'
import { type ActionType, actionOfType } from './actions/index.ts'
import { oauthConsent } from './actions/oauth-consent.ts'
import type { CompiledAction } from './policy.ts'
import type { FlowState } from './state.ts'

/** Their ids; those of policies are UUIDs. */
const stepIds = {
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

/** The steps in their order, as actions without a condition; none where nothing has to be granted. */
export function requestSteps({ request, candidates, candidate }: Requesting): readonly CompiledAction[] {
  const policyVersion = candidates[candidate]?.version
  if (policyVersion === undefined) return []
  const step = (id: StepId, config: unknown): CompiledAction => {
    const type = stepIds[id]
    return { id, policyVersion, type, priority: 0, definition: actionOfType(type), config, condition: null }
  }
  const { consent, deviceGrant, backchannel } = request
  return [
    ...(consent ? [step('oauth-consent', consent)] : []),
    ...(deviceGrant ? [step('device-user-code', deviceGrant), step('device-consent', {})] : []),
    ...(backchannel ? [step('backchannel-consent', backchannel)] : []),
  ]
}

/** One of them by its id; undefined where the request does not add it. */
export function requestStep(flow: Requesting, id: string): CompiledAction | undefined {
  return requestSteps(flow).find((step) => step.id === id)
}
