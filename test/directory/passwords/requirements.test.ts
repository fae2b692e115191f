import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { type NormalizedPassword, normalizePassword } from '../../../src/directory/passwords/normalize.ts'
import { bootstrapPasswordPolicies, type PasswordPolicy } from '../../../src/directory/passwords/policy.ts'
import {
  type PasswordFacts,
  passwordRequirements,
  requirementText,
  unsatisfiedRequirements,
} from '../../../src/directory/passwords/requirements.ts'

const DAY = 86_400_000
const now = 1000 * DAY
const [standard, basic, passphrase] = bootstrapPasswordPolicies
assert.ok(standard && basic && passphrase)

const nothing: PasswordPolicy = {
  name: 'Nothing',
  excludesCommonlyUsed: false,
  excludesProfileData: false,
  notSimilarToCurrent: false,
}

function password(typed: string): NormalizedPassword {
  const result = normalizePassword(typed)
  assert.ok(result.ok)
  return result.password
}

function missed(policy: PasswordPolicy, typed: string, facts: Partial<PasswordFacts> = {}) {
  return unsatisfiedRequirements(policy, {
    newPassword: password(typed),
    profile: { username: 'lena.berg' },
    commonlyUsed: false,
    historyMatches: false,
    now,
    ...facts,
  })
}

suite('requirements of a new password', () => {
  test('good passwords satisfy the bootstrap policies', () => {
    for (const policy of [standard, basic]) assert.deepEqual(missed(policy, 'Tr1cky-Horse'), [])
    assert.deepEqual(missed(passphrase, 'correct horse battery staple'), [])
  })

  test('all that is missed is reported, in the order of the list', () => {
    assert.deepEqual(
      missed(standard, 'aaa', {
        commonlyUsed: true,
        historyMatches: true,
        profile: { nickname: 'AAA' },
        currentPassword: password('aaab'),
        lastChangedAt: now - 1,
      }),
      [
        'length',
        'minCharacters',
        'maxRepeatedCharacters',
        'minUniqueCharacters',
        'excludesCommonlyUsed',
        'excludesProfileData',
        'notSimilarToCurrent',
        'history',
        'minAgeDays',
      ],
    )
  })

  for (const [what, policy, typed, expected] of [
    ['8 characters', { length: { min: 8, max: 255 } }, 'x'.repeat(8), []],
    ['7 characters', { length: { min: 8, max: 255 } }, 'x'.repeat(7), ['length']],
    ['255 characters', { length: { min: 8, max: 255 } }, 'x'.repeat(255), []],
    ['256 characters', { length: { min: 8, max: 255 } }, 'x'.repeat(256), ['length']],
    ['8 emoji are 8 characters', { length: { min: 8, max: 255 } }, '🐎'.repeat(8), []],
    ['255 emoji are 255 characters', { length: { min: 8, max: 255 } }, '🐎'.repeat(255), []],
    ['7 emoji are not 14 characters', { length: { min: 8, max: 255 } }, '🐎'.repeat(7), ['length']],
    ['no length rule, one character', {}, 'x', []],
    ['two digits where two are asked for', { minCharacters: { '0123456789': 2 } }, 'a1b2', []],
    ['one digit where two are asked for', { minCharacters: { '0123456789': 2 } }, 'a1b', ['minCharacters']],
    ['a digit of another script', { minCharacters: { '0123456789': 1 } }, 'a٣', ['minCharacters']],
    ['a special character', { minCharacters: { '~!@#$%^&*()-_=+[]{}|;:,.<>/?': 1 } }, 'a?', []],
    ['a space is none of them', { minCharacters: { '~!@#$%^&*()-_=+[]{}|;:,.<>/?': 1 } }, 'a b', ['minCharacters']],
    ['two in a row', { maxRepeatedCharacters: 2 }, 'good-apple', []],
    ['three in a row', { maxRepeatedCharacters: 2 }, 'goood-apple', ['maxRepeatedCharacters']],
    ['often, but not in a row', { maxRepeatedCharacters: 2 }, 'abababab', []],
    ['five different', { minUniqueCharacters: 5 }, 'abcdeabcde', []],
    ['four different', { minUniqueCharacters: 5 }, 'abcdabcd', ['minUniqueCharacters']],
    ['a run of three letters', { alphabetSequenceRule: { maxLength: 3 } }, 'xabcx', []],
    ['a run of four letters', { alphabetSequenceRule: { maxLength: 3 } }, 'xabcdx', ['alphabetSequenceRule']],
    ['a run of three digits, two allowed', { numberSequenceRule: { maxLength: 2 } }, 'x321x', ['numberSequenceRule']],
    ['a run on the keyboard', { qwertySequenceRule: { maxLength: 3 } }, 'xqwerx', ['qwertySequenceRule']],
    ['a run of signs', { shiftedNumberRowSequenceRule: { maxLength: 3 } }, '!@#$', ['shiftedNumberRowSequenceRule']],
    ['nine mixed characters take more than a week', { minComplexity: 7 }, 'aB3!aB3!a', []],
    ['eight mixed characters do not', { minComplexity: 7 }, 'aB3!aB3!', ['minComplexity']],
  ] as const) {
    test(what, () => assert.deepEqual(missed({ ...nothing, ...policy }, typed), expected))
  }

  test('facts that the policy does not ask about change nothing', () => {
    const facts = { commonlyUsed: true, currentPassword: password('lena.berg1'), lastChangedAt: now }
    assert.deepEqual(missed(nothing, 'lena.berg', facts), [])
  })

  test('the current password is refused under every policy', () => {
    assert.deepEqual(missed(nothing, 'the same', { currentPassword: password('the same') }), ['history'])
    assert.deepEqual(missed(nothing, 'the same', { historyMatches: true }), ['history'])
  })

  test('likeness is judged only where the user typed the current password', () => {
    const policy = { ...nothing, notSimilarToCurrent: true }
    assert.deepEqual(missed(policy, 'smitten'), [])
    assert.deepEqual(missed(policy, 'smitten', { currentPassword: password('kitten') }), ['notSimilarToCurrent'])
  })

  test('the minimum age ends to the millisecond, and counts only where a time is given', () => {
    const policy = { ...nothing, minAgeDays: 1 }
    assert.deepEqual(missed(policy, 'x', { lastChangedAt: now - DAY + 1 }), ['minAgeDays'])
    assert.deepEqual(missed(policy, 'x', { lastChangedAt: now - DAY }), [])
    assert.deepEqual(missed(policy, 'x'), [])
  })

  test('every requirement of a full policy has a text that a person can follow', () => {
    const full: PasswordPolicy = {
      ...standard,
      minComplexity: 7,
      alphabetSequenceRule: { maxLength: 3 },
      numberSequenceRule: { maxLength: 2 },
      qwertySequenceRule: { maxLength: 3 },
      shiftedNumberRowSequenceRule: { maxLength: 3 },
    }
    for (const name of passwordRequirements) {
      const text = requirementText(full, name)
      assert.match(text, /^[A-Z].*\.$/)
      assert.doesNotMatch(text, /undefined|Infinity|NaN/)
    }
    assert.equal(requirementText(full, 'length'), 'Use 8 to 255 characters.')
    assert.equal(
      requirementText(full, 'minCharacters'),
      'Use at least 1 upper-case, 1 lower-case, 1 numeric, 1 special.',
    )
  })

  test('an acceptable password stays acceptable when a requirement is dropped', () => {
    const optional = ['length', 'minCharacters', 'maxRepeatedCharacters', 'minUniqueCharacters'] as const
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 20 }), fc.constantFrom(...optional), (typed, dropped) => {
        const { [dropped]: _, ...laxer } = standard
        const before = missed(standard, typed.replace(/\p{Cc}/gu, 'x'))
        const after = missed(laxer, typed.replace(/\p{Cc}/gu, 'x'))
        assert.deepEqual(
          after,
          before.filter((name) => name !== dropped),
        )
      }),
    )
  })

  test('the longest password is judged in an instant', () => {
    const long = password('ab1!'.repeat(1024))
    const before = performance.now()
    missed({ ...passphrase, qwertySequenceRule: { maxLength: 3 } }, long, {
      currentPassword: password('ba1!'.repeat(1024)),
    })
    assert.ok(performance.now() - before < 500, 'on a busy machine too; a slow algorithm takes minutes')
  })
})
