/**
 * Argon2id itself (RFC 9106). The calls are synchronous and take some 10 ms and 19 MiB each: they belong into the
 * hashing workers and nowhere else.
 */
import { hashSync, verifySync } from '@node-rs/argon2'
import { currentCost } from './phc.ts'

/**
 * Hashes a password at the current cost.
 * @param salt 16 random bytes
 * @returns a PHC string
 */
export function hashPassword(password: Uint8Array, salt: Uint8Array): string {
  return hashSync(password, {
    salt,
    memoryCost: currentCost.memory,
    timeCost: currentCost.passes,
    parallelism: currentCost.lanes,
  })
}

/** Whether `password` is what `hash` was made of; the hash names its own cost, which the caller has checked. */
export function verifyPassword(hash: string, password: Uint8Array): boolean {
  return verifySync(hash, password)
}
