/**
 * The population of a user: `~/users/{userId}/population`, platform-api 3.5. Moving somebody needs the permission at both
 * populations (row N05), and control over them, since the population decides on their password policy.
 */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { reference } from '../contract/validation.ts'
import type { User } from '../directory/users.ts'
import { notFound } from '../errors/problem.ts'
import { update } from '../storage/operations.ts'
import {
  controlledUser,
  reachedKey,
  reachedUser,
  requireExistingPopulation,
  requirePopulation,
} from './user-control.ts'
import { partLinks } from './user-representation.ts'
import { common, partOfUser } from './user-routes.ts'

const resource = z.object({ _links: linksSchema, id: reference.shape.id, environment: reference, user: reference })
const declared = { ...common, ...partOfUser('/population'), replies: { 200: resource } } as const
const reading = { permission: 'idm:read:user', self: 'p1:read:user' } as const
const changing = { permission: 'idm:update:user' } as const

function body(context: Context, owner: User) {
  const { environmentId, id, populationId } = owner
  const { environment, ...relations } = partLinks(context, owner, 'population')
  return {
    _links: links({
      ...relations,
      environment: `${environment}`,
      population: `${environment}/populations/${populationId}`,
    }),
    id: populationId,
    environment: { id: environmentId },
    user: { id },
  }
}

const readPopulationOfUser = defineOperation({
  ...declared,
  id: 'readUserPopulation',
  method: 'GET',
  summary: 'Read the population of a user',
  permission: { kind: 'role', population: true, ...reading },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params }, context) {
    return { status: 200, body: body(context, (await reachedUser(context, params.userId, reading)).user) }
  },
})

const moveUser = defineOperation({
  ...declared,
  id: 'updateUserPopulation',
  method: 'PUT',
  summary: 'Move a user to another population',
  permission: { kind: 'role', population: true, ...changing },
  body: { kind: 'json', schema: reference },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'USER.UPDATED',
  async handle({ params: { userId }, body: { id: populationId } }, context) {
    const { kernel, now, record } = context
    const reached = await controlledUser(context, userId, changing)
    requirePopulation(context, changing.permission, populationId)
    await kernel.storage.commit({
      name: 'move-user',
      *run() {
        yield* requireExistingPopulation(context, populationId)
        const columns = { population_id: populationId, updated_at: now }
        if (!(yield* update('users', reachedKey(reached), columns))) throw notFound()
        yield record({ subject: { type: 'USER', id: userId }, detail: { changed: ['population'], populationId } })
      },
    })
    return { status: 200, body: body(context, { ...reached.user, populationId }) }
  },
})

export const userPopulationOperations: readonly Operation[] = [readPopulationOfUser, moveUser]
