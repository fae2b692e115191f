/**
 * Users of an environment: `~/users` and `~/users/{id}`, platform-api 3.5. Creating, changing and deleting have files of
 * their own, as have the parts of a user that are changed one by one.
 */
import { z } from 'zod'
import { readFilter, termsOf } from '../contract/filter.ts'
import { collectionSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { userAttributes } from '../directory/user-filter.ts'
import { among, type Condition } from '../storage/sql/page.ts'
import { usersPage } from '../storage/sql/users.ts'
import type { FilterAttribute } from './filter.ts'
import { groupsInReach } from './group-control.ts'
import { membersOf } from './group-members.ts'
import { answerPage, filterOf, pageQuery } from './page.ts'
import { userAccountOperations } from './user-account.ts'
import { changeUserOperations } from './user-change.ts'
import { reachedUser, withinReach } from './user-control.ts'
import { createUserOperations } from './user-create.ts'
import { userDeletionOperations } from './user-delete.ts'
import { userFlagOperations } from './user-flags.ts'
import { userInvitationOperations } from './user-invitation.ts'
import { userPopulationOperations } from './user-population.ts'
import { includedGroups } from './user-groups.ts'
import { listedUser, userBody, userResource } from './user-representation.ts'
import { allUsers, common, oneUser } from './user-routes.ts'
import { userVerificationOperations } from './user-verification.ts'

/** What the list of users may be filtered by (platform-api 1.8), once it is known who the members of the groups are. */
function filterable(members: ReadonlyMap<string, Condition>): Readonly<Record<string, FilterAttribute>> {
  return { ...userAttributes, 'memberOfGroups.id': { operators: ['eq'], condition: (id) => members.get(id) ?? nobody } }
}

const nobody = among('u.id', [])

/** The conditions for being in the groups that a filter names: members by nesting and by `userFilter` count. */
async function membersNamed(context: Context, filter: string | undefined): Promise<ReadonlyMap<string, Condition>> {
  const terms = filter === undefined ? [] : termsOf(readFilter(filter, filterable(new Map())))
  const named = terms.filter(({ attribute }) => attribute === 'memberOfGroups.id').map(({ value }) => String(value))
  const groups = await groupsInReach(context, 'idm:read:groupMembership', named)
  return new Map(await Promise.all(groups.map(async (id) => [id, await membersOf(context, id)] as const)))
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
  async handle({ query }, context) {
    const attributes = filterable(await membersNamed(context, query.filter))
    const conditions = [...withinReach(context, 'idm:read:user'), ...filterOf(query, attributes)]
    return answerPage(context, query, {
      key: 'users',
      statement: (span) => usersPage(context.environment.id, conditions, span),
      write: (row) => userBody(context, listedUser(context, row)),
    })
  },
})

const groupsIncluded = {
  memberOfGroupIDs: z.array(z.string()).optional(),
  memberOfGroupNames: z.array(z.string()).optional(),
}

const include = z
  .string()
  .transform((list) => list.split(','))
  .pipe(z.array(z.enum(Object.keys(groupsIncluded) as (keyof typeof groupsIncluded)[])))
  .optional()
  .describe('`memberOfGroupIDs`, `memberOfGroupNames` or both, with a comma between: the groups of the user.')

const readUser = defineOperation({
  ...common,
  ...oneUser,
  id: 'readUser',
  method: 'GET',
  summary: 'Read a user',
  permission: { kind: 'role', population: true, ...reach },
  query: z.object({ include }),
  replies: { 200: userResource.extend(groupsIncluded) },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { userId }, query: { include: wanted } }, context) {
    const reached = await reachedUser(context, userId, reach)
    const body = userBody(context, reached)
    if (wanted === undefined) return { status: 200, body }
    const groups = await includedGroups(context, reached.user)
    const included = {
      ...(wanted.includes('memberOfGroupIDs') ? { memberOfGroupIDs: groups.map(({ id }) => id) } : {}),
      ...(wanted.includes('memberOfGroupNames') ? { memberOfGroupNames: groups.map(({ name }) => name) } : {}),
    }
    return { status: 200, body: { ...body, ...included } }
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
  ...userInvitationOperations,
]
