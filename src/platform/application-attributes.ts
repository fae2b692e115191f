/**
 * Attribute mappings of applications: `~/applications/{id}/attributes`, platform-api 3.9. They become claims of the
 * application's ID tokens and userinfo, in the place of those that a scope brings. Every application has `sub` (CORE), whose
 * value can be changed; with pairwise subjects it is not looked at.
 *
 * Never: a mapping that would take the place of a claim by which tokens are judged.
 */
import { z } from 'zod'
import { collection, collectionSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { type ApplicationAttributeRow, attributesOfApplication } from '../storage/sql/attributes.ts'
import { applicationById } from '../storage/sql/applications.ts'
import { resourcesOf, scopesOf } from '../storage/sql/environments.ts'
import {
  applicationAttribute,
  applicationAttributeBody,
  applicationAttributeRequest,
} from './application-attribute-representation.ts'
import { controlledApplication, existingApplication } from './application-control.ts'
import { requireFreeName, requireValue } from './attribute-value.ts'
import { requireUnique } from './names.ts'

const collectionPath = '/v1/environments/{environmentId}/applications/{applicationId}/attributes'
const onePath = `${collectionPath}/{attributeId}`
const ofApplication = z.object({ environmentId: uuid, applicationId: uuid })
const ofAttribute = ofApplication.extend({ attributeId: uuid })
const common = {
  surface: 'management',
  tag: 'Application attributes',
  source: 'platform-api 3.9',
  cors: 'none',
} as const
const reading = { kind: 'role', permission: 'applications:read:application' } as const
const updating = { kind: 'role', permission: 'applications:update:application' } as const

type AttributeRequest = z.output<typeof applicationAttributeRequest>

/** Judges a request inside the unit and makes its columns. @throws Problem INVALID_DATA */
function* columnsOf(environmentId: string, body: AttributeRequest, now: number) {
  requireValue(body.value)
  if (!body.idToken && !body.userInfo) throw invalidData('INVALID_VALUE', 'userInfo', 'must not be false as idToken is')
  if (body.oidcScopes) yield* requireScopes(environmentId, body.oidcScopes)
  return {
    name: body.name,
    value: body.value,
    required: body.required ? 1 : 0,
    id_token: body.idToken ? 1 : 0,
    user_info: body.userInfo ? 1 : 0,
    oidc_scopes: body.oidcScopes ? JSON.stringify(body.oidcScopes) : null,
    updated_at: now,
  }
}

/** @throws Problem INVALID_DATA when one is no scope of `openid` */
function* requireScopes(environmentId: string, ids: readonly string[]): UnitBody<void> {
  const openid = (yield* run(resourcesOf(environmentId))).find(({ type }) => type === 'OPENID_CONNECT')
  const scopes = (yield* run(scopesOf(environmentId))).filter(({ resource_id }) => resource_id === openid?.id)
  const at = ids.findIndex((id) => !scopes.some((scope) => scope.id === id))
  if (at !== -1) throw invalidData('INVALID_VALUE', `oidcScopes.${at}`, 'is not a scope of the resource openid')
}

function* existing(environmentId: string, applicationId: string, id: string): UnitBody<ApplicationAttributeRow> {
  const row = (yield* run(attributesOfApplication(environmentId, applicationId))).find((one) => one.id === id)
  if (!row) throw notFound()
  return row
}

async function read(context: Context, applicationId: string): Promise<readonly ApplicationAttributeRow[]> {
  await existingApplication(context, applicationId)
  return context.kernel.storage.read(attributesOfApplication(context.environment.id, applicationId))
}

const listAttributes = defineOperation({
  ...common,
  id: 'listApplicationAttributes',
  method: 'GET',
  path: collectionPath,
  summary: 'List the attribute mappings of an application',
  permission: reading,
  params: ofApplication,
  replies: { 200: collectionSchema('attributes', applicationAttribute) },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params }, context) {
    const rows = await read(context, params.applicationId)
    const items = rows.map((row) => applicationAttributeBody(context, row))
    const self = `${context.kernel.origins.apiUrl}${context.target}`
    return { status: 200, body: collection('attributes', items, self, undefined, items.length) }
  },
})

const readAttribute = defineOperation({
  ...common,
  id: 'readApplicationAttribute',
  method: 'GET',
  path: onePath,
  summary: 'Read an attribute mapping of an application',
  permission: reading,
  params: ofAttribute,
  replies: { 200: applicationAttribute },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params }, context) {
    const row = (await read(context, params.applicationId)).find(({ id }) => id === params.attributeId)
    if (!row) throw notFound()
    return { status: 200, body: applicationAttributeBody(context, row) }
  },
})

const createAttribute = defineOperation({
  ...common,
  id: 'createApplicationAttribute',
  method: 'POST',
  path: collectionPath,
  summary: 'Map an attribute of users to a claim for an application',
  permission: updating,
  params: ofApplication,
  body: { kind: 'json', schema: applicationAttributeRequest },
  replies: { 201: applicationAttribute },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'APPLICATION_ATTRIBUTE.CREATED',
  async handle({ params: { applicationId }, body }, context) {
    const { kernel, environment, now } = context
    await controlledApplication(context, applicationId)
    const id = kernel.world.uuid()
    requireFreeName(body.name)
    if (body.mappingType === 'CORE') throw invalidData('INVALID_VALUE', 'mappingType', 'must not be CORE')
    const commit = kernel.environments.configure(
      environment.id,
      'create-application-attribute',
      now,
      function* (changes) {
        changes.push({ kind: 'application', id: applicationId })
        if ((yield* run(applicationById(environment.id, applicationId))).length === 0) throw notFound()
        const columns = yield* columnsOf(environment.id, body, now)
        const row = { application_id: applicationId, id, mapping_type: 'CUSTOM', ...columns, created_at: now } as const
        yield* insert('application_attributes', { environment_id: environment.id, ...row })
        yield context.record({ subject: { type: 'APPLICATION_ATTRIBUTE', id }, detail: { applicationId } })
        return row
      },
    )
    const answer = applicationAttributeBody(context, await requireUnique('application_attributes', 'name', commit))
    return { status: 201, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const updateAttribute = defineOperation({
  ...common,
  id: 'updateApplicationAttribute',
  method: 'PUT',
  path: onePath,
  summary: 'Replace an attribute mapping of an application',
  permission: updating,
  params: ofAttribute,
  body: { kind: 'json', schema: applicationAttributeRequest },
  replies: { 200: applicationAttribute },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'APPLICATION_ATTRIBUTE.UPDATED',
  async handle({ params: { applicationId, attributeId: id }, body }, context) {
    const { kernel, environment, now } = context
    await controlledApplication(context, applicationId)
    const commit = kernel.environments.configure(
      environment.id,
      'update-application-attribute',
      now,
      function* (changes) {
        changes.push({ kind: 'application', id: applicationId })
        const before = yield* existing(environment.id, applicationId, id)
        const isCore = before.mapping_type === 'CORE'
        if (!isCore) requireFreeName(body.name)
        else if (body.name !== before.name) throw invalidData('INVALID_VALUE', 'name', 'cannot be changed')
        if (isCore && body.oidcScopes) throw invalidData('INVALID_VALUE', 'oidcScopes', 'must be absent here')
        const columns = yield* columnsOf(environment.id, isCore ? { ...body, required: true } : body, now)
        yield* update(
          'application_attributes',
          { environment_id: environment.id, application_id: applicationId, id },
          columns,
        )
        yield context.record({ subject: { type: 'APPLICATION_ATTRIBUTE', id }, detail: { applicationId } })
        return { ...before, ...columns }
      },
    )
    const row = await requireUnique('application_attributes', 'name', commit)
    return { status: 200, body: applicationAttributeBody(context, row) }
  },
})

const deleteAttribute = defineOperation({
  ...common,
  id: 'deleteApplicationAttribute',
  method: 'DELETE',
  path: onePath,
  summary: 'Remove an attribute mapping other than sub',
  permission: updating,
  params: ofAttribute,
  replies: { 204: null },
  errors: ['REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'APPLICATION_ATTRIBUTE.DELETED',
  async handle({ params: { applicationId, attributeId: id } }, context) {
    const { kernel, environment, now } = context
    await controlledApplication(context, applicationId)
    await kernel.environments.configure(environment.id, 'delete-application-attribute', now, function* (changes) {
      changes.push({ kind: 'application', id: applicationId })
      const before = yield* existing(environment.id, applicationId, id)
      if (before.mapping_type === 'CORE') {
        const message = 'The mapping of sub cannot be deleted.'
        throw problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
      }
      yield* remove('application_attributes', { environment_id: environment.id, application_id: applicationId, id })
      yield context.record({ subject: { type: 'APPLICATION_ATTRIBUTE', id }, detail: { applicationId } })
    })
    return { status: 204 }
  },
})

export const applicationAttributeOperations: readonly Operation[] = [
  listAttributes,
  readAttribute,
  createAttribute,
  updateAttribute,
  deleteAttribute,
]
