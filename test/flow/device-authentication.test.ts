/** What a stand-alone authentication decides, whatever comes in and in whatever order: authentication-api 6.4; row L02. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  cancelling,
  decodeDeviceAuthentication,
  type DeviceAuthenticationEvent,
  type DeviceAuthenticationFacts,
  deviceAuthenticationOffers,
  type DeviceAuthenticationState,
  deviceAuthenticationStatuses,
  encodeDeviceAuthentication,
  newDeviceAuthentication,
  stepDeviceAuthentication,
} from '../../src/flow/device-authentication.ts'
import type { UserFacts } from '../../src/flow/facts.ts'
import { type DeviceFacts, deviceTypes } from '../../src/flow/factors/device.ts'
import { defaultDeviceAuthenticationPolicy } from '../../src/flow/factors/device-authentication-policy.ts'
import type { Answer } from '../../src/flow/question.ts'

const user: UserFacts = {
  id: 'alice',
  enabled: true,
  locked: false,
  canAuthenticate: true,
  password: 'OK',
  mfaEnabled: true,
  verification: 'OK',
  attributes: {},
}
const devices: readonly DeviceFacts[] = deviceTypes.map((type) => {
  return { id: type, type, status: 'ACTIVE', isBlocked: false, nickname: null, target: null }
})
const facts: DeviceAuthenticationFacts = {
  id: 'authentication',
  user,
  devices,
  configuration: {
    identityProviders: new Map(),
    agreements: new Map(),
    scopes: new Map(),
    deviceAuthenticationPolicies: new Map([['standard', defaultDeviceAuthenticationPolicy]]),
    defaultDeviceAuthenticationPolicy,
  },
  now: 1_000_000,
}
const fresh = newDeviceAuthentication({
  policyId: 'standard',
  applicationId: null,
  oneTime: { id: 'once', type: 'EMAIL', address: 'once@example.org' },
})

const select = (id: string) => ({ type: 'device.select', body: { device: { id } } }) as const
const sent: fc.Arbitrary<DeviceAuthenticationEvent> = fc.oneof(
  fc.constantFrom<DeviceAuthenticationEvent>(
    { type: cancelling },
    { type: 'otp.check', body: {} },
    { type: 'assertion.check', body: { origin: 'https://auth.example.com' } },
  ),
  fc.constantFrom(...devices.map(({ id }) => id), 'once', 'somebody-elses').map(select),
)

/** One request: judged, and asked back where the world has to say something. `isRight`: what it would say to a secret. */
function carry(state: DeviceAuthenticationState, event: DeviceAuthenticationEvent, isRight: boolean, of = facts) {
  const first = stepDeviceAuthentication(state, event, of)
  if (first.kind !== 'ask') return first.kind === 'done' ? first.state : state
  const { kind: to } = first.question
  const answer = (
    to === 'sendPasscode'
      ? { to, result: 'sent' }
      : isRight
        ? { to, result: 'accepted', user, factor: 'EMAIL' }
        : { to, result: 'rejected' }
  ) as Answer
  const second = stepDeviceAuthentication(first.state, { type: 'answer', answer }, of)
  assert.notEqual(second.kind, 'ask')
  return second.kind === 'done' ? second.state : state
}

suite('stand-alone authentication', () => {
  test('is COMPLETED by a right secret alone, and nothing leaves COMPLETED', () => {
    const requests = fc.array(fc.tuple(sent, fc.boolean()), { maxLength: 12 })
    fc.assert(
      fc.property(
        fc.option(fc.constantFrom(...devices, { id: 'once' }), { nil: undefined }),
        requests,
        (chosen, all) => {
          let state = carry(fresh, chosen ? select(chosen.id) : { type: 'enter' }, false)
          let isProved = false
          for (const [event, isRight] of all) {
            const before = state
            const isTaken = deviceAuthenticationOffers(state).some((name) => name === event.type)
            state = carry(state, event, isRight)
            if (!isTaken) assert.deepEqual(state, before)
            isProved ||= isTaken && isRight && (event.type === 'otp.check' || event.type === 'assertion.check')
            if (before.status === 'COMPLETED') assert.deepEqual(state, before)
            assert.equal(state.status === 'COMPLETED', isProved)
            assert.deepEqual(decodeDeviceAuthentication(encodeDeviceAuthentication(state)), state)
          }
        },
      ),
    )
  })

  test('an account that cannot be used proves nothing, in no status', () => {
    for (const changed of [{ enabled: false }, { locked: true }, { canAuthenticate: false }]) {
      const of = { ...facts, user: { ...user, ...changed } }
      for (const status of deviceAuthenticationStatuses.filter((each) => each !== 'COMPLETED' && each !== 'FAILED')) {
        for (const type of deviceAuthenticationOffers({ ...fresh, status })) {
          const event = (
            type === 'device.select' ? select('EMAIL') : { type, body: { origin: '' } }
          ) as DeviceAuthenticationEvent
          const state = carry({ ...fresh, status }, event, true, of)
          assert.deepEqual([state.status, state.failure?.code], ['FAILED', 'ACCOUNT_NOT_USABLE'], `${status} ${type}`)
        }
      }
    }
  })

  test('what was written by a newer release is not guessed at, and what is broken is an error', () => {
    assert.equal(decodeDeviceAuthentication('{"v":2,"state":{}}'), undefined)
    assert.throws(() => decodeDeviceAuthentication('{"v":1,"state":{}}'))
  })
})
