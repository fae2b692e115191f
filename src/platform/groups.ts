/**
 * Groups: `~/groups`, platform-api 3.4. They are data, like users, and read at use (decision D23); only who administers a
 * population administers its groups.
 *
 * Never: a group changed or removed by somebody who could not give the roles it gives (group-roles.ts); one removed that a sign-on policy or the access control of an application names: what was meant to keep
 * somebody out, or to ask them for more, would mean something else.
 */
import { z } from 'zod'
import { collectionSchema } from '../contract/hal.ts'
import { defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { invalidData, problem } from '../errors/problem.ts'
import { groupsNamedBy } from '../flow/policy.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { signOnPoliciesOf } from '../storage/sql/environments.ts'
import { anyApplicationOfGroup, countUsers, dynamicGroups, groupById, groupsPage } from '../storage/sql/groups.ts'
import type { FilterAttribute } from './filter.ts'
import { controlledGroup, groupsWithinReach, reachedGroup, requireGroupPlace } from './group-control.ts'
import { membersOf } from './group-members.ts'
import { groupBody, groupColumns, groupRequest, groupResource, groupUrl } from './group-representation.ts'
import { keepAdministrators, requireGroupCeiling } from './group-roles.ts'
import { removeRolesOf } from './last-administrator.ts'
import { requireUnique } from './names.ts'
import { answerPage, filterOf, pageQuery } from './page.ts'
import { actionsOf } from './sign-on-policy-version.ts'
import { requireExistingPopulation } from './user-control.ts'

const common = { surface: 'management', tag: 'Groups', source: 'platform-api 3.4', cors: 'none' } as const
const collectionPath = '/v1/environments/{environmentId}/groups'
const itemPath = `${collectionPath}/{groupId}`
const inEnvironment = z.object({ environmentId: uuid })
const ofGroup = z.object({ environmentId: uuid, groupId: uuid })

/** Every one of them is judged whenever the groups of a user are asked for. */
const mostDynamicGroups = 100

/** What a list of groups may be filtered by (platform-api 1.8). */
export const filterableGroups: Readonly<Record<string, FilterAttribute>> = {
  id: { column: 'g.id', operators: ['eq'] },
  name: { column: 'g.name', operators: ['eq', 'sw'] },
  externalId: { column: 'g.external_id', operators: ['eq', 'sw'] },
  'population.id': { column: 'g.population_id', operators: ['eq'] },
}

const listGroups = defineOperation({
  ...common,
  id: 'listGroups',
  method: 'GET',
  path: collectionPath,
  summary: 'List the groups the actor may read',
  permission: { kind: 'role', permission: 'idm:read:group', population: true },
  params: inEnvironment,
  query: pageQuery,
  replies: { 200: collectionSchema('groups', groupResource) },
  errors: ['INVALID_DATA', 'INVALID_REQUEST', 'FORBIDDEN'],
  handle({ query }, context) {
    const conditions = [...groupsWithinReach(context, 'idm:read:group'), ...filterOf(query, filterableGroups)]
    return answerPage(context, query, {
      key: 'groups',
      statement: (span) => groupsPage(context.environment.id, conditions, span),
      write: (row) => groupBody(context, row),
    })
  },
})

const createGroup = defineOperation({
  ...common,
  id: 'createGroup',
  method: 'POST',
  path: collectionPath,
  summary: 'Create a group',
  permission: { kind: 'role', permission: 'idm:create:group', population: true },
  params: inEnvironment,
  body: { kind: 'json', schema: groupRequest },
  replies: { 201: groupResource },
  errors: ['INVALID_DATA', 'FORBIDDEN'],
  event: 'GROUP.CREATED',
  async handle({ body }, context) {
    const { kernel, environment, now } = context
    const id = kernel.world.uuid()
    const columns = groupColumns(body)
    requireGroupPlace(context, 'idm:create:group', body.population?.id ?? '')
    const created = kernel.environments.configure(environment.id, 'create-group', now, function* () {
      if (body.population) yield* requireExistingPopulation(context, body.population.id)
      const row = { environment_id: environment.id, id, ...columns, created_at: now, updated_at: now }
      yield* insert('groups', row)
      if (body.userFilter !== undefined) yield* requireFewDynamicGroups(environment.id)
      yield context.record({ subject: { type: 'GROUP', id } })
      return yield* writtenGroup(environment.id, id)
    })
    const answer = groupBody(context, await requireUnique('groups', 'name', created))
    return { status: 201, headers: { location: groupUrl(context, id) }, body: answer }
  },
})

const readGroup = defineOperation({
  ...common,
  id: 'readGroup',
  method: 'GET',
  path: itemPath,
  summary: 'Read a group',
  permission: { kind: 'role', permission: 'idm:read:group', population: true },
  params: ofGroup,
  query: z.object({
    include: z
      .literal('totalMemberCounts')
      .optional()
      .describe('Counts the members in whatever way: by nesting and by filter as well.'),
  }),
  replies: { 200: groupResource },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { groupId }, query }, context) {
    const { kernel, environment } = context
    const row = await reachedGroup(context, 'idm:read:group', groupId)
    if (query.include === undefined) return { status: 200, body: groupBody(context, row) }
    const [counted] = await kernel.storage.read(countUsers(environment.id, await membersOf(context, groupId)))
    return { status: 200, body: groupBody(context, row, counted?.users ?? 0) }
  },
})

const replaceGroup = defineOperation({
  ...common,
  id: 'replaceGroup',
  method: 'PUT',
  path: itemPath,
  summary: 'Replace a group',
  permission: { kind: 'role', permission: 'idm:update:group', population: true },
  params: ofGroup,
  body: { kind: 'json', schema: groupRequest },
  replies: { 200: groupResource },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'GROUP.UPDATED',
  async handle({ params: { groupId: id }, body }, context) {
    const { kernel, environment, now } = context
    const columns = groupColumns(body)
    await reachedGroup(context, 'idm:update:group', id)
    requireGroupPlace(context, 'idm:update:group', body.population?.id ?? '')
    const changed = kernel.environments.configure(environment.id, 'replace-group', now, function* () {
      yield* controlledGroup(context, 'idm:update:group', id)
      const roles = yield* requireGroupCeiling(context, id)
      if (roles.length > 0 && body.userFilter !== undefined) throw holdsRoles()
      if (body.population) yield* requireExistingPopulation(context, body.population.id)
      yield* update('groups', { environment_id: environment.id, id }, { ...columns, updated_at: now })
      if (body.userFilter !== undefined) yield* requireFewDynamicGroups(environment.id)
      yield context.record({ subject: { type: 'GROUP', id } })
      return yield* writtenGroup(environment.id, id)
    })
    return { status: 200, body: groupBody(context, await requireUnique('groups', 'name', changed)) }
  },
})

const deleteGroup = defineOperation({
  ...common,
  id: 'deleteGroup',
  method: 'DELETE',
  path: itemPath,
  summary: 'Delete a group that neither a sign-on policy nor an application names',
  permission: { kind: 'role', permission: 'idm:delete:group', population: true },
  params: ofGroup,
  replies: { 204: null },
  errors: ['REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'GROUP.DELETED',
  async handle({ params: { groupId: id } }, context) {
    const { kernel, environment, now } = context
    await kernel.environments.configure(environment.id, 'delete-group', now, function* () {
      yield* controlledGroup(context, 'idm:delete:group', id)
      yield* requireUnnamed(environment.id, id)
      const roles = yield* requireGroupCeiling(context, id)
      const group = { environment_id: environment.id, group_id: id }
      yield* remove('group_memberships', group)
      yield* remove('group_nestings', group)
      yield* remove('group_nestings', { environment_id: environment.id, parent_id: id })
      yield* remove('groups', { environment_id: environment.id, id })
      yield* removeRolesOf(context, id)
      yield* keepAdministrators(roles)
      yield context.record({ subject: { type: 'GROUP', id } })
    })
    return { status: 204 }
  },
})

/** The group as this unit has left it. */
function* writtenGroup(environmentId: string, id: string) {
  const [row] = yield* run(groupById(environmentId, id))
  if (!row) throw new TypeError('a group that was just written is there')
  return row
}

function* requireFewDynamicGroups(environmentId: string): UnitBody<void> {
  if ((yield* run(dynamicGroups(environmentId))).length <= mostDynamicGroups) return
  const message = `must be absent: ${mostDynamicGroups} groups of the environment have one`
  throw invalidData('CONSTRAINT_VIOLATION', 'userFilter', message)
}

function holdsRoles(): Error {
  return invalidData('CONSTRAINT_VIOLATION', 'userFilter', 'must be absent: the group gives roles to its members')
}

function* requireUnnamed(environmentId: string, id: string): UnitBody<void> {
  const policies = yield* run(signOnPoliciesOf(environmentId))
  if (policies.some((policy) => actionsOf(policy).some((action) => groupsNamedBy(action).includes(id)))) {
    throw inUse('A group that a condition of a sign-on policy names cannot be deleted.')
  }
  if ((yield* run(anyApplicationOfGroup(environmentId, id))).length > 0) {
    throw inUse('A group that the access control of an application names cannot be deleted.')
  }
}

function inUse(message: string): Error {
  return problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
}

export const groupOperations: readonly Operation[] = [listGroups, createGroup, readGroup, replaceGroup, deleteGroup]
