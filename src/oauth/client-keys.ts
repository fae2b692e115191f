/**
 * The keys of a client: its secret for HS256 to HS512 (decision D15), its registered `jwks` or `jwksUrl` for everything
 * else (platform-api 3.7). What a client signed is verified here, whatever it is for, and what others sign by keys they publish. RFC 7515, RFC 8725; catalogue
 * group F.
 *
 * Never: a key out of the token; `none`; a symmetric algorithm with a published key, or the other way round; two kinds of
 * JWT that pass for one another where the caller says what `typ` it wants.
 */
import { createSecretKey } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'
import { readCompactJws } from '../keys/compact-jws.ts'
import { type SignatureFailure, signatureFailure } from '../access/jws-signature.ts'
import { keySetOf } from '../keys/key-set.ts'
import type { Context } from '../contract/operation.ts'
import { type Application, applicationSecretContext } from '../environment/application.ts'
import type { Environment } from '../environment/snapshot.ts'
import { open } from '../keys/sealing.ts'
import { applicationSecret } from '../storage/sql/applications.ts'
import { type ClientAlgorithm, secretAlgorithms } from './rules/client-algorithms.ts'

/** How long a fetched key set is used, in milliseconds; a key it does not have makes it be read anew. */
export const keysKept = 600_000
/** How long it is believed that a key set cannot be had, in milliseconds. */
const failuresKept = 30_000

/** A JWT whose signature holds, or why it does not: for events and tests. */
export type ClientJwt =
  | {
      readonly ok: true
      readonly algorithm: ClientAlgorithm
      readonly claims: Readonly<Record<string, unknown>>
    }
  | { readonly ok: false; readonly reason: 'malformed' | 'algorithm' | 'typ' | 'key' | 'signature' }

/** Whose keys a JWT is verified by: an application, or whoever publishes a key set. */
export interface KeyHolder {
  readonly id: string
  readonly document: Pick<Application['document'], 'jwks' | 'jwksUrl'>
}

/** What is expected of the header. */
export interface ClientJwtCheck {
  /** The algorithms that this client may use for this kind of JWT. */
  readonly algorithms: readonly ClientAlgorithm[]
  /** Values of `typ` in lower case that this kind may have; undefined stands for a header without it. */
  readonly types: readonly (string | undefined)[]
}

/**
 * Verifies the signature of a JWT by the keys of a client; its claims are the caller's (`rules/client-jwt-claims.ts`).
 * Reads the sealed secret where the algorithm is symmetric, and the client's `jwksUrl` where it has one.
 */
export async function verifyClientJwt(
  context: Context,
  environment: Environment,
  client: KeyHolder,
  jwt: string,
  check: ClientJwtCheck,
): Promise<ClientJwt> {
  const read = readCompactJws(jwt)
  if (!read) return { ok: false, reason: 'malformed' }
  const { header, claims } = read
  const algorithm = check.algorithms.find((candidate) => candidate === header['alg'])
  if (!algorithm) return { ok: false, reason: 'algorithm' }
  const { typ } = header
  if (!check.types.includes(typeof typ === 'string' ? typ.toLowerCase() : undefined))
    return { ok: false, reason: 'typ' }
  const leastBytes = secretAlgorithms[algorithm as keyof typeof secretAlgorithms] as number | undefined
  const failure =
    leastBytes === undefined
      ? await failureByKeys(context, client, jwt, algorithm, typeof header['kid'] === 'string')
      : await failureBySecrets(jwt, algorithm, await secretsOf(context, environment, client), leastBytes)
  return failure === undefined ? { ok: true, algorithm, claims } : { ok: false, reason: failure }
}

/** The present secret and the previous one while it counts. */
async function secretsOf(
  { kernel, now }: Context,
  { id, dataKey }: Environment,
  client: KeyHolder,
): Promise<readonly Buffer[]> {
  const [row] = await kernel.storage.read(applicationSecret(id, client.id))
  if (!row) return []
  const present = open(dataKey, row.sealed, applicationSecretContext(id, client.id))
  const isPreviousGood = row.previous_sealed !== null && (row.previous_expires_at ?? 0) > now
  return isPreviousGood
    ? [present, open(dataKey, row.previous_sealed, applicationSecretContext(id, client.id, 'previous_sealed'))]
    : [present]
}

async function failureBySecrets(
  jwt: string,
  algorithm: ClientAlgorithm,
  secrets: readonly Buffer[],
  leastBytes: number,
): Promise<SignatureFailure> {
  let failure: SignatureFailure = 'key'
  for (const secret of secrets) {
    if (secret.length < leastBytes) continue
    failure = await signatureFailure(jwt, algorithm, createSecretKey(secret))
    if (failure === undefined) break
  }
  return failure
}

async function failureByKeys(
  context: Context,
  client: KeyHolder,
  jwt: string,
  algorithm: ClientAlgorithm,
  hasKid: boolean,
): Promise<SignatureFailure> {
  const keys = await clientKeySet(context, client, keysKept)
  const failure = keys ? await failureByKeySet(jwt, algorithm, keys) : 'key'
  // With a `kid` the key is not among them; without one, any key might have been meant.
  const mayBeNewKey = failure === 'key' || (failure === 'signature' && !hasKid)
  if (!mayBeNewKey || client.document.jwksUrl === undefined) return failure
  const anew = await clientKeySet(context, client, 0)
  return anew ? failureByKeySet(jwt, algorithm, anew) : failure
}

/**
 * The public keys of a client: one and the same value until they change.
 * @param maximumAge of a fetched key set, milliseconds
 * @returns undefined when it has none, or they cannot be had
 */
export async function clientKeySet(
  { kernel }: Pick<Context, 'kernel'>,
  { document }: Pick<KeyHolder, 'document'>,
  maximumAge: number,
): Promise<JSONWebKeySet | undefined> {
  const { jwks, jwksUrl } = document
  try {
    if (jwks !== undefined) return usableKeys(document, () => JSON.parse(jwks))
    if (jwksUrl === undefined) return undefined
    const published = await kernel.providerDocuments.read(jwksUrl, maximumAge, failuresKept)
    return usableKeys(published, () => published)
  } catch {
    return undefined
  }
}

const usable = new WeakMap<object, JSONWebKeySet>()

/** @param source what the keys are read from; nobody changes it */
function usableKeys(source: object, read: () => unknown): JSONWebKeySet | undefined {
  const known = usable.get(source)
  if (known) return known
  const { keys } = (read() ?? {}) as { keys?: unknown }
  if (!Array.isArray(keys)) return undefined
  // A published symmetric key is no secret.
  const isUsable = (key: unknown) =>
    typeof key === 'object' && key !== null && ['RSA', 'EC', 'OKP'].includes((key as { kty?: string }).kty ?? '')
  const set = { keys: keys.filter(isUsable) as JSONWebKeySet['keys'] }
  usable.set(source, set)
  return set
}

async function failureByKeySet(
  jwt: string,
  algorithm: ClientAlgorithm,
  keys: JSONWebKeySet,
): Promise<SignatureFailure> {
  return signatureFailure(jwt, algorithm, await keySetOf(keys))
}
