/**
 * Key rotation policies: `~/keyRotationPolicies`, platform-api 3.15; rows F12, R17. A policy has one key that signs and the
 * next one, published from the beginning; the background work changes them over as planned (`jobs/rotate-keys.ts`), and
 * somebody may at any time (`key-rotation-policy-rotate.ts`).
 *
 * Never: an environment without a default policy; a policy removed whose algorithm or id something is configured to use.
 */
import { z } from 'zod'
import { collection, collectionSchema } from '../contract/hal.ts'
import { defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { environmentSettings } from '../environment/settings.ts'
import { generateKeyOf, insertPolicy, preparePolicy, sealedSigningKey } from '../environment/signing-keys.ts'
import { invalidData, problem } from '../errors/problem.ts'
import { type SigningAlgorithm, storedAlgorithm } from '../keys/algorithm.ts'
import { plannedFor, signingAt, upcoming } from '../keys/rotation.ts'
import { remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { environmentById } from '../storage/sql/environments.ts'
import { keyRotationPoliciesOf, makeDefaultPolicy, signingKeysOf } from '../storage/sql/signing-keys.ts'
import { answered, existing, existingInUnit, insertKey, requireUnused, retireKeys } from './key-rotation-policy-keys.ts'
import {
  keyRotationPolicy,
  keyRotationPolicyBody,
  keyRotationPolicyRequest,
  keysOfPolicy,
  specificationOf,
} from './key-rotation-policy-representation.ts'
import { rotateKeyRotationPolicy } from './key-rotation-policy-rotate.ts'

/** PingOne allows five; here further ones come about by themselves, one for each algorithm in use. */
const mostPolicies = 25

const collectionPath = '/v1/environments/{environmentId}/keyRotationPolicies'
const onePath = `${collectionPath}/{keyRotationPolicyId}`
const inEnvironment = z.object({ environmentId: uuid })
const one = inEnvironment.extend({ keyRotationPolicyId: uuid })
const common = { surface: 'management', tag: 'Keys', source: 'platform-api 3.15', cors: 'none' } as const
const reading = { kind: 'role', permission: 'certmgt:read:keyRotationPolicy' } as const
const updating = { kind: 'role', permission: 'certmgt:update:keyRotationPolicy' } as const

/** Makes a policy the environment's, and with it its algorithm the one that `~/settings` names. */
function* makeDefault(environmentId: string, id: string, signingAlgorithm: SigningAlgorithm): UnitBody<void> {
  yield makeDefaultPolicy(environmentId, id)
  const [row] = yield* run(environmentById(environmentId))
  const settings = environmentSettings.parse({ ...JSON.parse(row?.settings ?? '{}'), signingAlgorithm })
  yield* update('environments', { id: environmentId }, { settings: JSON.stringify(settings) })
}

const listPolicies = defineOperation({
  ...common,
  id: 'listKeyRotationPolicies',
  method: 'GET',
  path: collectionPath,
  summary: 'List the key rotation policies of an environment',
  permission: reading,
  params: inEnvironment,
  replies: { 200: collectionSchema('keyRotationPolicies', keyRotationPolicy) },
  errors: ['FORBIDDEN'],
  async handle(_input, context) {
    const { kernel, environment, target } = context
    const [policies, keys] = await Promise.all([
      kernel.storage.read(keyRotationPoliciesOf(environment.id)),
      kernel.storage.read(signingKeysOf(environment.id)),
    ])
    const items = policies.map((policy) => keyRotationPolicyBody(context, policy, keys))
    const self = `${kernel.origins.apiUrl}${target}`
    return { status: 200, body: collection('keyRotationPolicies', items, self, undefined, items.length) }
  },
})

const readPolicy = defineOperation({
  ...common,
  id: 'readKeyRotationPolicy',
  method: 'GET',
  path: onePath,
  summary: 'Read a key rotation policy',
  permission: reading,
  params: one,
  replies: { 200: keyRotationPolicy },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  handle: async ({ params }, context) => ({ status: 200, body: await answered(context, params.keyRotationPolicyId) }),
})

const readPolicyKeys = defineOperation({
  ...common,
  id: 'readKeyRotationPolicyJwks',
  method: 'GET',
  path: `${onePath}/jwks`,
  summary: 'Read the public keys of a key rotation policy as a JWKS',
  permission: reading,
  params: one,
  replies: { 200: z.object({ keys: z.array(z.looseObject({ kid: z.string() })) }) },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params }, context) {
    const { keys } = await existing(context, params.keyRotationPolicyId)
    const own = keysOfPolicy(keys, params.keyRotationPolicyId)
    return { status: 200, body: { keys: own.map(({ row }) => JSON.parse(row.public_jwk) as { kid: string }) } }
  },
})

const createPolicy = defineOperation({
  ...common,
  id: 'createKeyRotationPolicy',
  method: 'POST',
  path: collectionPath,
  summary: 'Create a key rotation policy with its first two keys',
  permission: { kind: 'role', permission: 'certmgt:create:keyRotationPolicy' },
  params: inEnvironment,
  body: { kind: 'json', schema: keyRotationPolicyRequest },
  replies: { 201: keyRotationPolicy },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'FORBIDDEN'],
  event: 'KEY_ROTATION_POLICY.CREATED',
  async handle({ body }, context) {
    const { kernel, environment, now } = context
    const isDefault = body.default === true
    const specification = specificationOf(body)
    const prepared = await preparePolicy(kernel.world, environment, specification, { isDefault, withNext: true, now })
    const { id, algorithm } = prepared.policy
    await kernel.environments.configure(environment.id, 'create-key-rotation-policy', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      if ((yield* run(keyRotationPoliciesOf(environment.id))).length >= mostPolicies) {
        const message = `An environment has at most ${mostPolicies} key rotation policies.`
        throw problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
      }
      yield* insertPolicy(prepared)
      if (isDefault) yield* makeDefault(environment.id, id, storedAlgorithm(algorithm))
      yield context.record({ subject: { type: 'KEY_ROTATION_POLICY', id }, detail: { algorithm } })
      for (const key of prepared.keys) {
        yield context.record({ action: 'KEY.CREATED', subject: { type: 'KEY', id: key.id }, detail: { algorithm } })
      }
    })
    const answer = await answered(context, id)
    return { status: 201, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const replacePolicy = defineOperation({
  ...common,
  id: 'replaceKeyRotationPolicy',
  method: 'PUT',
  path: onePath,
  summary: 'Replace a key rotation policy; the key that signs stays, the next one is made anew where it would differ',
  permission: updating,
  params: one,
  body: { kind: 'json', schema: keyRotationPolicyRequest },
  replies: { 200: keyRotationPolicy },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'KEY_ROTATION_POLICY.UPDATED',
  async handle({ params: { keyRotationPolicyId: id }, body }, context) {
    const { kernel, environment, now } = context
    const specification = specificationOf(body)
    const { policy: before } = await existing(context, id)
    if (specification.algorithm !== before.algorithm) {
      throw invalidData('INVALID_VALUE', 'signatureAlgorithm', 'cannot be changed')
    }
    if (body.default === false && before.is_default === 1) {
      throw invalidData('CONSTRAINT_VIOLATION', 'default', 'must stay true until another policy becomes the default')
    }
    const isOther = (['dn', 'key_length', 'validity_period'] as const).some((at) => before[at] !== specification[at])
    const generated = isOther ? await generateKeyOf(kernel.world, specification) : undefined
    await kernel.environments.configure(environment.id, 'replace-key-rotation-policy', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const present = yield* existingInUnit(environment.id, id)
      const keys = keysOfPolicy(yield* run(signingKeysOf(environment.id)), id)
      const rotation = {
        rotationPeriodDays: specification.rotation_period,
        publicationSeconds: environment.settings.keyPublicationSeconds,
      }
      const next = upcoming(keys, now).at(-1)
      let { rotates_at } = present
      if (next) {
        const publishedSince = generated ? now : next.createdAt
        const isRescheduled = generated !== undefined || present.rotation_period !== specification.rotation_period
        const planned = plannedFor(rotation, signingAt(keys, now), publishedSince, now)
        const signsFrom = isRescheduled ? planned : next.signsFrom
        rotates_at = Math.min(rotates_at, signsFrom)
        const key = { environment_id: environment.id, id: next.row.id }
        if (generated) {
          yield* remove('signing_keys', key)
          const row = sealedSigningKey(environment.id, environment.dataKey, id, generated, signsFrom, kernel.world)
          yield* insertKey(context, row)
        } else yield* update('signing_keys', key, { signs_from: signsFrom })
      }
      const columns = { ...specification, rotates_at, updated_at: now }
      yield* update('key_rotation_policies', { environment_id: environment.id, id }, columns)
      if (body.default && present.is_default === 0)
        yield* makeDefault(environment.id, id, storedAlgorithm(present.algorithm))
      yield context.record({ subject: { type: 'KEY_ROTATION_POLICY', id } })
    })
    return { status: 200, body: await answered(context, id) }
  },
})

const deletePolicy = defineOperation({
  ...common,
  id: 'deleteKeyRotationPolicy',
  method: 'DELETE',
  path: onePath,
  summary: 'Delete a key rotation policy that nothing uses; its keys verify until their last token has expired',
  permission: { kind: 'role', permission: 'certmgt:delete:keyRotationPolicy' },
  params: one,
  replies: { 204: null },
  errors: ['REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'KEY_ROTATION_POLICY.DELETED',
  async handle({ params: { keyRotationPolicyId: id } }, context) {
    const { kernel, environment, now } = context
    await kernel.environments.configure(environment.id, 'delete-key-rotation-policy', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const policy = yield* existingInUnit(environment.id, id)
      yield* requireUnused(environment.id, policy)
      yield* retireKeys(environment.id, id, now)
      yield* remove('key_rotation_policies', { environment_id: environment.id, id })
      yield context.record({ subject: { type: 'KEY_ROTATION_POLICY', id } })
    })
    return { status: 204 }
  },
})

export const keyRotationPolicyOperations: readonly Operation[] = [
  listPolicies,
  createPolicy,
  readPolicy,
  readPolicyKeys,
  replacePolicy,
  rotateKeyRotationPolicy,
  deletePolicy,
]
