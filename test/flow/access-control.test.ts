/** Whom an application lets sign on, and when groups are asked for at all. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { isAdmitted } from '../../src/flow/access-control.ts'
import { readCondition } from '../../src/flow/conditions/index.ts'
import type { GroupRule } from '../../src/flow/facts.ts'
import { loginPolicy, policyOf, Rig } from './rig.ts'
import { secondSecretAction } from './second-secret.ts'

const rule = (type: GroupRule['type'], ...ids: string[]): GroupRule => ({ type, groups: ids.map((id) => ({ id })) })
const staff = '0d6c1c0e-6f4e-4f57-9a3a-5c1f5f7b1a01'
const [login] = loginPolicy([null]).actions
assert.ok(login)
const inStaff = readCondition({ value: '${user.memberOfGroups.id}', includes: staff }).condition
const secondForStaff = policyOf('p', [login, secondSecretAction('second', 1, 2, inStaff)])

suite('the access control of an application', () => {
  test('ANY_GROUP takes one of its groups, ALL_GROUPS all of them', () => {
    const admits = (groupRule: GroupRule | null, ids: readonly string[] | null, userId = 'user') =>
      isAdmitted({ application: { groupRule, administratorsOnly: false }, groups: { userId, ids } }, 'user')
    fc.assert(
      fc.property(fc.subarray(['a', 'b', 'c'], { minLength: 1 }), fc.subarray(['a', 'b', 'c', 'd']), (named, held) => {
        const shared = named.filter((id) => held.includes(id)).length
        assert.equal(admits(rule('ANY_GROUP', ...named), held), shared > 0)
        assert.equal(admits(rule('ALL_GROUPS', ...named), held), shared === named.length)
      }),
    )
    assert.ok(admits(null, null))
  })

  test('what is not known lets nobody in', () => {
    const groupRule = rule('ANY_GROUP', 'a')
    const application = { groupRule, administratorsOnly: false }
    assert.ok(!isAdmitted({}, 'user'))
    assert.ok(!isAdmitted({ application }, 'user'))
    assert.ok(!isAdmitted({ application, groups: { userId: 'user', ids: null } }, 'user'))
    assert.ok(!isAdmitted({ application, groups: { userId: 'somebody else', ids: ['a'] } }, 'user'))
    for (const type of ['ANY_GROUP', 'ALL_GROUPS'] as const) {
      assert.ok(
        !isAdmitted(
          { application: { groupRule: rule(type), administratorsOnly: false }, groups: { userId: 'user', ids: ['a'] } },
          'user',
        ),
      )
    }
  })

  test('ends the flow of whoever it keeps out once they have proved who they are, and no session begins', () => {
    const rig = new Rig()
    rig.application = { groupRule: rule('ANY_GROUP', staff), administratorsOnly: false }
    rig.groups['alice'] = [staff]
    rig.begin(loginPolicy([null]))
    assert.equal(rig.groupReads, 0)
    rig.signOn('bob')
    assert.equal(rig.state?.status, 'FAILED')
    assert.equal(rig.state.failure?.code, 'APPLICATION_ACCESS_DENIED')
    assert.equal(rig.state.trace.at(-1)?.reason, 'access-denied')
    assert.deepEqual(rig.effects, [])

    rig.begin(loginPolicy([null]))
    rig.signOn('alice')
    assert.equal(rig.state.status, 'COMPLETED')
  })

  test('lets in only who holds a role where it says so, until the flow is resumed', () => {
    const rig = new Rig()
    rig.application = { groupRule: null, administratorsOnly: true }
    rig.begin(loginPolicy([null]))
    rig.signOn('alice')
    assert.equal(rig.state?.failure?.code, 'APPLICATION_ACCESS_DENIED')

    rig.administrators = new Set(['alice'])
    rig.begin(loginPolicy([null]))
    rig.signOn('alice')
    assert.equal(rig.state.status, 'COMPLETED')
    rig.administrators = new Set()
    const resumed = rig.resume()
    assert.ok(resumed.kind === 'done')
    assert.equal(resumed.state.failure?.code, 'APPLICATION_ACCESS_DENIED')
  })

  test('by roles and by groups: both have to hold, and a role of somebody else is none', () => {
    const application = { groupRule: rule('ANY_GROUP', 'a'), administratorsOnly: true }
    const groups = { userId: 'user', ids: ['a'] }
    const administrator = { userId: 'user', isOne: true }
    assert.ok(isAdmitted({ application, groups, administrator }, 'user'))
    assert.ok(!isAdmitted({ application, groups: { ...groups, ids: [] }, administrator }, 'user'))
    assert.ok(!isAdmitted({ application, groups, administrator: { ...administrator, isOne: false } }, 'user'))
    assert.ok(!isAdmitted({ application, groups, administrator: { ...administrator, userId: 'other' } }, 'user'))
    assert.ok(!isAdmitted({ application, groups }, 'user'))
  })

  test('no other policy gets a turn, and a session is no way around', () => {
    const rig = new Rig()
    rig.application = { groupRule: rule('ALL_GROUPS', staff), administratorsOnly: false }
    rig.signIn('bob', { at: 10, pwd: 10 })
    const second = { ...loginPolicy([null]), id: 'second' }
    rig.begin(loginPolicy([{ secondsSince: '${session.lastSignOn.at}', greater: 60 }]), second)
    assert.deepEqual([rig.state?.status, rig.state?.candidate], ['FAILED', 0])
  })

  test('holds until the flow is resumed', () => {
    const rig = new Rig()
    rig.application = { groupRule: rule('ANY_GROUP', staff), administratorsOnly: false }
    rig.groups['alice'] = [staff]
    rig.begin(loginPolicy([null]))
    rig.signOn('alice')
    rig.groups['alice'] = []
    const resumed = rig.resume()
    assert.ok(resumed.kind === 'done')
    assert.equal(resumed.effects[0]?.kind, 'deny')
    assert.equal(resumed.state.failure?.code, 'APPLICATION_ACCESS_DENIED')
  })
})

suite('groups in a policy', () => {
  test('are asked for once somebody has proved who they are, and not without a condition on them', () => {
    const rig = new Rig()
    rig.groups['alice'] = [staff]
    rig.begin(secondForStaff)
    rig.post('usernamePassword.check', { username: 'alice', password: 'wrong' })
    assert.equal(rig.groupReads, 0)
    rig.signOn('alice')
    assert.equal(rig.groupReads, 1)
    assert.equal(rig.state?.action?.id, 'second')

    rig.groupReads = 0
    rig.begin(loginPolicy([null]))
    rig.signOn('alice')
    assert.deepEqual([rig.state.status, rig.groupReads], ['COMPLETED', 0])
  })

  test('decide for each user, and what nobody knows skips nothing', () => {
    for (const [groups, status] of [
      [[], 'COMPLETED'],
      [[staff], 'PASSWORD_REQUIRED'],
      [null, 'PASSWORD_REQUIRED'],
    ] as const) {
      const rig = new Rig()
      rig.groups['alice'] = groups
      rig.begin(secondForStaff)
      rig.signOn('alice')
      assert.equal(rig.state?.status, status)
    }
  })
})
