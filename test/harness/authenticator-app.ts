/** An authenticator app: what it is told is a secret in base32 (RFC 4648), what it shows are its passcodes (RFC 6238). */
import { hotp, stepAt } from '../../src/directory/totp.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The bytes of a secret. */
export function seedOf(secret: string): Buffer {
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

/**
 * The passcode it shows.
 * @param steps how many half minutes its clock goes fast; -1 is still taken
 */
export function passcodeShown(secret: string, steps = 0, now = Date.now()): string {
  return hotp(seedOf(secret), stepAt(now) + steps)
}
