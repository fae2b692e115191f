/**
 * Sealing of secrets that must be read again: client secrets, TOTP seeds, private keys (security-and-reliability 4.3).
 *
 * AES-256-GCM under the data key of the environment, a random 96-bit nonce each time, and the place of the value as
 * associated data, so that a sealed text copied into another row, column, table or environment does not open (F16).
 * Text form: `v1.` and base64url of nonce, ciphertext and tag. Never: two errors for two kinds of damage (F17), the
 * plaintext in an error.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import type { World } from '../world.ts'
import { decodeBase64url } from './base64url.ts'

const VERSION = 'v1'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Where a sealed value lives. It opens there and nowhere else. */
export interface SealContext {
  readonly environmentId: string
  readonly table: string
  readonly row: string
  readonly column: string
}

/** A sealed text does not open: damaged, moved, of another key, or of an unknown version. Deliberately says no more. */
export class UnsealFailed extends Error {
  override readonly name = 'UnsealFailed'
  override readonly message = 'a sealed value does not open'
}

/** Seals `plaintext` for the place `context` under `dataKey`. */
export function seal(dataKey: KeyObject, plaintext: string | Uint8Array, context: SealContext, world: World): string {
  return `${VERSION}.${encrypt(dataKey, Buffer.from(plaintext), associatedData(context), world).toString('base64url')}`
}

/**
 * Opens what `seal` made for the same place.
 * @throws UnsealFailed whatever the cause
 */
export function open(dataKey: KeyObject, sealed: string, context: SealContext): Buffer {
  const [version, body, ...rest] = sealed.split('.')
  if (version !== VERSION || body === undefined || rest.length > 0) throw new UnsealFailed()
  return decrypt(dataKey, body, associatedData(context))
}

/**
 * AES-256-GCM with a fresh nonce.
 * @returns nonce, ciphertext and tag, in this order
 */
export function encrypt(key: KeyObject, plaintext: Buffer, associated: Buffer, world: World): Buffer {
  const nonce = world.bytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(associated)
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/**
 * The reverse of `encrypt`, from base64url.
 * @throws UnsealFailed whatever the cause
 */
export function decrypt(key: KeyObject, text: string, associated: Buffer): Buffer {
  const bytes = decodeBase64url(text)
  if (!bytes || bytes.length < NONCE_BYTES + TAG_BYTES) throw new UnsealFailed()
  const ciphertext = bytes.subarray(NONCE_BYTES, -TAG_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(associated).setAuthTag(bytes.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(ciphertext), decipher.final()])
  } catch {
    throw new UnsealFailed()
  }
}

function associatedData({ environmentId, table, row, column }: SealContext): Buffer {
  const parts = [VERSION, environmentId, table, row, column]
  if (parts.some((part) => part === '' || part.includes('|')))
    throw new TypeError('a seal context names its place whole')
  return Buffer.from(parts.join('|'))
}
