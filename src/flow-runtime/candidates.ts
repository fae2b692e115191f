/**
 * Which sign-on policies may run for a request, and in which versions a stored flow is judged: authentication-api 5.6,
 * decision D20, row A35. Never: a policy that is not assigned to the application, except the environment's default where
 * nothing is assigned.
 */
import type { Application } from '../environment/application.ts'
import type { Environments } from '../environment/environments.ts'
import type { Environment } from '../environment/snapshot.ts'
import type { CompiledPolicy } from '../flow/policy.ts'
import type { PolicyVersions } from '../flow/policy-versions.ts'
import type { FlowState } from '../flow/state.ts'

/**
 * The policies that may run, in order: with `acr_values` exactly those it names, in that order, as far as they are
 * assigned; without it all that are assigned. None is left when it names none of them: the request is then denied.
 */
export function candidatePolicies(
  environment: Environment,
  application: Application,
  acrValues: readonly string[],
): readonly CompiledPolicy[] {
  const ids = application.policyIds.length > 0 ? application.policyIds : [environment.defaultPolicyId]
  const assigned = ids.map((id) => environment.policies.get(id)).filter((policy) => policy !== undefined)
  const named = acrValues
    .map((name) => assigned.find((policy) => policy.name === name))
    .filter((policy) => policy !== undefined)
  return acrValues.length > 0 ? [...new Set(named)] : assigned
}

/** The candidates of a stored flow: as they were when it began and, where they may still run, as they are now. */
export async function policyVersions(
  environments: Environments,
  environment: Environment,
  application: Application,
  state: FlowState,
): Promise<readonly PolicyVersions[]> {
  const runnable = new Set(candidatePolicies(environment, application, []).map((policy) => policy.id))
  const versions: PolicyVersions[] = []
  for (const { policyId, version } of state.candidates) {
    const atStart = await environments.policyVersion(environment, policyId, version)
    const current = runnable.has(policyId) ? (environment.policies.get(policyId) ?? null) : null
    versions.push(atStart ? { atStart, current } : { atStart: gone(policyId, version), current: null })
  }
  return versions
}

/** Stands for a policy that was deleted with all its versions: it asks for nothing, since it may not run. */
function gone(id: string, version: number): CompiledPolicy {
  return { id, name: '', version, actions: [] }
}
