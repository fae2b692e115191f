import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { z } from 'zod'
import { acceptedBy, type AnyAction, everyAction } from '../../src/flow/actions/index.ts'
import { mediaTypes, readRequest } from '../../src/flow/media-types.ts'
import { canary } from './rig.ts'

suite('media types', () => {
  test('the closed list, with secrets and statuses', () => {
    const list = mediaTypes().map(({ name, secrets, statuses }) => [name, secrets, statuses])
    assert.deepEqual(list, [
      [
        'usernamePassword.check',
        ['password'],
        ['USERNAME_PASSWORD_REQUIRED', 'PASSWORD_REQUIRED', 'ACCOUNT_LINKING_REQUIRED'],
      ],
      [
        'assertion.check',
        ['assertion'],
        ['USERNAME_PASSWORD_REQUIRED', 'PASSWORD_REQUIRED', 'SIGN_ON_REQUIRED', 'ASSERTION_REQUIRED'],
      ],
      ['password.forgot', [], ['USERNAME_PASSWORD_REQUIRED', 'PASSWORD_REQUIRED', 'SIGN_ON_REQUIRED']],
      ['password.recover', ['recoveryCode', 'newPassword'], ['RECOVERY_CODE_REQUIRED']],
      ['password.sendRecoveryCode', [], ['RECOVERY_CODE_REQUIRED']],
      ['password.reset', ['currentPassword', 'newPassword'], ['MUST_CHANGE_PASSWORD', 'PASSWORD_EXPIRED']],
      ['user.register', ['password'], ['USERNAME_PASSWORD_REQUIRED', 'ACCOUNT_LINKING_REQUIRED', 'SIGN_ON_REQUIRED']],
      ['user.verify', ['verificationCode'], ['VERIFICATION_CODE_REQUIRED']],
      ['user.sendVerificationCode', [], ['VERIFICATION_CODE_REQUIRED']],
      ['user.confirm', [], ['ACCOUNT_CONFIRMATION_REQUIRED']],
      [
        'session.reset',
        [],
        [
          'PASSWORD_REQUIRED',
          'RECOVERY_CODE_REQUIRED',
          'ACCOUNT_CONFIRMATION_REQUIRED',
          'ACCOUNT_LINKING_REQUIRED',
          'EXTERNAL_AUTHENTICATION_REQUIRED',
          'OTP_REQUIRED',
          'DEVICE_SELECTION_REQUIRED',
          'ASSERTION_REQUIRED',
          'PUSH_CONFIRMATION_REQUIRED',
          'PUSH_CONFIRMATION_TIMED_OUT',
          'DAG_USER_CODE_REQUIRED',
          'DAG_CONSENT_REQUIRED',
        ],
      ],
      ['user.lookup', [], ['SIGN_ON_REQUIRED']],
      [
        'device.select',
        [],
        [
          'OTP_REQUIRED',
          'DEVICE_SELECTION_REQUIRED',
          'ASSERTION_REQUIRED',
          'PUSH_CONFIRMATION_REQUIRED',
          'PUSH_CONFIRMATION_TIMED_OUT',
        ],
      ],
      ['otp.check', ['otp'], ['OTP_REQUIRED', 'PUSH_CONFIRMATION_REQUIRED', 'PUSH_CONFIRMATION_TIMED_OUT']],
      ['cancel.push.authentication', [], ['PUSH_CONFIRMATION_REQUIRED']],
      ['user.update', [], ['PROFILE_DATA_REQUIRED']],
      ['user.consent', [], ['AGREEMENT_CONSENT_REQUIRED']],
      ['user.acceptInvite', ['inviteCode', 'password'], ['INVITATION_REQUIRED']],
      ['oauth.consent', [], ['CONSENT_REQUIRED']],
      ['deviceAuthGrant.userCode.verify', [], ['DAG_USER_CODE_REQUIRED']],
      ['deviceAuthGrant.consent', [], ['DAG_CONSENT_REQUIRED']],
    ])
  })

  test('actions that share a media type share its body', () => {
    for (const { name, body } of mediaTypes()) {
      for (const action of everyAction as readonly AnyAction[]) {
        if (acceptedBy(action).includes(name)) assert.equal(action.accepts[name]?.body, body)
      }
    }
  })

  test('bodies can be published, secrets marked', () => {
    const schema = JSON.stringify(mediaTypes().map(({ body }) => z.toJSONSchema(body)))
    assert.equal(schema.match(/"writeOnly":true/g)?.length, 11)
  })
})

suite('reading a request', () => {
  test('parts the body into what the machine sees and what it does not', () => {
    const body = { username: 'alice', password: `${canary}-1`, environment: { id: 'other' }, __proto__: { id: 'x' } }
    assert.deepEqual(readRequest('usernamePassword.check', body), {
      request: { type: 'usernamePassword.check', body: { username: 'alice' } },
      secrets: { password: `${canary}-1` },
    })
    const reset = readRequest('password.reset', { currentPassword: `${canary}-1`, newPassword: `${canary}-2` })
    assert.ok('request' in reset && !JSON.stringify(reset.request).includes(canary))
    assert.deepEqual(readRequest('session.reset', { userId: 'v' }), {
      request: { type: 'session.reset', body: {} },
      secrets: {},
    })
  })

  /** Rows: media type, body, then codes and targets of the details. */
  const refused = [
    ['usernamePassword.check', { username: 'alice' }, [['REQUIRED_VALUE', 'password']]],
    ['usernamePassword.check', { username: 'alice', password: '' }, [['REQUIRED_VALUE', 'password']]],
    ['usernamePassword.check', { username: '', password: 'x' }, [['REQUIRED_VALUE', 'username']]],
    ['usernamePassword.check', { username: ['alice'], password: 'x' }, [['INVALID_VALUE', 'username']]],
    ['usernamePassword.check', { username: 'alice', password: { $ne: null } }, [['INVALID_VALUE', 'password']]],
    ['usernamePassword.check', { username: 'a'.repeat(257), password: 'x' }, [['OUT_OF_RANGE', 'username']]],
    ['usernamePassword.check', { username: 'alice', password: 'x'.repeat(1025) }, [['OUT_OF_RANGE', 'password']]],
    [
      'password.reset',
      {},
      [
        ['REQUIRED_VALUE', 'currentPassword'],
        ['REQUIRED_VALUE', 'newPassword'],
      ],
    ],
  ] as const

  for (const [name, body, details] of refused) {
    test(`${name} with ${JSON.stringify(body).slice(0, 60)} is refused`, () => {
      const read = readRequest(name, body)
      assert.ok('refusal' in read)
      const { status, code } = read.refusal
      assert.deepEqual([status, code], [400, 'INVALID_DATA'])
      assert.deepEqual(
        read.refusal.details.map((detail) => [detail.code, detail.target]),
        details,
      )
    })
  }

  test('a body that is no object is malformed', () => {
    for (const body of [null, [], 'x', 3, true, undefined]) {
      const read = readRequest('session.reset', body)
      assert.ok('refusal' in read && read.refusal.code === 'INVALID_REQUEST' && read.refusal.details.length === 0)
    }
  })

  test('a refusal never quotes what was sent', () => {
    const read = readRequest('usernamePassword.check', { username: { canary }, password: canary.repeat(300) })
    assert.ok('refusal' in read && !JSON.stringify(read).includes(canary))
  })
})
