/**
 * Signing of JWTs as compact JWS (RFC 7515 section 7.1, RFC 7519), through node:crypto alone.
 *
 * RS256 signs by callback, in the thread pool: a quarter of a millisecond on the event loop would make every other
 * request wait. ES256 and HS256 are cheaper than the way to another thread and are signed at once. Measured against
 * `{ key, dsaEncoding }`, passing the KeyObject itself and converting DER by hand more than doubles the ES256 rate.
 * Never: an algorithm chosen by the caller; it is a property of the key.
 */
import { createHmac, sign } from 'node:crypto'
import { jwsFromDer } from './ecdsa-signature.ts'
import type { HmacKey } from './hmac-key.ts'
import type { SigningAlgorithm, SigningKey } from './signing-key.ts'

/** Every algorithm that Stile signs with. There is no `none`. */
export type JwsAlgorithm = SigningAlgorithm | HmacKey['algorithm']

/** The header members that vary from token to token. */
export interface JwtHeaderOptions {
  /** The kind of token, such as `at+jwt` (RFC 9068 section 2.1). */
  readonly typ?: string
  /** Adds `x5t`, the certificate's thumbprint, for applications that ask for it. An HS256 key has none. */
  readonly includeX5t?: boolean
}

/** Encoded headers by key, then by what varies: the same few headers stand before every token. */
const encodedHeaders = new WeakMap<SigningKey | HmacKey, Map<string, string>>()

/**
 * Signs claims as a JWT.
 * @param claims members whose value is undefined are left out
 * @returns the compact JWS; a promise of it with an RS256 key
 */
export function signJwt(
  key: SigningKey | HmacKey,
  claims: Readonly<Record<string, unknown>>,
  options: JwtHeaderOptions = {},
): string | Promise<string> {
  const input = `${encodedHeader(key, options)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  switch (key.algorithm) {
    case 'HS256':
      return `${input}.${createHmac('sha256', key.secret).update(input).digest('base64url')}`
    case 'ES256':
      return `${input}.${jwsFromDer(sign('sha256', Buffer.from(input), key.privateKey)).toString('base64url')}`
    case 'RS256':
      return new Promise((resolve, reject) => {
        sign('sha256', Buffer.from(input), key.privateKey, (error, signature) => {
          if (error) reject(error)
          else resolve(`${input}.${signature.toString('base64url')}`)
        })
      })
  }
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
      alg === 'HS256' ? { alg, typ } : { kid: key.kid, alg, x5t: includeX5t ? key.jwk.x5t : undefined, typ }
    encoded = Buffer.from(JSON.stringify(header)).toString('base64url')
    headers.set(variant, encoded)
  }
  return encoded
}
