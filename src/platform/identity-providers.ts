/**
 * Identity providers, by which users sign on elsewhere: `~/identityProviders`. platform-api 3.13; security catalogue
 * rows G01, G10, M14. Each begins with the mapping of the username.
 *
 * Never: a secret stored in the clear; a provider removed that a sign-on policy refers to; a type that changes.
 */
import { z } from 'zod'
import { collectionSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { identityProviderSecretContext } from '../environment/identity-provider.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { standardUsername } from '../external/presets.ts'
import { seal } from '../keys/sealing.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { signOnPoliciesOf } from '../storage/sql/environments.ts'
import {
  identityProviderById,
  type IdentityProviderRow,
  identityProvidersPage,
} from '../storage/sql/identity-providers.ts'
import {
  type IdentityProviderRequest,
  identityProvider,
  identityProviderBody,
  identityProviderRequest,
  partedProvider,
} from './identity-provider-representation.ts'
import { requireUnique } from './names.ts'
import { answerPage, filterOf, pageQuery } from './page.ts'
import { requirePopulation } from './registration-population.ts'

const common = { surface: 'management', tag: 'Identity providers', source: 'platform-api 3.13', cors: 'none' } as const
const collectionPath = '/v1/environments/{environmentId}/identityProviders'
const onePath = `${collectionPath}/{identityProviderId}`
const inEnvironment = z.object({ environmentId: uuid })
const one = inEnvironment.extend({ identityProviderId: uuid })

const listIdentityProviders = defineOperation({
  ...common,
  id: 'listIdentityProviders',
  method: 'GET',
  path: collectionPath,
  summary: 'List the identity providers of an environment',
  permission: { kind: 'role', permission: 'idps:read:identityProvider' },
  params: inEnvironment,
  query: pageQuery,
  replies: { 200: collectionSchema('identityProviders', identityProvider) },
  errors: ['FORBIDDEN', 'INVALID_DATA', 'INVALID_REQUEST'],
  handle({ query }, context) {
    const filter = filterOf(query, {
      name: { column: 'i.name', operators: ['eq', 'sw'] },
      id: { column: 'i.id', operators: ['eq'] },
      type: { column: 'i.type', operators: ['eq'] },
    })
    return answerPage(context, query, {
      key: 'identityProviders',
      statement: (span) => identityProvidersPage(context.environment.id, filter, span),
      write: (row) => identityProviderBody(context, row),
    })
  },
})

const readIdentityProvider = defineOperation({
  ...common,
  id: 'readIdentityProvider',
  method: 'GET',
  path: onePath,
  summary: 'Read an identity provider; its secret is shown to whoever may change it',
  permission: { kind: 'role', permission: 'idps:read:identityProvider' },
  params: one,
  replies: { 200: identityProvider },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { identityProviderId: id } }, context) {
    const [row] = await context.kernel.storage.read(identityProviderById(context.environment.id, id))
    if (!row) throw notFound()
    return { status: 200, body: identityProviderBody(context, row) }
  },
})

/** The columns of a request, its secret sealed. */
function columnsOf({ kernel, environment }: Context, id: string, body: IdentityProviderRequest) {
  const { columns, secret } = partedProvider(body, kernel.config.egressAllow)
  const place = identityProviderSecretContext(environment.id, id)
  return { ...columns, sealed_secret: seal(environment.dataKey, secret, place, kernel.world) }
}

const createIdentityProvider = defineOperation({
  ...common,
  id: 'createIdentityProvider',
  method: 'POST',
  path: collectionPath,
  summary: 'Create an identity provider',
  permission: { kind: 'role', permission: 'idps:create:identityProvider' },
  params: inEnvironment,
  body: { kind: 'json', schema: identityProviderRequest },
  replies: { 200: identityProvider },
  errors: ['INVALID_DATA', 'FORBIDDEN'],
  event: 'IDENTITY_PROVIDER.CREATED',
  async handle({ body }, context) {
    const { kernel, environment, now } = context
    const id = kernel.world.uuid()
    const row: IdentityProviderRow = { id, ...columnsOf(context, id, body), created_at: now, updated_at: now }
    const commit = kernel.environments.configure(environment.id, 'create-identity-provider', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      yield* requirePopulation(environment.id, body.registration?.population?.id)
      yield* insert('identity_providers', { environment_id: environment.id, ...row })
      yield* insert('identity_provider_attributes', {
        environment_id: environment.id,
        identity_provider_id: id,
        id: kernel.world.uuid(),
        name: 'username',
        mapping_type: 'CORE',
        value: standardUsername(body.type),
        update_mode: 'EMPTY_ONLY',
        created_at: now,
        updated_at: now,
      })
      yield context.record({ subject: { type: 'IDENTITY_PROVIDER', id } })
    })
    await requireUnique('identity_providers', 'name', commit)
    const answer = identityProviderBody(context, row)
    return { status: 200, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const updateIdentityProvider = defineOperation({
  ...common,
  id: 'updateIdentityProvider',
  method: 'PUT',
  path: onePath,
  summary: 'Replace an identity provider, its secret included',
  permission: { kind: 'role', permission: 'idps:update:identityProvider' },
  params: one,
  body: { kind: 'json', schema: identityProviderRequest },
  replies: { 200: identityProvider },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'IDENTITY_PROVIDER.UPDATED',
  async handle({ params: { identityProviderId: id }, body }, context) {
    const { kernel, environment, now } = context
    const columns = columnsOf(context, id, body)
    const commit = kernel.environments.configure(environment.id, 'update-identity-provider', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const before = yield* existing(environment.id, id)
      if (before.type !== body.type) {
        throw invalidData('INVALID_VALUE', 'type', 'cannot be changed', { allowedValues: [before.type] })
      }
      yield* requirePopulation(environment.id, body.registration?.population?.id)
      yield* update('identity_providers', { environment_id: environment.id, id }, { ...columns, updated_at: now })
      yield context.record({ subject: { type: 'IDENTITY_PROVIDER', id } })
      return { ...before, ...columns, updated_at: now }
    })
    const row = await requireUnique('identity_providers', 'name', commit)
    return { status: 200, body: identityProviderBody(context, row) }
  },
})

const deleteIdentityProvider = defineOperation({
  ...common,
  id: 'deleteIdentityProvider',
  method: 'DELETE',
  path: onePath,
  summary: 'Delete an identity provider that no sign-on policy refers to, with its mappings and linked accounts',
  permission: { kind: 'role', permission: 'idps:delete:identityProvider' },
  params: one,
  replies: { 204: null },
  errors: ['REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'IDENTITY_PROVIDER.DELETED',
  async handle({ params: { identityProviderId: id } }, context) {
    const { kernel, environment, now } = context
    await kernel.environments.configure(environment.id, 'delete-identity-provider', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      yield* existing(environment.id, id)
      const policies = yield* run(signOnPoliciesOf(environment.id))
      if (policies.some(({ actions }) => actions.includes(id))) {
        const message = 'An identity provider that a sign-on policy refers to cannot be deleted.'
        throw problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
      }
      const belonging = { environment_id: environment.id, identity_provider_id: id }
      yield* remove('identity_provider_attributes', belonging)
      yield* remove('linked_accounts', belonging)
      yield* remove('identity_providers', { environment_id: environment.id, id })
      yield context.record({ subject: { type: 'IDENTITY_PROVIDER', id } })
    })
    return { status: 204 }
  },
})

function* existing(environmentId: string, id: string): UnitBody<IdentityProviderRow> {
  const [row] = yield* run(identityProviderById(environmentId, id))
  if (!row) throw notFound()
  return row
}

export const identityProviderOperations: readonly Operation[] = [
  listIdentityProviders,
  readIdentityProvider,
  createIdentityProvider,
  updateIdentityProvider,
  deleteIdentityProvider,
]
