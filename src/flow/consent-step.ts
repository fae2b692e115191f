/** The step that a request for consent adds to every policy, behind all its actions. */
import { oauthConsent } from './actions/oauth-consent.ts'
import { actionOfType } from './actions/index.ts'
import type { CompiledAction } from './policy.ts'
import type { FlowState } from './state.ts'

/** The id of that step; those of policies are UUIDs. */
export const consentStepId = 'oauth-consent'

/** The step, as an action without a condition; undefined where nothing has to be granted. */
export function consentStep({
  request: { consent },
  candidates,
  candidate,
}: Pick<FlowState, 'request' | 'candidates' | 'candidate'>): CompiledAction | undefined {
  const policyVersion = candidates[candidate]?.version
  if (!consent || policyVersion === undefined) return undefined
  const { type } = oauthConsent
  const definition = actionOfType(type)
  return { id: consentStepId, policyVersion, type, priority: 0, definition, config: consent, condition: null }
}
