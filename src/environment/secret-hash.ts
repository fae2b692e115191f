/**
 * What is compared with the secret that an application or a resource presents: hashes, of the present secret and of the one
 * before it while it counts (platform-api 3.7, 3.9).
 */
import type { SecretHashesRow } from '../storage/sql/client-secrets.ts'

/** SHA-256 of a secret, and until when it is valid; null: until it is replaced. Epoch milliseconds. */
export interface SecretHash {
  readonly hash: Buffer
  readonly expiresAt: number | null
}

/** The secrets that a row holds. */
export function secretHashes(row: SecretHashesRow | undefined): readonly SecretHash[] {
  if (!row) return []
  const { hash, previous_hash: previous, previous_expires_at: until } = row
  const present = { hash: decoded(hash), expiresAt: null }
  return previous === null ? [present] : [present, { hash: decoded(previous), expiresAt: until ?? 0 }]
}

/** Decoded as it is loaded: it is compared with each request of the owner. */
function decoded(hash: string): Buffer {
  return Buffer.from(hash, 'base64url')
}
