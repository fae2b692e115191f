/**
 * What the attributes of an identity provider become in a user: `~/identityProviders/{id}/attributes`. platform-api 3.13;
 * row M17. The username is CORE: it can be mapped anew, never removed.
 *
 * Never: a mapping to an attribute that decides what a user may do.
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { mappableNames, mappingProblem } from '../flow/identity-provider.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import {
  attributeOfProvider,
  attributesOfProvider,
  type IdentityProviderAttributeRow,
  identityProviderById,
} from '../storage/sql/identity-providers.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { requireUnique } from './names.ts'

const attributeRequest = nullMeansAbsent(
  z.object({
    name: z.enum(mappableNames as [string, ...string[]]),
    value: z
      .string()
      .min(1)
      .max(1024)
      .superRefine((value, refinement) => {
        const message = mappingProblem(value)
        if (message) refinement.addIssue({ code: 'custom', message })
      }),
    update: z.enum(['EMPTY_ONLY', 'ALWAYS']).default('EMPTY_ONLY'),
    mappingType: z.enum(['CORE', 'CUSTOM']).optional(),
  }),
)

const attribute = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  identityProvider: reference,
  name: z.string(),
  value: z.string(),
  update: z.enum(['EMPTY_ONLY', 'ALWAYS']),
  mappingType: z.enum(['CORE', 'CUSTOM']),
  createdAt: timestamp,
  updatedAt: timestamp,
})

function attributeBody({ site }: Context, row: IdentityProviderAttributeRow) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const identityProvider = `${environment}/identityProviders/${row.identity_provider_id}`
  return {
    _links: links({ self: `${identityProvider}/attributes/${row.id}`, environment, identityProvider }),
    id: row.id,
    environment: { id: site.environmentId },
    identityProvider: { id: row.identity_provider_id },
    name: row.name,
    value: row.value,
    update: row.update_mode,
    mappingType: row.mapping_type,
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}

const collectionPath = '/v1/environments/{environmentId}/identityProviders/{identityProviderId}/attributes'
const onePath = `${collectionPath}/{attributeId}`
const ofProvider = z.object({ environmentId: uuid, identityProviderId: uuid })
const one = ofProvider.extend({ attributeId: uuid })
const common = {
  surface: 'management',
  tag: 'Identity provider attributes',
  source: 'platform-api 3.13',
  cors: 'none',
} as const
const writing = { kind: 'role', permission: 'idps:update:identityProvider' } as const
const reading = { kind: 'role', permission: 'idps:read:identityProvider' } as const

const listAttributes = defineOperation({
  ...common,
  id: 'listIdentityProviderAttributes',
  method: 'GET',
  path: collectionPath,
  summary: 'List the attribute mappings of an identity provider',
  permission: reading,
  params: ofProvider,
  replies: { 200: collectionSchema('attributes', attribute) },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { identityProviderId: id } }, context) {
    const { kernel, environment, target } = context
    const [provider] = await kernel.storage.read(identityProviderById(environment.id, id))
    if (!provider) throw notFound()
    const rows = await kernel.storage.read(attributesOfProvider(environment.id, id))
    const items = rows.map((row) => attributeBody(context, row))
    const self = `${kernel.origins.apiUrl}${target}`
    return { status: 200, body: collection('attributes', items, self, undefined, items.length) }
  },
})

const readAttribute = defineOperation({
  ...common,
  id: 'readIdentityProviderAttribute',
  method: 'GET',
  path: onePath,
  summary: 'Read an attribute mapping',
  permission: reading,
  params: one,
  replies: { 200: attribute },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { identityProviderId, attributeId } }, context) {
    const { kernel, environment } = context
    const [row] = await kernel.storage.read(attributeOfProvider(environment.id, identityProviderId, attributeId))
    if (!row) throw notFound()
    return { status: 200, body: attributeBody(context, row) }
  },
})

const createAttribute = defineOperation({
  ...common,
  id: 'createIdentityProviderAttribute',
  method: 'POST',
  path: collectionPath,
  summary: 'Map an attribute of an identity provider to one of the user',
  permission: writing,
  params: ofProvider,
  body: { kind: 'json', schema: attributeRequest },
  replies: { 201: attribute },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'IDENTITY_PROVIDER_ATTRIBUTE.CREATED',
  async handle({ params: { identityProviderId }, body }, context) {
    const { kernel, environment, now } = context
    const row: IdentityProviderAttributeRow = {
      identity_provider_id: identityProviderId,
      id: kernel.world.uuid(),
      name: body.name,
      mapping_type: body.name === 'username' ? 'CORE' : 'CUSTOM',
      value: body.value,
      update_mode: body.update,
      created_at: now,
      updated_at: now,
    }
    const commit = kernel.environments.configure(environment.id, 'create-idp-attribute', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const [provider] = yield* run(identityProviderById(environment.id, identityProviderId))
      if (!provider) throw notFound()
      yield* insert('identity_provider_attributes', { environment_id: environment.id, ...row })
      yield context.record({ subject: { type: 'IDENTITY_PROVIDER_ATTRIBUTE', id: row.id } })
    })
    await requireUnique('identity_provider_attributes', 'name', commit)
    const answer = attributeBody(context, row)
    return { status: 201, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const updateAttribute = defineOperation({
  ...common,
  id: 'updateIdentityProviderAttribute',
  method: 'PUT',
  path: onePath,
  summary: 'Replace an attribute mapping',
  permission: writing,
  params: one,
  body: { kind: 'json', schema: attributeRequest },
  replies: { 200: attribute },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'IDENTITY_PROVIDER_ATTRIBUTE.UPDATED',
  async handle({ params: { identityProviderId, attributeId }, body }, context) {
    const { kernel, environment, now } = context
    const commit = kernel.environments.configure(environment.id, 'update-idp-attribute', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const before = yield* existing(environment.id, identityProviderId, attributeId)
      if ((before.mapping_type === 'CORE' || body.name === 'username') && before.name !== body.name) {
        throw invalidData('CONSTRAINT_VIOLATION', 'name', 'of the username mapping cannot be changed or given away')
      }
      const columns = { name: body.name, value: body.value, update_mode: body.update, updated_at: now }
      const key = { environment_id: environment.id, identity_provider_id: identityProviderId, id: attributeId }
      yield* update('identity_provider_attributes', key, columns)
      yield context.record({ subject: { type: 'IDENTITY_PROVIDER_ATTRIBUTE', id: attributeId } })
      return { ...before, ...columns }
    })
    const row = await requireUnique('identity_provider_attributes', 'name', commit)
    return { status: 200, body: attributeBody(context, row) }
  },
})

const deleteAttribute = defineOperation({
  ...common,
  id: 'deleteIdentityProviderAttribute',
  method: 'DELETE',
  path: onePath,
  summary: 'Remove an attribute mapping other than the username',
  permission: writing,
  params: one,
  replies: { 204: null },
  errors: ['REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'IDENTITY_PROVIDER_ATTRIBUTE.DELETED',
  async handle({ params: { identityProviderId, attributeId } }, context) {
    const { kernel, environment, now } = context
    await kernel.environments.configure(environment.id, 'delete-idp-attribute', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const before = yield* existing(environment.id, identityProviderId, attributeId)
      if (before.mapping_type === 'CORE') {
        const message = 'The mapping of the username cannot be deleted.'
        throw problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
      }
      const key = { environment_id: environment.id, identity_provider_id: identityProviderId, id: attributeId }
      yield* remove('identity_provider_attributes', key)
      yield context.record({ subject: { type: 'IDENTITY_PROVIDER_ATTRIBUTE', id: attributeId } })
    })
    return { status: 204 }
  },
})

function* existing(environmentId: string, providerId: string, id: string): UnitBody<IdentityProviderAttributeRow> {
  const [row] = yield* run(attributeOfProvider(environmentId, providerId, id))
  if (!row) throw notFound()
  return row
}

export const identityProviderAttributeOperations: readonly Operation[] = [
  listAttributes,
  readAttribute,
  createAttribute,
  updateAttribute,
  deleteAttribute,
]
