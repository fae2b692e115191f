import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { LONGEST_PASSWORD_BYTES, normalizePassword } from '../../../src/directory/passwords/normalize.ts'
import { anyCharacter } from '../../harness/any-character.ts'

const resultOf = (typed: string) => {
  const result = normalizePassword(typed)
  return result.ok ? result.password : `refused: ${result.reason}`
}

suite('the one form of a password (RFC 8265 OpaqueString)', () => {
  for (const [what, typed, expected] of [
    ['K24: composed and decomposed letters are one', 'Zu\u0308rich', 'Z\u00fcrich'],
    ['K24: so are the Angstrom sign and the letter', '\u212b', '\u00c5'],
    ['spaces of other scripts become the ASCII space', 'a\u00a0b\u3000c\u2009d', 'a b c d'],
    ['inner, leading and trailing spaces stay', '  a  b ', '  a  b '],
    ['case stays', 'PassWord', 'PassWord'],
    ['width and compatibility forms stay: NFC, not NFKC', '\uff21\ufb01\u2460', '\uff21\ufb01\u2460'],
    ['emoji are characters like any other', '🐎🔋🧷', '🐎🔋🧷'],
    ['K23: NUL is refused', 'a\u0000b', 'refused: illegal_character'],
    ['line breaks, tabs and other controls are refused', 'a\tb', 'refused: illegal_character'],
    ['C1 controls are refused', 'a\u0085b', 'refused: illegal_character'],
    ['lone surrogates are refused', 'a\ud83d', 'refused: illegal_character'],
    ['the empty text is refused', '', 'refused: empty'],
  ] as const) {
    test(what, () => assert.equal(resultOf(typed), expected))
  }

  test('K23: 4096 bytes are taken whole, one more is refused, however it is composed', () => {
    assert.equal(resultOf('x'.repeat(LONGEST_PASSWORD_BYTES)), 'x'.repeat(LONGEST_PASSWORD_BYTES))
    assert.equal(resultOf('x'.repeat(LONGEST_PASSWORD_BYTES + 1)), 'refused: too_long')
    assert.equal(resultOf('ü'.repeat(LONGEST_PASSWORD_BYTES / 2 + 1)), 'refused: too_long')
    // U+0958 grows from 3 bytes to 6 under NFC.
    assert.equal(resultOf('\u0958'.repeat(1000)), 'refused: too_long')
  })

  test('K23: ten megabytes are refused at once', () => {
    const huge = 'e\u0301'.repeat(5_000_000)
    const before = performance.now()
    assert.equal(resultOf(huge), 'refused: too_long')
    assert.ok(performance.now() - before < 10)
  })

  test('normalising twice changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, minLength: 1 }), (typed) => {
        const once = normalizePassword(typed)
        fc.pre(once.ok)
        assert.deepEqual(normalizePassword(once.password), once)
      }),
    )
  })
})
