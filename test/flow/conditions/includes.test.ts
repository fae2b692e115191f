import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { groupsReadBy } from '../../../src/flow/condition.ts'
import { readCondition } from '../../../src/flow/conditions/index.ts'
import { groupsNamedBy, validatePolicy } from '../../../src/flow/policy.ts'
import { truthOf } from './truth.ts'

const staff = '0d6c1c0e-6f4e-4f57-9a3a-5c1f5f7b1a01'
const guests = '0d6c1c0e-6f4e-4f57-9a3a-5c1f5f7b1a02'
const inGroup = (includes: string) => ({ value: '${user.memberOfGroups.id}', includes }) as const

suite('membership in a group', () => {
  test('is true for members and false for everybody else', () => {
    assert.equal(truthOf(inGroup(staff), { groups: [guests, staff] }), 'true')
    assert.equal(truthOf(inGroup(staff), { groups: [guests] }), 'false')
    assert.equal(truthOf(inGroup(staff), { groups: [] }), 'false')
    assert.equal(truthOf({ not: inGroup(staff) }, { groups: [] }), 'true')
    assert.equal(truthOf({ and: [inGroup(staff), inGroup(guests)] }, { groups: [staff] }), 'false')
    assert.equal(truthOf({ or: [inGroup(staff), inGroup(guests)] }, { groups: [staff] }), 'true')
  })

  test('J23: is unknown while the groups are, also under not', () => {
    assert.equal(truthOf(inGroup(staff)), 'unknown')
    assert.equal(truthOf({ not: inGroup(staff) }), 'unknown')
  })

  test('names the groups it reads, wherever they stand, each once', () => {
    const json = { or: [inGroup(staff), { not: { and: [inGroup(guests), inGroup(staff)] } }] }
    assert.deepEqual(groupsReadBy(readCondition(json).condition), [staff, guests])
    assert.deepEqual(groupsNamedBy({ condition: { not: inGroup(guests) } }), [guests])
    assert.deepEqual(groupsNamedBy({}), [])
  })

  test('what is not one is refused when written', () => {
    for (const json of [
      { value: '${user.groups}', includes: staff },
      { value: '${user.memberOfGroups.id}', includes: 'Staff' },
      { value: '${user.memberOfGroups.id}', includes: [staff] },
      { ...inGroup(staff), equals: staff },
      { includes: staff },
    ]) {
      assert.ok(readCondition(json).problems.length > 0, JSON.stringify(json))
    }
  })

  test('asks about a user: never on the action of priority 1', () => {
    const login = { type: 'LOGIN', priority: 1 }
    const withCondition = (priority: number) => ({ type: 'LOGIN', priority, condition: inGroup(staff) })
    assert.equal(validatePolicy([withCondition(1)])[0]?.code, 'CONSTRAINT_VIOLATION')
    assert.deepEqual(validatePolicy([login, withCondition(2)]), [])
  })
})
