/**
 * What role may be given or taken, where, and by whom (platform-api 3.21, rows N07, N11). One rule for both directions:
 * every permission of the role must be held at the same or a broader scope.
 *
 * Never: a difference between a scope that does not exist and one that the actor does not reach (row N02).
 */
import { dominates } from '../access/actor.ts'
import { roleById, type ScopeType } from '../access/roles.ts'
import type { Context } from '../contract/operation.ts'
import { invalidData, problem } from '../errors/problem.ts'
import type { RoleAssignmentRow } from '../storage/sql/access.ts'
import { environmentById } from '../storage/sql/environments.ts'
import { environmentOfPopulation } from '../storage/sql/populations.ts'

/** A role at a scope, as columns. */
export type RoleAtScope = Pick<RoleAssignmentRow, 'role_id' | 'scope_type' | 'scope_id' | 'scope_environment_id'>

/** A scope as it is written. */
export interface Scope {
  readonly id: string
  readonly type: ScopeType
}

/**
 * Judges whether the actor may give a role at a scope.
 * @throws Problem INVALID_DATA when there is no such role or scope, or the role is not for this kind of scope; FORBIDDEN
 *   when the actor does not hold the role there
 */
export async function grantable(context: Context, roleId: string, scope: Scope): Promise<RoleAtScope> {
  const role = roleById(roleId)
  if (!role) throw invalidData('INVALID_VALUE', 'role.id', 'is not a role')
  if (!role.applicableTo.includes(scope.type)) {
    throw invalidData('INVALID_VALUE', 'scope.type', 'is not a scope of the role', { allowedValues: role.applicableTo })
  }
  const environmentId = await environmentOf(context, scope)
  const given = {
    role_id: roleId,
    scope_type: scope.type,
    scope_id: scope.id,
    scope_environment_id: environmentId ?? null,
  }
  requireCeiling(context, given)
  if (environmentId === undefined) throw invalidData('INVALID_VALUE', 'scope.id', 'does not exist')
  return given
}

/**
 * Throws unless the actor holds all of the role at its scope or a broader one.
 * @throws Problem FORBIDDEN; clients know its message by its beginning
 */
export function requireCeiling({ actor, environment }: Context, role: RoleAtScope): void {
  const assignment = {
    roleId: role.role_id,
    scopeType: role.scope_type,
    scopeId: role.scope_id,
    scopeEnvironmentId: role.scope_environment_id,
  }
  if (dominates(actor, assignment, environment.organizationId)) return
  const message = 'Must have role at the same or broader scope to give it or to take it away.'
  throw problem('FORBIDDEN', { details: [{ code: 'INSUFFICIENT_PERMISSIONS', target: 'role', message }] })
}

/** The environment a scope lies in; null for the organization itself; undefined when the organization has no such thing. */
async function environmentOf(
  { kernel, environment }: Context,
  { id, type }: Scope,
): Promise<string | null | undefined> {
  const { organizationId } = environment
  switch (type) {
    case 'ORGANIZATION':
      return id === organizationId ? null : undefined
    case 'ENVIRONMENT': {
      const [row] = await kernel.storage.read(environmentById(id))
      return row?.organization_id === organizationId ? row.id : undefined
    }
    case 'POPULATION': {
      const [row] = await kernel.storage.read(environmentOfPopulation(organizationId, id))
      return row?.environment_id
    }
  }
}
