/**
 * Verification of the JWTs that Stile itself issued: access tokens, ID token hints, signed states. JWTs of others (client
 * assertions, DPoP proofs, upstream ID tokens) are a different matter and not read here.
 *
 * Since we wrote the token, everything unusual about it is a forgery: a member that our headers do not have (`crit`,
 * `jwk`, `jku`, `x5c`, `zip` …), JSON in another spelling than ours, base64url with stray bits. The algorithm is that
 * of the key, and the header must say the same (RFC 8725 section 3.1; F01 to F08). Never: a key taken from the token,
 * a claim looked at before the signature holds.
 */
import { createHmac, type KeyObject, verify } from 'node:crypto'
import { hmacHashes, type JwsAlgorithm, schemeOf } from './algorithm.ts'
import { decodeBase64url } from './base64url.ts'
import { constantTimeEqual } from './constant-time.ts'
import { derFromJws } from './ecdsa-signature.ts'
import type { HmacKey } from './hmac-key.ts'
import { withPadding } from './jws.ts'
import { holdsAsKnown } from './proved-signatures.ts'
import type { PublicVerificationKey } from './signing-key.ts'

/** Longest token that is looked at, in characters. */
export const LONGEST_TOKEN = 16 * 1024

/** How far the clocks of two nodes may stand apart before `iat` or `nbf` counts as the future, in seconds. */
const CLOCK_SKEW = 60

const headerMembers: readonly string[] = ['kid', 'alg', 'x5t', 'typ']

/** What the endpoint that received a token expects of it. */
export interface JwtExpectations {
  /** Finds the key; receives undefined for a token without `kid`. Backed by a Map, never by a plain object. */
  readonly key: (kid: string | undefined) => PublicVerificationKey | HmacKey | undefined
  /** The algorithms this kind of token may be signed with. */
  readonly algorithms: readonly JwsAlgorithm[]
  /** The values of `typ` this kind of token may have; undefined stands for a header without it. */
  readonly typ: readonly (string | undefined)[]
  /** Epoch milliseconds. */
  readonly now: number
  /** `accept` for ID token hints alone, which may be expired (RP-Initiated Logout section 4). Default: `refuse`. */
  readonly expired?: 'refuse' | 'accept'
}

/** Why a token is refused: for traces and tests, never for the caller of an endpoint. */
export type JwtRefusal = 'malformed' | 'algorithm' | 'typ' | 'unknown_key' | 'signature' | 'claims' | 'expired'

/** A verified token's claims, or the reason of the refusal. */
export type JwtVerdict =
  | { readonly ok: true; readonly kid?: string; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly reason: JwtRefusal }

interface Header {
  readonly alg: string
  readonly kid: string | undefined
  readonly typ: string | undefined
}

/** Verifies a compact JWS of our own: form, header, key, signature, then the times. Issuer and audience are the caller's. */
export function verifyJwt(token: string, expectations: JwtExpectations): JwtVerdict {
  if (token.length > LONGEST_TOKEN) return refuse('malformed')
  const [encodedHeader, encodedClaims, encodedSignature, ...rest] = token.split('.', 4)
  if (!encodedHeader || !encodedClaims || !encodedSignature || rest.length > 0) return refuse('malformed')
  const header = readHeader(encodedHeader)
  const claimBytes = decodeBase64url(encodedClaims)
  const signature = decodeBase64url(encodedSignature)
  if (!header || !claimBytes || !signature) return refuse('malformed')

  if (!expectations.algorithms.some((algorithm) => algorithm === header.alg)) return refuse('algorithm')
  if (!expectations.typ.includes(header.typ)) return refuse('typ')
  const key = expectations.key(header.kid)
  if (!key) return refuse('unknown_key')
  if (key.algorithm !== header.alg) return refuse('algorithm')
  if (!signatureHolds(key, token, encodedHeader.length + 1 + encodedClaims.length, signature))
    return refuse('signature')

  const claims = parseObject(claimBytes.toString('utf8'))
  if (!claims) return refuse('claims')
  const refusal = checkTimes(claims, expectations)
  if (refusal) return refuse(refusal)
  return header.kid === undefined ? { ok: true, claims } : { ok: true, kid: header.kid, claims }
}

function readHeader(encoded: string): Header | undefined {
  const text = decodeBase64url(encoded)?.toString('utf8')
  const header = text === undefined ? undefined : parseObject(text)
  if (!header || JSON.stringify(header) !== text) return undefined
  const { alg, kid, typ } = header
  if (Object.entries(header).some(([name, value]) => !headerMembers.includes(name) || typeof value !== 'string')) {
    return undefined
  }
  return typeof alg === 'string' ? { alg, kid: optionalText(kid), typ: optionalText(typ) } : undefined
}

/** @param signed how much of the token is signed, in characters */
function signatureHolds(
  key: PublicVerificationKey | HmacKey,
  token: string,
  signed: number,
  signature: Buffer,
): boolean {
  const input = Buffer.from(token.slice(0, signed))
  if ('secret' in key) {
    return constantTimeEqual(createHmac(hmacHashes[key.algorithm], key.secret).update(input).digest(), signature)
  }
  return holdsAsKnown(key, token, () => isSignedBy(key, input, signature))
}

function isSignedBy(key: PublicVerificationKey, input: Buffer, signature: Buffer): boolean {
  const scheme = schemeOf(key.algorithm)
  switch (scheme.kty) {
    case 'EC':
      return (
        signature.length === 2 * scheme.numberBytes && verify(scheme.hash, input, key.publicKey, derFromJws(signature))
      )
    case 'OKP':
      return verify(null, input, key.publicKey, signature)
    case 'RSA':
      // OpenSSL takes a PSS signature without its leading zero bytes, so that one token would have two spellings.
      return (
        signature.length === modulusBytes(key.publicKey) &&
        verify(scheme.hash, input, withPadding(key.publicKey, scheme.padding), signature)
      )
  }
}

/** How long every signature by the key is (RFC 8017 sections 8.1.2 and 8.2.2, step 1). */
function modulusBytes(key: KeyObject): number {
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)
}

function checkTimes(claims: Readonly<Record<string, unknown>>, expectations: JwtExpectations): JwtRefusal | undefined {
  const now = Math.floor(expectations.now / 1000)
  const { exp, iat = 0, nbf = 0 } = claims
  if (!isTime(exp) || !isTime(iat) || !isTime(nbf)) return 'claims'
  if (iat > now + CLOCK_SKEW || nbf > now + CLOCK_SKEW) return 'claims'
  return exp <= now && expectations.expired !== 'accept' ? 'expired' : undefined
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function refuse(reason: JwtRefusal): JwtVerdict {
  return { ok: false, reason }
}
