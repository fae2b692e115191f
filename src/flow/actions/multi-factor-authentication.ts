/**
 * MULTI_FACTOR_AUTHENTICATION: prove a second factor by one of the user's devices. authentication-api 4.2 `device.select`,
 * `otp.check`, 5.4, 6.3; decision D7; rows L01, L02, L06, L10.
 *
 * Never: a device of somebody else, or of a kind that the policy does not allow; anything about devices told of a user who
 * has only been named: they go on as if one e-mail device existed.
 */
import { z } from 'zod'
import { type ActionTurn, type Decision, defineAction, secret } from '../action.ts'
import type { Facts } from '../facts.ts'
import { type DeviceFacts, isSentTo, viewDevice } from '../factors/device.ts'
import { allows, type DeviceAuthenticationPolicy, usableDevices } from '../factors/device-authentication-policy.ts'
import type { Answer, AnswerTo } from '../question.ts'
import { noSuchDevice, tooManyCodes, tooManyTries, wrongPasscode } from '../refusal.ts'
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

type Config = z.infer<typeof config>
type Status = 'DEVICE_SELECTION_REQUIRED' | 'OTP_REQUIRED'

/** The device that was chosen; null while none is, and for somebody who was only named. */
const slot = z.strictObject({ deviceId: z.string().nullable() })

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
  statuses: ['OTP_REQUIRED', 'DEVICE_SELECTION_REQUIRED'],
  accepts: {
    'device.select': {
      in: ['DEVICE_SELECTION_REQUIRED', 'OTP_REQUIRED'],
      body: z.object({
        device: z.object({ id: z.string().max(100) }),
        compatibility: z.enum(['FULL', 'SECURITY_KEY_ONLY', 'NONE']).optional(),
      }),
    },
    'otp.check': { in: ['OTP_REQUIRED'], body: z.object({ otp: secret(z.string().min(1).max(64)) }) },
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
            policyId: turn.config.deviceAuthenticationPolicy?.id ?? null,
            flowId: turn.flow.id,
          },
        }
      case 'external':
        throw new Error('MULTI_FACTOR_AUTHENTICATION asks no identity provider')
      case 'answer':
        return judge(event.answer, turn.slot)
    }
  },
  viewFacts: ['devices', 'configuration'],
  view({ config: configured, slot: { deviceId }, facts }) {
    const policy = policyOf(configured, facts)
    const devices = policy ? usableDevices(facts.devices ?? [], policy).map(viewDevice) : []
    return {
      bypassAllowed: false,
      devices,
      ...(deviceId === null ? {} : { selectedDevice: { id: deviceId } }),
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
    return first
      ? use(turn, first)
      : { outcome: 'wait', status: 'OTP_REQUIRED', slot: { deviceId: null }, reason: 'passcode-needed' }
  }
  if (!first) return { outcome: 'fail', failure: 'NO_USABLE_DEVICES', reason: 'no-usable-device' }
  const selection = policyOf(turn.config, turn.facts)?.authentication?.deviceSelection
  if (selection === 'ALWAYS_DISPLAY_DEVICES' || (selection === 'PROMPT_TO_SELECT' && second)) {
    return { outcome: 'wait', status: 'DEVICE_SELECTION_REQUIRED', slot: { deviceId: null }, reason: 'device-needed' }
  }
  return use(turn, first)
}

/** Waits for the passcode of a device, after one was sent where the device makes none itself. */
function use({ user, config: configured, flow }: Turn, device: DeviceFacts): Decided {
  const chosen = { deviceId: device.id }
  if (!isSentTo(device.type) || !user) {
    return { outcome: 'wait', status: 'OTP_REQUIRED', slot: chosen, reason: 'passcode-needed' }
  }
  const policyId = configured.deviceAuthenticationPolicy?.id ?? null
  const question = { kind: 'sendPasscode', userId: user.id, deviceId: device.id, policyId, flowId: flow.id } as const
  return { outcome: 'ask', question, slot: chosen }
}

function judge(answer: Answer, chosen: Slot): Decided {
  switch (answer.to) {
    case 'sendPasscode':
      if (answer.result === 'lockedOut') return { outcome: 'refuse', refusal: tooManyCodes(answer.secondsUntilUnlock) }
      return { outcome: 'wait', status: 'OTP_REQUIRED', slot: chosen, reason: 'passcode-needed' }
    case 'checkPasscode':
      return judgePasscode(answer)
    default:
      throw new Error('MULTI_FACTOR_AUTHENTICATION asks for passcodes only')
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
