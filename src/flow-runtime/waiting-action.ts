/** The action a stored flow waits on, in the version of its policy that it was entered from. */
import type { Context } from '../contract/operation.ts'
import type { CompiledAction } from '../flow/policy.ts'
import { isRequestStep, requestStep } from '../flow/request-steps.ts'
import type { FlowState } from '../flow/state.ts'

/** The action; undefined when none waits, or its policy is gone. */
export async function waitingAction(
  { kernel, environment }: Pick<Context, 'kernel' | 'environment'>,
  state: FlowState,
): Promise<CompiledAction | undefined> {
  const { action, candidates, candidate } = state
  if (action && isRequestStep(action.id)) return requestStep(state, action.id)
  const running = candidates[candidate]
  if (!action || !running) return undefined
  const policy = await kernel.environments.policyVersion(environment, running.policyId, action.policyVersion)
  return policy?.actions.find(({ id }) => id === action.id)
}
