/**
 * Users of an environment: `~/users` and `~/users/{id}`, platform-api 3.5. Creating, changing and deleting have files of
 * their own, as have the parts of a user that are changed one by one.
 */
import { collectionSchema } from '../contract/hal.ts'
import { defineOperation, type Operation } from '../contract/operation.ts'
import { textKey } from '../directory/users.ts'
import { usersPage } from '../storage/sql/users.ts'
import type { FilterAttribute } from './filter.ts'
import { answerPage, filterOf, pageQuery } from './page.ts'
import { userAccountOperations } from './user-account.ts'
import { changeUserOperations } from './user-change.ts'
import { reachedUser, withinReach } from './user-control.ts'
import { createUserOperations } from './user-create.ts'
import { userDeletionOperations } from './user-delete.ts'
import { userFlagOperations } from './user-flags.ts'
import { userPopulationOperations } from './user-population.ts'
import { listedUser, userBody, userResource } from './user-representation.ts'
import { allUsers, common, oneUser } from './user-routes.ts'
import { userVerificationOperations } from './user-verification.ts'

const prefixes = ['eq', 'sw'] as const

/** What the list of users may be filtered by (platform-api 1.8). */
const filterable: Readonly<Record<string, FilterAttribute>> = {
  id: { column: 'u.id', operators: ['eq'] },
  username: { column: 'u.username_key', operators: prefixes, normalize: textKey },
  email: { column: 'u.email_key', operators: prefixes, normalize: textKey },
  'name.given': { column: 'u.given_key', operators: prefixes, normalize: textKey },
  'name.family': { column: 'u.family_key', operators: prefixes, normalize: textKey },
  mobilePhone: { column: 'u.mobile_phone', operators: prefixes },
  'population.id': { column: 'u.population_id', operators: ['eq'] },
  enabled: { column: 'u.enabled', operators: ['eq'], type: 'boolean' },
  externalId: { column: 'u.external_id', operators: prefixes },
}

const reach = { permission: 'idm:read:user', self: 'p1:read:user' } as const

const listUsers = defineOperation({
  ...common,
  ...allUsers,
  id: 'listUsers',
  method: 'GET',
  summary: 'List the users of an environment',
  permission: { kind: 'role', permission: 'idm:read:user', population: true },
  query: pageQuery,
  replies: { 200: collectionSchema('users', userResource) },
  errors: ['INVALID_DATA', 'INVALID_REQUEST', 'FORBIDDEN'],
  handle: ({ query }, context) =>
    answerPage(context, query, {
      key: 'users',
      statement: (span) => {
        const conditions = [...withinReach(context, 'idm:read:user'), ...filterOf(query, filterable)]
        return usersPage(context.environment.id, conditions, span)
      },
      write: (row) => userBody(context, listedUser(context, row)),
    }),
})

const readUser = defineOperation({
  ...common,
  ...oneUser,
  id: 'readUser',
  method: 'GET',
  summary: 'Read a user',
  permission: { kind: 'role', population: true, ...reach },
  replies: { 200: userResource },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params }, context) {
    return { status: 200, body: userBody(context, await reachedUser(context, params.userId, reach)) }
  },
})

/** Every operation on users but those on their passwords (`user-password.ts`). */
export const userOperations: readonly Operation[] = [
  listUsers,
  readUser,
  ...createUserOperations,
  ...changeUserOperations,
  ...userDeletionOperations,
  ...userAccountOperations,
  ...userFlagOperations,
  ...userPopulationOperations,
  ...userVerificationOperations,
]
