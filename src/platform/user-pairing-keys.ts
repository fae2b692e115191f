/**
 * The pairing keys of a user: `~/users/{userId}/pairingKeys`, platform-api 3.14.5. Its code is told in the answer that makes
 * one; whether somebody has claimed it is read here.
 *
 * Never: a code told a second time; a key for an application that the policy does not let be paired.
 */
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { keepPairingKey, newPairingCode, type PairingKey, pairingKeyFrom } from '../directory/pairing-keys.ts'
import type { User } from '../directory/users.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { mobileApplication, pairingKeySeconds } from '../flow/factors/mobile.ts'
import { remove } from '../storage/operations.ts'
import { pairingKeysOf } from '../storage/sql/mobile-devices.ts'
import { reachedUser } from './user-control.ts'
import { deviceCommon } from './user-devices.ts'
import { controlledDevices } from './own-factor.ts'
import { userUrl } from './user-representation.ts'
import { partOfUser } from './user-routes.ts'

const reading = { permission: 'mfa:read:userDevice', self: 'p1:read:pairingKey' } as const
const creating = { permission: 'mfa:create:userDevice', self: 'p1:create:pairingKey', recent: true } as const
const deleting = { permission: 'mfa:delete:userDevice', self: 'p1:delete:pairingKey', recent: true } as const

const allKeys = partOfUser('/pairingKeys')
const oneKey = {
  path: `${allKeys.path}/{pairingKeyId}`,
  params: allKeys.params.extend({ pairingKeyId: uuid }),
} as const

const pairingKey = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  user: reference,
  code: z.string().optional().describe('What is typed into the app; told once.'),
  status: z.enum(['UNCLAIMED', 'CLAIMED']),
  applications: z.array(reference),
  createdAt: timestamp,
  expiresAt: timestamp,
})

function bodyOf(context: Pick<Context, 'site'>, owner: User, key: PairingKey) {
  const user = userUrl(context, owner)
  return {
    _links: links({
      self: `${user}/pairingKeys/${key.id}`,
      environment: `${context.site.apiBase}/environments/${owner.environmentId}`,
      user,
    }),
    id: key.id,
    environment: { id: owner.environmentId },
    user: { id: owner.id },
    status: key.isClaimed ? ('CLAIMED' as const) : ('UNCLAIMED' as const),
    applications: key.applicationIds.map((id) => ({ id })),
    createdAt: iso(key.createdAt),
    expiresAt: iso(key.expiresAt),
  }
}

async function keysOf({ kernel, environment, now }: Context, userId: string): Promise<readonly PairingKey[]> {
  return (await kernel.storage.read(pairingKeysOf(environment.id, userId, now))).map(pairingKeyFrom)
}

/** How long a key for these applications is good, seconds. @throws Problem INVALID_DATA */
function lifetimeOf({ environment }: Context, applications: readonly { readonly id: string }[]): number {
  const { mobile } = environment.flowConfiguration.defaultDeviceAuthenticationPolicy
  const lifetimes = applications.map(({ id }, at) => {
    const policy = mobileApplication(mobile, id)
    if (policy && !policy.pairingDisabled) return pairingKeySeconds(policy)
    throw invalidData('INVALID_VALUE', `applications.${at}.id`, 'is not allowed by the policy')
  })
  return Math.min(...lifetimes)
}

export const userPairingKeyOperations: readonly Operation[] = [
  defineOperation({
    ...deviceCommon,
    ...allKeys,
    id: 'listPairingKeys',
    method: 'GET',
    summary: 'List the pairing keys of a user whose time is not over',
    permission: { kind: 'role', population: true, ...reading },
    replies: { 200: collectionSchema('pairingKeys', pairingKey) },
    errors: ['FORBIDDEN', 'NOT_FOUND'],
    async handle({ params: { userId } }, context) {
      const { user } = await reachedUser(context, userId, reading)
      const items = (await keysOf(context, userId)).map((key) => bodyOf(context, user, key))
      const self = `${context.kernel.origins.apiUrl}${context.target}`
      return { status: 200, body: collection('pairingKeys', items, self, undefined, items.length) }
    },
  }),
  defineOperation({
    ...deviceCommon,
    ...allKeys,
    id: 'createPairingKey',
    method: 'POST',
    summary: 'Make a pairing key, by which an app becomes a MOBILE device of the user',
    permission: { kind: 'role', population: true, ...creating },
    body: {
      kind: 'json',
      schema: z.object({
        applications: z
          .array(z.object({ id: uuid }))
          .min(1)
          .max(20),
      }),
    },
    replies: { 201: pairingKey },
    errors: ['INVALID_DATA', 'REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
    event: 'PAIRING_KEY.CREATED',
    async handle({ params: { userId }, body: { applications } }, context) {
      const { kernel, environment, now } = context
      const { user } = await controlledDevices(context, userId, creating)
      const lifetime = lifetimeOf(context, applications)
      const code = newPairingCode(kernel, environment)
      const key: PairingKey = {
        id: kernel.world.uuid(),
        userId,
        applicationIds: [...new Set(applications.map(({ id }) => id))],
        isClaimed: false,
        createdAt: now,
        expiresAt: now + lifetime * 1000,
      }
      await kernel.storage.commit({
        name: 'create-pairing-key',
        *run() {
          if (!(yield* keepPairingKey(environment, key, code))) throw notFound()
          yield context.record({ subject: { type: 'PAIRING_KEY', id: key.id }, detail: { userId } })
        },
      })
      const written = bodyOf(context, user, key)
      return { status: 201, body: { ...written, code }, headers: { location: written._links['self']?.href ?? '' } }
    },
  }),
  defineOperation({
    ...deviceCommon,
    ...oneKey,
    id: 'readPairingKey',
    method: 'GET',
    summary: 'Read a pairing key of a user',
    permission: { kind: 'role', population: true, ...reading },
    replies: { 200: pairingKey },
    errors: ['FORBIDDEN', 'NOT_FOUND'],
    async handle({ params: { userId, pairingKeyId } }, context) {
      const { user } = await reachedUser(context, userId, reading)
      const key = (await keysOf(context, userId)).find(({ id }) => id === pairingKeyId)
      if (!key) throw notFound()
      return { status: 200, body: bodyOf(context, user, key) }
    },
  }),
  defineOperation({
    ...deviceCommon,
    ...oneKey,
    id: 'deletePairingKey',
    method: 'DELETE',
    summary: 'Remove a pairing key from a user',
    permission: { kind: 'role', population: true, ...deleting },
    replies: { 204: null },
    errors: ['FORBIDDEN', 'NOT_FOUND'],
    event: 'PAIRING_KEY.DELETED',
    async handle({ params: { userId, pairingKeyId } }, context) {
      const { kernel, environment } = context
      await controlledDevices(context, userId, deleting)
      await kernel.storage.commit({
        name: 'delete-pairing-key',
        *run() {
          const key = { environment_id: environment.id, user_id: userId, id: pairingKeyId }
          if ((yield* remove('pairing_keys', key)) === 0) throw notFound()
          yield context.record({ subject: { type: 'PAIRING_KEY', id: pairingKeyId }, detail: { userId } })
        },
      })
      return { status: 204 }
    },
  }),
]
