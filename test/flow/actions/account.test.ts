/** Recovery and registration through the machine, alone and before a second factor: rows J15, J19, J20. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { MediaType } from '../../../src/flow/actions/index.ts'
import { canary, codeOf, loginPolicy, policyOf, Rig } from '../rig.ts'
import { secondSecretAction } from '../second-secret.ts'

const offering = { recovery: { enabled: true }, registration: { enabled: true } }
const [login] = loginPolicy([null], 1, offering).actions
assert.ok(login)
const twoFactors = policyOf('two', [login, secondSecretAction('second', 1, 2)])
const newPassword = `${canary}-new`

function statusAfter(rig: Rig, name: MediaType, body: object): string | undefined {
  rig.post(name, body)
  return rig.state?.status
}

suite('accounts before a second factor', () => {
  test('J19: a recovered password is one factor; the policy still asks for the other', () => {
    const rig = new Rig()
    rig.begin(twoFactors)
    assert.equal(statusAfter(rig, 'password.forgot', { username: 'alice' }), 'RECOVERY_CODE_REQUIRED')
    const body = { recoveryCode: codeOf('alice'), newPassword }
    assert.equal(statusAfter(rig, 'password.recover', body), 'PASSWORD_REQUIRED')
    assert.deepEqual([rig.state?.action?.id, rig.state?.outcome], ['second', null])
    assert.equal(rig.resume().kind, 'refused')
    assert.ok(!rig.effects.some(({ kind }) => kind === 'signOn' || kind === 'issue'))
    rig.post('usernamePassword.check', { password: newPassword })
    assert.equal(rig.state?.action?.id, 'second', 'the new password is not the second secret')
    rig.post('usernamePassword.check', { password: rig.people.alice.second })
    assert.deepEqual([rig.state?.status, rig.state?.outcome?.amr], ['COMPLETED', ['pwd', 'mfa']])
  })

  test('J20: nothing of a registration counts before its address is proved, and then the second factor is asked for', () => {
    const rig = new Rig()
    rig.begin(twoFactors)
    const body = { username: 'carol', email: 'carol@example.com', password: newPassword }
    assert.equal(statusAfter(rig, 'user.register', body), 'VERIFICATION_CODE_REQUIRED')
    assert.equal(rig.state?.outcome, null)
    assert.equal(rig.resume().kind, 'refused')
    assert.equal(statusAfter(rig, 'user.verify', { verificationCode: codeOf('carol') }), 'PASSWORD_REQUIRED')
    assert.deepEqual([rig.state?.action?.id, rig.state?.outcome], ['second', null])
  })
})

test('J15: no order of four actions without the code reaches a new password or an end', () => {
  const actions: readonly (readonly [MediaType, object])[] = [
    ['session.reset', {}],
    ['password.forgot', { username: 'alice' }],
    ['password.sendRecoveryCode', {}],
    ['password.recover', { recoveryCode: codeOf('bob'), newPassword }],
    ['password.reset', { currentPassword: 'wrong', newPassword }],
    ['usernamePassword.check', { username: 'alice', password: newPassword }],
    ['user.verify', { verificationCode: codeOf('alice') }],
    ['user.sendVerificationCode', {}],
  ]
  const begun = new Rig()
  begun.begin(loginPolicy([null], 1, offering))
  begun.post('password.forgot', { username: 'alice' })
  assert.equal(begun.state?.status, 'RECOVERY_CODE_REQUIRED')
  const start = begun.state

  const reached = new Set<string>()
  const walk = (order: readonly number[]) => {
    const rig = new Rig()
    rig.begin(loginPolicy([null], 1, offering))
    rig.state = start
    for (const at of order) rig.post(...(actions[at] ?? assert.fail()))
    reached.add(rig.state.status)
    assert.notEqual(rig.state.status, 'COMPLETED', order.join())
    assert.equal(rig.people.alice.password, `${canary}-1-alice`)
    assert.ok(!rig.effects.some(({ kind }) => kind === 'setPassword' || kind === 'signOn'))
    if (order.length < 4) for (const at of actions.keys()) walk([...order, at])
  }
  walk([])
  assert.deepEqual([...reached].toSorted(), ['RECOVERY_CODE_REQUIRED', 'USERNAME_PASSWORD_REQUIRED'])
})
