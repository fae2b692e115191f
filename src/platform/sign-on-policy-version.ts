/**
 * Versions of a sign-on policy (decision D20): every change of its name or actions adds an immutable row and moves the
 * policy to it. Flows under way are judged by the version they began with and by the current one.
 *
 * Never: a version row that is changed after it was written.
 */
import type { PolicyAction } from '../flow/policy.ts'
import { compareAndSet, insert, type Word } from '../storage/operations.ts'
import type { SignOnPolicyRow } from '../storage/sql/environments.ts'

/** An action as stored: its id stays the same through all versions. */
export type StoredAction = PolicyAction & { readonly id: string }

/** The actions of a policy at its current version, in the order of evaluation. */
export function actionsOf(policy: SignOnPolicyRow): StoredAction[] {
  const actions = JSON.parse(policy.actions) as StoredAction[]
  return actions.toSorted((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : 1))
}

/** The population that an action registers people in; undefined where it names none. */
export function populationOf(action: PolicyAction): string | undefined {
  switch (action.type) {
    case 'LOGIN':
    case 'IDENTIFIER_FIRST':
    case 'IDENTITY_PROVIDER':
      return action.registration?.population?.id
    default:
      return undefined
  }
}

/**
 * Moves a policy to its next version, inside the unit that changes it.
 * @param change the new name or the new actions; the other stays
 * @throws Stale when somebody else moved it since `policy` was read
 */
export function* moveToNextVersion(
  environmentId: string,
  policy: SignOnPolicyRow,
  change: { readonly name?: string; readonly actions?: readonly StoredAction[] },
  now: number,
): Word<void> {
  const { name = policy.name } = change
  const key = { environment_id: environmentId, id: policy.id }
  const version = yield* compareAndSet('sign_on_policies', key, policy.version, { name, updated_at: now })
  yield* insert('sign_on_policy_versions', {
    environment_id: environmentId,
    policy_id: policy.id,
    version,
    name,
    actions: change.actions ? JSON.stringify(change.actions) : policy.actions,
    created_at: now,
  })
}
