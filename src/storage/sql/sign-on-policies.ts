/** Statements on `sign_on_policies` beside those the snapshot is loaded from (`environments.ts`). */
import type { Statement } from '../port.ts'
import type { SignOnPolicyRow } from './environments.ts'

/** One sign-on policy with the actions of its current version. */
export function signOnPolicyById(environmentId: string, id: string): Statement<SignOnPolicyRow> {
  return {
    text: `SELECT p.id, p.name, p.description, p.is_default, p.version, v.actions, p.created_at, p.updated_at
           FROM sign_on_policies p
           JOIN sign_on_policy_versions v
             ON v.environment_id = p.environment_id AND v.policy_id = p.id AND v.version = p.version
           WHERE p.environment_id = $1 AND p.id = $2`,
    values: [environmentId, id],
  }
}

/** Takes `default` from whichever other policy has it. */
export function makeOnlyDefaultPolicy(environmentId: string, id: string, now: number): Statement<object> {
  return {
    text: `UPDATE sign_on_policies SET is_default = 0, updated_at = $3
           WHERE environment_id = $1 AND id <> $2 AND is_default = 1`,
    values: [environmentId, id, now],
  }
}

/** How many applications a policy is assigned to. */
export function assignmentsOfPolicy(
  environmentId: string,
  policyId: string,
): Statement<{ readonly applications: number }> {
  return {
    text: 'SELECT COUNT(*) AS applications FROM sign_on_policy_assignments WHERE environment_id = $1 AND policy_id = $2',
    values: [environmentId, policyId],
  }
}
