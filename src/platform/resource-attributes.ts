/**
 * Attributes of resources: `~/resources/{id}/attributes`, platform-api 3.11.3. Those of a custom resource become claims of
 * its access tokens, those of `openid` claims about the user.
 *
 * | resource | may be created | came with it |
 * |---|---|---|
 * | custom | any name that is free | `sub` (CORE): its value can be changed |
 * | `openid` | any name that is free | 24 PREDEFINED ones: values and switches can be changed |
 * | `PingOne API` | none | none |
 *
 * Never: an attribute that would take the place of a claim by which tokens are judged.
 */
import { z } from 'zod'
import { collection, collectionSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { attributesOfResource, type ResourceAttributeRow } from '../storage/sql/attributes.ts'
import type { ResourceRow } from '../storage/sql/environments.ts'
import { resourceById, scopesOfResource } from '../storage/sql/resources.ts'
import { requireFreeName, requireValue } from './attribute-value.ts'
import { requireUnique } from './names.ts'
import {
  resourceAttribute,
  resourceAttributeBody,
  resourceAttributeRequest,
} from './resource-attribute-representation.ts'

const collectionPath = '/v1/environments/{environmentId}/resources/{resourceId}/attributes'
const onePath = `${collectionPath}/{attributeId}`
const ofResource = z.object({ environmentId: uuid, resourceId: uuid })
const one = ofResource.extend({ attributeId: uuid })
const common = {
  surface: 'management',
  tag: 'Resource attributes',
  source: 'platform-api 3.11.3',
  cors: 'none',
} as const
const reading = { kind: 'role', permission: 'resources:read:resource' } as const
const updating = { kind: 'role', permission: 'resources:update:resource' } as const

/** Reads a resource with its attributes. @throws Problem NOT_FOUND */
async function read({ kernel, environment }: Context, resourceId: string) {
  const [[resource], attributes] = await Promise.all([
    kernel.storage.read(resourceById(environment.id, resourceId)),
    kernel.storage.read(attributesOfResource(environment.id, resourceId)),
  ])
  if (!resource) throw notFound()
  return { resource, attributes }
}

/** The same of one attribute, in a unit. */
function* existing(
  environmentId: string,
  resourceId: string,
  id: string,
): UnitBody<{ readonly resource: ResourceRow; readonly before: ResourceAttributeRow }> {
  const [resource] = yield* run(resourceById(environmentId, resourceId))
  const before = (yield* run(attributesOfResource(environmentId, resourceId))).find((row) => row.id === id)
  if (!resource || !before) throw notFound()
  return { resource, before }
}

type AttributeRequest = z.output<typeof resourceAttributeRequest>

/** The switches of a request. @throws Problem INVALID_DATA when it is shown nowhere, or shown by a resource that shows nothing */
function switchesOf(resource: ResourceRow, { idToken, userInfo }: AttributeRequest) {
  const isOpenid = resource.type === 'OPENID_CONNECT'
  if (!isOpenid && (idToken !== undefined || userInfo !== undefined)) {
    const target = idToken === undefined ? 'userInfo' : 'idToken'
    throw invalidData('INVALID_VALUE', target, 'belongs to attributes of the resource openid')
  }
  if (idToken === false && userInfo === false) {
    throw invalidData('INVALID_VALUE', 'userInfo', 'must not be false as idToken is')
  }
  return { id_token: idToken === false ? 0 : 1, user_info: userInfo === false ? 0 : 1 }
}

const listAttributes = defineOperation({
  ...common,
  id: 'listResourceAttributes',
  method: 'GET',
  path: collectionPath,
  summary: 'List the attributes of a resource',
  permission: reading,
  params: ofResource,
  replies: { 200: collectionSchema('attributes', resourceAttribute) },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params }, context) {
    const { resource, attributes } = await read(context, params.resourceId)
    const items = attributes.map((row) => resourceAttributeBody(context, resource, row))
    const self = `${context.kernel.origins.apiUrl}${context.target}`
    return { status: 200, body: collection('attributes', items, self, undefined, items.length) }
  },
})

const readAttribute = defineOperation({
  ...common,
  id: 'readResourceAttribute',
  method: 'GET',
  path: onePath,
  summary: 'Read an attribute of a resource',
  permission: reading,
  params: one,
  replies: { 200: resourceAttribute },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params }, context) {
    const { resource, attributes } = await read(context, params.resourceId)
    const row = attributes.find(({ id }) => id === params.attributeId)
    if (!row) throw notFound()
    return { status: 200, body: resourceAttributeBody(context, resource, row) }
  },
})

const createAttribute = defineOperation({
  ...common,
  id: 'createResourceAttribute',
  method: 'POST',
  path: collectionPath,
  summary: 'Add an attribute to a resource',
  permission: updating,
  params: ofResource,
  body: { kind: 'json', schema: resourceAttributeRequest },
  replies: { 201: resourceAttribute },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'RESOURCE_ATTRIBUTE.CREATED',
  async handle({ params: { resourceId }, body }, context) {
    const { kernel, environment, now } = context
    const id = kernel.world.uuid()
    if (body.type !== undefined && body.type !== 'CUSTOM') {
      throw invalidData('INVALID_VALUE', 'type', 'must be CUSTOM', { allowedValues: ['CUSTOM'] })
    }
    requireFreeName(body.name)
    requireValue(body.value)
    const commit = kernel.environments.configure(environment.id, 'create-resource-attribute', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const [resource] = yield* run(resourceById(environment.id, resourceId))
      if (!resource) throw notFound()
      if (resource.type === 'PINGONE_API') {
        throw invalidData('CONSTRAINT_VIOLATION', 'resource', 'has no attributes of its own')
      }
      const row = {
        resource_id: resourceId,
        id,
        name: body.name,
        type: 'CUSTOM',
        value: body.value,
        ...switchesOf(resource, body),
        created_at: now,
        updated_at: now,
      } as const
      yield* insert('resource_attributes', { environment_id: environment.id, ...row })
      yield context.record({ subject: { type: 'RESOURCE_ATTRIBUTE', id }, detail: { resourceId } })
      return { resource, row }
    })
    const { resource, row } = await requireUnique('resource_attributes', 'name', commit)
    const answer = resourceAttributeBody(context, resource, row)
    return { status: 201, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const updateAttribute = defineOperation({
  ...common,
  id: 'updateResourceAttribute',
  method: 'PUT',
  path: onePath,
  summary: 'Replace an attribute of a resource',
  permission: updating,
  params: one,
  body: { kind: 'json', schema: resourceAttributeRequest },
  replies: { 200: resourceAttribute },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'RESOURCE_ATTRIBUTE.UPDATED',
  async handle({ params: { resourceId, attributeId: id }, body }, context) {
    const { kernel, environment, now } = context
    const commit = kernel.environments.configure(environment.id, 'update-resource-attribute', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const { resource, before } = yield* existing(environment.id, resourceId, id)
      if (before.type === 'CUSTOM') requireFreeName(body.name)
      else if (body.name !== before.name) throw invalidData('INVALID_VALUE', 'name', 'cannot be changed')
      if (before.type !== 'PREDEFINED') requireValue(body.value)
      const columns = { name: body.name, value: body.value, ...switchesOf(resource, body), updated_at: now }
      yield* update('resource_attributes', { environment_id: environment.id, resource_id: resourceId, id }, columns)
      yield context.record({ subject: { type: 'RESOURCE_ATTRIBUTE', id }, detail: { resourceId } })
      return { resource, row: { ...before, ...columns } }
    })
    const { resource, row } = await requireUnique('resource_attributes', 'name', commit)
    return { status: 200, body: resourceAttributeBody(context, resource, row) }
  },
})

const deleteAttribute = defineOperation({
  ...common,
  id: 'deleteResourceAttribute',
  method: 'DELETE',
  path: onePath,
  summary: 'Remove an attribute that did not come with the resource',
  permission: updating,
  params: one,
  replies: { 204: null },
  errors: ['REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'RESOURCE_ATTRIBUTE.DELETED',
  async handle({ params: { resourceId, attributeId: id } }, context) {
    const { kernel, environment, now } = context
    await kernel.environments.configure(environment.id, 'delete-resource-attribute', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const { before } = yield* existing(environment.id, resourceId, id)
      if (before.type !== 'CUSTOM') {
        const message = 'An attribute that came with the resource cannot be deleted.'
        throw problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
      }
      yield* remove('resource_attributes', { environment_id: environment.id, resource_id: resourceId, id })
      yield* takeFromScopes(environment.id, resourceId, id)
      yield context.record({ subject: { type: 'RESOURCE_ATTRIBUTE', id }, detail: { resourceId } })
    })
    return { status: 204 }
  },
})

/** Takes an attribute out of the scopes that bring it. */
function* takeFromScopes(environmentId: string, resourceId: string, attributeId: string): UnitBody<void> {
  for (const { id, document } of yield* run(scopesOfResource(environmentId, resourceId))) {
    const { mappedClaims = [], ...others } = JSON.parse(document) as { mappedClaims?: readonly string[] }
    if (!mappedClaims.includes(attributeId)) continue
    const left = { ...others, mappedClaims: mappedClaims.filter((claim) => claim !== attributeId) }
    const key = { environment_id: environmentId, resource_id: resourceId, id }
    yield* update('scopes', key, { document: JSON.stringify(left) })
  }
}

export const resourceAttributeOperations: readonly Operation[] = [
  listAttributes,
  readAttribute,
  createAttribute,
  updateAttribute,
  deleteAttribute,
]
