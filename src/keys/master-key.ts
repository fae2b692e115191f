/**
 * The master key: the one secret that is not in the database (security-and-reliability 4.3). It comes from
 * `STILE_MASTER_KEY`, with its predecessor beside it while a rotation runs. It is never used itself: every purpose gets
 * a key of its own, derived with HKDF-SHA256 (RFC 5869) and a label, so that what was made for one purpose is worthless
 * for any other (F19). Never: the key, or anything computed from it without HKDF, in a log, an error or a file name.
 */
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { decodeBase64url } from './base64url.ts'

/** Length of a master key and of every derived key, in bytes. */
export const KEY_BYTES = 32

/** Random bytes this uniform are not random: 32 of them hold some 30 different values. */
const LEAST_DISTINCT_BYTES = 16

/** One master key and the id that names it beside everything it wraps. */
export interface MasterKey {
  /** 16 hexadecimal digits, derived from the key; public. */
  readonly id: string
  readonly key: KeyObject
}

/** The key that new work is done with, and the one that is still accepted while a rotation runs. */
export interface MasterKeys {
  readonly current: MasterKey
  readonly previous?: MasterKey
}

/** A master key setting that cannot be used. The message says what is wrong and never holds the value. */
export class InvalidMasterKey extends Error {
  override readonly name = 'InvalidMasterKey'
}

/**
 * Reads one master key: exactly 32 bytes as base64url without padding (43 characters).
 * @param setting name of the setting, for the message
 * @throws InvalidMasterKey when it is malformed, of another length, or plainly not random
 */
export function parseMasterKey(text: string, setting = 'STILE_MASTER_KEY'): MasterKey {
  const bytes = decodeBase64url(text)
  if (!bytes) throw new InvalidMasterKey(`${setting} is not base64url without padding`)
  if (bytes.length !== KEY_BYTES) {
    throw new InvalidMasterKey(`${setting} holds ${bytes.length} bytes; a master key has exactly ${KEY_BYTES}`)
  }
  if (new Set(bytes).size < LEAST_DISTINCT_BYTES) {
    throw new InvalidMasterKey(`${setting} is not random; make one with 32 bytes from a cryptographic random source`)
  }
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return { id: deriveKey({ key }, 'master-key-id').export().toString('hex', 0, 8), key }
}

/**
 * Reads the current master key and, while a rotation runs, the previous one.
 * @throws InvalidMasterKey as `parseMasterKey`, or when both are the same key
 */
export function parseMasterKeys(current: string, previous?: string): MasterKeys {
  const parsed = parseMasterKey(current)
  if (previous === undefined) return { current: parsed }
  const old = parseMasterKey(previous, 'STILE_MASTER_KEY_PREVIOUS')
  if (old.id === parsed.id) throw new InvalidMasterKey('STILE_MASTER_KEY_PREVIOUS is the same key as STILE_MASTER_KEY')
  return { current: parsed, previous: old }
}

/**
 * Derives the key of one purpose.
 * @param label names the purpose, one label per purpose (`cursor`, `refresh-token` …)
 * @returns a secret key of 32 bytes, always the same for the same master key and label
 */
export function deriveKey(master: Pick<MasterKey, 'key'>, label: string): KeyObject {
  if (label === '') throw new TypeError('a derived key needs a label')
  return createSecretKey(Buffer.from(hkdfSync('sha256', master.key, '', `stile/${label}`, KEY_BYTES)))
}
