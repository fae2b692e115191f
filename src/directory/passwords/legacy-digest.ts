/**
 * Computes what another system made of a password: PBKDF2, scrypt and salted digests by `node:crypto`, bcrypt by
 * `bcryptjs`. Synchronous, and up to a second of work: it belongs into the hashing workers and nowhere else.
 *
 * Never: a password cut off at the 72 bytes that bcrypt looks at (row K23).
 */
import { createHash, pbkdf2Sync, scryptSync } from 'node:crypto'
import type { LegacyKdf } from './legacy-kdf.ts'

const BCRYPT_BYTES = 72

/** The digest of a password, or undefined when the algorithm cannot tell it from another. */
export async function legacyDigest(kdf: LegacyKdf, password: Uint8Array): Promise<Uint8Array | undefined> {
  switch (kdf.kdf) {
    case 'bcrypt': {
      if (password.length > BCRYPT_BYTES) return undefined
      // Loaded on first use: few servers have imported passwords.
      const { hashSync } = await import('bcryptjs')
      const hash = hashSync(Buffer.from(password).toString('utf8'), kdf.salt)
      return Buffer.from(hash.slice(-31))
    }
    case 'pbkdf2':
      return pbkdf2Sync(password, bytesOf(kdf.salt), kdf.iterations, kdf.length, kdf.hash)
    case 'scrypt': {
      const [N, r, p] = [2 ** kdf.logCost, kdf.blockSize, kdf.lanes]
      return scryptSync(password, bytesOf(kdf.salt), kdf.length, { N, r, p, maxmem: 256 * r * (N + p + 2) })
    }
    case 'salted-digest':
      return createHash(kdf.hash).update(password).update(bytesOf(kdf.salt)).digest()
  }
}

function bytesOf(base64: string): Buffer {
  return Buffer.from(base64, 'base64')
}
