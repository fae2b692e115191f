/**
 * `assignActorRoles`: a new WORKER gets the roles of its creator (platform-api 3.7). Giving roles one by one is
 * `role-assignments.ts`, taking them all away `last-administrator.ts`.
 *
 * Never: a role or scope that the creator does not hold.
 */
import type { Context } from '../contract/operation.ts'
import { insert } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'

/** Gives a new application the roles of its creator, inside the unit that creates it. */
export function* insertActorRoles(context: Context, applicationId: string): UnitBody<void> {
  const { actor, environment, kernel, now } = context
  if (actor.kind === 'anonymous') return
  for (const held of actor.assignments) {
    const id = kernel.world.uuid()
    yield* insert('role_assignments', {
      id,
      environment_id: environment.id,
      actor_type: 'APPLICATION',
      actor_id: applicationId,
      role_id: held.roleId,
      scope_type: held.scopeType,
      scope_id: held.scopeId,
      scope_environment_id: held.scopeEnvironmentId,
      read_only: 0,
      created_at: now,
    })
    yield context.record({ action: 'ROLE_ASSIGNMENT.CREATED', subject: { type: 'ROLE_ASSIGNMENT', id } })
  }
}
