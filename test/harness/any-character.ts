/**
 * Any character, for texts that fast-check makes: `fc.string({ unit: anyCharacter })`. Its own unit `binary` finds a value's
 * place in a map of all 1.1 million code points, which takes a second and a hundred megabytes in every process.
 */
import fc from 'fast-check'

const isHalf = (code: number) => code >= 0xd800 && code <= 0xdfff

/** One code point: of ASCII, of the basic plane or of any, but no half of a surrogate pair. */
export const anyCharacter: fc.Arbitrary<string> = fc
  .oneof(fc.nat(0x7f), fc.nat(0xffff), fc.nat(0x10ffff))
  .map((code) => String.fromCodePoint(isHalf(code) ? 0xfffd : code))
