import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decode, encode, type FlowState } from '../../src/flow/state.ts'
import { loginPolicy, Rig } from './rig.ts'

function waiting(): FlowState {
  const rig = new Rig()
  rig.request = {
    forcesLogin: false,
    maxAge: 60,
    loginHint: 'alice',
    hintedUserId: null,
    parameters: { scope: 'openid', nested: [{ a: null }] },
  }
  rig.signIn('alice', { at: 5, pwd: 5 })
  rig.begin(loginPolicy([null]))
  assert.ok(rig.state)
  return rig.state
}

/** A stored state with one member changed. */
function tampered(member: string, value: unknown): string {
  return JSON.stringify({ v: 1, state: { ...waiting(), [member]: value } })
}

suite('the codec', () => {
  test('round trip', () => {
    assert.deepEqual(decode(encode(waiting())), waiting())
  })

  test('an unknown version is named, not guessed', () => {
    for (const v of [0, 2, 99]) {
      assert.deepEqual(decode(JSON.stringify({ v, state: waiting() })), { unsupportedVersion: v })
    }
  })

  test('what is not a state of that version throws: nothing is filled in, nothing is let through', () => {
    const broken = [
      '',
      '{}',
      'null',
      JSON.stringify({ state: waiting() }),
      JSON.stringify({ v: '1', state: waiting() }),
      JSON.stringify({ v: 1.5, state: waiting() }),
      tampered('status', 'OTP_FORGOTTEN'),
      tampered('status', 'COMPLETED'),
      tampered('status', 'FAILED'),
      tampered('offers', ['otp.forget']),
      tampered('proofs', [{ method: 'pwd', userId: 'id-of-alice', at: 1 }]),
      tampered('proofs', [{ method: 'sms', userId: 'id-of-alice', at: 1, actionId: 'a' }]),
      tampered('user', { id: 'id-of-alice', knownBy: 'hearsay' }),
      tampered('isAdmin', true),
      tampered('steps', undefined),
      tampered('expiresAt', '2026-01-01'),
    ]
    for (const text of broken) assert.throws(() => decode(text), text.slice(0, 80))
  })

  test('a flow nothing has placed yet cannot be stored', () => {
    assert.throws(() => decode(tampered('status', 'FAILED')), /FAILED with a failure/)
  })

  test('an abandoned flow is small', () => {
    assert.ok(encode(waiting()).length < 1500, String(encode(waiting()).length))
  })
})
