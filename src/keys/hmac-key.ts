/**
 * Keys of HS256, HS384 and HS512 (RFC 7518 section 3.2): a secret that issuer and client share, in practice the client
 * secret. Never: a secret shorter than the hash, and above all no empty one, which node:crypto would accept.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import type { HmacAlgorithm } from './algorithm.ts'

const leastBytes: Readonly<Record<HmacAlgorithm, number>> = { HS256: 32, HS384: 48, HS512: 64 }

/** A shared secret that is ready to sign and to verify. It has no `kid`: both sides know which secret is meant. */
export interface HmacKey {
  readonly algorithm: HmacAlgorithm
  readonly secret: KeyObject
}

/**
 * Makes a shared secret ready for an algorithm.
 * @throws RangeError when it is shorter than the hash of the algorithm: 32, 48 or 64 bytes
 */
export function hmacKey(secret: string | Uint8Array, algorithm: HmacAlgorithm = 'HS256'): HmacKey {
  const bytes = Buffer.from(secret)
  const least = leastBytes[algorithm]
  if (bytes.length < least) throw new RangeError(`the secret of ${algorithm} has at least ${least} bytes`)
  return { algorithm, secret: createSecretKey(bytes) }
}
