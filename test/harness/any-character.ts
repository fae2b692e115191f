/**
 * Any character, for texts that fast-check makes: `fc.string({ unit: anyCharacter })`. Its own units `binary` and `grapheme`
 * find a value's place in a map of all that there are, which takes a second and a hundred megabytes in every process.
 */
import fc from 'fast-check'

const isHalf = (code: number) => code >= 0xd800 && code <= 0xdfff

/** One code point: of ASCII, of the basic plane or of any, but no half of a surrogate pair. */
export const anyCharacter: fc.Arbitrary<string> = fc
  .oneof(fc.nat(0x7f), fc.nat(0xffff), fc.nat(0x10ffff))
  .map((code) => String.fromCodePoint(isHalf(code) ? 0xfffd : code))

/** What a reader takes for one character: of one code point, with a mark of its own, or of several that belong together. */
export const anyGrapheme: fc.Arbitrary<string> = fc.oneof(
  anyCharacter,
  fc.tuple(anyCharacter, fc.nat(0x6f)).map(([base, mark]) => base + String.fromCodePoint(0x300 + mark)),
  fc.constantFrom(
    '\u{1f469}\u200d\u{1f469}\u200d\u{1f467}',
    '\u{1f44d}\u{1f3fd}',
    '\u{1f1e9}\u{1f1ea}',
    '\u1100\u1161\u11a8',
    '\u0e01\u0e33',
    '\u0915\u094d\u0937',
  ),
)
