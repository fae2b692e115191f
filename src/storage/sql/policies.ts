/** Statements on the tables of policies of which one is the environment's default. */
import type { Statement } from '../port.ts'
import { type Condition, equal, pageOf, type Span } from './page.ts'

/** A table of such policies. */
export type PolicyTable = 'device_authentication_policies' | 'fido2_policies'

/** A row of one. Times are epoch milliseconds. */
export interface PolicyRow {
  readonly id: string
  readonly name: string
  readonly is_default: number
  /** JSON of the policy without its name and flag. */
  readonly document: string
  readonly created_at: number
  readonly updated_at: number
}

function select(table: PolicyTable): string {
  return `SELECT w.* FROM ${table} w`
}

/** Every policy of an environment. */
export function policiesOf(table: PolicyTable, environmentId: string): Statement<PolicyRow> {
  return { text: `${select(table)} WHERE w.environment_id = $1 ORDER BY w.created_at, w.id`, values: [environmentId] }
}

/** One policy. */
export function policyById(table: PolicyTable, environmentId: string, id: string): Statement<PolicyRow> {
  return { text: `${select(table)} WHERE w.environment_id = $1 AND w.id = $2`, values: [environmentId, id] }
}

/** A page of policies. Conditions name the columns of `w`. */
export function policiesPage(
  table: PolicyTable,
  environmentId: string,
  filter: readonly Condition[],
  span: Span,
): Statement<PolicyRow> {
  return pageOf(select(table), 'w', [equal('w.environment_id', environmentId), ...filter], span)
}
