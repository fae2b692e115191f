/** An authenticator app: it is told a secret in base32 (RFC 4648), and shows passcodes (RFC 6238). */
import { fromBase32, hotp, stepAt } from '../../src/directory/totp.ts'

/**
 * The passcode it shows.
 * @param steps how many half minutes its clock goes fast; -1 is still taken
 */
export function passcodeShown(secret: string, steps = 0, now = Date.now()): string {
  return hotp(fromBase32(secret), stepAt(now) + steps)
}
