/**
 * Environments: list, read, create and change (platform-api 3.2). Whoever creates one is Environment Admin and Identity
 * Data Admin of it from the same unit on (platform-api 3.21). Promotion and deletion stand in files of their own.
 *
 * Never: the region of an environment changed; a licence of another organization told apart from none (row N02).
 */
import { z } from 'zod'
import { type Actor, allows, forbidden } from '../access/actor.ts'
import { roleById, roleNamed } from '../access/roles.ts'
import { collectionSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { reference, uuid } from '../contract/validation.ts'
import { insertEnvironment, prepareEnvironment } from '../environment/bootstrap.ts'
import type { EnvironmentDocument } from '../environment/document.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { record } from '../events/record.ts'
import { insertAll, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { environmentById, environmentsPage } from '../storage/sql/environments.ts'
import { type LicenseRow, licenseById } from '../storage/sql/organizations.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { billOfMaterialsRequest, storedBill } from './bill-of-materials.ts'
import { environment, environmentBody, region } from './environment-representation.ts'
import { originOfActor } from './event-origin.ts'
import { description, name, requireUnique } from './names.ts'
import { answerPage, filterOf, pageQuery } from './page.ts'
import { webAddress } from './web-address.ts'

const environmentRequest = z.object({
  name,
  description: description.optional(),
  icon: webAddress.optional(),
  type: z.enum(['SANDBOX', 'PRODUCTION']),
  region,
  license: reference,
})

const expand = z.enum(['billOfMaterials']).optional().describe('Puts the bill of materials into each environment.')

/** Where the actor may read environments; a role at a population lets its environment be seen. */
function visibleTo(actor: Actor) {
  const held = actor.kind === 'anonymous' ? [] : actor.assignments
  const reading = held.filter(({ roleId }) => roleById(roleId)?.permissions.has('orgmgt:read:environment'))
  const scopes = (type: string) => reading.filter(({ scopeType }) => scopeType === type)
  return {
    organizationIds: scopes('ORGANIZATION').map(({ scopeId }) => scopeId),
    environmentIds: [
      ...scopes('ENVIRONMENT').map(({ scopeId }) => scopeId),
      ...scopes('POPULATION').map(({ scopeEnvironmentId }) => scopeEnvironmentId ?? ''),
    ],
  }
}

/** 400 unless the licence is active and one that `mayUse`; the same whether it is of others or does not exist. */
function requireLicense(license: LicenseRow | undefined, mayUse: (organizationId: string) => boolean): LicenseRow {
  if (license?.status === 'ACTIVE' && mayUse(license.organization_id)) return license
  throw invalidData('INVALID_VALUE', 'license.id', 'must be the id of an active license of the organization')
}

const common = { surface: 'management', tag: 'Environments', source: 'platform-api 3.2', cors: 'none' } as const

const listEnvironments = defineOperation({
  ...common,
  id: 'listEnvironments',
  method: 'GET',
  path: '/v1/environments',
  summary: 'List the environments the actor may read',
  permission: { kind: 'bearer' },
  query: pageQuery.extend({ expand }),
  replies: { 200: collectionSchema('environments', environment) },
  errors: ['FORBIDDEN', 'INVALID_DATA', 'INVALID_REQUEST'],
  handle({ query }, context) {
    const visible = visibleTo(context.actor)
    if (visible.organizationIds.length + visible.environmentIds.length === 0) throw forbidden()
    const filter = filterOf(query, {
      name: { column: 'e.name', operators: ['eq', 'sw'] },
      id: { column: 'e.id', operators: ['eq'] },
      'organization.id': { column: 'e.organization_id', operators: ['eq'] },
      'license.id': { column: 'e.license_id', operators: ['eq'] },
    })
    return answerPage(context, query, {
      key: 'environments',
      statement: (span) => environmentsPage(visible, filter, span),
      write: (row) => environmentBody(context, row, query.expand !== undefined),
    })
  },
})

const createEnvironment = defineOperation({
  ...common,
  id: 'createEnvironment',
  method: 'POST',
  path: '/v1/environments',
  summary: 'Create an environment',
  permission: { kind: 'role', permission: 'orgmgt:create:environment' },
  body: {
    kind: 'json',
    schema: nullMeansAbsent(environmentRequest.extend({ billOfMaterials: billOfMaterialsRequest.optional() })),
  },
  replies: { 201: environment },
  errors: ['INVALID_DATA'],
  event: 'ENVIRONMENT.CREATED',
  async handle({ body }, context) {
    const { kernel, now, actor, site } = context
    const [found] = await kernel.storage.read(licenseById(body.license.id))
    const license = requireLicense(found, (organizationId) =>
      allows(actor, 'orgmgt:create:environment', { organizationId }),
    )
    const { billOfMaterials: bill } = body
    const prepared = await prepareEnvironment(kernel, {
      name: body.name,
      type: body.type,
      region: body.region,
      ...(body.description === undefined ? {} : { description: body.description }),
      ...(body.icon === undefined ? {} : { icon: body.icon }),
      organizationId: license.organization_id,
      licenseId: license.id,
      ...(bill ? { billOfMaterials: storedBill(bill, kernel.world) } : {}),
      now,
    })
    const row = await requireUnique(
      'environments',
      'name',
      kernel.storage.commit({
        name: 'createEnvironment',
        *run() {
          yield* insertEnvironment(prepared)
          yield* makeAdministrator(context, prepared.id)
          const [created] = yield* run(environmentById(prepared.id))
          if (!created) throw new Error('the environment that was just written is not there')
          return created
        },
      }),
    )
    const location = `${site.apiBase}/environments/${row.id}`
    return { status: 201, headers: { location }, body: environmentBody(context, row, true) }
  },
})

/** Makes the creator administrator of a new environment, and records both. */
function* makeAdministrator(context: Context, environmentId: string): UnitBody<void> {
  const { kernel, actor, now } = context
  if (actor.kind === 'anonymous') throw forbidden()
  const assignments = ['Environment Admin', 'Identity Data Admin'].map((role) => ({
    id: kernel.world.uuid(),
    environment_id: actor.environmentId,
    actor_type: actor.kind === 'user' ? 'USER' : 'APPLICATION',
    actor_id: actor.kind === 'user' ? actor.userId : actor.clientId,
    role_id: roleNamed(role).id,
    scope_type: 'ENVIRONMENT',
    scope_id: environmentId,
    scope_environment_id: environmentId,
    read_only: 0,
    created_at: now,
  }))
  yield* insertAll('role_assignments', assignments)
  const origin = originOfActor(context)
  yield record(origin, { action: 'ENVIRONMENT.CREATED', subject: { type: 'ENVIRONMENT', id: environmentId } })
  for (const { id, role_id, scope_id } of assignments) {
    const detail = { roleId: role_id, scopeType: 'ENVIRONMENT', scopeId: scope_id }
    yield record(origin, { action: 'ROLE_ASSIGNMENT.CREATED', subject: { type: 'ROLE_ASSIGNMENT', id }, detail })
  }
}

const readEnvironment = defineOperation({
  ...common,
  id: 'readEnvironment',
  method: 'GET',
  path: '/v1/environments/{environmentId}',
  summary: 'Read an environment',
  permission: { kind: 'role', permission: 'orgmgt:read:environment', population: true },
  params: z.object({ environmentId: uuid }),
  query: z.object({ expand }),
  replies: { 200: environment },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  async handle({ params, query }, context) {
    const [row] = await context.kernel.storage.read(environmentById(params.environmentId))
    if (!row) throw notFound()
    return { status: 200, body: environmentBody(context, row, query.expand !== undefined) }
  },
})

const replaceEnvironment = defineOperation({
  ...common,
  id: 'replaceEnvironment',
  method: 'PUT',
  path: '/v1/environments/{environmentId}',
  summary: 'Replace name, description, icon and licence of an environment',
  permission: { kind: 'role', permission: 'orgmgt:update:environment' },
  params: z.object({ environmentId: uuid }),
  body: { kind: 'json', schema: nullMeansAbsent(environmentRequest) },
  replies: { 200: environment },
  errors: ['NOT_FOUND', 'INVALID_DATA'],
  event: 'ENVIRONMENT.UPDATED',
  async handle({ params: { environmentId }, body }, context) {
    const { kernel, now } = context
    const changed = kernel.environments.configure(environmentId, 'replaceEnvironment', now, function* (changes) {
      const [before] = yield* run(environmentById(environmentId))
      if (!before) throw notFound()
      requireUnchanged('region', before.region, body.region)
      requireUnchanged('type', before.type, body.type)
      if (body.license.id !== before.license_id) {
        const [license] = yield* run(licenseById(body.license.id))
        requireLicense(license, (organizationId) => organizationId === before.organization_id)
      }
      const { billOfMaterials: bill } = JSON.parse(before.document) as EnvironmentDocument
      const columns = {
        name: body.name,
        license_id: body.license.id,
        document: JSON.stringify({ description: body.description, icon: body.icon, billOfMaterials: bill }),
        updated_at: now,
      }
      yield* update('environments', { id: environmentId }, columns)
      yield context.record({ subject: { type: 'ENVIRONMENT', id: environmentId } })
      changes.push({ kind: 'snapshot' })
      return { ...before, ...columns }
    })
    return { status: 200, body: environmentBody(context, await requireUnique('environments', 'name', changed)) }
  },
})

/** 400 for a member that this operation cannot change: the region never does, the type has its own operation. */
function requireUnchanged(member: string, present: string, wanted: string): void {
  if (wanted === present) return
  throw invalidData('INVALID_VALUE', member, 'must not be changed here', { allowedValues: [present] })
}

export const environmentOperations: readonly Operation[] = [
  listEnvironments,
  createEnvironment,
  readEnvironment,
  replaceEnvironment,
]
