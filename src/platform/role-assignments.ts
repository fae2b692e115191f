/**
 * Role assignments of applications, of users and of groups (platform-api 3.21, rows N07, N12, N35). They are read at every use
 * (decision D23), so that what is given or taken here holds for the next request.
 *
 * Never: a role given or taken by somebody who does not hold all of it (`role-ceiling.ts`); an organization left without
 * an Organization Admin (`last-administrator.ts`).
 */
import { z } from 'zod'
import { populationsAllowed } from '../access/actor.ts'
import type { PermissionId } from '../access/permissions.ts'
import { collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { reference, uuid } from '../contract/validation.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { insert } from '../storage/operations.ts'
import { run, type Statement, type UnitBody } from '../storage/port.ts'
import { UniquenessViolation } from '../storage/refusals.ts'
import type { RoleAssignmentRow } from '../storage/sql/access.ts'
import { applicationById } from '../storage/sql/applications.ts'
import { groupById } from '../storage/sql/groups.ts'
import {
  deleteRoleAssignment,
  populationOfUser,
  roleAssignmentById,
  roleAssignmentsPage,
} from '../storage/sql/role-assignments.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { requireNoFilter } from './group-roles.ts'
import { organizationAdmin, requireAdministrator } from './last-administrator.ts'
import { answerPage, pageQuery } from './page.ts'
import { grantable, requireCeiling } from './role-ceiling.ts'

const scope = z.object({ id: uuid, type: z.enum(['ORGANIZATION', 'ENVIRONMENT', 'POPULATION']) })

const roleAssignment = z.object({
  _links: linksSchema,
  environment: reference,
  id: uuid,
  role: reference,
  scope,
  readOnly: z.boolean(),
})

type Verb = 'read' | 'create' | 'delete'

/** Whoever holds roles: the words in which its operations differ, and how it is found. */
interface Holder {
  readonly type: RoleAssignmentRow['actor_type']
  /** As in `listApplicationRoleAssignments`. */
  readonly word: 'Application' | 'User' | 'Group'
  readonly plural: 'applications' | 'users' | 'groups'
  /** The parameter of the path that names it. */
  readonly parameter: 'applicationId' | 'userId' | 'groupId'
  readonly phrase: string
  readonly permission: (verb: Verb) => PermissionId
  /** One row while it exists; of a user or group, with the population. */
  readonly find: (
    environmentId: string,
    id: string,
  ) => Statement<{ readonly id: string; readonly population_id?: string; readonly document?: string }>
}

const application: Holder = {
  type: 'APPLICATION',
  word: 'Application',
  plural: 'applications',
  parameter: 'applicationId',
  phrase: 'an application',
  permission: (verb) => `permissions:${verb}:applicationRoleAssignments`,
  find: applicationById,
}

const user: Holder = {
  type: 'USER',
  word: 'User',
  plural: 'users',
  parameter: 'userId',
  phrase: 'a user',
  permission: (verb) => `permissions:${verb}:userRoleAssignments`,
  find: populationOfUser,
}

const group: Holder = {
  type: 'GROUP',
  word: 'Group',
  plural: 'groups',
  parameter: 'groupId',
  phrase: 'a group: everybody who was put into it, or into one nested in it, holds them',
  permission: (verb) => `permissions:${verb}:groupRoleAssignments`,
  find: groupById,
}

/** The four operations on the roles of one kind of holder. */
function operationsFor(holder: Holder): readonly Operation[] {
  const collectionPath = `/v1/environments/{environmentId}/${holder.plural}/{${holder.parameter}}/roleAssignments`
  const params = z.object({ environmentId: uuid, [holder.parameter]: uuid })
  const itemParams = params.extend({ roleAssignmentId: uuid })
  const holderIn = (values: Readonly<Record<string, string>>) => values[holder.parameter] ?? ''
  const assignmentIn = (values: Readonly<Record<string, string>>) => values['roleAssignmentId'] ?? ''
  const common = { surface: 'management', tag: 'Role assignments', source: 'platform-api 3.21', cors: 'none' } as const
  const permission = (verb: Verb) => {
    const role = { kind: 'role', permission: holder.permission(verb) } as const
    return holder.type === 'APPLICATION' ? role : ({ ...role, population: true } as const)
  }

  const list = defineOperation({
    ...common,
    id: `list${holder.word}RoleAssignments`,
    method: 'GET',
    path: collectionPath,
    summary: `List the roles of ${holder.phrase}`,
    permission: permission('read'),
    params,
    query: pageQuery.omit({ filter: true }),
    replies: { 200: collectionSchema('roleAssignments', roleAssignment) },
    errors: ['NOT_FOUND', 'INVALID_DATA'],
    async handle(input, context) {
      const holderId = holderIn(input.params)
      await requireHolder(context, holder, holderId, 'read')
      return answerPage(context, input.query, {
        key: 'roleAssignments',
        statement: (span) => roleAssignmentsPage(context.environment.id, holderId, span),
        write: (row) => roleAssignmentBody(context, holder, row),
      })
    },
  })

  const read = defineOperation({
    ...common,
    id: `read${holder.word}RoleAssignment`,
    method: 'GET',
    path: `${collectionPath}/{roleAssignmentId}`,
    summary: `Read a role of ${holder.phrase}`,
    permission: permission('read'),
    params: itemParams,
    replies: { 200: roleAssignment },
    errors: ['NOT_FOUND'],
    async handle(input, context) {
      const holderId = holderIn(input.params)
      await requireHolder(context, holder, holderId, 'read')
      const statement = roleAssignmentById(context.environment.id, holderId, assignmentIn(input.params))
      const [row] = await context.kernel.storage.read(statement)
      if (!row) throw notFound()
      return { status: 200, body: roleAssignmentBody(context, holder, row) }
    },
  })

  const create = defineOperation({
    ...common,
    id: `create${holder.word}RoleAssignment`,
    method: 'POST',
    path: collectionPath,
    summary: `Give a role to ${holder.phrase}`,
    permission: permission('create'),
    params,
    body: { kind: 'json', schema: nullMeansAbsent(z.object({ role: reference, scope })) },
    replies: { 201: roleAssignment },
    errors: ['NOT_FOUND', 'INVALID_DATA', 'FORBIDDEN'],
    event: 'ROLE_ASSIGNMENT.CREATED',
    async handle(input, context) {
      const { kernel, now } = context
      const holderId = holderIn(input.params)
      await requireHolder(context, holder, holderId, 'create')
      const row: RoleAssignmentRow = {
        id: kernel.world.uuid(),
        environment_id: context.environment.id,
        actor_type: holder.type,
        actor_id: holderId,
        ...(await grantable(context, input.body.role.id, input.body.scope)),
        read_only: 0,
        created_at: now,
      }
      const unit = { name: `create${holder.word}RoleAssignment`, run: () => give(context, holder, row) }
      await kernel.storage.commit(unit).catch((error: unknown) => {
        if (!(error instanceof UniquenessViolation)) throw error
        throw invalidData('UNIQUENESS_VIOLATION', 'role', 'May not assign duplicate Role')
      })
      const body = roleAssignmentBody(context, holder, row)
      return { status: 201, headers: { location: body._links['self']?.href ?? '' }, body }
    },
  })

  const remove = defineOperation({
    ...common,
    id: `delete${holder.word}RoleAssignment`,
    method: 'DELETE',
    path: `${collectionPath}/{roleAssignmentId}`,
    summary: `Take a role from ${holder.phrase}`,
    permission: permission('delete'),
    params: itemParams,
    replies: { 204: null },
    errors: ['NOT_FOUND', 'FORBIDDEN', 'REQUEST_FAILED'],
    event: 'ROLE_ASSIGNMENT.DELETED',
    async handle(input, context) {
      const holderId = holderIn(input.params)
      await requireHolder(context, holder, holderId, 'delete')
      await context.kernel.storage.commit({
        name: `delete${holder.word}RoleAssignment`,
        run: () => take(context, holderId, assignmentIn(input.params)),
      })
      return { status: 204 }
    },
  })

  return [list, create, read, remove]
}

/** 404 unless the holder is one of the environment that the actor's roles reach. */
async function requireHolder(context: Context, holder: Holder, id: string, verb: Verb): Promise<void> {
  const { actor, environment, kernel } = context
  const [row] = await kernel.storage.read(holder.find(environment.id, id))
  if (!row) throw notFound()
  const place = { organizationId: environment.organizationId, environmentId: environment.id }
  const reached = populationsAllowed(actor, holder.permission(verb), place)
  if (reached !== 'all' && !reached.includes(row.population_id ?? '')) throw notFound()
  const { registration } = JSON.parse(row.document ?? '{}') as { registration?: object }
  if (verb === 'create' && holder.type === 'APPLICATION' && registration) {
    throw invalidData('INVALID_VALUE', 'role', 'must not be given to a client that has registered itself')
  }
}

function* give(context: Context, holder: Holder, row: RoleAssignmentRow): UnitBody<void> {
  const present = yield* run(holder.find(row.environment_id, row.actor_id))
  if (present.length === 0) throw notFound()
  if (holder.type === 'GROUP') yield* requireNoFilter(context, row.actor_id, 'role')
  yield* insert('role_assignments', { ...row })
  yield context.record({ subject: { type: 'ROLE_ASSIGNMENT', id: row.id }, detail: detailOf(row) })
}

/** Removes first and judges then: what was read before could be another thing by now. */
function* take(context: Context, holderId: string, id: string): UnitBody<void> {
  const [row] = yield* run(deleteRoleAssignment(context.environment.id, holderId, id))
  if (!row) throw notFound()
  requireCeiling(context, row)
  if (row.read_only === 1) {
    const message = `Role assignment ${id} cannot be deleted as it is read only`
    throw problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
  }
  if (row.role_id === organizationAdmin) yield* requireAdministrator(row.scope_id)
  yield context.record({ subject: { type: 'ROLE_ASSIGNMENT', id }, detail: detailOf(row) })
}

function detailOf({ actor_type, actor_id, role_id, scope_type, scope_id }: RoleAssignmentRow) {
  return { holderType: actor_type, holderId: actor_id, roleId: role_id, scopeType: scope_type, scopeId: scope_id }
}

function roleAssignmentBody({ site, environment }: Context, { plural, type }: Holder, row: RoleAssignmentRow) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  const holderUrl = `${environmentUrl}/${plural}/${row.actor_id}`
  return {
    _links: links({
      self: `${holderUrl}/roleAssignments/${row.id}`,
      environment: environmentUrl,
      [type.toLowerCase()]: holderUrl,
      role: `${site.apiBase}/roles/${row.role_id}`,
    }),
    environment: { id: environment.id },
    id: row.id,
    role: { id: row.role_id },
    scope: { id: row.scope_id, type: row.scope_type },
    readOnly: row.read_only === 1,
  }
}

export const roleAssignmentOperations: readonly Operation[] = [application, user, group].flatMap(operationsFor)
