/**
 * The groups of a user: `~/users/{userId}/memberOfGroups`, platform-api 3.4. DIRECT: the user was put into the group.
 * INDIRECT: they match its `userFilter`, or are in a group that is nested in it. Groups that the actor does not reach are
 * not shown (row N05).
 *
 * Never: somebody put into a group by an administrator who does not reach both, or who could not act as them: groups
 * decide what a sign-on asks for (rows N08, N09).
 */
import { z } from 'zod'
import { collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { reference, uuid } from '../contract/validation.ts'
import { dynamicGroupsOf } from '../directory/groups.ts'
import { filteredUser } from '../directory/user-filter.ts'
import type { User } from '../directory/users.ts'
import { notFound } from '../errors/problem.ts'
import { insert, remove } from '../storage/operations.ts'
import { type MembershipRow, membershipsPage } from '../storage/sql/groups.ts'
import { type Condition, equal, type Span } from '../storage/sql/page.ts'
import { groupsWithinReach, namedGroup, reachedGroup } from './group-control.ts'
import { groupBody, groupResource, groupUrl } from './group-representation.ts'
import { keepAdministrators, requireGroupCeiling } from './group-roles.ts'
import { filterableGroups } from './groups.ts'
import { requireUnique } from './names.ts'
import { answerPage, filterOf, pageQuery } from './page.ts'
import { controlledUser, reachedUser, requirePopulation } from './user-control.ts'
import { userUrl } from './user-representation.ts'
import { partOfUser } from './user-routes.ts'

const groupMembership = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  name: z.string(),
  type: z.enum(['DIRECT', 'INDIRECT']),
  _embedded: z.object({ group: groupResource }).optional(),
})

const expand = z.literal('group').optional().describe('Puts the group into each membership.')

function membershipBody(context: Context, user: User, row: MembershipRow, isExpanded: boolean) {
  const self = userUrl(context, user)
  return {
    _links: links({ self: `${self}/memberOfGroups/${row.id}`, user: self, group: groupUrl(context, row.id) }),
    id: row.id,
    environment: { id: user.environmentId },
    name: row.name,
    type: row.direct === 1 ? 'DIRECT' : 'INDIRECT',
    ...(isExpanded ? { _embedded: { group: groupBody(context, row) } } : {}),
  }
}

const reading = { permission: 'idm:read:groupMembership' } as const
const creating = { permission: 'idm:create:groupMembership' } as const
const deleting = { permission: 'idm:delete:groupMembership' } as const

const common = { surface: 'management', tag: 'Groups', source: 'platform-api 3.4', cors: 'none' } as const
const all = partOfUser('/memberOfGroups')
const one = { path: `${all.path}/{groupId}`, params: all.params.extend({ groupId: uuid }) } as const

/** Statements for the memberships of a user that the actor may see; one read finds out which filters they match. */
async function memberships(context: Context, user: User, conditions: readonly Condition[]) {
  const { kernel, environment } = context
  const dynamic = await dynamicGroupsOf(kernel, environment.id, filteredUser(user))
  const visible = [...groupsWithinReach(context, reading.permission), ...conditions]
  return (span: Span) => membershipsPage(environment.id, user.id, dynamic, visible, span)
}

/** As many as `memberOfGroupIDs` and `memberOfGroupNames` hold. */
const mostIncluded = 1000

/**
 * The groups of a user for their resource, by id and name; groups out of the actor's reach left out.
 * @throws Problem FORBIDDEN for an actor who may read the user, but not the groups
 */
export async function includedGroups(
  context: Context,
  user: User,
): Promise<readonly Pick<MembershipRow, 'id' | 'name'>[]> {
  requirePopulation(context, reading.permission, user.populationId)
  const statement = await memberships(context, user, [])
  return context.kernel.storage.read(statement({ after: { createdAt: -1, id: '' }, limit: mostIncluded }))
}

async function membershipOf(context: Context, user: User, groupId: string): Promise<MembershipRow> {
  const statement = await memberships(context, user, [equal('g.id', groupId)])
  const [row] = await context.kernel.storage.read(statement({ after: { createdAt: -1, id: '' }, limit: 1 }))
  if (!row) throw notFound()
  return row
}

const listMemberships = defineOperation({
  ...common,
  ...all,
  id: 'listUserGroups',
  method: 'GET',
  summary: 'List the groups of a user, direct and indirect',
  permission: { kind: 'role', population: true, ...reading },
  query: pageQuery.extend({ expand }),
  replies: { 200: collectionSchema('groupMemberships', groupMembership) },
  errors: ['INVALID_DATA', 'INVALID_REQUEST', 'FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { userId }, query }, context) {
    const conditions = filterOf(query, filterableGroups)
    const { user } = await reachedUser(context, userId, reading)
    return answerPage(context, query, {
      key: 'groupMemberships',
      statement: await memberships(context, user, conditions),
      write: (row) => membershipBody(context, user, row, query.expand !== undefined),
    })
  },
})

const readMembership = defineOperation({
  ...common,
  ...one,
  id: 'readUserGroup',
  method: 'GET',
  summary: 'Read the membership of a user in a group',
  permission: { kind: 'role', population: true, ...reading },
  query: z.object({ expand }),
  replies: { 200: groupMembership },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { userId, groupId }, query }, context) {
    const { user } = await reachedUser(context, userId, reading)
    const row = await membershipOf(context, user, groupId)
    return { status: 200, body: membershipBody(context, user, row, query.expand !== undefined) }
  },
})

const createMembership = defineOperation({
  ...common,
  ...all,
  id: 'addUserToGroup',
  method: 'POST',
  summary: 'Put a user into a group',
  permission: { kind: 'role', population: true, ...creating },
  body: { kind: 'json', schema: reference },
  replies: { 201: groupMembership },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'GROUP_MEMBERSHIP.CREATED',
  async handle({ params: { userId }, body: { id } }, context) {
    const { kernel, environment, now } = context
    const { user } = await controlledUser(context, userId, creating)
    const commit = kernel.storage.commit({
      name: 'add-user-to-group',
      *run() {
        const group = yield* namedGroup(context, creating.permission, id)
        yield* requireGroupCeiling(context, id)
        const row = { environment_id: environment.id, user_id: userId, group_id: id, created_at: now }
        yield* insert('group_memberships', row)
        yield context.record({ subject: { type: 'GROUP', id }, detail: { userId } })
        return group
      },
    })
    const group = await requireUnique('group_memberships', 'id', commit)
    const body = membershipBody(context, user, { ...group, direct: 1 }, false)
    return { status: 201, headers: { location: body._links['self']?.href ?? '' }, body }
  },
})

const deleteMembership = defineOperation({
  ...common,
  ...one,
  id: 'removeUserFromGroup',
  method: 'DELETE',
  summary: 'Take a user out of a group they were put into',
  permission: { kind: 'role', population: true, ...deleting },
  replies: { 204: null },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  event: 'GROUP_MEMBERSHIP.DELETED',
  async handle({ params: { userId, groupId } }, context) {
    const { kernel, environment } = context
    await controlledUser(context, userId, deleting)
    await reachedGroup(context, deleting.permission, groupId)
    await kernel.storage.commit({
      name: 'remove-user-from-group',
      *run() {
        const membership = { environment_id: environment.id, user_id: userId, group_id: groupId }
        const roles = yield* requireGroupCeiling(context, groupId)
        if ((yield* remove('group_memberships', membership)) === 0) throw notFound()
        yield* keepAdministrators(roles)
        yield context.record({ subject: { type: 'GROUP', id: groupId }, detail: { userId } })
      },
    })
    return { status: 204 }
  },
})

export const userGroupOperations: readonly Operation[] = [
  listMemberships,
  readMembership,
  createMembership,
  deleteMembership,
]
