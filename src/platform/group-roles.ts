/**
 * What groups that hold roles mean for those who change groups (platform-api 3.4, 3.21; rows N07, N08, N12). Whoever is put
 * into a group, or into one nested in it, holds its roles: so putting somebody in is giving roles, and taking somebody out is
 * taking them, and only who may give every one of them does either. Pieces of units: what is read and what is changed belong
 * together.
 *
 * Never: a role by a `userFilter`. Users and lesser administrators write the attributes that filters look at, so a group that
 * gives roles has no such members, itself or below it; and where roles are read (storage/sql/access.ts) no filter counts.
 */
import type { Context } from '../contract/operation.ts'
import { invalidData } from '../errors/problem.ts'
import { run, type UnitBody } from '../storage/port.ts'
import type { RoleAssignmentRow } from '../storage/sql/access.ts'
import { dynamicGroupsBelow } from '../storage/sql/groups.ts'
import { roleAssignmentsByGroup } from '../storage/sql/role-assignments.ts'
import { organizationAdmin, requireAdministrator } from './last-administrator.ts'
import { requireCeiling } from './role-ceiling.ts'

/**
 * The roles that the members of a group hold by it: its own, and those of the groups it is nested in.
 * @throws Problem FORBIDDEN unless the actor may give every one of them
 */
export function* requireGroupCeiling(context: Context, groupId: string): UnitBody<readonly RoleAssignmentRow[]> {
  const held = yield* run(roleAssignmentsByGroup(context.environment.id, groupId))
  for (const role of held) requireCeiling(context, role)
  return held
}

/**
 * To be yielded after members were taken from what gave them these roles.
 * @throws Problem REQUEST_FAILED when an organization is left without an Organization Admin
 */
export function* keepAdministrators(taken: readonly RoleAssignmentRow[]): UnitBody<void> {
  const organizations = taken.filter(({ role_id }) => role_id === organizationAdmin).map(({ scope_id }) => scope_id)
  for (const organizationId of new Set(organizations)) yield* requireAdministrator(organizationId)
}

/**
 * For the unit that gives roles to a group, or to its members by another.
 * @param target what is refused, for the answer
 * @throws Problem INVALID_DATA when the group, or one nested in it, has members by a filter
 */
export function* requireNoFilter({ environment }: Context, groupId: string, target: string): UnitBody<void> {
  if ((yield* run(dynamicGroupsBelow(environment.id, groupId))).length === 0) return
  throw invalidData(
    'CONSTRAINT_VIOLATION',
    target,
    'a group with a userFilter, or with one nested in it, holds no roles',
  )
}
