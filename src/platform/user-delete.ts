/**
 * Deleting a user: `DELETE ~/users/{userId}`, platform-api 3.5. Password, sessions, roles and everything that was issued
 * go in the same commit, so that nothing revives when the name is used again (rows E23, N31).
 */
import { defineOperation, type Operation } from '../contract/operation.ts'
import { removeBelongings } from '../directory/user-removal.ts'
import { notFound } from '../errors/problem.ts'
import { remove } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import { roleAssignmentsOf } from '../storage/sql/access.ts'
import { keepAdministrators } from './group-roles.ts'
import { removeRolesOf } from './last-administrator.ts'
import { controlledUser, reachedKey } from './user-control.ts'
import { common, oneUser } from './user-routes.ts'

const reach = { permission: 'idm:delete:user' } as const

const deleteUser = defineOperation({
  ...common,
  ...oneUser,
  id: 'deleteUser',
  method: 'DELETE',
  summary: 'Delete a user, with all that belongs to them',
  permission: { kind: 'role', population: true, ...reach },
  replies: { 204: null },
  errors: ['REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'USER.DELETED',
  async handle({ params: { userId } }, context) {
    const { environment, kernel, now } = context
    const reached = await controlledUser(context, userId, reach)
    await kernel.storage.commit({
      name: 'delete-user',
      *run() {
        const held = yield* run(roleAssignmentsOf(environment.id, userId))
        if ((yield* remove('users', reachedKey(reached))) === 0) throw notFound()
        yield* removeBelongings(kernel.world, environment.id, userId, now)
        yield* removeRolesOf(context, userId)
        yield* keepAdministrators(held)
        yield context.record({ subject: { type: 'USER', id: userId } })
      },
    })
    return { status: 204 }
  },
})

export const userDeletionOperations: readonly Operation[] = [deleteUser]
