import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { bootstrapPasswordPolicies, passwordPolicySchema } from '../../../src/directory/passwords/policy.ts'

const least = { name: 'P', excludesCommonlyUsed: true, excludesProfileData: false, notSimilarToCurrent: false }
const accepts = (change: object) => passwordPolicySchema.safeParse({ ...least, ...change }).success

suite('password policy', () => {
  test('the three bootstrap policies are valid as they stand', () => {
    assert.deepEqual(
      bootstrapPasswordPolicies.map((policy) => policy.name),
      ['Standard', 'Basic', 'Passphrase'],
    )
    for (const policy of bootstrapPasswordPolicies) assert.deepEqual(passwordPolicySchema.parse(policy), policy)
    assert.deepEqual(
      bootstrapPasswordPolicies.filter((policy) => policy.default).map((policy) => policy.name),
      ['Standard'],
    )
  })

  test('Standard has the values that clients expect', () => {
    assert.deepEqual(bootstrapPasswordPolicies[0], {
      name: 'Standard',
      description: 'A standard policy that incorporates industry best practices',
      default: true,
      excludesCommonlyUsed: true,
      excludesProfileData: true,
      notSimilarToCurrent: true,
      length: { min: 8, max: 255 },
      minCharacters: {
        ABCDEFGHIJKLMNOPQRSTUVWXYZ: 1,
        abcdefghijklmnopqrstuvwxyz: 1,
        '0123456789': 1,
        '~!@#$%^&*()-_=+[]{}|;:,.<>/?': 1,
      },
      maxRepeatedCharacters: 2,
      minUniqueCharacters: 5,
      history: { count: 6, retentionDays: 365 },
      maxAgeDays: 182,
      minAgeDays: 1,
      lockout: { failureCount: 5, durationSeconds: 900 },
    })
  })

  test('a policy of required members alone is valid, and each of them is required', () => {
    assert.ok(accepts({}))
    for (const name of Object.keys(least)) assert.ok(!accepts({ [name]: undefined }), name)
  })

  test('read-only and unknown members are dropped', () => {
    const body: unknown = JSON.parse(
      `{"id":"x","populationCount":3,"__proto__":{"default":true},${JSON.stringify(least).slice(1)}`,
    )
    assert.deepEqual(passwordPolicySchema.parse(body), least)
  })

  test('an absent length is completed as PingOne does', () => {
    assert.deepEqual(passwordPolicySchema.parse({ ...least, length: {} }).length, { min: 8, max: 255 })
  })

  for (const [what, change, accepted] of [
    ['maxAgeDays above minAgeDays + 21', { maxAgeDays: 23, minAgeDays: 1 }, true],
    ['maxAgeDays of minAgeDays + 21', { maxAgeDays: 22, minAgeDays: 1 }, false],
    ['maxAgeDays above 21 alone', { maxAgeDays: 22 }, true],
    ['maxAgeDays of 21 alone', { maxAgeDays: 21 }, false],
    ['length.min of 8', { length: { min: 8, max: 255 } }, true],
    ['length.min of 7', { length: { min: 7, max: 255 } }, false],
    ['length.min of 33', { length: { min: 33, max: 255 } }, false],
    ['length.max other than 255', { length: { min: 8, max: 64 } }, false],
    ['one class of characters', { minCharacters: { '0123456789': 2 } }, true],
    ['digits in keyboard order as a class', { minCharacters: { '1234567890': 1 } }, false],
    ['another class', { minCharacters: { äöü: 1 } }, false],
    ['a negative class minimum', { minCharacters: { '0123456789': -1 } }, false],
    ['a fraction', { minUniqueCharacters: 2.5 }, false],
    ['a number as text', { minUniqueCharacters: '5' }, false],
    ['infinity', { minComplexity: Infinity }, false],
    ['zero repeated characters', { maxRepeatedCharacters: 0 }, false],
    [
      'alphabet runs of 2 and 3',
      { alphabetSequenceRule: { maxLength: 2 }, numberSequenceRule: { maxLength: 3 } },
      true,
    ],
    ['an alphabet run of 4', { alphabetSequenceRule: { maxLength: 4 } }, false],
    ['a keyboard run of 2', { qwertySequenceRule: { maxLength: 2 } }, false],
    ['a number row run of 3', { shiftedNumberRowSequenceRule: { maxLength: 3 } }, true],
    ['history without days', { history: { count: 6 } }, false],
    ['history of zero', { history: { count: 0, retentionDays: 1 } }, false],
    ['history that would cost seconds of hashing', { history: { count: 51, retentionDays: 1 } }, false],
    ['lock-out after 0 failures', { lockout: { failureCount: 0, durationSeconds: 1 } }, false],
    ['lock-out after 101 failures', { lockout: { failureCount: 101, durationSeconds: 1 } }, false],
    ['lock-out of 0 seconds', { lockout: { failureCount: 1, durationSeconds: 0 } }, false],
    ['an empty name', { name: '' }, false],
    ['a flag as text', { excludesProfileData: 'false' }, false],
  ] as const) {
    test(`${accepted ? 'accepts' : 'refuses'} ${what}`, () => assert.equal(accepts(change), accepted))
  }
})
