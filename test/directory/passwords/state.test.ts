import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { PasswordPolicy } from '../../../src/directory/passwords/policy.ts'
import { type PasswordRecordFacts, passwordState } from '../../../src/directory/passwords/state.ts'

const DAY = 86_400_000
const now = 1000 * DAY
const policy: PasswordPolicy = {
  name: 'P',
  excludesCommonlyUsed: false,
  excludesProfileData: false,
  notSimilarToCurrent: false,
  maxAgeDays: 100,
}
const fresh: PasswordRecordFacts = { hasPassword: true, lastChangedAt: now, mustChange: false }
const locked = { lockedUntil: now + 1500 }

suite('state of a password', () => {
  for (const [what, facts, expected] of [
    ['fresh', {}, { status: 'OK' }],
    ['22 days left', { lastChangedAt: now - 78 * DAY }, { status: 'OK' }],
    ['21 days left', { lastChangedAt: now - 79 * DAY }, { status: 'OK', daysUntilExpiry: 21 }],
    ['a millisecond left', { lastChangedAt: now - 100 * DAY + 1 }, { status: 'OK', daysUntilExpiry: 1 }],
    ['as old as allowed', { lastChangedAt: now - 100 * DAY }, { status: 'PASSWORD_EXPIRED' }],
    ['to be changed', { mustChange: true }, { status: 'MUST_CHANGE_PASSWORD' }],
    ['to be changed and expired', { mustChange: true, lastChangedAt: 0 }, { status: 'MUST_CHANGE_PASSWORD' }],
    ['locked', locked, { status: 'PASSWORD_LOCKED_OUT', secondsUntilUnlock: 2 }],
    [
      'locked, expired and to be changed',
      { ...locked, mustChange: true, lastChangedAt: 0 },
      { status: 'PASSWORD_LOCKED_OUT', secondsUntilUnlock: 2 },
    ],
    ['a lock that has just ended', { lockedUntil: now }, { status: 'OK' }],
    ['none', { hasPassword: false }, { status: 'NO_PASSWORD' }],
    ['none, yet locked', { hasPassword: false, ...locked }, { status: 'NO_PASSWORD' }],
  ] as const) {
    test(what, () => assert.deepEqual(passwordState(policy, { ...fresh, ...facts }, now), expected))
  }

  test('without a maximum age it never expires', () => {
    const { maxAgeDays: _, ...ageless } = policy
    assert.deepEqual(passwordState(ageless, { ...fresh, lastChangedAt: 0 }, now), { status: 'OK' })
  })
})
