import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { hashesToAvoid, remembered } from '../../../src/directory/passwords/history.ts'
import type { PasswordPolicy } from '../../../src/directory/passwords/policy.ts'

const DAY = 86_400_000
const now = 1000 * DAY
const without: PasswordPolicy = {
  name: 'P',
  excludesCommonlyUsed: false,
  excludesProfileData: false,
  notSimilarToCurrent: false,
}
const policy: PasswordPolicy = { ...without, history: { count: 2, retentionDays: 30 } }
const former = [
  { hash: 'older', replacedAt: now - 3 * DAY },
  { hash: 'expired', replacedAt: now - 30 * DAY },
  { hash: 'newest', replacedAt: now - DAY },
  { hash: 'oldest', replacedAt: now - 29 * DAY },
]

suite('password history', () => {
  test('the newest are remembered, by count and by days', () => {
    assert.deepEqual(hashesToAvoid(policy, 'current', former, now), ['current', 'newest', 'older'])
    const generous = { ...policy, history: { count: 9, retentionDays: 30 } }
    assert.deepEqual(hashesToAvoid(generous, 'current', former, now), ['current', 'newest', 'older', 'oldest'])
  })

  test('the current password is avoided even without a history', () => {
    assert.deepEqual(hashesToAvoid(without, 'current', former, now), ['current'])
    assert.deepEqual(remembered(without, former, now), [])
  })

  test('a user without a password has only the past', () => {
    assert.deepEqual(hashesToAvoid(policy, null, former, now), ['newest', 'older'])
    assert.deepEqual(hashesToAvoid(policy, null, [], now), [])
  })

  test('the list that came in is left as it was', () => {
    const frozen = Object.freeze([...former])
    assert.equal(remembered(policy, frozen, now).length, 2)
  })
})
