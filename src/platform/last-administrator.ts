/**
 * An organization never loses its last Organization Admin, whatever takes roles away: removing an assignment, or deleting
 * the application, user, group or environment that holds it, or taking the last member out of a group (row N12). Pieces of units: they count inside the unit, after the
 * removal, with the organization locked, so that two removals cannot each rely on the other's administrator.
 */
import { roleNamed } from '../access/roles.ts'
import type { Context } from '../contract/operation.ts'
import { problem } from '../errors/problem.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { lockOrganization } from '../storage/sql/organizations.ts'
import { anyMemberOf } from '../storage/sql/groups.ts'
import { anyHolder, deleteRoleAssignmentsOf, groupHolders } from '../storage/sql/role-assignments.ts'

/** The role that must always be held. */
export const organizationAdmin = roleNamed('Organization Admin').id

/**
 * To be yielded after an Organization Admin was taken away.
 * @throws Problem REQUEST_FAILED when the unit has left none
 */
export function* requireAdministrator(organizationId: string): UnitBody<void> {
  yield lockOrganization(organizationId)
  if ((yield* run(anyHolder(organizationAdmin, organizationId))).length > 0) return
  for (const { environment_id, group_id } of yield* run(groupHolders(organizationAdmin, organizationId))) {
    if ((yield* run(anyMemberOf(environment_id, group_id))).length > 0) return
  }
  throw problem('REQUEST_FAILED', {
    details: [{ code: 'CONSTRAINT_VIOLATION', message: 'The organization must keep at least one Organization Admin.' }],
  })
}

/**
 * Takes all roles from an application, user or group of the environment of the path that is being deleted (row N31).
 * @throws Problem REQUEST_FAILED when it is the last Organization Admin
 */
export function* removeRolesOf({ environment, record }: Context, actorId: string): UnitBody<void> {
  for (const removed of yield* run(deleteRoleAssignmentsOf(environment.id, actorId))) {
    if (removed.role_id === organizationAdmin) yield* requireAdministrator(removed.scope_id)
    yield record({ action: 'ROLE_ASSIGNMENT.DELETED', subject: { type: 'ROLE_ASSIGNMENT', id: removed.id } })
  }
}
