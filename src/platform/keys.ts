/**
 * The signing keys of an environment: `~/keys`, platform-api 3.15. Every key is made by a key rotation policy; here they are
 * read with their certificates, and taken away before their time where one may have become known.
 *
 * Never: a private key; the key taken away that signs (row F12).
 */
import { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { collection, collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { notFound, problem } from '../errors/problem.ts'
import { storedAlgorithm } from '../keys/algorithm.ts'
import { signingAt } from '../keys/rotation.ts'
import type { PublicJwk } from '../keys/signing-key.ts'
import { remove, update } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import {
  type KeyRotationPolicyRow,
  keyRotationPoliciesOf,
  keyRotationPolicyById,
  type SigningKeyRow,
  signingKeysOf,
} from '../storage/sql/signing-keys.ts'
import { keyKinds } from './key-algorithms.ts'
import { type KeyTime, keysOfPolicy } from './key-rotation-policy-representation.ts'

const DAY = 86_400_000
/** PingOne calls a certificate EXPIRING in its last month. */
const expiring = 30 * DAY

const key = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  name: z.string(),
  usageType: z.literal('SIGNING'),
  default: z.boolean().describe('Whether it signs what the environment signs by default.'),
  algorithm: z.enum(['RSA', 'EC', 'OKP']),
  keyLength: z.int(),
  signatureAlgorithm: z.string(),
  subjectDN: z.string(),
  issuerDN: z.string(),
  serialNumber: z.int(),
  startsAt: timestamp,
  expiresAt: timestamp,
  validityPeriod: z.int(),
  status: z.enum(['VALID', 'EXPIRING', 'EXPIRED']),
  createdAt: timestamp,
  keyRotationPolicy: reference.optional().describe('Extension: the policy that it was made by, while there is one.'),
  designation: z
    .enum(['NEXT', 'CURRENT', 'PREVIOUS'])
    .describe('Extension: whether it will sign, signs, or has signed.'),
  signsFrom: timestamp.describe('Extension: when it begins to sign, or did.'),
})

/** The keys of an environment, and the policies they belong to. */
interface Keys {
  readonly rows: readonly SigningKeyRow[]
  readonly policies: readonly KeyRotationPolicyRow[]
}

async function readKeys({ kernel, environment }: Context): Promise<Keys> {
  const [rows, policies] = await Promise.all([
    kernel.storage.read(signingKeysOf(environment.id)),
    kernel.storage.read(keyRotationPoliciesOf(environment.id)),
  ])
  return { rows, policies }
}

function designationOf(keys: readonly KeyTime[], row: SigningKeyRow, now: number): 'NEXT' | 'CURRENT' | 'PREVIOUS' {
  if (row.retired_at === null && row.signs_from > now) return 'NEXT'
  return signingAt(keys, now)?.row.id === row.id ? 'CURRENT' : 'PREVIOUS'
}

function keyBody({ site, now }: Context, { rows, policies }: Keys, row: SigningKeyRow) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const { x5c } = JSON.parse(row.public_jwk) as PublicJwk
  const certificate = new X509Certificate(Buffer.from(x5c[0], 'base64'))
  const { algorithm, signatureAlgorithm, keyLengths } = keyKinds[storedAlgorithm(row.algorithm)]
  const policy = policies.find(({ id }) => id === row.policy_id)
  const designation = designationOf(keysOfPolicy(rows, row.policy_id), row, now)
  const startsAt = certificate.validFromDate.getTime()
  const expiresAt = certificate.validToDate.getTime()
  return {
    _links: links({ self: `${environment}/keys/${row.id}`, environment }),
    id: row.id,
    environment: { id: site.environmentId },
    name: policy?.name ?? row.id,
    usageType: 'SIGNING',
    default: policy?.is_default === 1 && designation === 'CURRENT',
    algorithm,
    keyLength: certificate.publicKey.asymmetricKeyDetails?.modulusLength ?? keyLengths[0],
    signatureAlgorithm,
    subjectDN: certificate.subject.replaceAll('\n', ','),
    issuerDN: certificate.issuer.replaceAll('\n', ','),
    serialNumber: Number(`0x${certificate.serialNumber}`),
    startsAt: iso(startsAt),
    expiresAt: iso(expiresAt),
    validityPeriod: Math.round((expiresAt - startsAt) / DAY),
    status: expiresAt <= now ? 'EXPIRED' : expiresAt - now <= expiring ? 'EXPIRING' : 'VALID',
    createdAt: iso(row.created_at),
    ...(policy ? { keyRotationPolicy: { id: policy.id } } : {}),
    designation,
    signsFrom: iso(row.signs_from),
  }
}

const collectionPath = '/v1/environments/{environmentId}/keys'
const onePath = `${collectionPath}/{keyId}`
const inEnvironment = z.object({ environmentId: uuid })
const one = inEnvironment.extend({ keyId: uuid })
const common = { surface: 'management', tag: 'Keys', source: 'platform-api 3.15', cors: 'none' } as const
const reading = { kind: 'role', permission: 'certmgt:read:key' } as const

export const keyOperations: readonly Operation[] = [
  defineOperation({
    ...common,
    id: 'listKeys',
    method: 'GET',
    path: collectionPath,
    summary: 'List the signing keys of an environment',
    permission: reading,
    params: inEnvironment,
    replies: { 200: collectionSchema('keys', key) },
    errors: ['FORBIDDEN'],
    async handle(_input, context) {
      const keys = await readKeys(context)
      const items = keys.rows.map((row) => keyBody(context, keys, row))
      const self = `${context.kernel.origins.apiUrl}${context.target}`
      return { status: 200, body: collection('keys', items, self, undefined, items.length) }
    },
  }),
  defineOperation({
    ...common,
    id: 'readKey',
    method: 'GET',
    path: onePath,
    summary: 'Read a signing key with what its certificate says',
    permission: reading,
    params: one,
    replies: { 200: key },
    errors: ['FORBIDDEN', 'NOT_FOUND'],
    async handle({ params }, context) {
      const keys = await readKeys(context)
      const row = keys.rows.find(({ id }) => id === params.keyId)
      if (!row) throw notFound()
      return { status: 200, body: keyBody(context, keys, row) }
    },
  }),
  defineOperation({
    ...common,
    id: 'deleteKey',
    method: 'DELETE',
    path: onePath,
    summary: 'Take a key away that does not sign; tokens of it are no longer accepted',
    permission: { kind: 'role', permission: 'certmgt:delete:key' },
    params: one,
    replies: { 204: null },
    errors: ['REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
    event: 'KEY.DELETED',
    async handle({ params: { keyId: id } }, context) {
      const { kernel, environment, now } = context
      await kernel.environments.configure(environment.id, 'delete-key', now, function* (changes) {
        changes.push({ kind: 'snapshot' })
        const rows = yield* run(signingKeysOf(environment.id))
        const row = rows.find((candidate) => candidate.id === id)
        if (!row) throw notFound()
        const designation = designationOf(keysOfPolicy(rows, row.policy_id), row, now)
        if (designation === 'CURRENT') {
          const message = 'A key that signs cannot be deleted: rotate its policy first.'
          throw problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
        }
        yield* remove('signing_keys', { environment_id: environment.id, id })
        const [policy] = yield* run(keyRotationPolicyById(environment.id, row.policy_id))
        // Without its next key the policy is due: the background work makes another one.
        if (policy && designation === 'NEXT') {
          yield* update('key_rotation_policies', { environment_id: environment.id, id: policy.id }, { rotates_at: now })
        }
        yield context.record({ subject: { type: 'KEY', id } })
      })
      return { status: 204 }
    },
  }),
]
