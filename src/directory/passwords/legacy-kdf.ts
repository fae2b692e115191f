/**
 * The ways in which other systems turned a password into a digest, with the parameters of one password: what can be
 * imported (stack.md, security catalogue 4.4). The schema is the one place that says what is bearable: an import that
 * passes these bounds is refused, and so is a stored row, before anything is computed (row K26).
 *
 * Lower bounds there are none: a digest from elsewhere is never stored as it came, but only as argon2id of it
 * (imported-hash.ts), so that at rest it costs what every password costs.
 */
import { z } from 'zod'

const KIB = 1024

/** Bytes in base64, as they are stored. */
function bytes(shortest: number, longest: number) {
  const isBytes = (text: string) => {
    const read = Buffer.from(text, 'base64')
    return read.toString('base64') === text && read.length >= shortest && read.length <= longest
  }
  return z
    .string()
    .max(4 * longest)
    .refine(isBytes)
}

const salt = bytes(4, 64)

/** Bytes of a digest. */
export const digestLengths = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 } as const

/** bcrypt, cost 4 to 14; `salt` as the hash writes it: version, cost and 22 characters. */
const bcrypt = z.strictObject({
  kdf: z.literal('bcrypt'),
  salt: z.string().regex(/^\$2[aby]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{22}$/),
})

/** PBKDF2 (RFC 8018), at most two million iterations in all. */
const pbkdf2 = z
  .strictObject({
    kdf: z.literal('pbkdf2'),
    hash: z.enum(['sha1', 'sha256', 'sha512']),
    iterations: z.int().min(1).max(2_000_000),
    length: z.int().min(16).max(64),
    salt,
  })
  .refine(({ hash, iterations, length }) => iterations * Math.ceil(length / digestLengths[hash]) <= 2_000_000)

/** scrypt (RFC 7914), at most the work of N = 2^17, r = 8, p = 1: 128 MiB. */
const scrypt = z
  .strictObject({
    kdf: z.literal('scrypt'),
    logCost: z.int().min(1).max(17),
    blockSize: z.int().min(1).max(32),
    lanes: z.int().min(1).max(16),
    length: z.int().min(16).max(64),
    salt,
  })
  .refine(({ logCost, blockSize, lanes }) => 2 ** logCost * blockSize * lanes <= KIB * KIB)

/** A digest of password and salt, `{SSHA}` and its successors in LDAP directories. */
const saltedDigest = z.strictObject({
  kdf: z.literal('salted-digest'),
  hash: z.enum(['sha1', 'sha256', 'sha384', 'sha512']),
  salt,
})

const legacyKdf = z.discriminatedUnion('kdf', [bcrypt, pbkdf2, scrypt, saltedDigest])

/** How a digest was made, within what is bearable. */
export type LegacyKdf = Readonly<z.output<typeof legacyKdf>>

/** Reads it from parts; undefined when it is of an unknown kind, malformed, or dearer than what is ever computed. */
export function legacyKdfFrom(parts: unknown): LegacyKdf | undefined {
  const { data } = legacyKdf.safeParse(parts)
  return data
}
