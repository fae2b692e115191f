/**
 * Comparison of secrets in constant time. Both sides are hashed first, so that `timingSafeEqual` always sees equal
 * lengths (it throws otherwise) and the length of the secret is no side channel. Never: `===` on a secret.
 */
import { hash, timingSafeEqual } from 'node:crypto'

/** Whether both values are the same bytes; the time taken tells only their lengths. */
export function constantTimeEqual(left: string | Uint8Array, right: string | Uint8Array): boolean {
  return timingSafeEqual(sha256(left), sha256(right))
}

function sha256(value: string | Uint8Array): Buffer {
  return hash('sha256', value, 'buffer')
}
