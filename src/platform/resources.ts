/**
 * Resources, the audiences of access tokens: `~/resources`. platform-api 3.11. `openid` and `PingOne API` come with the
 * environment and are read here alone; custom ones can be created, changed and deleted.
 *
 * Never: an audience that is an address of this server, since a token for it could pass as one for the platform; a
 * grant that outlives its resource.
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { introspectEndpointAuthMethod } from '../environment/resource.ts'
import { signingAlgorithm } from '../environment/settings.ts'
import { prepareAlgorithms, recordPolicies } from '../environment/signing-keys.ts'
import { isResourceAddress } from '../environment/protected-resource.ts'
import { invalidData, notFound, uniquenessViolation } from '../errors/problem.ts'
import type { Origins } from '../site.ts'
import { insert, remove, update, type Word } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import { type ResourceRow, resourcesOf } from '../storage/sql/environments.ts'
import { grantsOfResource, resourceById, resourceForAudience } from '../storage/sql/resources.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { insertSecret, newSecret, removeSecret } from '../environment/client-secret.ts'
import { absent } from './later-features.ts'
import { description, name, requireUnique } from './names.ts'
import { coreAttribute } from './resource-attribute-representation.ts'
import { resourceSecrets } from './resource-secret.ts'

const validity = z.int().min(300).max(2_592_000).describe('Life of access tokens for this resource, in seconds.')
const accessTokenFormat = z.enum(['JWT', 'OPAQUE'])
/** The claim of application permissions is not issued yet: switching it on is refused. */
const permissionsSettings = z.object({ claimEnabled: z.literal(false).default(false) })

const resourceRequest = nullMeansAbsent(
  z.object({
    name,
    description: description.optional(),
    type: z.literal('CUSTOM').default('CUSTOM'),
    audience: z.string().min(1).max(256).optional().describe('The `aud` of its access tokens. Default: the name.'),
    accessTokenValiditySeconds: validity.default(3600),
    introspectEndpointAuthMethod: introspectEndpointAuthMethod
      .default('CLIENT_SECRET_BASIC')
      .describe('How its server authenticates at the introspection endpoint. NONE: it only names its id.'),
    applicationPermissionsSettings: permissionsSettings.default({ claimEnabled: false }),
    signingAlgorithm: signingAlgorithm
      .optional()
      .describe('Extension: how its access tokens are signed; absent: as the application or the environment has it.'),
    accessTokenFormat: accessTokenFormat
      .default('JWT')
      .describe('Extension: OPAQUE access tokens are handles that only this server can read.'),
    clientId: absent,
  }),
)
type ResourceRequest = z.output<typeof resourceRequest>

const resource = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  name: z.string(),
  description: z.string().optional(),
  type: z.enum(['OPENID_CONNECT', 'PINGONE_API', 'CUSTOM']),
  audience: z.string().optional(),
  accessTokenValiditySeconds: z.int().optional(),
  introspectEndpointAuthMethod: introspectEndpointAuthMethod.optional(),
  applicationPermissionsSettings: permissionsSettings.optional(),
  signingAlgorithm: signingAlgorithm.optional(),
  accessTokenFormat: accessTokenFormat.optional(),
  createdAt: timestamp,
  updatedAt: timestamp,
})

/** What is stored of a custom resource beside its columns; a built-in one has its description alone. */
type ResourceDocument = Pick<
  ResourceRequest,
  | 'description'
  | 'accessTokenValiditySeconds'
  | 'introspectEndpointAuthMethod'
  | 'applicationPermissionsSettings'
  | 'signingAlgorithm'
  | 'accessTokenFormat'
>

function resourceBody({ site }: Context, row: ResourceRow) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const self = `${environment}/resources/${row.id}`
  return {
    _links: links({
      self,
      environment,
      scopes: `${self}/scopes`,
      attributes: `${self}/attributes`,
      ...(row.type === 'CUSTOM' ? { secret: `${self}/secret` } : {}),
      ...(row.type === 'CUSTOM' && isResourceAddress(row.audience)
        ? { protectedResourceMetadata: `${site.issuer}/.well-known/oauth-protected-resource/${row.id}` }
        : {}),
    }),
    id: row.id,
    environment: { id: site.environmentId },
    name: row.name,
    type: row.type,
    ...(row.audience === null ? {} : { audience: row.audience }),
    ...(JSON.parse(row.document) as Partial<ResourceDocument>),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}

/**
 * The columns of a request.
 * @throws Problem INVALID_DATA for an audience that is not allowed
 */
function judged(body: ResourceRequest, origins: Origins) {
  const { type, audience = body.name } = body
  const refused = audienceProblem(audience, origins)
  if (refused) throw invalidData('INVALID_VALUE', body.audience === undefined ? 'name' : 'audience', refused)
  const document: ResourceDocument = {
    description: body.description,
    accessTokenValiditySeconds: body.accessTokenValiditySeconds,
    introspectEndpointAuthMethod: body.introspectEndpointAuthMethod,
    applicationPermissionsSettings: body.applicationPermissionsSettings,
    signingAlgorithm: body.signingAlgorithm,
    accessTokenFormat: body.accessTokenFormat,
  }
  return { name: body.name, type, audience, document: JSON.stringify(document) }
}

/** What is wrong with an audience; undefined when nothing is. */
function audienceProblem(audience: string, { apiUrl, authUrl }: Origins): string | undefined {
  const text = audience.toLowerCase()
  if (/[\p{Cc}#]/u.test(text)) return 'must not hold a fragment or control characters as an audience'
  if (text.includes('pingone') || text.includes('pingidentity'))
    return 'must not hold pingone or pingidentity as an audience'
  return [apiUrl, authUrl].some((own) => text.startsWith(own.toLowerCase()))
    ? 'must not be an address of this server as an audience'
    : undefined
}

/** Refuses an audience that another resource has, inside the unit that writes it. */
function* requireFreeAudience(environmentId: string, audience: string, id: string): Word<void> {
  const [taken] = yield* run(resourceForAudience(environmentId, audience))
  if (taken && taken.id !== id) throw uniquenessViolation('audience')
}

/** Refuses a resource that came with the environment. */
function requireCustom(row: ResourceRow): void {
  if (row.type !== 'CUSTOM')
    throw invalidData('CONSTRAINT_VIOLATION', 'type', 'is built in and cannot be changed or deleted')
}

const collectionPath = '/v1/environments/{environmentId}/resources'
const onePath = `${collectionPath}/{resourceId}`
const inEnvironment = z.object({ environmentId: uuid })
const one = inEnvironment.extend({ resourceId: uuid })
const common = { surface: 'management', tag: 'Resources', source: 'platform-api 3.11', cors: 'none' } as const

const listResources = defineOperation({
  ...common,
  id: 'listResources',
  method: 'GET',
  path: collectionPath,
  summary: 'List the resources of an environment',
  permission: { kind: 'role', permission: 'resources:read:resource' },
  params: inEnvironment,
  replies: { 200: collectionSchema('resources', resource) },
  errors: ['FORBIDDEN'],
  async handle(_input, context) {
    const { kernel, environment, target } = context
    const items = (await kernel.storage.read(resourcesOf(environment.id))).map((row) => resourceBody(context, row))
    const self = `${kernel.origins.apiUrl}${target}`
    return { status: 200, body: collection('resources', items, self, undefined, items.length) }
  },
})

const readResource = defineOperation({
  ...common,
  id: 'readResource',
  method: 'GET',
  path: onePath,
  summary: 'Read a resource',
  permission: { kind: 'role', permission: 'resources:read:resource' },
  params: one,
  replies: { 200: resource },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params }, context) {
    const [row] = await context.kernel.storage.read(resourceById(context.environment.id, params.resourceId))
    if (!row) throw notFound()
    return { status: 200, body: resourceBody(context, row) }
  },
})

const createResource = defineOperation({
  ...common,
  id: 'createResource',
  method: 'POST',
  path: collectionPath,
  summary: 'Create a custom resource',
  permission: { kind: 'role', permission: 'resources:create:resource' },
  params: inEnvironment,
  body: { kind: 'json', schema: resourceRequest },
  replies: { 201: resource },
  errors: ['INVALID_DATA', 'FORBIDDEN'],
  event: 'RESOURCE.CREATED',
  async handle({ body }, context) {
    const { kernel, environment, now } = context
    const id = kernel.world.uuid()
    const row = { id, ...judged(body, kernel.origins), created_at: now, updated_at: now }
    const secret = newSecret(kernel.world)
    const writeMissing = await prepareAlgorithms(kernel.world, environment, [body.signingAlgorithm], now)
    const commit = kernel.environments.configure(environment.id, 'create-resource', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      yield* requireFreeAudience(environment.id, row.audience, id)
      yield* recordPolicies(context, yield* writeMissing())
      yield* insert('resources', { environment_id: environment.id, ...row })
      yield* insertSecret(resourceSecrets, environment, id, secret, now, kernel.world)
      yield* insert('resource_attributes', coreAttribute(environment.id, id, kernel.world.uuid(), now))
      yield context.record({ subject: { type: 'RESOURCE', id } })
    })
    await requireUnique('resources', 'name', commit)
    const answer = resourceBody(context, row)
    return { status: 201, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const updateResource = defineOperation({
  ...common,
  id: 'updateResource',
  method: 'PUT',
  path: onePath,
  summary: 'Replace a custom resource',
  permission: { kind: 'role', permission: 'resources:update:resource' },
  params: one,
  body: { kind: 'json', schema: resourceRequest },
  replies: { 200: resource },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'RESOURCE.UPDATED',
  async handle({ params: { resourceId: id }, body }, context) {
    const { kernel, environment, now } = context
    const writeMissing = await prepareAlgorithms(kernel.world, environment, [body.signingAlgorithm], now)
    const commit = kernel.environments.configure(environment.id, 'update-resource', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const [before] = yield* run(resourceById(environment.id, id))
      if (!before) throw notFound()
      requireCustom(before)
      const change = { ...judged(body, kernel.origins), updated_at: now }
      yield* requireFreeAudience(environment.id, change.audience, id)
      yield* recordPolicies(context, yield* writeMissing())
      yield* update('resources', { environment_id: environment.id, id }, change)
      yield context.record({ subject: { type: 'RESOURCE', id } })
      return { ...before, ...change }
    })
    return { status: 200, body: resourceBody(context, await requireUnique('resources', 'name', commit)) }
  },
})

const deleteResource = defineOperation({
  ...common,
  id: 'deleteResource',
  method: 'DELETE',
  path: onePath,
  summary: 'Delete a custom resource, its scopes and the grants on it',
  permission: { kind: 'role', permission: 'resources:delete:resource' },
  params: one,
  replies: { 204: null },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'RESOURCE.DELETED',
  async handle({ params: { resourceId: id } }, context) {
    const { kernel, environment, now } = context
    await kernel.environments.configure(environment.id, 'delete-resource', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const [row] = yield* run(resourceById(environment.id, id))
      if (!row) throw notFound()
      requireCustom(row)
      for (const grant of yield* run(grantsOfResource(environment.id, id))) {
        changes.push({ kind: 'application', id: grant.application_id })
      }
      const ofResource = { environment_id: environment.id, resource_id: id }
      yield* remove('application_grants', ofResource)
      yield* remove('scopes', ofResource)
      yield* removeSecret(resourceSecrets, environment.id, id)
      yield* remove('resource_attributes', ofResource)
      yield* remove('resources', { environment_id: environment.id, id })
      yield context.record({ subject: { type: 'RESOURCE', id } })
    })
    return { status: 204 }
  },
})

export const resourceOperations: readonly Operation[] = [
  listResources,
  readResource,
  createResource,
  updateResource,
  deleteResource,
]
