/**
 * Promotion of an environment from SANDBOX to PRODUCTION (platform-api 3.2).
 *
 * Never: the way back, by which tools that spare production environments would delete one.
 */
import { z } from 'zod'
import { defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { update } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import { environmentById } from '../storage/sql/environments.ts'
import { environment, environmentBody } from './environment-representation.ts'

const replaceEnvironmentType = defineOperation({
  id: 'replaceEnvironmentType',
  method: 'PUT',
  path: '/v1/environments/{environmentId}/type',
  surface: 'management',
  tag: 'Environments',
  summary: 'Promote an environment to PRODUCTION',
  source: 'platform-api 3.2',
  permission: { kind: 'role', permission: 'orgmgt:update:environment' },
  cors: 'none',
  params: z.object({ environmentId: uuid }),
  body: { kind: 'json', schema: z.object({ type: z.enum(['SANDBOX', 'PRODUCTION']) }) },
  replies: { 200: environment },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'ENVIRONMENT.UPDATED',
  async handle({ params: { environmentId }, body: { type } }, context) {
    const { kernel, now } = context
    const row = await kernel.environments.configure(environmentId, 'replaceEnvironmentType', now, function* (changes) {
      const [before] = yield* run(environmentById(environmentId))
      if (!before) throw notFound()
      if (before.type === 'PRODUCTION' && type === 'SANDBOX') {
        throw invalidData('INVALID_VALUE', 'type', 'must not go back to SANDBOX', { allowedValues: ['PRODUCTION'] })
      }
      yield* update('environments', { id: environmentId }, { type, updated_at: now })
      yield context.record({ subject: { type: 'ENVIRONMENT', id: environmentId }, detail: { changed: ['type'] } })
      changes.push({ kind: 'snapshot' })
      return { ...before, type, updated_at: now }
    })
    return { status: 200, body: environmentBody(context, row) }
  },
})

export const environmentTypeOperations: readonly Operation[] = [replaceEnvironmentType]
