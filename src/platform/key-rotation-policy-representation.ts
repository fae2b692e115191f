/**
 * How a key rotation policy looks on the wire, and how what was sent becomes what is stored: platform-api 3.15. What a
 * policy's keys are like and when they rotate may change; what they sign by may not, since verifiers pin it.
 */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import type { KeySpecification } from '../environment/signing-keys.ts'
import { type Detail, problem } from '../errors/problem.ts'
import { storedAlgorithm } from '../keys/algorithm.ts'
import { parseDistinguishedName } from '../keys/distinguished-name.ts'
import { type Schedule, signingAt, upcoming } from '../keys/rotation.ts'
import type { KeyRotationPolicyRow, SigningKeyRow } from '../storage/sql/signing-keys.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { jwsAlgorithmOf, type KeyKind, keyKinds, signatureAlgorithms } from './key-algorithms.ts'
import { name } from './names.ts'

const members = {
  name,
  usageType: z.literal('SIGNING'),
  dn: z.string().min(1).max(512).describe('Subject and issuer of the certificates of its keys.'),
  algorithm: z.enum(['RSA', 'EC', 'OKP']).describe('PingOne has RSA alone; EC and OKP (Ed25519) are extensions.'),
  keyLength: z.int().describe('Bits of its keys.'),
  signatureAlgorithm: z
    .enum(signatureAlgorithms as [(typeof signatureAlgorithms)[number], ...typeof signatureAlgorithms])
    .describe('PingOne has SHA256withRSA alone; the others are extensions.'),
  validityPeriod: z.int().min(31).max(3650).default(365).describe('How long certificates are valid, in days.'),
  rotationPeriod: z.int().min(30).max(3649).default(90).describe('How long a key signs, in days.'),
}

/** What a client sends, to create or to replace. */
export const keyRotationPolicyRequest = nullMeansAbsent(
  z.object({
    ...members,
    default: z.boolean().optional().describe('Extension: true makes it the policy of the environment.'),
  }),
)

/** A request, its defaults filled in. */
export type KeyRotationPolicyRequest = z.output<typeof keyRotationPolicyRequest>

/** What a client is answered. */
export const keyRotationPolicy = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  default: z.boolean(),
  ...members,
  currentKeyId: uuid.optional(),
  nextKeyId: uuid.optional(),
  rotatedAt: timestamp.optional(),
})

/** A stored key with its time. */
export type KeyTime = Schedule & { readonly row: SigningKeyRow }

/** The keys of a policy out of all of the environment. */
export function keysOfPolicy(rows: readonly SigningKeyRow[], policyId: string): KeyTime[] {
  return rows
    .filter((row) => row.policy_id === policyId)
    .map((row) => ({
      row,
      createdAt: row.created_at,
      signsFrom: row.signs_from,
      retiredAt: row.retired_at,
    }))
}

/** A policy as the wire has it. */
export function keyRotationPolicyBody(
  { site, now }: Context,
  policy: KeyRotationPolicyRow,
  keyRows: readonly SigningKeyRow[],
) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const self = `${environment}/keyRotationPolicies/${policy.id}`
  const kind: KeyKind = keyKinds[storedAlgorithm(policy.algorithm)]
  const keys = keysOfPolicy(keyRows, policy.id)
  const current = signingAt(keys, now)
  const [next] = upcoming(keys, now)
  return {
    _links: links({ self, environment, jwks: `${self}/jwks` }),
    id: policy.id,
    environment: { id: site.environmentId },
    name: policy.name,
    usageType: 'SIGNING',
    default: policy.is_default === 1,
    dn: policy.dn,
    algorithm: kind.algorithm,
    keyLength: policy.key_length,
    validityPeriod: policy.validity_period,
    signatureAlgorithm: kind.signatureAlgorithm,
    rotationPeriod: policy.rotation_period,
    ...(current ? { currentKeyId: current.row.id, rotatedAt: iso(current.signsFrom) } : {}),
    ...(next ? { nextKeyId: next.row.id } : {}),
  }
}

/**
 * Judges a request.
 * @throws Problem INVALID_DATA naming everything that is wrong
 */
export function specificationOf(body: KeyRotationPolicyRequest): KeySpecification {
  const algorithm = jwsAlgorithmOf(body.signatureAlgorithm)
  const kind: KeyKind = keyKinds[algorithm]
  const dn = parseDistinguishedName(body.dn)
  const details: Detail[] = [
    ...('refused' in dn ? [invalid('dn', dn.refused)] : []),
    ...(kind.algorithm === body.algorithm ? [] : [invalid('algorithm', `must be ${kind.algorithm} here`)]),
    ...(kind.keyLengths.includes(body.keyLength)
      ? []
      : [
          {
            ...invalid('keyLength', 'must be a length of this algorithm'),
            innerError: { allowedValues: [...kind.keyLengths] },
          },
        ]),
    ...(body.rotationPeriod < body.validityPeriod
      ? []
      : [invalid('rotationPeriod', 'must be shorter than validityPeriod')]),
  ]
  if (details.length > 0) throw problem('INVALID_DATA', { details })
  return {
    name: body.name,
    algorithm,
    dn: body.dn,
    key_length: body.keyLength,
    validity_period: body.validityPeriod,
    rotation_period: body.rotationPeriod,
  }
}

function invalid(target: string, message: string): Detail {
  return { code: 'INVALID_VALUE', target, message }
}
