/**
 * Scopes of a resource: `~/resources/{id}/scopes`. platform-api 3.11.2, 3.11.4.
 *
 * | resource | may be created | came with the environment |
 * |---|---|---|
 * | custom | any scope-token (RFC 6749 section 3.3), but not one with a meaning of its own | - |
 * | `openid` | the same | `openid profile email address phone offline_access`: only `mappedClaims` can be changed |
 * | `PingOne API` | `p1:read:user:…`, `p1:update:user:…` | all other `p1:*`: cannot be changed or deleted |
 *
 * `mappedClaims` are attributes that somebody added to `openid`: the scope brings them beside those it has anyway.
 * `schemaAttributes` other than `*` are refused, since a scope that reaches more than its administrator believes is a leak.
 *
 * Never: a scope of a custom resource that reads like one of the platform, or a grant of a scope that is gone.
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import type { Resource } from '../environment/resource.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { insert, remove, update, type Word } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import type { ScopeRow } from '../storage/sql/environments.ts'
import { grantsOfResource, resourceById, scopeById, scopesOfResource } from '../storage/sql/resources.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { description, requireUnique } from './names.ts'
import { requireMappable } from './scope-claims.ts'

/** The scopes of OpenID Connect Core sections 3.1.2.1, 5.4 and 11. */
const openidScopes: ReadonlySet<string> = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access'])
/** Scopes that mean something to the platform wherever they stand in a token. */
const reserved = /^(?:openid|profile|email|address|phone|offline_access|p1:.*)$/i
/** What may be added to `PingOne API`. */
const userAttributes = /^p1:(?:read|update):user(?::[A-Za-z0-9_.-]+)+$/

const scopeRequest = nullMeansAbsent(
  z.object({
    name: z
      .string()
      .max(256)
      .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/),
    description: description.optional(),
    schemaAttributes: z.array(z.literal('*')).max(1).optional(),
    mappedClaims: z.array(uuid).max(100).optional().describe('Custom attributes of openid that it brings.'),
  }),
)
type ScopeRequest = z.output<typeof scopeRequest>

const scope = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  resource: reference,
  name: z.string(),
  description: z.string().optional(),
  schemaAttributes: z.array(z.string()).optional(),
  mappedClaims: z.array(z.string()).optional(),
  createdAt: timestamp,
  updatedAt: timestamp,
})

/** What is stored of a scope beside its columns. */
type ScopeDocument = Omit<ScopeRequest, 'name'>

function scopeBody({ site }: Context, row: ScopeRow) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const resource = `${environment}/resources/${row.resource_id}`
  return {
    _links: links({ self: `${resource}/scopes/${row.id}`, environment, resource }),
    id: row.id,
    environment: { id: site.environmentId },
    resource: { id: row.resource_id },
    name: row.name,
    ...(JSON.parse(row.document) as ScopeDocument),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}

type Kind = Resource['type']

/** Whether a scope of a built-in resource came with the environment. */
function isPredefined(type: Kind, name: string): boolean {
  switch (type) {
    case 'OPENID_CONNECT':
      return openidScopes.has(name)
    case 'PINGONE_API':
      return !userAttributes.test(name)
    case 'CUSTOM':
      return false
  }
}

/**
 * Refuses a scope that its kind of resource may not have.
 * @throws Problem INVALID_DATA
 */
function requireAllowed(type: Kind, body: ScopeRequest): void {
  const { name, schemaAttributes, mappedClaims } = body
  if (type === 'PINGONE_API' && !userAttributes.test(name)) {
    throw invalidData('INVALID_VALUE', 'name', 'must begin with p1:read:user: or p1:update:user:')
  }
  if (type !== 'PINGONE_API' && reserved.test(name)) {
    throw invalidData('INVALID_VALUE', 'name', 'is reserved for the built-in resources')
  }
  if (type !== 'PINGONE_API' && schemaAttributes !== undefined) {
    throw invalidData('INVALID_VALUE', 'schemaAttributes', 'belongs to scopes of the PingOne API')
  }
  if (type !== 'OPENID_CONNECT' && mappedClaims !== undefined) {
    throw invalidData('INVALID_VALUE', 'mappedClaims', 'belongs to scopes of the resource openid')
  }
}

/** A PUT on a scope that came with the environment may only say again what it is: clients reset it so. */
function requireUnchanged(before: ScopeRow, body: ScopeRequest): void {
  const stored = JSON.parse(before.document) as ScopeDocument
  if (body.name !== before.name) throw invalidData('INVALID_VALUE', 'name', 'cannot be changed')
  if (body.description !== undefined && body.description !== stored.description) {
    throw invalidData('INVALID_VALUE', 'description', 'cannot be changed')
  }
}

function documentOf({ name: _column, ...document }: ScopeRequest): string {
  return JSON.stringify(document satisfies ScopeDocument)
}

const collectionPath = '/v1/environments/{environmentId}/resources/{resourceId}/scopes'
const onePath = `${collectionPath}/{scopeId}`
const ofResource = z.object({ environmentId: uuid, resourceId: uuid })
const one = ofResource.extend({ scopeId: uuid })
const common = { surface: 'management', tag: 'Scopes', source: 'platform-api 3.11.2', cors: 'none' } as const

const listScopes = defineOperation({
  ...common,
  id: 'listScopes',
  method: 'GET',
  path: collectionPath,
  summary: 'List the scopes of a resource',
  permission: { kind: 'role', permission: 'resources:read:scope' },
  params: ofResource,
  replies: { 200: collectionSchema('scopes', scope) },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { resourceId } }, context) {
    const { kernel, environment, target } = context
    const [resource] = await kernel.storage.read(resourceById(environment.id, resourceId))
    if (!resource) throw notFound()
    const rows = await kernel.storage.read(scopesOfResource(environment.id, resourceId))
    const items = rows.map((row) => scopeBody(context, row))
    return {
      status: 200,
      body: collection('scopes', items, `${kernel.origins.apiUrl}${target}`, undefined, items.length),
    }
  },
})

const readScope = defineOperation({
  ...common,
  id: 'readScope',
  method: 'GET',
  path: onePath,
  summary: 'Read a scope',
  permission: { kind: 'role', permission: 'resources:read:scope' },
  params: one,
  replies: { 200: scope },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { resourceId, scopeId } }, context) {
    const [row] = await context.kernel.storage.read(scopeById(context.environment.id, resourceId, scopeId))
    if (!row) throw notFound()
    return { status: 200, body: scopeBody(context, row) }
  },
})

const createScope = defineOperation({
  ...common,
  id: 'createScope',
  method: 'POST',
  path: collectionPath,
  summary: 'Create a scope',
  permission: { kind: 'role', permission: 'resources:create:scope' },
  params: ofResource,
  body: { kind: 'json', schema: scopeRequest },
  replies: { 201: scope },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'SCOPE.CREATED',
  async handle({ params: { resourceId }, body }, context) {
    const { kernel, environment, now } = context
    const row: ScopeRow = {
      id: kernel.world.uuid(),
      resource_id: resourceId,
      name: body.name,
      document: documentOf(body),
      created_at: now,
      updated_at: now,
    }
    const commit = kernel.environments.configure(environment.id, 'create-scope', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const [resource] = yield* run(resourceById(environment.id, resourceId))
      if (!resource) throw notFound()
      requireAllowed(resource.type, body)
      yield* requireMappable(environment.id, resourceId, body.mappedClaims ?? [])
      yield* insert('scopes', { environment_id: environment.id, ...row })
      yield context.record({ subject: { type: 'SCOPE', id: row.id }, detail: { resourceId } })
    })
    await requireUnique('scopes', 'name', commit)
    const answer = scopeBody(context, row)
    return { status: 201, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const updateScope = defineOperation({
  ...common,
  id: 'updateScope',
  method: 'PUT',
  path: onePath,
  summary: 'Replace a scope',
  permission: { kind: 'role', permission: 'resources:update:scope' },
  params: one,
  body: { kind: 'json', schema: scopeRequest },
  replies: { 200: scope },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'SCOPE.UPDATED',
  async handle({ params: { resourceId, scopeId: id }, body }, context) {
    const { kernel, environment, now } = context
    const commit = kernel.environments.configure(environment.id, 'update-scope', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const [resource] = yield* run(resourceById(environment.id, resourceId))
      const [before] = yield* run(scopeById(environment.id, resourceId, id))
      if (!resource || !before) throw notFound()
      yield* requireMappable(environment.id, resourceId, body.mappedClaims ?? [])
      const isOurs = isPredefined(resource.type, before.name)
      if (isOurs) requireUnchanged(before, body)
      else requireAllowed(resource.type, body)
      if (isOurs && resource.type !== 'OPENID_CONNECT') return before
      const kept = { ...(JSON.parse(before.document) as ScopeDocument), mappedClaims: body.mappedClaims }
      const document = isOurs ? JSON.stringify(kept) : documentOf(body)
      const change = { name: body.name, document, updated_at: now }
      yield* update('scopes', { environment_id: environment.id, resource_id: resourceId, id }, change)
      yield context.record({ subject: { type: 'SCOPE', id }, detail: { resourceId } })
      return { ...before, ...change }
    })
    return { status: 200, body: scopeBody(context, await requireUnique('scopes', 'name', commit)) }
  },
})

const deleteScope = defineOperation({
  ...common,
  id: 'deleteScope',
  method: 'DELETE',
  path: onePath,
  summary: 'Delete a scope, and take it from every application',
  permission: { kind: 'role', permission: 'resources:delete:scope' },
  params: one,
  replies: { 204: null },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'SCOPE.DELETED',
  async handle({ params: { resourceId, scopeId: id } }, context) {
    const { kernel, environment, now } = context
    await kernel.environments.configure(environment.id, 'delete-scope', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const [resource] = yield* run(resourceById(environment.id, resourceId))
      const [row] = yield* run(scopeById(environment.id, resourceId, id))
      if (!resource || !row) throw notFound()
      if (isPredefined(resource.type, row.name)) {
        throw invalidData('CONSTRAINT_VIOLATION', 'id', 'is a built-in scope and cannot be deleted')
      }
      for (const applicationId of yield* takeFromGrants(environment.id, resourceId, id, now)) {
        changes.push({ kind: 'application', id: applicationId })
      }
      yield* remove('scopes', { environment_id: environment.id, resource_id: resourceId, id })
      yield context.record({ subject: { type: 'SCOPE', id }, detail: { resourceId } })
    })
    return { status: 204 }
  },
})

/**
 * Takes a scope out of every grant that names it; a grant that would be left with none goes.
 * @returns the applications that had it
 */
function* takeFromGrants(environmentId: string, resourceId: string, scopeId: string, now: number): Word<string[]> {
  const applications: string[] = []
  for (const grant of yield* run(grantsOfResource(environmentId, resourceId))) {
    const scopeIds = JSON.parse(grant.scope_ids) as string[]
    const left = scopeIds.filter((id) => id !== scopeId)
    if (left.length === scopeIds.length) continue
    applications.push(grant.application_id)
    const key = { environment_id: environmentId, application_id: grant.application_id, id: grant.id }
    if (left.length === 0) yield* remove('application_grants', key)
    else yield* update('application_grants', key, { scope_ids: JSON.stringify(left), updated_at: now })
  }
  return applications
}

export const scopeOperations: readonly Operation[] = [listScopes, readScope, createScope, updateScope, deleteScope]
