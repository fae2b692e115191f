/**
 * Keys of HS256 (RFC 7518 section 3.2): a secret that issuer and client share, in practice the client secret.
 * Never: a secret shorter than the hash, and above all no empty one, which node:crypto would accept.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'

const LEAST_BYTES = 32

/** A shared secret that is ready to sign and to verify. It has no `kid`: both sides know which secret is meant. */
export interface HmacKey {
  readonly algorithm: 'HS256'
  readonly secret: KeyObject
}

/**
 * Makes a shared secret ready for HS256.
 * @throws RangeError when it is shorter than 32 bytes
 */
export function hmacKey(secret: string | Uint8Array): HmacKey {
  const bytes = Buffer.from(secret)
  if (bytes.length < LEAST_BYTES) throw new RangeError(`an HS256 secret has at least ${LEAST_BYTES} bytes`)
  return { algorithm: 'HS256', secret: createSecretKey(bytes) }
}
