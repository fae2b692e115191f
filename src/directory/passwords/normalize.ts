/**
 * The one form in which passwords are judged, hashed and verified: the OpaqueString profile of RFC 8265 section 4.2.
 * Spaces of other scripts become U+0020, then NFC; case and width stay as typed. PingOne takes all printable characters,
 * so control characters are refused, U+0000 above all, and so are lone surrogates, which UTF-8 cannot tell apart.
 *
 * Frozen: a change here would lock out everybody whose password it touches (K24). Unicode guarantees that NFC of
 * assigned characters never changes. Never: truncation.
 */

/** Longest password that is looked at, in bytes of UTF-8, before and after normalisation. */
export const LONGEST_PASSWORD_BYTES = 4096

declare const normalized: unique symbol

/** A password that went through `normalizePassword`. */
export type NormalizedPassword = string & { readonly [normalized]: true }

/** The normalised password, or why the text cannot be a password. */
export type Normalization =
  | { readonly ok: true; readonly password: NormalizedPassword }
  | { readonly ok: false; readonly reason: 'empty' | 'too_long' | 'illegal_character' }

/** Brings a typed password to its one form. Applied exactly once, at the door, to every password that is set or tried. */
export function normalizePassword(typed: string): Normalization {
  if (typed === '') return { ok: false, reason: 'empty' }
  if (isTooLong(typed)) return { ok: false, reason: 'too_long' }
  if (!typed.isWellFormed() || /\p{Cc}/u.test(typed)) return { ok: false, reason: 'illegal_character' }
  const password = typed.replace(/\p{Zs}/gu, ' ').normalize('NFC')
  return isTooLong(password)
    ? { ok: false, reason: 'too_long' }
    : { ok: true, password: password as NormalizedPassword }
}

function isTooLong(text: string): boolean {
  return text.length > LONGEST_PASSWORD_BYTES || Buffer.byteLength(text) > LONGEST_PASSWORD_BYTES
}
