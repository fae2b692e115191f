/**
 * Which scopes an application may ask for: `~/applications/{id}/grants`. platform-api 3.9: one grant per application and
 * resource, with scopes of that resource alone; grants on several custom resources only where one request may name
 * scopes of several.
 *
 * Never: a scope of another resource or environment (row N02), or `openid` as a grant: asking for it is always allowed.
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import type { ApplicationDocument } from '../environment/application.ts'
import { type Detail, invalidData, notFound, problem } from '../errors/problem.ts'
import { insert, remove, update, type Word } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import {
  type ApplicationGrantRow,
  applicationById,
  customResourcesGranted,
  grantById,
  grantsOf,
} from '../storage/sql/applications.ts'
import type { ResourceRow } from '../storage/sql/environments.ts'
import { resourceById, scopesOfResource } from '../storage/sql/resources.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { controlledApplication, documentOf, existingApplication } from './application-control.ts'
import { requireUnique } from './names.ts'

const grantRequest = nullMeansAbsent(
  z.object({
    resource: reference.describe('Cannot be changed later.'),
    scopes: z.array(reference).min(1).max(200),
  }),
)

const grant = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  application: reference,
  resource: reference,
  scopes: z.array(reference),
  createdAt: timestamp,
  updatedAt: timestamp,
})

function grantBody({ site }: Context, applicationId: string, row: ApplicationGrantRow) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const application = `${environment}/applications/${applicationId}`
  return {
    _links: links({
      self: `${application}/grants/${row.id}`,
      environment,
      application,
      resource: `${environment}/resources/${row.resource_id}`,
    }),
    id: row.id,
    environment: { id: site.environmentId },
    application: { id: applicationId },
    resource: { id: row.resource_id },
    scopes: (JSON.parse(row.scope_ids) as string[]).map((id) => ({ id })),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}

/**
 * Judges the scopes of a grant, inside the unit that writes it.
 * @returns their ids, each once
 * @throws Problem INVALID_DATA naming the scopes that do not belong
 */
function* grantableScopes(
  environmentId: string,
  resource: ResourceRow,
  wanted: readonly { id: string }[],
): Word<string[]> {
  const known = new Map(
    (yield* run(scopesOfResource(environmentId, resource.id))).map((scope) => [scope.id, scope.name]),
  )
  const details = wanted.flatMap(({ id }, at): Detail[] => {
    const target = `scopes.${at}.id`
    const name = known.get(id)
    if (name === undefined) return [{ code: 'INVALID_VALUE', target, message: 'must be a scope of the resource' }]
    if (resource.type !== 'OPENID_CONNECT' || name !== 'openid') return []
    return [{ code: 'INVALID_VALUE', target, message: 'is never granted: every application may ask for openid' }]
  })
  if (details.length > 0) throw problem('INVALID_DATA', { details })
  return [...new Set(wanted.map(({ id }) => id))]
}

const collectionPath = '/v1/environments/{environmentId}/applications/{applicationId}/grants'
const onePath = `${collectionPath}/{grantId}`
const ofApplication = z.object({ environmentId: uuid, applicationId: uuid })
const one = ofApplication.extend({ grantId: uuid })
const common = { surface: 'management', tag: 'Application grants', source: 'platform-api 3.9', cors: 'none' } as const

const listGrants = defineOperation({
  ...common,
  id: 'listApplicationGrants',
  method: 'GET',
  path: collectionPath,
  summary: 'List the grants of an application',
  permission: { kind: 'role', permission: 'applications:read:grant' },
  params: ofApplication,
  replies: { 200: collectionSchema('grants', grant) },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { applicationId } }, context) {
    const { kernel, environment, target } = context
    await existingApplication(context, applicationId)
    const rows = await kernel.storage.read(grantsOf(environment.id, applicationId))
    const items = rows.map((row) => grantBody(context, applicationId, row))
    return {
      status: 200,
      body: collection('grants', items, `${kernel.origins.apiUrl}${target}`, undefined, items.length),
    }
  },
})

const readGrant = defineOperation({
  ...common,
  id: 'readApplicationGrant',
  method: 'GET',
  path: onePath,
  summary: 'Read a grant of an application',
  permission: { kind: 'role', permission: 'applications:read:grant' },
  params: one,
  replies: { 200: grant },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { applicationId, grantId } }, context) {
    const [row] = await context.kernel.storage.read(grantById(context.environment.id, applicationId, grantId))
    if (!row) throw notFound()
    return { status: 200, body: grantBody(context, applicationId, row) }
  },
})

const createGrant = defineOperation({
  ...common,
  id: 'createApplicationGrant',
  method: 'POST',
  path: collectionPath,
  summary: 'Grant scopes of a resource to an application',
  permission: { kind: 'role', permission: 'applications:create:grant' },
  params: ofApplication,
  body: { kind: 'json', schema: grantRequest },
  replies: { 201: grant },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'GRANT.CREATED',
  async handle({ params: { applicationId }, body }, context) {
    const { kernel, environment, now } = context
    await controlledApplication(context, applicationId)
    const id = kernel.world.uuid()
    const commit = kernel.environments.configure(environment.id, 'create-application-grant', now, function* (changes) {
      changes.push({ kind: 'application', id: applicationId })
      const [application] = yield* run(applicationById(environment.id, applicationId))
      if (!application) throw notFound()
      const [resource] = yield* run(resourceById(environment.id, body.resource.id))
      if (!resource) throw invalidData('INVALID_VALUE', 'resource.id', 'must be a resource of the environment')
      const scopeIds = yield* grantableScopes(environment.id, resource, body.scopes)
      const row = {
        id,
        resource_id: resource.id,
        scope_ids: JSON.stringify(scopeIds),
        created_at: now,
        updated_at: now,
      }
      yield* insert('application_grants', { environment_id: environment.id, application_id: applicationId, ...row })
      yield* requireFittingGrants(environment.id, applicationId, documentOf(application), 'resource')
      yield context.record({ subject: { type: 'GRANT', id }, detail: { applicationId, resourceId: resource.id } })
      return row
    })
    const answer = grantBody(context, applicationId, await requireUnique('application_grants', 'resource', commit))
    return { status: 201, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

/**
 * Refuses grants on several custom resources, unless one request may name scopes of several. Yielded inside a unit, after
 * its change.
 * @throws Problem INVALID_DATA with detail CONSTRAINT_VIOLATION on `target`
 */
export function* requireFittingGrants(
  environmentId: string,
  applicationId: string,
  { echoed, registration }: ApplicationDocument,
  target: string,
): Word<void> {
  // What the policy grants to clients that register themselves may be of many resources; each token is for one.
  if (registration || echoed['requestScopesForMultipleResourcesEnabled'] === true) return
  const [count] = yield* run(customResourcesGranted(environmentId, applicationId))
  if (!count || count.granted <= 1) return
  const message = 'several custom resources need requestScopesForMultipleResourcesEnabled to be true'
  throw invalidData('CONSTRAINT_VIOLATION', target, message)
}

const updateGrant = defineOperation({
  ...common,
  id: 'updateApplicationGrant',
  method: 'PUT',
  path: onePath,
  summary: 'Replace the scopes of a grant',
  permission: { kind: 'role', permission: 'applications:update:grant' },
  params: one,
  body: { kind: 'json', schema: grantRequest },
  replies: { 200: grant },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'GRANT.UPDATED',
  async handle({ params: { applicationId, grantId }, body }, context) {
    const { kernel, environment, now } = context
    await controlledApplication(context, applicationId)
    const row = await kernel.environments.configure(
      environment.id,
      'update-application-grant',
      now,
      function* (changes) {
        changes.push({ kind: 'application', id: applicationId })
        const [before] = yield* run(grantById(environment.id, applicationId, grantId))
        if (!before) throw notFound()
        const [resource] = yield* run(resourceById(environment.id, before.resource_id))
        if (!resource) throw notFound()
        if (resource.id !== body.resource.id) throw invalidData('INVALID_VALUE', 'resource.id', 'cannot be changed')
        const scopeIds = yield* grantableScopes(environment.id, resource, body.scopes)
        const change = { scope_ids: JSON.stringify(scopeIds), updated_at: now }
        const key = { environment_id: environment.id, application_id: applicationId, id: grantId }
        yield* update('application_grants', key, change)
        yield context.record({
          subject: { type: 'GRANT', id: grantId },
          detail: { applicationId, resourceId: resource.id },
        })
        return { ...before, ...change }
      },
    )
    return { status: 200, body: grantBody(context, applicationId, row) }
  },
})

const deleteGrant = defineOperation({
  ...common,
  id: 'deleteApplicationGrant',
  method: 'DELETE',
  path: onePath,
  summary: 'Take the scopes of a resource from an application',
  permission: { kind: 'role', permission: 'applications:delete:grant' },
  params: one,
  replies: { 204: null },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  event: 'GRANT.DELETED',
  async handle({ params: { applicationId, grantId } }, context) {
    const { kernel, environment, now } = context
    await controlledApplication(context, applicationId)
    await kernel.environments.configure(environment.id, 'delete-application-grant', now, function* (changes) {
      changes.push({ kind: 'application', id: applicationId })
      const key = { environment_id: environment.id, application_id: applicationId, id: grantId }
      if ((yield* remove('application_grants', key)) === 0) throw notFound()
      yield context.record({ subject: { type: 'GRANT', id: grantId }, detail: { applicationId } })
    })
    return { status: 204 }
  },
})

export const applicationGrantOperations: readonly Operation[] = [
  listGrants,
  readGrant,
  createGrant,
  updateGrant,
  deleteGrant,
]
