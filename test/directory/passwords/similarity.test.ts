import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { isSimilar } from '../../../src/directory/passwords/similarity.ts'

const similar = (left: string, right: string) => isSimilar(Array.from(left), Array.from(right))

/** Levenshtein distance straight from its definition. */
function distance(left: readonly string[], right: readonly string[]): number {
  const [a, ...leftRest] = left
  const [b, ...rightRest] = right
  if (a === undefined || b === undefined) return left.length + right.length
  if (a === b) return distance(leftRest, rightRest)
  return 1 + Math.min(distance(leftRest, right), distance(left, rightRest), distance(leftRest, rightRest))
}

suite('likeness of two passwords', () => {
  for (const [left, right, expected] of [
    ['kitten', 'smitten', true],
    ['kitten', 'sitting', false],
    ['Password-1', 'Password-2', true],
    ['Password-1', 'Password-100', true],
    ['Password-1', 'Password-1000', false],
    ['abcdef', 'abcdef', true],
    ['abcdef', 'ABCdef', false],
    ['', 'ab', true],
    ['', 'abc', false],
    ['🐎🔋🧷', '🐎🔋', true],
    ['abcdefgh', 'cdefgh', true],
    ['abcdefgh', 'defgh', false],
    ['abcdefgh', 'badcfehg', false],
  ] as const) {
    test(`${left} and ${right} are ${expected ? '' : 'not '}similar`, () =>
      assert.equal(similar(left, right), expected))
  }

  test('agrees with the definition, both ways round', () => {
    const word = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 7 })
    fc.assert(
      fc.property(word, word, (left, right) => {
        assert.equal(isSimilar(left, right), distance(left, right) < 3)
        assert.equal(isSimilar(right, left), isSimilar(left, right))
      }),
      { numRuns: 2000 },
    )
  })

  test('the longest passwords are compared in an instant', () => {
    const before = performance.now()
    assert.ok(similar(`${'ab'.repeat(2047)}x`, `${'ab'.repeat(2047)}y`))
    assert.ok(!similar('ab'.repeat(2048), 'ba'.repeat(2047) + 'cc'))
    assert.ok(performance.now() - before < 500, 'on a busy machine too; a slow algorithm takes minutes')
  })
})
