import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { complexityDays } from '../../../src/directory/passwords/complexity.ts'
import { anyGrapheme } from '../../harness/any-character.ts'

const days = (text: string) => complexityDays(Array.from(text))

/** The search space in whole numbers: every length up to this one, over an alphabet of the given size. */
function exactDays(length: number, alphabet: bigint): number {
  let texts = 0n
  for (let n = 1n; n <= BigInt(length); n++) texts += alphabet ** n
  return Number(texts / 8_640_000_000_000n) / 1000
}

suite('complexity in days of searching', () => {
  for (const [what, text, alphabet] of [
    ['lower case', 'abcdefghijkl', 26n],
    ['upper case', 'ABCDEFGHIJKL', 26n],
    ['digits', '0123456789012345678', 10n],
    ['symbols, the space among them', '~ !@[`{_/:-.', 33n],
    ['both cases', 'abcdefGHIJKL', 52n],
    ['letters and digits', 'abcDEF123456', 62n],
    ['all four kinds', 'abcDEF123!? ', 95n],
    ['one letter outside ASCII', 'abcdefghijkü', 256n],
  ] as const) {
    test(`${what}: alphabet of ${alphabet}`, () => {
      const expected = exactDays(text.length, alphabet)
      assert.ok(Math.abs(days(text) / expected - 1) < 1e-4, `${days(text)} instead of ${expected}`)
    })
  }

  test('the border of seven days lies where clients see it', () => {
    assert.ok(days('a'.repeat(11)) < 7)
    assert.ok(days('a'.repeat(12)) > 1)
    assert.ok(days('1'.repeat(16)) < 7)
    assert.ok(days('1'.repeat(17)) > 7)
    assert.ok(days('aB3!aB3!') < 7)
    assert.ok(days('aB3!aB3!a') > 7)
    assert.ok(days('correct horse battery staple') > 7)
  })

  test('nothing has none, and no length overflows into nonsense', () => {
    assert.equal(days(''), 0)
    assert.equal(days('🐎'.repeat(1024)), Infinity)
  })

  test('one more character is always harder', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: anyGrapheme, maxLength: 40 }),
        fc.string({ minLength: 1, maxLength: 1 }),
        (text, more) => {
          assert.ok(days(text + more) > days(text))
        },
      ),
    )
  })
})
