/**
 * Groups nested in groups: `~/groups/{groupId}/memberOfGroups`, platform-api 3.4. The members of the group of the path
 * are, indirectly, members of those it is nested in; so whoever nests one in another must reach both (row N08).
 *
 * Never: a group that is nested in itself over whatever way, more than 10 levels.
 */
import { z } from 'zod'
import { collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { reference, uuid } from '../contract/validation.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { insert, remove } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { groupsAbove, groupsBelow, nestingsPage, type RelatedGroupRow } from '../storage/sql/groups.ts'
import { equal } from '../storage/sql/page.ts'
import { controlledGroup, groupsWithinReach, namedGroup, reachedGroup } from './group-control.ts'
import { keepAdministrators, requireGroupCeiling, requireNoFilter } from './group-roles.ts'
import { groupUrl } from './group-representation.ts'
import { filterableGroups } from './groups.ts'
import { requireUnique } from './names.ts'
import { answerPage, filterOf, pageQuery } from './page.ts'

/** How many levels a group may lie below another. */
const mostLevels = 10

const groupNesting = z.object({ _links: linksSchema, id: uuid, type: z.literal('DIRECT') })

function nestingBody(context: Context, groupId: string, { id }: { readonly id: string }) {
  const group = groupUrl(context, groupId)
  return {
    _links: links({ self: `${group}/memberOfGroups/${id}`, group, memberOfGroup: groupUrl(context, id) }),
    id,
    type: 'DIRECT',
  }
}

const common = { surface: 'management', tag: 'Groups', source: 'platform-api 3.4', cors: 'none' } as const
const collectionPath = '/v1/environments/{environmentId}/groups/{groupId}/memberOfGroups'
const itemPath = `${collectionPath}/{nestedGroupId}`
const ofGroup = z.object({ environmentId: uuid, groupId: uuid })
const one = ofGroup.extend({ nestedGroupId: uuid })
const reading = { kind: 'role', permission: 'idm:read:group', population: true } as const
const writing = { kind: 'role', permission: 'idm:update:group', population: true } as const

const listNestings = defineOperation({
  ...common,
  id: 'listGroupNestings',
  method: 'GET',
  path: collectionPath,
  summary: 'List the groups that a group is nested in, one level up',
  permission: reading,
  params: ofGroup,
  query: pageQuery,
  replies: { 200: collectionSchema('groupMemberships', groupNesting) },
  errors: ['INVALID_DATA', 'INVALID_REQUEST', 'FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { groupId }, query }, context) {
    await reachedGroup(context, reading.permission, groupId)
    const conditions = [...groupsWithinReach(context, reading.permission), ...filterOf(query, filterableGroups)]
    return answerPage(context, query, {
      key: 'groupMemberships',
      statement: (span) => nestingsPage(context.environment.id, groupId, conditions, span),
      write: (row) => nestingBody(context, groupId, row),
    })
  },
})

const createNesting = defineOperation({
  ...common,
  id: 'createGroupNesting',
  method: 'POST',
  path: collectionPath,
  summary: 'Nest a group in another',
  permission: writing,
  params: ofGroup,
  body: { kind: 'json', schema: reference },
  replies: { 201: groupNesting },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'GROUP_NESTING.CREATED',
  async handle({ params: { groupId }, body: { id } }, context) {
    const { kernel, environment, now } = context
    const created = kernel.environments.configure(environment.id, 'nest-group', now, function* () {
      yield* controlledGroup(context, writing.permission, groupId)
      yield* namedGroup(context, writing.permission, id)
      yield* requireOrder(environment.id, groupId, id)
      if ((yield* requireGroupCeiling(context, id)).length > 0) yield* requireNoFilter(context, groupId, 'id')
      const row = { environment_id: environment.id, group_id: groupId, parent_id: id, created_at: now }
      yield* insert('group_nestings', row)
      yield context.record({ subject: { type: 'GROUP', id: groupId }, detail: { memberOf: id } })
    })
    await requireUnique('group_nestings', 'id', created)
    const body = nestingBody(context, groupId, { id })
    return { status: 201, headers: { location: body._links['self']?.href ?? '' }, body }
  },
})

/** Refuses a nesting that would close a circle or go too deep; the unit keeps others from nesting meanwhile. */
function* requireOrder(environmentId: string, groupId: string, parentId: string): UnitBody<void> {
  const above = yield* run(groupsAbove(environmentId, parentId, mostLevels))
  if (above.some(({ id }) => id === groupId)) {
    throw invalidData('CONSTRAINT_VIOLATION', 'id', 'is the group itself or nested in it')
  }
  const below = yield* run(groupsBelow(environmentId, groupId, mostLevels))
  if (deepest(above) + 1 + deepest(below) > mostLevels) {
    throw invalidData('CONSTRAINT_VIOLATION', 'id', `would nest groups deeper than ${mostLevels} levels`)
  }
}

function deepest(related: readonly RelatedGroupRow[]): number {
  return Math.max(...related.map(({ level }) => level))
}

const readNesting = defineOperation({
  ...common,
  id: 'readGroupNesting',
  method: 'GET',
  path: itemPath,
  summary: 'Read the nesting of a group in another',
  permission: reading,
  params: one,
  replies: { 200: groupNesting },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { groupId, nestedGroupId } }, context) {
    const { kernel, environment } = context
    await reachedGroup(context, reading.permission, groupId)
    const conditions = [...groupsWithinReach(context, reading.permission), equal('g.id', nestedGroupId)]
    const first = { after: { createdAt: -1, id: '' }, limit: 1 }
    const [row] = await kernel.storage.read(nestingsPage(environment.id, groupId, conditions, first))
    if (!row) throw notFound()
    return { status: 200, body: nestingBody(context, groupId, row) }
  },
})

const deleteNesting = defineOperation({
  ...common,
  id: 'deleteGroupNesting',
  method: 'DELETE',
  path: itemPath,
  summary: 'Take a group out of another',
  permission: writing,
  params: one,
  replies: { 204: null },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  event: 'GROUP_NESTING.DELETED',
  async handle({ params: { groupId, nestedGroupId: id } }, context) {
    const { kernel, environment, now } = context
    await kernel.environments.configure(environment.id, 'take-group-out', now, function* () {
      yield* controlledGroup(context, writing.permission, groupId)
      yield* controlledGroup(context, writing.permission, id)
      const nesting = { environment_id: environment.id, group_id: groupId, parent_id: id }
      const roles = yield* requireGroupCeiling(context, id)
      if ((yield* remove('group_nestings', nesting)) === 0) throw notFound()
      yield* keepAdministrators(roles)
      yield context.record({ subject: { type: 'GROUP', id: groupId }, detail: { memberOf: id } })
    })
    return { status: 204 }
  },
})

export const groupNestingOperations: readonly Operation[] = [listNestings, createNesting, readNesting, deleteNesting]
