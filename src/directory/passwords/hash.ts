/**
 * Argon2id itself (RFC 9106), and before it, for an imported password, what the other system did. The calls are
 * synchronous and take some 10 ms and 19 MiB each: they belong into the hashing workers and nowhere else.
 */
import { hashSync, verifySync } from '@node-rs/argon2'
import { legacyDigest } from './legacy-digest.ts'
import { type Argon2Cost, digestToHash } from './phc.ts'
import type { StoredHash } from './stored-hash.ts'

/**
 * Hashes a password.
 * @param salt 16 random bytes
 * @returns a PHC string
 */
export function hashPassword(password: Uint8Array, salt: Uint8Array, { memory, passes, lanes }: Argon2Cost): string {
  return hashSync(password, { salt, memoryCost: memory, timeCost: passes, parallelism: lanes })
}

/**
 * Whether `password` is what was stored. One argon2id at least is computed, whatever came before, so that an imported
 * password is never answered faster than none at all (row K10).
 * @param stored as readStoredHash gives it, which refuses what is never computed
 */
export async function verifyPassword(stored: StoredHash, password: Uint8Array): Promise<boolean> {
  if (!stored.legacy) return verifySync(stored.phc, password)
  const digest = await legacyDigest(stored.legacy, password)
  return verifySync(stored.phc, digest ? digestToHash(digest) : password) && digest !== undefined
}
