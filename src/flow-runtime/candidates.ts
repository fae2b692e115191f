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
  cachedEnvironment: Environment,
  cachedApplication: Application,
  state: FlowState,
): Promise<readonly PolicyVersions[]> {
  const { environment, application } = isBehind(cachedEnvironment, state)
    ? await caughtUp(environments, cachedEnvironment, cachedApplication)
    : { environment: cachedEnvironment, application: cachedApplication }
  const runnable = new Set(candidatePolicies(environment, application, []).map((policy) => policy.id))
  const versions: PolicyVersions[] = []
  for (const { policyId, version } of state.candidates) {
    const atStart = await environments.policyVersion(environment, policyId, version)
    const current = runnable.has(policyId) ? (environment.policies.get(policyId) ?? null) : null
    versions.push(atStart ? { atStart, current } : { atStart: gone(policyId, version), current: null })
  }
  return versions
}

/**
 * Whether this node has yet to hear of a policy that the flow began with, on a node that had: it would take the policy
 * for deleted and fail the flow (decision D23).
 */
function isBehind({ policies }: Environment, { candidates }: FlowState): boolean {
  return candidates.some(({ policyId, version }) => (policies.get(policyId)?.version ?? 0) < version)
}

/** The configuration as it is in storage now; what this node has cached where that is gone meanwhile. */
async function caughtUp(environments: Environments, environment: Environment, application: Application) {
  environments.forget(environment.id)
  return {
    environment: (await environments.get(environment.id)) ?? environment,
    application: (await environments.application(environment.id, application.id)) ?? application,
  }
}

/** Stands for a policy that was deleted with all its versions: it asks for nothing, since it may not run. */
function gone(id: string, version: number): CompiledPolicy {
  return { id, name: '', version, actions: [] }
}
