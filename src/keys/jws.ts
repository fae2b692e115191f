/**
 * Signing of JWTs as compact JWS (RFC 7515 section 7.1, RFC 7519), through node:crypto alone.
 *
 * RSA signs by callback, in the thread pool: near half a millisecond on the event loop would make every other request
 * wait, and a process with one core alone gained nothing by it. Elliptic curves are cheaper than the way to another
 * thread, and cheaper still in cohorts; HMAC is signed at once. Measured against `{ key, dsaEncoding }`, passing the
 * KeyObject itself and converting DER by hand more than doubles the ES256 rate.
 * Never: an algorithm chosen by the caller; it is a property of the key.
 */
import { constants, createHmac, type KeyObject, type SignKeyObjectInput, sign } from 'node:crypto'
import { hmacHashes, schemeOf } from './algorithm.ts'
import { inCohort } from './cohort.ts'
import { jwsFromDer } from './ecdsa-signature.ts'
import type { HmacKey } from './hmac-key.ts'
import type { SigningKey } from './signing-key.ts'

/** The header members that vary from token to token. */
export interface JwtHeaderOptions {
  /** The kind of token, such as `at+jwt` (RFC 9068 section 2.1). */
  readonly typ?: string
  /** Adds `x5t`, the certificate's thumbprint, for applications that ask for it. A shared secret has none. */
  readonly includeX5t?: boolean
}

/** Encoded headers by key, then by what varies: the same few headers stand before every token. */
const encodedHeaders = new WeakMap<SigningKey | HmacKey, Map<string, string>>()

/**
 * Signs claims as a JWT.
 * @param claims members whose value is undefined are left out
 * @returns the compact JWS, where the key is a shared secret; a promise of it else
 */
export function signJwt(
  key: SigningKey | HmacKey,
  claims: Readonly<Record<string, unknown>>,
  options: JwtHeaderOptions = {},
): string | Promise<string> {
  const input = `${encodedHeader(key, options)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  if ('secret' in key) {
    return `${input}.${createHmac(hmacHashes[key.algorithm], key.secret).update(input).digest('base64url')}`
  }
  const scheme = schemeOf(key.algorithm)
  switch (scheme.kty) {
    case 'EC':
      return inCohort(() => {
        const der = sign(scheme.hash, Buffer.from(input), key.privateKey)
        return `${input}.${jwsFromDer(der, scheme.numberBytes).toString('base64url')}`
      })
    case 'OKP':
      return inCohort(() => `${input}.${sign(null, Buffer.from(input), key.privateKey).toString('base64url')}`)
    case 'RSA':
      return new Promise((resolve, reject) => {
        sign(scheme.hash, Buffer.from(input), withPadding(key.privateKey, scheme.padding), (error, signature) => {
          if (error) reject(error)
          else resolve(`${input}.${signature.toString('base64url')}`)
        })
      })
  }
}

/** An RSA key with the padding of its algorithm; the salt of PSS is exactly as long as the hash (RFC 7518 section 3.5). */
export function withPadding(key: KeyObject, padding: 'pkcs1' | 'pss'): KeyObject | SignKeyObjectInput {
  return padding === 'pkcs1'
    ? key
    : { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
}

function encodedHeader(key: SigningKey | HmacKey, { typ, includeX5t = false }: JwtHeaderOptions): string {
  let headers = encodedHeaders.get(key)
  if (!headers) {
    headers = new Map()
    encodedHeaders.set(key, headers)
  }
  const variant = `${includeX5t} ${typ}`
  let encoded = headers.get(variant)
  if (encoded === undefined) {
    const { algorithm: alg } = key
    const header =
      'secret' in key ? { alg, typ } : { kid: key.kid, alg, x5t: includeX5t ? key.jwk.x5t : undefined, typ }
    encoded = Buffer.from(JSON.stringify(header)).toString('base64url')
    headers.set(variant, encoded)
  }
  return encoded
}
