/**
 * The keys of a client: its secret for HS256 to HS512 (decision D15), its registered `jwks` or `jwksUrl` for everything
 * else (platform-api 3.7). What a client signed is verified here, whatever it is for. RFC 7515, RFC 8725; catalogue
 * group F.
 *
 * Never: a key out of the token; `none`; a symmetric algorithm with a published key, or the other way round; two kinds of
 * JWT that pass for one another where the caller says what `typ` it wants.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import type { createLocalJWKSet, CryptoKey, errors as JoseErrors, JSONWebKeySet } from 'jose'
import { parseJson } from '../contract/json.ts'
import type { Context } from '../contract/operation.ts'
import { type Application, applicationSecretContext } from '../environment/application.ts'
import type { Environment } from '../environment/snapshot.ts'
import { open } from '../keys/sealing.ts'
import { applicationSecret } from '../storage/sql/applications.ts'

/** Algorithms that a client may sign with by its secret, and the least bytes of one (RFC 7518 section 3.2). */
export const secretAlgorithms = { HS256: 32, HS384: 48, HS512: 64 } as const

/** Algorithms that a client may sign with by its private key. */
export const keyAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const

/** An algorithm of a client. */
export type ClientAlgorithm = keyof typeof secretAlgorithms | (typeof keyAlgorithms)[number]

/** Longest JWT that is looked at, in characters. */
const longestJwt = 64 * 1024
/** How long a fetched key set is used, in milliseconds; a key it does not have makes it be read anew. */
const keysKept = 600_000

/** A JWT whose signature holds, or why it does not: for events and tests. */
export type ClientJwt =
  | {
      readonly ok: true
      readonly algorithm: ClientAlgorithm
      readonly claims: Readonly<Record<string, unknown>>
    }
  | { readonly ok: false; readonly reason: 'malformed' | 'algorithm' | 'typ' | 'key' | 'signature' }

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
  client: Application,
  jwt: string,
  check: ClientJwtCheck,
): Promise<ClientJwt> {
  if (jwt.length > longestJwt) return { ok: false, reason: 'malformed' }
  const header = headerOf(jwt)
  if (!header) return { ok: false, reason: 'malformed' }
  const algorithm = check.algorithms.find((candidate) => candidate === header['alg'])
  if (!algorithm) return { ok: false, reason: 'algorithm' }
  const { typ } = header
  if (!check.types.includes(typeof typ === 'string' ? typ.toLowerCase() : undefined))
    return { ok: false, reason: 'typ' }
  const leastBytes = secretAlgorithms[algorithm as keyof typeof secretAlgorithms] as number | undefined
  if (leastBytes !== undefined) {
    const secrets = await secretsOf(context, environment, client)
    return verifiedBySecrets(jwt, algorithm, secrets, leastBytes)
  }
  return verifiedByKeys(context, client, jwt, algorithm, typeof header['kid'] === 'string')
}

function headerOf(jwt: string): Readonly<Record<string, unknown>> | undefined {
  const [encoded = '', , , ...rest] = jwt.split('.', 4)
  if (rest.length > 0 || encoded === '') return undefined
  const header = objectOf(Buffer.from(encoded, 'base64url'))
  // There is no extension that we understand, so none may be critical (RFC 7515 section 4.1.11).
  return header && header['crit'] === undefined && header['b64'] === undefined ? header : undefined
}

function objectOf(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseJson(bytes)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** The present secret and the previous one while it counts. */
async function secretsOf(
  { kernel, now }: Context,
  { id, dataKey }: Environment,
  client: Application,
): Promise<readonly Buffer[]> {
  const [row] = await kernel.storage.read(applicationSecret(id, client.id))
  if (!row) return []
  const present = open(dataKey, row.sealed, applicationSecretContext(id, client.id))
  const isPreviousGood = row.previous_sealed !== null && (row.previous_expires_at ?? 0) > now
  return isPreviousGood
    ? [present, open(dataKey, row.previous_sealed, applicationSecretContext(id, client.id, 'previous_sealed'))]
    : [present]
}

async function verifiedBySecrets(
  jwt: string,
  algorithm: ClientAlgorithm,
  secrets: readonly Buffer[],
  leastBytes: number,
): Promise<ClientJwt> {
  let verdict: ClientJwt = { ok: false, reason: 'key' }
  for (const secret of secrets) {
    if (secret.length < leastBytes) continue
    verdict = await verifiedBy(jwt, algorithm, createSecretKey(secret))
    if (verdict.ok) break
  }
  return verdict
}

async function verifiedByKeys(
  context: Context,
  client: Application,
  jwt: string,
  algorithm: ClientAlgorithm,
  hasKid: boolean,
): Promise<ClientJwt> {
  const keys = await clientKeySet(context, client, keysKept)
  if (!keys) return { ok: false, reason: 'key' }
  const verdict = await verifiedByKeySet(jwt, algorithm, keys)
  const mayBeNewKey = !verdict.ok && verdict.reason === 'key' && hasKid && client.document.jwksUrl !== undefined
  if (!mayBeNewKey) return verdict
  const anew = await clientKeySet(context, client, 0)
  return anew ? verifiedByKeySet(jwt, algorithm, anew) : verdict
}

/**
 * The public keys of a client.
 * @param maximumAge of a fetched key set, milliseconds
 * @returns undefined when it has none, or they cannot be had
 */
export async function clientKeySet(
  { kernel }: Context,
  { document: { jwks, jwksUrl } }: Application,
  maximumAge: number,
): Promise<JSONWebKeySet | undefined> {
  try {
    const found: unknown =
      jwks !== undefined
        ? JSON.parse(jwks)
        : jwksUrl === undefined
          ? undefined
          : await kernel.providerDocuments.read(jwksUrl, maximumAge)
    const { keys } = (found ?? {}) as { keys?: unknown }
    // A published symmetric key is no secret.
    const isUsable = (key: unknown) =>
      typeof key === 'object' && key !== null && ['RSA', 'EC', 'OKP'].includes((key as { kty?: string }).kty ?? '')
    return Array.isArray(keys) ? { keys: keys.filter(isUsable) as JSONWebKeySet['keys'] } : undefined
  } catch {
    return undefined
  }
}

async function verifiedByKeySet(jwt: string, algorithm: ClientAlgorithm, keys: JSONWebKeySet): Promise<ClientJwt> {
  const { createLocalJWKSet } = await import('jose')
  return verifiedBy(jwt, algorithm, createLocalJWKSet(keys))
}

async function verifiedBy(
  jwt: string,
  algorithm: ClientAlgorithm,
  key: KeyObject | CryptoKey | ReturnType<typeof createLocalJWKSet>,
): Promise<ClientJwt> {
  const { compactVerify, errors } = await import('jose')
  try {
    const options = { algorithms: [algorithm] }
    const { payload } =
      typeof key === 'function' ? await compactVerify(jwt, key, options) : await compactVerify(jwt, key, options)
    const claims = objectOf(payload)
    return claims ? { ok: true, algorithm, claims } : { ok: false, reason: 'malformed' }
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return { ok: false, reason: reasonOf(error, errors) }
    // Without a `kid` several keys may fit: any of them will do.
    for await (const candidate of error) {
      const verdict = await verifiedBy(jwt, algorithm, candidate)
      if (verdict.ok) return verdict
    }
    return { ok: false, reason: 'signature' }
  }
}

function reasonOf(error: unknown, errors: typeof JoseErrors): 'malformed' | 'key' | 'signature' {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature'
  const isMalformed = error instanceof errors.JWSInvalid || error instanceof errors.JOSENotSupported
  return isMalformed ? 'malformed' : 'key'
}
