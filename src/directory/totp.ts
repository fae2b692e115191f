/**
 * Time-based one-time passwords: RFC 6238 over RFC 4226, with HMAC-SHA-1, six digits and steps of 30 seconds, as every
 * authenticator app has them. A code of the step before or after is taken as well, since clocks differ; one that was used,
 * or is older than one that was used, is not (rows L17, L18).
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

const stepMilliseconds = 30_000
const digits = 6
/** RFC 4226 section 4, R6: at least 128 bits, 160 recommended. */
export const seedBytes = 20

/** The one-time password of a counter: RFC 4226 section 5.3. */
export function hotp(seed: Uint8Array, counter: number): string {
  const message = Buffer.alloc(8)
  message.writeBigUInt64BE(BigInt(counter))
  const mac = createHmac('sha1', seed).update(message).digest()
  const offset = mac.readUInt8(mac.length - 1) & 0x0f
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff
  return String(number % 10 ** digits).padStart(digits, '0')
}

/** The step of a moment. @param now epoch milliseconds */
export function stepAt(now: number): number {
  return Math.floor(now / stepMilliseconds)
}

/**
 * Finds the step that a code belongs to.
 * @param lastStep the last one that was used; null: none yet
 * @param now epoch milliseconds
 * @returns undefined when it is none of now, or used up
 */
export function matchTotp(seed: Uint8Array, code: string, lastStep: number | null, now: number): number | undefined {
  const presented = Buffer.from(code)
  let found: number | undefined
  for (const step of [stepAt(now) - 1, stepAt(now), stepAt(now) + 1]) {
    const expected = Buffer.from(hotp(seed, step))
    const matches = presented.length === expected.length && timingSafeEqual(presented, expected)
    if (matches && (lastStep === null || step > lastStep)) found ??= step
  }
  return found
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Base32 without padding (RFC 4648 section 6), as authenticator apps want a seed. */
export function base32(bytes: Uint8Array): string {
  let bits = 0
  let value = 0
  let text = ''
  for (const byte of bytes) {
    value = (value << 8) | byte
    bits += 8
    while (bits >= 5) {
      text += alphabet.charAt((value >>> (bits - 5)) & 31)
      bits -= 5
    }
  }
  return bits > 0 ? text + alphabet.charAt((value << (5 - bits)) & 31) : text
}

/** The bytes of a seed in base32, as an authenticator app is told it. */
export function fromBase32(text: string): Buffer {
  const bits = Array.from(text, (letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

/**
 * The address that an authenticator app reads from a QR code.
 * @param name who the account is with, unless `parameters` say another `issuer`
 * @param parameters what is said besides
 */
export function keyUri(
  name: string,
  username: string,
  seed: Uint8Array,
  parameters: Readonly<Record<string, string>> = {},
): string {
  const { issuer = name, ...others } = parameters
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(username)}`
  const ours = { secret: base32(seed), issuer, algorithm: 'SHA1', digits: '6', period: '30' }
  const query = new URLSearchParams({ ...others, ...ours })
  return `otpauth://totp/${label}?${query.toString().replaceAll('+', '%20')}`
}
