/**
 * The accounts at identity providers that a user signs on by: `~/users/{userId}/linkedAccounts`, platform-api 3.5 and 3.11.4
 * (scopes p1:read:userLinkedAccounts and p1:delete:userLinkedAccounts). Who links one by hand gives whoever has it the way
 * in, so it takes what setting a password takes (rows M12, N09).
 *
 * Never: an account of one user seen or removed through another; a user who takes their own last way in away.
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { reference, uuid } from '../contract/validation.ts'
import { insertLink } from '../directory/linked-accounts.ts'
import { type User, userWithPasswordById } from '../directory/users.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { compareAndSet, remove } from '../storage/operations.ts'
import { Stale } from '../storage/refusals.ts'
import { type LinkedAccountRow, linkedAccountsOf } from '../storage/sql/linked-accounts.ts'
import { requireUnique } from './names.ts'
import { controlledUser, reachedKey, reachedUser } from './user-control.ts'
import { userUrl } from './user-representation.ts'
import { partOfUser } from './user-routes.ts'

const reading = { permission: 'idm:read:userLinkedAccounts', self: 'p1:read:userLinkedAccounts' } as const
const creating = { permission: 'idm:create:userLinkedAccounts' } as const
const deleting = {
  permission: 'idm:delete:userLinkedAccounts',
  self: 'p1:delete:userLinkedAccounts',
  recent: true,
} as const

const common = { surface: 'management', tag: 'Linked accounts', source: 'platform-api 3.5', cors: 'none' } as const
const all = partOfUser('/linkedAccounts')
const one = { path: `${all.path}/{linkedAccountId}`, params: all.params.extend({ linkedAccountId: uuid }) } as const

const linkedAccount = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  user: reference,
  identityProvider: reference,
  externalId: z.string().describe('Who the user is at the provider: its `sub`, or what stands for it there.'),
})

function bodyOf(context: Context, owner: User, row: LinkedAccountRow) {
  const user = userUrl(context, owner)
  const environment = `${context.site.apiBase}/environments/${owner.environmentId}`
  return {
    _links: links({
      self: `${user}/linkedAccounts/${row.id}`,
      environment,
      user,
      identityProvider: `${environment}/identityProviders/${row.identity_provider_id}`,
    }),
    id: row.id,
    environment: { id: owner.environmentId },
    user: { id: owner.id },
    identityProvider: { id: row.identity_provider_id },
    externalId: row.external_id,
  }
}

function accountsOf({ kernel, environment }: Context, userId: string): Promise<readonly LinkedAccountRow[]> {
  return kernel.storage.read(linkedAccountsOf(environment.id, userId))
}

/** @throws Problem NOT_FOUND, also for one of somebody else */
async function accountOf(context: Context, userId: string, id: string): Promise<LinkedAccountRow> {
  const account = (await accountsOf(context, userId)).find((each) => each.id === id)
  if (!account) throw notFound()
  return account
}

/** @throws Problem REQUEST_FAILED for a user with neither a password nor another account */
async function requireAnotherWay(context: Context, userId: string): Promise<void> {
  const { kernel, environment } = context
  const found = await userWithPasswordById(kernel, environment.id, userId)
  if (found?.password || (await accountsOf(context, userId)).length > 1) return
  const message = 'It is the only way in that is left.'
  throw problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', target: 'linkedAccounts', message }] })
}

/** How often a removal looks again that another change of the user has overtaken. */
const attempts = 10

/** @throws Stale when the user has changed meanwhile */
async function removeAccount(context: Context, userId: string, id: string): Promise<void> {
  const { kernel, environment, now } = context
  const reached = await controlledUser(context, userId, deleting)
  const account = await accountOf(context, userId, id)
  if (reached.asSelf) await requireAnotherWay(context, userId)
  await kernel.storage.commit({
    name: 'delete-linked-account',
    *run() {
      // What was another way in a moment ago may be removed at this moment.
      if (reached.asSelf) yield* compareAndSet('users', reachedKey(reached), reached.user.version, { updated_at: now })
      const key = { environment_id: environment.id, user_id: userId, id: account.id }
      if ((yield* remove('linked_accounts', key)) === 0) throw notFound()
      const detail = { userId, identityProviderId: account.identity_provider_id }
      yield context.record({ subject: { type: 'LINKED_ACCOUNT', id: account.id }, detail })
    },
  })
}

export const userLinkedAccountOperations: readonly Operation[] = [
  defineOperation({
    ...common,
    ...all,
    id: 'listLinkedAccounts',
    method: 'GET',
    summary: 'List the accounts at identity providers that a user signs on by',
    permission: { kind: 'role', population: true, ...reading },
    replies: { 200: collectionSchema('linkedAccounts', linkedAccount) },
    errors: ['FORBIDDEN', 'NOT_FOUND'],
    async handle({ params: { userId } }, context) {
      const { user } = await reachedUser(context, userId, reading)
      const items = (await accountsOf(context, userId)).map((row) => bodyOf(context, user, row))
      const self = `${context.kernel.origins.apiUrl}${context.target}`
      return { status: 200, body: collection('linkedAccounts', items, self, undefined, items.length) }
    },
  }),
  defineOperation({
    ...common,
    ...one,
    id: 'readLinkedAccount',
    method: 'GET',
    summary: 'Read an account at an identity provider that a user signs on by',
    permission: { kind: 'role', population: true, ...reading },
    replies: { 200: linkedAccount },
    errors: ['FORBIDDEN', 'NOT_FOUND'],
    async handle({ params: { userId, linkedAccountId } }, context) {
      const { user } = await reachedUser(context, userId, reading)
      return { status: 200, body: bodyOf(context, user, await accountOf(context, userId, linkedAccountId)) }
    },
  }),
  defineOperation({
    ...common,
    ...all,
    id: 'createLinkedAccount',
    method: 'POST',
    summary: 'Let a user sign on by an account at an identity provider',
    permission: { kind: 'role', population: true, ...creating },
    body: {
      kind: 'json',
      schema: z.object({ identityProvider: reference, externalId: z.string().min(1).max(255) }),
    },
    replies: { 201: linkedAccount },
    errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
    event: 'LINKED_ACCOUNT.CREATED',
    async handle({ params: { userId }, body: { identityProvider, externalId } }, context) {
      const { kernel, environment, now } = context
      const { user } = await controlledUser(context, userId, creating)
      const { id: providerId } = identityProvider
      if (!environment.identityProviders.has(providerId)) {
        throw invalidData('INVALID_VALUE', 'identityProvider.id', 'is not an identity provider of this environment')
      }
      const committing = kernel.storage.commit({
        name: 'create-linked-account',
        *run() {
          const account = { providerId, subject: externalId }
          const linked = yield* insertLink(kernel.world, environment.id, userId, account, now)
          const detail = { userId, identityProviderId: providerId }
          yield context.record({ subject: { type: 'LINKED_ACCOUNT', id: linked }, detail })
          return linked
        },
      })
      const id = await requireUnique('linked_accounts', 'externalId', committing)
      const row = { id, identity_provider_id: providerId, external_id: externalId }
      const body = bodyOf(context, user, row)
      return { status: 201, body, headers: { location: body._links['self']?.href ?? '' } }
    },
  }),
  defineOperation({
    ...common,
    ...one,
    id: 'deleteLinkedAccount',
    method: 'DELETE',
    summary: 'Take an account at an identity provider away from a user',
    permission: { kind: 'role', population: true, ...deleting },
    replies: { 204: null },
    errors: ['REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
    event: 'LINKED_ACCOUNT.DELETED',
    async handle({ params: { userId, linkedAccountId } }, context) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          await removeAccount(context, userId, linkedAccountId)
          return { status: 204 }
        } catch (error) {
          if (!(error instanceof Stale)) throw error
          if (attempt === attempts) throw problem('UNAVAILABLE', { headers: { 'retry-after': '1' }, cause: error })
        }
      }
    },
  }),
]
