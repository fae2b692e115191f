import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type DeviceFacts, deviceTypes, maskEmail, maskPhone, viewDevice } from '../../../src/flow/factors/device.ts'
import {
  type DeviceAuthenticationPolicy,
  defaultDeviceAuthenticationPolicy as standard,
  deviceAuthenticationPolicySchema,
  triesOf,
  policyProblems,
  usableDevices,
} from '../../../src/flow/factors/device-authentication-policy.ts'

const device = (more: Partial<DeviceFacts> = {}): DeviceFacts => ({
  id: 'device',
  type: 'EMAIL',
  status: 'ACTIVE',
  isBlocked: false,
  nickname: null,
  target: null,
  ...more,
})

suite('devices', () => {
  test('J27: an address or number is masked, whatever its length', () => {
    const masked = [
      ['ada@example.com', 'a*****@example.com'],
      ['a@example.com', 'a*****@example.com'],
      ['ada.byron.lovelace@example.com', 'a*****@example.com'],
      ['𝒜da@example.com', '𝒜*****@example.com'],
      ['nothing', 'n*****'],
    ]
    for (const [address = '', shown] of masked) assert.equal(maskEmail(address), shown)
    assert.equal(maskPhone('+1.5125201234'), '*******34')
  })

  test('what is shown says where codes go by its own name, and nothing of what is absent', () => {
    assert.deepEqual(viewDevice(device({ target: 'a*****@example.com' })), {
      id: 'device',
      type: 'EMAIL',
      status: 'ACTIVE',
      email: 'a*****@example.com',
    })
    const phone = viewDevice(device({ type: 'SMS', target: '*******34', nickname: 'Work' }))
    assert.deepEqual([phone.phone, phone.email, phone.nickname], ['*******34', undefined, 'Work'])
    assert.deepEqual(viewDevice(device({ type: 'TOTP' })), { id: 'device', type: 'TOTP', status: 'ACTIVE' })
  })

  test('L02, L06: of all devices those may be used that are active, not blocked, and of a kind the policy takes', () => {
    const every = deviceTypes.flatMap((type) => [
      device({ id: `${type}`, type }),
      device({ id: `${type} pending`, type, status: 'ACTIVATION_REQUIRED' }),
      device({ id: `${type} blocked`, type, isBlocked: true }),
    ])
    const only = (
      member: 'email' | 'sms' | 'voice' | 'totp' | 'fido2' | 'recoveryCodes',
    ): DeviceAuthenticationPolicy => ({
      ...standard,
      email: { ...standard.email, enabled: member === 'email' },
      sms: { ...standard.sms, enabled: member === 'sms' },
      voice: { ...standard.voice, enabled: member === 'voice' },
      totp: { ...standard.totp, enabled: member === 'totp' },
      fido2: { enabled: member === 'fido2' },
      recoveryCodes: { enabled: member === 'recoveryCodes' },
    })
    const usable = (policy: DeviceAuthenticationPolicy) => usableDevices(every, policy).map(({ id }) => id)
    assert.deepEqual(usable(only('email')), ['EMAIL'])
    assert.deepEqual(usable(only('sms')), ['SMS'])
    assert.deepEqual(usable(only('voice')), ['VOICE'])
    assert.deepEqual(usable(only('totp')), ['TOTP'])
    assert.deepEqual(usable(only('fido2')), ['FIDO2'])
    assert.deepEqual(usable(only('recoveryCodes')), ['RECOVERY_CODE'])
    assert.deepEqual(usable(standard), ['EMAIL', 'SMS', 'VOICE', 'TOTP', 'FIDO2', 'RECOVERY_CODE'])
    const { fido2: _, recoveryCodes: __, ...without } = standard
    assert.deepEqual(usable(without), ['EMAIL', 'SMS', 'VOICE', 'TOTP'], 'what a policy does not name is off')
  })
})

suite('device authentication policies', () => {
  test('the bootstrap policy is one that may be written', () => {
    assert.ok(deviceAuthenticationPolicySchema.safeParse(standard).success)
    assert.deepEqual(policyProblems(standard), [])
  })

  test('what this version does not have cannot be switched on', () => {
    const off = { enabled: false }
    const asked: readonly (readonly [Partial<DeviceAuthenticationPolicy>, string])[] = [
      [
        { mobile: { ...standard.mobile, applications: [{ id: 'app', autoEnrollment: { enabled: true } }] } },
        'mobile.applications.0.autoEnrollment.enabled',
      ],
      [{ whatsApp: { ...standard.sms, enabled: true } }, 'whatsApp.enabled'],
      [{ oathToken: { enabled: true } }, 'oathToken.enabled'],
      [
        { rememberMe: { web: { enabled: true, lifeTime: { duration: 366, timeUnit: 'DAYS' } } } },
        'rememberMe.web.lifeTime',
      ],
      [{ ignoreUserLock: true }, 'ignoreUserLock'],
    ]
    for (const [more, target] of asked) {
      assert.deepEqual(
        policyProblems({ ...standard, ...more }).map((problem) => problem.target),
        [target],
      )
    }
    const web = { enabled: true, lifeTime: { duration: 365, timeUnit: 'DAYS' } } as const
    assert.deepEqual(policyProblems({ ...standard, oathToken: off, rememberMe: { web } }), [])
  })

  test('L10: a passcode may be tried as often as the policy says, never more than seven times in two minutes', () => {
    assert.deepEqual(triesOf(standard, 'EMAIL'), { guesses: 3, seconds: 120 })
    const failure = { count: 7, coolDown: { duration: 30, timeUnit: 'MINUTES' } } as const
    const lenient = { ...standard, totp: { ...standard.totp, otp: { failure } } }
    assert.deepEqual(triesOf(lenient, 'TOTP'), { guesses: 7, seconds: 1800 })
    const endless = { ...standard.totp, otp: { failure: { ...failure, count: 8 } } }
    assert.ok(!deviceAuthenticationPolicySchema.safeParse({ ...standard, totp: endless }).success)
  })
})
