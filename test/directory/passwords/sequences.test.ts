import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { longestSequence, sequenceRows } from '../../../src/directory/passwords/sequences.ts'

const longest = (rule: keyof typeof sequenceRows, text: string) => longestSequence(Array.from(text), sequenceRows[rule])

suite('runs of neighbouring characters', () => {
  for (const [rule, text, length] of [
    ['alphabetSequenceRule', 'xxabcdxx', 4],
    ['alphabetSequenceRule', 'xxDcBaxx', 4],
    ['alphabetSequenceRule', 'aBcDe', 5],
    ['alphabetSequenceRule', 'abXcd', 2],
    ['alphabetSequenceRule', 'yza', 2],
    ['alphabetSequenceRule', 'ababab', 2],
    ['alphabetSequenceRule', 'aabbccdd', 2],
    ['alphabetSequenceRule', '1234', 0],
    ['numberSequenceRule', '12345', 5],
    ['numberSequenceRule', '54321', 5],
    ['numberSequenceRule', '7890', 4],
    ['numberSequenceRule', '0123', 4],
    ['numberSequenceRule', '901', 2],
    ['numberSequenceRule', '13579', 1],
    ['qwertySequenceRule', 'QwErTy', 6],
    ['qwertySequenceRule', 'poiu', 4],
    ['qwertySequenceRule', 'qaz', 1],
    ['qwertySequenceRule', 'opas', 2],
    ['shiftedNumberRowSequenceRule', '!@#$', 4],
    ['shiftedNumberRowSequenceRule', ')(*&', 4],
    ['shiftedNumberRowSequenceRule', '!#%', 1],
    ['shiftedNumberRowSequenceRule', '', 0],
  ] as const) {
    test(`${rule}: ${text || 'nothing'} has a run of ${length}`, () => assert.equal(longest(rule, text), length))
  }

  test('agrees with looking for every part of every row', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-dx-z]{0,12}$/), (text) => {
        let expected = 0
        for (let from = 0; from < text.length; from++) {
          for (let to = from + 1; to <= text.length; to++) {
            const part = text.slice(from, to)
            const row = 'abcdefghijklmnopqrstuvwxyz'
            if (row.includes(part) || row.includes(part.split('').toReversed().join(''))) {
              expected = Math.max(expected, part.length)
            }
          }
        }
        assert.equal(longest('alphabetSequenceRule', text), expected)
      }),
      { numRuns: 1000 },
    )
  })
})
