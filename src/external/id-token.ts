/**
 * The ID token of a provider: its signature, by the provider's own keys, then its claims. OpenID Connect Core 3.1.3.7,
 * RFC 8725; rows M03, M04, M24.
 *
 * Never: an algorithm that is not listed, `none` and the symmetric ones above all; a key taken from the token; a claim
 * looked at before the signature holds; another kind of JWT of the provider (RFC 8725 section 3.11).
 */
import { createHash } from 'node:crypto'
import { keySetOf } from '../keys/key-set.ts'
import { readCompactJws } from '../keys/compact-jws.ts'
import type { errors as JoseErrors, JSONWebKeySet } from 'jose'
import { type Claims, type IdTokenExpectations, idTokenProblem } from './id-token-claims.ts'
import type { ProviderDocuments } from './provider-documents.ts'
import { UpstreamRefused } from './upstream-refused.ts'

/** What an ID token may be signed with, and the hash that `at_hash` is made with. */
const algorithms: ReadonlyMap<string, 'sha256' | 'sha384' | 'sha512'> = new Map([
  ['RS256', 'sha256'],
  ['PS256', 'sha256'],
  ['ES256', 'sha256'],
  ['RS384', 'sha384'],
  ['PS384', 'sha384'],
  ['ES384', 'sha384'],
  ['RS512', 'sha512'],
  ['PS512', 'sha512'],
  ['ES512', 'sha512'],
  ['EdDSA', 'sha512'],
])

const keysKept = 600_000

/** What is expected beside the claims. */
export interface IdTokenCheck extends IdTokenExpectations {
  readonly jwksEndpoint: string
  readonly accessToken: string
}

/**
 * Verifies an ID token.
 * @returns its claims
 * @throws UpstreamRefused
 */
export async function verifyIdToken(documents: ProviderDocuments, token: string, check: IdTokenCheck): Promise<Claims> {
  const { header, claims } = readCompactJws(token) ?? refuseMalformed()
  const { alg, kid, typ } = header as Readonly<Record<'alg' | 'kid' | 'typ', string | undefined>>
  // An ID token has no kind of its own in its header; `at+jwt`, `logout+jwt` and whatever else is named there is no ID token.
  if (typ !== undefined && typ.toLowerCase() !== 'jwt') throw new UpstreamRefused('id-token-malformed')
  if (alg === undefined) throw new UpstreamRefused('id-token-algorithm')
  const hash = algorithms.get(alg)
  if (hash === undefined) throw new UpstreamRefused('id-token-algorithm')
  await requireSignature(documents, token, alg, kid, check.jwksEndpoint)
  const refusal = idTokenProblem(claims, check)
  if (refusal) throw new UpstreamRefused(refusal)
  const atHash = claims['at_hash']
  if (atHash !== undefined && atHash !== halfHash(hash, check.accessToken)) throw new UpstreamRefused('id-token-hash')
  return claims
}

function refuseMalformed(): never {
  throw new UpstreamRefused('id-token-malformed')
}

/** A key of the provider has to fit: of the keys at hand, or of those it has now. */
async function requireSignature(
  documents: ProviderDocuments,
  token: string,
  alg: string,
  kid: string | undefined,
  jwksEndpoint: string,
): Promise<void> {
  try {
    await verifyBy(await keySet(documents, jwksEndpoint, keysKept), token, alg)
  } catch (error) {
    if (!(error instanceof UpstreamRefused) || error.reason !== 'id-token-key' || kid === undefined) throw error
    await verifyBy(await keySet(documents, jwksEndpoint, 0), token, alg)
  }
}

async function keySet(documents: ProviderDocuments, url: string, maximumAge: number): Promise<JSONWebKeySet> {
  try {
    return (await documents.read(url, maximumAge)) as unknown as JSONWebKeySet
  } catch (error) {
    throw new UpstreamRefused('provider-unreachable', error)
  }
}

async function verifyBy(keys: JSONWebKeySet, token: string, alg: string): Promise<void> {
  const { compactVerify, errors } = await import('jose')
  try {
    await compactVerify(token, await keySetOf(keys), { algorithms: [alg] })
  } catch (error) {
    throw new UpstreamRefused(refusalFor(error, errors), error)
  }
}

function refusalFor(error: unknown, errors: typeof JoseErrors) {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'id-token-signature'
  if (error instanceof errors.JOSEAlgNotAllowed) return 'id-token-algorithm'
  const isKey = error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys
  return isKey || error instanceof errors.JWKSInvalid ? 'id-token-key' : 'id-token-malformed'
}

/** The left half of a hash (OpenID Connect Core 3.1.3.6). */
function halfHash(hash: string, text: string): string {
  const digest = createHash(hash).update(text).digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
