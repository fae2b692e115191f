/**
 * The generated matrix of every status by every media type that is not legal there (security catalogue J05, J06, J09):
 * refused, and the flow is not touched. Legal is what the documentation lists, written here a second time on purpose.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { flowStatuses, type MediaType, mediaTypeNames } from '../../src/flow/actions/index.ts'
import { step } from '../../src/flow/machine.ts'
import { encode, type FlowState } from '../../src/flow/state.ts'
import type { FlowEvent } from '../../src/flow/turn.ts'
import { flowIn } from './flow-in.ts'
import { canary, codeOf, deviceOf, type Rig, userCode } from './rig.ts'

/** authentication-api 3.3 and 4.1; `assertion.check` where passkeys sign on alone is an extension. */
const legal: Readonly<Record<FlowState['status'], readonly MediaType[]>> = {
  USERNAME_PASSWORD_REQUIRED: ['usernamePassword.check', 'password.forgot', 'user.register', 'assertion.check'],
  PASSWORD_REQUIRED: ['usernamePassword.check', 'password.forgot', 'session.reset', 'assertion.check'],
  SIGN_ON_REQUIRED: ['user.lookup', 'password.forgot', 'user.register', 'assertion.check'],
  RECOVERY_CODE_REQUIRED: ['password.recover', 'password.sendRecoveryCode', 'session.reset'],
  VERIFICATION_CODE_REQUIRED: ['user.verify', 'user.sendVerificationCode'],
  MUST_CHANGE_PASSWORD: ['password.reset'],
  PASSWORD_EXPIRED: ['password.reset'],
  EXTERNAL_AUTHENTICATION_REQUIRED: ['session.reset'],
  ACCOUNT_CONFIRMATION_REQUIRED: ['user.confirm', 'session.reset'],
  ACCOUNT_LINKING_REQUIRED: ['usernamePassword.check', 'user.register', 'session.reset'],
  OTP_REQUIRED: ['otp.check', 'device.select', 'session.reset'],
  ASSERTION_REQUIRED: ['assertion.check', 'device.select', 'session.reset'],
  PUSH_CONFIRMATION_REQUIRED: ['cancel.push.authentication', 'device.select', 'otp.check', 'session.reset'],
  PUSH_CONFIRMATION_TIMED_OUT: ['device.select', 'otp.check', 'session.reset'],
  PROFILE_DATA_REQUIRED: ['user.update'],
  AGREEMENT_CONSENT_REQUIRED: ['user.consent'],
  DEVICE_SELECTION_REQUIRED: ['device.select', 'session.reset'],
  INVITATION_REQUIRED: ['user.acceptInvite'],
  CONSENT_REQUIRED: ['oauth.consent'],
  DAG_USER_CODE_REQUIRED: ['deviceAuthGrant.userCode.verify', 'session.reset'],
  DAG_CONSENT_REQUIRED: ['deviceAuthGrant.consent', 'session.reset'],
  COMPLETED: [],
  FAILED: [],
}

/** Bodies that would succeed if the action were allowed. */
const bodies: Readonly<Record<MediaType, object>> = {
  'usernamePassword.check': { username: 'alice', password: `${canary}-1-alice` },
  'password.reset': { currentPassword: `${canary}-1-alice`, newPassword: `${canary}-new` },
  'session.reset': {},
  'user.confirm': { username: 'carol' },
  'user.lookup': { username: 'alice' },
  'password.forgot': { username: 'alice' },
  'password.sendRecoveryCode': {},
  'password.recover': { recoveryCode: codeOf('alice'), newPassword: `${canary}-new` },
  'user.register': { username: 'carol', email: 'carol@example.com', password: `${canary}-new` },
  'user.verify': { verificationCode: codeOf('alice') },
  'user.sendVerificationCode': {},
  'user.update': { nickname: 'Ada' },
  'user.consent': { accept: true },
  'device.select': { device: { id: deviceOf('alice', 'TOTP') } },
  'otp.check': { otp: codeOf('alice') },
  'cancel.push.authentication': { reason: 'CHANGE_DEVICE' },
  'assertion.check': { origin: 'https://auth.example.com', assertion: codeOf('alice') },
  'user.acceptInvite': { inviteCode: codeOf('alice'), password: `${canary}-new`, accept: true },
  'oauth.consent': { accept: true },
  'deviceAuthGrant.userCode.verify': { userCode },
  'deviceAuthGrant.consent': { accept: true },
}

function untouched(rig: Rig, act: () => unknown): void {
  const { state, effects } = rig
  assert.ok(state)
  const [text, count, failures] = [encode(state), effects.length, rig.people.alice.failures]
  const outcome = act()
  assert.deepEqual(outcome, {
    kind: 'refused',
    refusal: { status: 400, code: 'INVALID_REQUEST', details: [], reason: 'action-not-allowed' },
  })
  assert.equal(rig.state, state)
  assert.deepEqual([encode(state), effects.length, rig.people.alice.failures], [text, count, failures])
}

suite('every status by every media type', () => {
  for (const status of flowStatuses) {
    for (const name of mediaTypeNames) {
      const isLegal = legal[status].includes(name)
      test(`${status} ${isLegal ? 'accepts' : 'refuses'} ${name}`, () => {
        const rig = flowIn(status)
        if (isLegal) assert.equal(rig.post(name, bodies[name]).kind, 'done')
        else untouched(rig, () => rig.post(name, bodies[name]))
      })
    }

    test(`${status} refuses an answer nobody asked for`, () => {
      const rig = flowIn(status)
      const { state } = rig
      assert.ok(state)
      const user = rig.people.alice.facts
      const action = state.action ?? { id: 'login-1', policyVersion: 1 }
      const question = { kind: 'checkPassword', username: 'alice', userId: null } as const
      const answer = { to: 'checkPassword', result: 'accepted', user, password: 'OK' } as const
      const ask = { question, action, status, cause: 'usernamePassword.check', effects: [] } as const
      const wrong: FlowEvent[] = [
        { type: 'answer', ask: { ...ask, action: { ...action, id: 'other' } }, answer },
        { type: 'answer', ask: { ...ask, action: { ...action, policyVersion: 2 } }, answer },
        { type: 'answer', ask: { ...ask, status: status === 'FAILED' ? 'COMPLETED' : 'FAILED' }, answer },
        { type: 'answer', ask, answer: { to: 'evaluateNewPassword', result: 'accepted', user } },
      ]
      if (state.status === 'COMPLETED' || state.status === 'FAILED') wrong.push({ type: 'answer', ask, answer })
      for (const event of wrong) {
        untouched(rig, () => step(rig.policies(), state, event, { session: null, user, request: null }, rig.now))
      }
    })
  }
})
