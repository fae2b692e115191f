/**
 * Deletion of an environment (platform-api 3.2, architecture section 5, row N31): one unit stamps it, so that it is 404
 * everywhere, and promises the removal of its rows, which `jobs/delete-environment.ts` keeps. Its name is free at once.
 *
 * Never: the environment in which the last Organization Admin lives.
 */
import { z } from 'zod'
import { defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { enqueue } from '../delivery/outbox.ts'
import { notFound } from '../errors/problem.ts'
import { record } from '../events/record.ts'
import { settlingMilliseconds } from '../jobs/delete-environment.ts'
import { run } from '../storage/port.ts'
import { stampDeletion } from '../storage/sql/deletion.ts'
import { organizationsHeldIn } from '../storage/sql/role-assignments.ts'
import { originOfActor } from './event-origin.ts'
import { organizationAdmin, requireAdministrator } from './last-administrator.ts'

const deleteEnvironment = defineOperation({
  id: 'deleteEnvironment',
  method: 'DELETE',
  path: '/v1/environments/{environmentId}',
  surface: 'management',
  tag: 'Environments',
  summary: 'Delete an environment and everything in it',
  source: 'platform-api 3.2',
  permission: { kind: 'role', permission: 'orgmgt:delete:environment' },
  cors: 'none',
  params: z.object({ environmentId: uuid }),
  replies: { 204: null },
  errors: ['NOT_FOUND', 'REQUEST_FAILED'],
  event: 'ENVIRONMENT.DELETED',
  async handle({ params: { environmentId } }, context) {
    const { kernel, now } = context
    await kernel.environments.configure(environmentId, 'deleteEnvironment', now, function* (changes) {
      const organizations = yield* run(organizationsHeldIn(environmentId, organizationAdmin))
      const stamped = yield* run(stampDeletion(environmentId, now))
      if (stamped.length === 0) throw notFound()
      for (const { scope_id } of organizations) yield* requireAdministrator(scope_id)
      const notBefore = now + settlingMilliseconds
      yield enqueue(kernel.world, { kind: 'environment.delete', environmentId, notBefore }, now)
      const subject = { type: 'ENVIRONMENT', id: environmentId }
      yield record(originOfActor(context), { action: 'ENVIRONMENT.DELETED', subject })
      changes.push({ kind: 'snapshot' })
    })
    kernel.environments.forget(environmentId)
    return { status: 204 }
  },
})

export const environmentDeletionOperations: readonly Operation[] = [deleteEnvironment]
