/**
 * MULTI_FACTOR_AUTHENTICATION: prove a second factor by one of the user's devices. authentication-api 4.2 `device.select`,
 * `otp.check`, `assertion.check`, 5.4, 6.3; decision D7; rows L01, L02, L06, L10, L22.
 *
 * Never: a device of somebody else, or of a kind that the policy does not allow; anything about devices told of a user who
 * has only been named: they go on as if one e-mail device existed.
 */
import { z } from 'zod'
import { type ActionTurn, type Decision, defineAction, secret } from '../action.ts'
import type { Facts } from '../facts.ts'
import { type DeviceFacts, isSentTo, takesPasscode, viewDevice } from '../factors/device.ts'
import { allows, type DeviceAuthenticationPolicy, usableDevices } from '../factors/device-authentication-policy.ts'
import type { Answer, AnswerTo } from '../question.ts'
import { noSuchDevice, tooManyCodes, tooManyTries, wrongAssertion, wrongPasscode } from '../refusal.ts'
import { unavailable } from './unavailable.ts'

const off = z.object({ enabled: z.boolean() }).optional()

const config = z.object({
  deviceAuthenticationPolicy: z.object({ id: z.string() }).optional(),
  noDevicesMode: z.enum(['BLOCK', 'BYPASS']).optional(),
  // The old form, one switch per kind of device: accepted only where it asks for nothing.
  authenticator: off,
  boundBiometrics: off,
  email: off,
  securityKey: off,
  sms: off,
  voice: off,
  applications: z.array(z.looseObject({})).optional(),
})

/** What the client's browser can do with FIDO2 devices. */
const compatibility = z.enum(['FULL', 'SECURITY_KEY_ONLY', 'NONE']).optional()

type Config = z.infer<typeof config>
type Status = 'DEVICE_SELECTION_REQUIRED' | 'OTP_REQUIRED' | 'ASSERTION_REQUIRED'

/**
 * The device that was chosen; null while none is, and for somebody who was only named. `challengedAt`: when a FIDO2 device
 * was asked to sign, epoch milliseconds.
 */
const slot = z.strictObject({ deviceId: z.string().nullable(), challengedAt: z.int().exactOptional() })

/** A challenge is answered within five minutes, or not at all (row L22). */
const challengeMilliseconds = 300_000

type Slot = z.infer<typeof slot>
type Turn = ActionTurn<Config, Slot, unknown>
type Decided = Decision<Slot, Status>

export const multiFactorAuthentication = defineAction({
  type: 'MULTI_FACTOR_AUTHENTICATION',
  config,
  problems: (configured) => [
    // It lets users without a device pass by a signed login_hint_token, which does not exist yet.
    ...unavailable(configured.noDevicesMode === 'BYPASS', 'noDevicesMode'),
    ...(['authenticator', 'boundBiometrics', 'email', 'securityKey', 'sms', 'voice'] as const).flatMap((kind) =>
      unavailable(configured[kind]?.enabled, `${kind}.enabled`),
    ),
    ...unavailable(configured.applications?.length, 'applications'),
  ],
  conditionFacts: ['session', 'user', 'request'],
  needs: ['devices', 'configuration'],
  slot,
  freshSlot: { deviceId: null },
  statuses: ['OTP_REQUIRED', 'DEVICE_SELECTION_REQUIRED', 'ASSERTION_REQUIRED'],
  accepts: {
    'device.select': {
      in: ['DEVICE_SELECTION_REQUIRED', 'OTP_REQUIRED', 'ASSERTION_REQUIRED'],
      body: z.object({ device: z.object({ id: z.string().max(100) }), compatibility }),
    },
    'otp.check': { in: ['OTP_REQUIRED'], body: z.object({ otp: secret(z.string().min(1).max(64)) }) },
    'assertion.check': {
      in: ['ASSERTION_REQUIRED'],
      body: z.object({
        origin: z.string().max(300),
        assertion: secret(z.string().min(1).max(20_000)),
        compatibility,
      }),
    },
  },
  setsPasswordIn: [],
  methods: ['mfa'],
  isPrimary: false,
  isDemandedBy: () => false,
  isSatisfied: (proofs, configured, { facts }) => {
    const policy = policyOf(configured, facts)
    return proofs.some(({ method, factor }) => method === 'mfa' && factor && policy && allows(policy, factor))
  },

  decide(turn): Decided {
    const { event, user } = turn
    switch (event.type) {
      case 'enter':
        return user === null && turn.identifier === null
          ? { outcome: 'fail', failure: 'POLICY_NOT_SATISFIED', reason: 'action-failed' }
          : choose(turn)
      case 'device.select': {
        const device = devicesOf(turn).find(({ id }) => id === event.body.device.id)
        return device ? use(turn, device) : { outcome: 'refuse', refusal: noSuchDevice }
      }
      case 'otp.check':
        return {
          outcome: 'ask',
          question: {
            kind: 'checkPasscode',
            userId: user?.id ?? null,
            identifier: turn.identifier ?? '',
            // One that was blocked or removed since it was chosen proves nothing; the try is counted all the same.
            deviceId: devicesOf(turn).find(({ id }) => id === turn.slot.deviceId)?.id ?? null,
            policyId: policyIdOf(turn.config),
            flowId: turn.flow.id,
          },
        }
      case 'assertion.check':
        return checkAssertion(turn, event.body.origin)
      case 'external':
        throw new Error('MULTI_FACTOR_AUTHENTICATION asks no identity provider')
      case 'answer':
        return judge(event.answer, turn.slot)
    }
  },
  viewFacts: ['devices', 'configuration'],
  view({ config: configured, slot: { deviceId, challengedAt }, facts }) {
    const policy = policyOf(configured, facts)
    const devices = policy ? usableDevices(facts.devices ?? [], policy) : []
    const policyId = policyIdOf(configured)
    return {
      bypassAllowed: false,
      devices: devices.map(viewDevice),
      ...(deviceId === null ? {} : { selectedDevice: { id: deviceId } }),
      ...(challengedAt === undefined ? {} : { assertion: { deviceIds: signersOf(devices), policyId, challengedAt } }),
    }
  },
})

/** The policy that the action names, or the environment's default; undefined when it is gone. */
function policyOf(
  { deviceAuthenticationPolicy }: Config,
  { configuration }: Facts,
): DeviceAuthenticationPolicy | undefined {
  if (!deviceAuthenticationPolicy) return configuration?.defaultDeviceAuthenticationPolicy
  return configuration?.deviceAuthenticationPolicies.get(deviceAuthenticationPolicy.id)
}

function policyIdOf({ deviceAuthenticationPolicy }: Config): string | null {
  return deviceAuthenticationPolicy?.id ?? null
}

/** Any FIDO2 device of the user may sign, whichever was chosen: the browser knows which of them is at hand. */
function signersOf(devices: readonly DeviceFacts[]): readonly string[] {
  return devices.filter(({ type }) => type === 'FIDO2').map(({ id }) => id)
}

/** The devices that may be used now. */
function devicesOf({ config: configured, facts }: Turn): readonly DeviceFacts[] {
  const policy = policyOf(configured, facts)
  return policy && facts.user?.mfaEnabled ? usableDevices(facts.devices ?? [], policy) : []
}

/** How the first status is picked: authentication-api 6.3. */
function choose(turn: Turn): Decided {
  const devices = devicesOf(turn)
  const [first, second] = devices
  if (turn.user === null || turn.user.knownBy === 'identifier') {
    // Which credentials somebody has is told to nobody else: they are asked for a passcode.
    const named = devices.find(({ type }) => takesPasscode(type))
    return named
      ? use(turn, named)
      : { outcome: 'wait', status: 'OTP_REQUIRED', slot: { deviceId: null }, reason: 'passcode-needed' }
  }
  if (!first) {
    const unavailableDevices = (turn.facts.devices ?? []).map(({ id }) => ({ id }))
    return {
      outcome: 'fail',
      failure: 'NO_USABLE_DEVICES',
      details: { unavailableDevices },
      reason: 'no-usable-device',
    }
  }
  const selection = policyOf(turn.config, turn.facts)?.authentication?.deviceSelection
  if (selection === 'ALWAYS_DISPLAY_DEVICES' || (selection === 'PROMPT_TO_SELECT' && second)) {
    return { outcome: 'wait', status: 'DEVICE_SELECTION_REQUIRED', slot: { deviceId: null }, reason: 'device-needed' }
  }
  return use(turn, first)
}

/** Waits for what the device proves itself by: a signature, or a passcode, after one was sent where it makes none itself. */
function use({ user, config: configured, flow, now }: Turn, device: DeviceFacts): Decided {
  const chosen = { deviceId: device.id }
  if (!takesPasscode(device.type)) {
    const challenged = { ...chosen, challengedAt: now }
    return { outcome: 'wait', status: 'ASSERTION_REQUIRED', slot: challenged, reason: 'assertion-needed' }
  }
  if (!isSentTo(device.type) || !user) {
    return { outcome: 'wait', status: 'OTP_REQUIRED', slot: chosen, reason: 'passcode-needed' }
  }
  const policyId = policyIdOf(configured)
  const question = { kind: 'sendPasscode', userId: user.id, deviceId: device.id, policyId, flowId: flow.id } as const
  return { outcome: 'ask', question, slot: chosen }
}

function checkAssertion(turn: Turn, origin: string): Decided {
  const {
    user,
    slot: { challengedAt },
    flow,
    now,
  } = turn
  if (!user || challengedAt === undefined || now - challengedAt > challengeMilliseconds) {
    return { outcome: 'refuse', refusal: wrongAssertion }
  }
  const question = {
    kind: 'checkAssertion',
    userId: user.id,
    // One that was blocked or removed since the challenge was made proves nothing (row L02).
    deviceIds: signersOf(devicesOf(turn)),
    policyId: policyIdOf(turn.config),
    flowId: flow.id,
    challengedAt,
    origin,
  } as const
  return { outcome: 'ask', question }
}

function judge(answer: Answer, chosen: Slot): Decided {
  switch (answer.to) {
    case 'sendPasscode':
      if (answer.result === 'lockedOut') return { outcome: 'refuse', refusal: tooManyCodes(answer.secondsUntilUnlock) }
      return { outcome: 'wait', status: 'OTP_REQUIRED', slot: chosen, reason: 'passcode-needed' }
    case 'checkPasscode':
      return judgePasscode(answer)
    case 'checkAssertion':
      return judgeAssertion(answer)
    default:
      throw new Error('MULTI_FACTOR_AUTHENTICATION asks about devices only')
  }
}

function judgePasscode(answer: AnswerTo<'checkPasscode'>): Decided {
  switch (answer.result) {
    case 'rejected':
      return { outcome: 'refuse', refusal: wrongPasscode }
    case 'lockedOut':
      return { outcome: 'refuse', refusal: tooManyTries('otp', answer.secondsUntilUnlock) }
    case 'accepted':
      return {
        outcome: 'prove',
        methods: ['mfa'],
        factor: answer.factor,
        user: answer.user,
        reason: 'passcode-accepted',
      }
  }
}

function judgeAssertion(answer: AnswerTo<'checkAssertion'>): Decided {
  switch (answer.result) {
    case 'rejected':
      return { outcome: 'refuse', refusal: wrongAssertion }
    case 'lockedOut':
      return { outcome: 'refuse', refusal: tooManyTries('assertion', answer.secondsUntilUnlock) }
    case 'accepted':
      return { outcome: 'prove', methods: ['mfa'], factor: 'FIDO2', user: answer.user, reason: 'assertion-accepted' }
  }
}
