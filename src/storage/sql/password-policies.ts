/** Statements on `password_policies` beside those a snapshot is loaded with. */
import type { Statement } from '../port.ts'
import type { PasswordPolicyRow } from './environments.ts'
import { type Condition, equal, pageOf, type Span } from './page.ts'

/** A password policy and how many populations point to it. */
export interface CountedPasswordPolicyRow extends PasswordPolicyRow {
  readonly populations: number
}

const policies = `SELECT w.*,
    (SELECT COUNT(*) FROM populations p WHERE p.environment_id = w.environment_id AND p.password_policy_id = w.id) AS populations
  FROM password_policies w`

/** One password policy of an environment. */
export function passwordPolicyById(environmentId: string, id: string): Statement<CountedPasswordPolicyRow> {
  return { text: `${policies} WHERE w.environment_id = $1 AND w.id = $2`, values: [environmentId, id] }
}

/** A page of the password policies of an environment. */
export function passwordPoliciesPage(
  environmentId: string,
  filter: readonly Condition[],
  span: Span,
): Statement<CountedPasswordPolicyRow> {
  return pageOf(policies, 'w', [equal('w.environment_id', environmentId), ...filter], span)
}
