/**
 * The making of signing keys and of the policies they belong to: what is slow happens before the unit, the unit only
 * writes rows. A private half is sealed for its own row. A policy has a key that signs and the next one, which is
 * published from the beginning (platform-api 3.15); the next of a policy that comes with an environment is made by the
 * background work (`jobs/rotate-keys.ts`), so that nobody waits for it.
 */
import type { KeyObject } from 'node:crypto'
import type { Context } from '../contract/operation.ts'
import { schemeOf, type SigningAlgorithm, storedAlgorithm } from '../keys/algorithm.ts'
import { parseDistinguishedName } from '../keys/distinguished-name.ts'
import { followingOf } from '../keys/rotation.ts'
import { seal } from '../keys/sealing.ts'
import { type GeneratedSigningKey, generateSigningKey } from '../keys/signing-key.ts'
import { insert, type Word } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { type KeyRotationPolicyRow, keyRotationPoliciesOf, type SigningKeyRow } from '../storage/sql/signing-keys.ts'
import type { World } from '../world.ts'
import { signingKeyContext } from './load.ts'
import { policyForAlgorithm } from './signing-key-choice.ts'
import type { Environment } from './snapshot.ts'

/** A row of `signing_keys` with its environment. */
export type SigningKeyColumns = SigningKeyRow & { readonly environment_id: string }

/** What a policy's keys are like. Periods are in days. */
export type KeySpecification = Pick<
  KeyRotationPolicyRow,
  'name' | 'algorithm' | 'dn' | 'key_length' | 'validity_period' | 'rotation_period'
>

/** Bits of a key of an algorithm, where nothing else is said. */
export function usualKeyLength(algorithm: SigningAlgorithm): number {
  const scheme = schemeOf(algorithm)
  return { RSA: 2048, 'P-256': 256, 'P-384': 384, 'P-521': 521, Ed25519: 256 }[
    scheme.kty === 'RSA' ? 'RSA' : scheme.crv
  ]
}

/** What a policy is that nobody described: PingOne's defaults (platform-api 3.15). */
export function usualSpecification(algorithm: SigningAlgorithm, name: string): KeySpecification {
  return {
    name,
    algorithm,
    dn: `CN=${algorithm}, OU=Stile, O=Stile, C=US`,
    key_length: usualKeyLength(algorithm),
    validity_period: 365,
    rotation_period: 90,
  }
}

/** Makes a key as a policy wants it. */
export function generateKeyOf(world: World, specification: KeySpecification): Promise<GeneratedSigningKey> {
  const { algorithm, dn, key_length, validity_period } = specification
  const subject = parseDistinguishedName(dn)
  if ('refused' in subject) throw new Error(`the stored dn ${subject.refused}`)
  return generateSigningKey(world, storedAlgorithm(algorithm), {
    rsaBits: key_length,
    validityDays: validity_period,
    subject,
  })
}

/** The row of a new key. @param signsFrom epoch milliseconds */
export function sealedSigningKey(
  environmentId: string,
  dataKey: KeyObject,
  policyId: string,
  { record, pkcs8 }: GeneratedSigningKey,
  signsFrom: number,
  world: World,
): SigningKeyColumns {
  return {
    environment_id: environmentId,
    id: record.kid,
    policy_id: policyId,
    algorithm: record.algorithm,
    public_jwk: JSON.stringify(record.publicJwk),
    sealed_private_key: seal(dataKey, pkcs8, signingKeyContext(environmentId, record.kid), world),
    signs_from: signsFrom,
    retired_at: null,
    created_at: record.createdAt,
    expires_at: record.notAfter,
  }
}

/** A policy whose keys are made and whose rows are ready to be written. */
export interface PreparedPolicy {
  readonly policy: KeyRotationPolicyRow & { readonly environment_id: string }
  readonly keys: readonly SigningKeyColumns[]
}

/**
 * Makes a policy and its keys.
 * @param withNext whether the next key is made along with the first
 */
export async function preparePolicy(
  world: World,
  { id: environmentId, dataKey }: Pick<Environment, 'id' | 'dataKey'>,
  specification: KeySpecification,
  { isDefault, withNext, now }: { readonly isDefault: boolean; readonly withNext: boolean; readonly now: number },
): Promise<PreparedPolicy> {
  const id = world.uuid()
  const then = followingOf(now, { rotationPeriodDays: specification.rotation_period })
  const moments = withNext ? [now, then] : [now]
  const keys = await Promise.all(
    moments.map(async (signsFrom) =>
      sealedSigningKey(environmentId, dataKey, id, await generateKeyOf(world, specification), signsFrom, world),
    ),
  )
  return {
    policy: {
      environment_id: environmentId,
      id,
      ...specification,
      is_default: isDefault ? 1 : 0,
      rotates_at: moments.at(-1) ?? now,
      created_at: now,
      updated_at: now,
    },
    keys,
  }
}

/** Writes a prepared policy. */
export function* insertPolicy({ policy, keys }: PreparedPolicy): Word<void> {
  yield* insert('key_rotation_policies', policy)
  for (const key of keys) yield* insert('signing_keys', key)
}

/**
 * Sees to it that an environment has keys of algorithms that something is being configured to use.
 * @returns the part of the unit that writes what is missing; it gives the policies that it made
 */
export async function prepareAlgorithms(
  world: World,
  environment: Environment,
  algorithms: readonly (SigningAlgorithm | undefined)[],
  now: number,
): Promise<() => Word<readonly PreparedPolicy[]>> {
  const wanted = new Set(algorithms.filter((algorithm) => algorithm !== undefined))
  const missing = [...wanted].filter((algorithm) => !policyForAlgorithm(environment, algorithm))
  const options = { isDefault: false, withNext: false, now }
  const prepared = await Promise.all(
    missing.map((algorithm) => preparePolicy(world, environment, usualSpecification(algorithm, algorithm), options)),
  )
  return function* () {
    if (prepared.length === 0) return []
    // Another request may have made one meanwhile; commits of one environment are serial, so this look is the last.
    const present = yield* run(keyRotationPoliciesOf(environment.id))
    const made = prepared.filter(({ policy }) => !present.some(({ algorithm }) => algorithm === policy.algorithm))
    for (const one of made) yield* insertPolicy(one)
    return made
  }
}

/** Tells of policies that came about because something was configured to use their algorithm. */
export function* recordPolicies(context: Context, made: readonly PreparedPolicy[]): UnitBody<void> {
  for (const { policy, keys } of made) {
    const detail = { algorithm: policy.algorithm }
    const subject = { type: 'KEY_ROTATION_POLICY', id: policy.id }
    yield context.record({ action: 'KEY_ROTATION_POLICY.CREATED', subject, detail })
    for (const { id } of keys) yield context.record({ action: 'KEY.CREATED', subject: { type: 'KEY', id }, detail })
  }
}
