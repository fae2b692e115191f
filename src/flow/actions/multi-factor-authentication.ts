/**
 * MULTI_FACTOR_AUTHENTICATION: prove a second factor by one of the user's devices. authentication-api 4.2 `device.select`,
 * `otp.check`, `assertion.check`, 5.4, 6.3; decision D7; rows J25, L01, L02, L06, L10, L22, L34. The part that waits for an
 * app is in push-confirmation.ts.
 *
 * Never: a device of somebody else, or of a kind that the policy does not allow; anything about devices told of a user who
 * has only been named: they go on as if one e-mail device existed.
 */
import { z } from 'zod'
import { type ActionTurn, type Decision, defineAction, noBody } from '../action.ts'
import { assertionBody, compatibility, rememberMe } from '../factors/assertion.ts'
import { type DeviceFacts, isSentTo, signersOf, takesPasscode, viewDevice } from '../factors/device.ts'
import {
  allows,
  remembers,
  sharesFido2Policy,
  takesAppPasscode,
  takesPush,
  usableDevices,
} from '../factors/device-authentication-policy.ts'
import { remembering, sparedUser } from '../factors/remembered.ts'
import type { Answer, Effect } from '../question.ts'
import { noSuchDevice, tooManyCodes, wrongAssertion } from '../refusal.ts'
import { judgeAssertion, judgePasscode } from './device-proofs.ts'
import {
  config,
  type MultiFactorConfig as Config,
  policyIdOf,
  policyOf,
  problems,
} from './multi-factor-configuration.ts'
import { cancelBody, judgePushAnswer, judgeSentPush, pushLapse, pushSlot, pushStatuses } from './push-confirmation.ts'
import { secret } from '../secret.ts'

/** The statuses in which a device is asked for, or which one. */
const asking = ['OTP_REQUIRED', 'DEVICE_SELECTION_REQUIRED', 'ASSERTION_REQUIRED', ...pushStatuses] as const

type Status = (typeof asking)[number]

/**
 * The device that was chosen; null while none is, and for somebody who was only named. `challengedAt`: when a FIDO2 device
 * was asked to sign, epoch milliseconds. `remembers`: the browser shall be remembered once what was sent is right. `push`:
 * the request that an app was sent.
 */
const slot = z.strictObject({
  deviceId: z.string().nullable(),
  challengedAt: z.int().exactOptional(),
  push: pushSlot.exactOptional(),
  remembers: z.literal(true).exactOptional(),
})

/** A challenge is answered within five minutes, or not at all (row L22). */
const challengeMilliseconds = 300_000

type Slot = z.infer<typeof slot>
type Turn = ActionTurn<Config, Slot, unknown>
type Decided = Decision<Slot, Status>

export const multiFactorAuthentication = defineAction({
  type: 'MULTI_FACTOR_AUTHENTICATION',
  config,
  problems,
  conditionFacts: ['session', 'user', 'request'],
  needs: ['devices', 'configuration', 'remembered'],
  slot,
  freshSlot: { deviceId: null },
  statuses: asking,
  accepts: {
    'device.select': {
      in: asking,
      body: z.object({ device: z.object({ id: z.string().max(100) }), compatibility }),
    },
    'otp.check': {
      in: ['OTP_REQUIRED', ...pushStatuses],
      body: z.object({ otp: secret(z.string().min(1).max(64)), rememberMe }),
    },
    'cancel.push.authentication': { in: ['PUSH_CONFIRMATION_REQUIRED'], body: cancelBody },
    'assertion.check': { in: ['ASSERTION_REQUIRED'], body: assertionBody },
    'session.reset': { in: asking, body: noBody },
  },
  setsPasswordIn: [],
  methods: ['mfa', 'remembered', 'vouched'],
  isPrimary: false,
  isDemandedBy: () => false,
  isSatisfied: (proofs, configured, { facts }) => {
    const policy = policyOf(configured, facts)
    if (!policy) return false
    const standard = facts.configuration?.defaultDeviceAuthenticationPolicy
    return proofs.some(({ method, factor, userVerified }) => {
      if (method === 'remembered') return remembers(policy) !== undefined
      if (method === 'vouched') return configured.noDevicesMode === 'BYPASS'
      if (method !== 'mfa' || !factor || !allows(policy, factor)) return false
      // A passkey in the place of a password was judged by the default policy.
      return !userVerified || sharesFido2Policy(policy, standard)
    })
  },

  decide(turn): Decided {
    const { event, user } = turn
    switch (event.type) {
      case 'enter': {
        if (user === null && turn.identifier === null) {
          return { outcome: 'fail', failure: 'POLICY_NOT_SATISFIED', reason: 'action-failed' }
        }
        const spared = sparedUser(policyOf(turn.config, turn.facts), turn)
        return spared
          ? { outcome: 'prove', methods: ['remembered'], user: spared, reason: 'browser-remembered' }
          : choose(turn)
      }
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
            deviceId: showingPasscodes(turn)?.id ?? null,
            policyId: policyIdOf(turn.config),
            flowId: turn.flow.id,
          },
          slot: withRemembering(turn, event.body.rememberMe),
        }
      case 'assertion.check':
        return checkAssertion(turn, event.body)
      case 'cancel.push.authentication':
        return {
          outcome: 'wait',
          status: 'DEVICE_SELECTION_REQUIRED',
          slot: { deviceId: null },
          reason: 'push-cancelled',
        }
      case 'session.reset':
        return { outcome: 'restart', reason: 'session-reset' }
      case 'external':
        throw new Error('MULTI_FACTOR_AUTHENTICATION asks no identity provider')
      case 'answer':
        return judge(event.answer, turn)
    }
  },
  lapse: ({ push }, status) => (status === 'PUSH_CONFIRMATION_REQUIRED' ? pushLapse(push) : undefined),
  answerPush(turn): Decided {
    const device = chosenDevice(turn)
    return judgePushAnswer({ slot: turn.slot, device, user: turn.facts.user ?? null, now: turn.now }, turn.event)
  },
  viewFacts: ['devices', 'configuration'],
  view({ config: configured, slot: { deviceId, challengedAt, push }, facts }) {
    const policy = policyOf(configured, facts)
    const devices = policy ? usableDevices(facts.devices ?? [], policy) : []
    const policyId = policyIdOf(configured)
    const lifeTime = policy && remembers(policy)
    return {
      bypassAllowed: false,
      devices: devices.map(viewDevice),
      ...(deviceId === null ? {} : { selectedDevice: { id: deviceId } }),
      ...(lifeTime ? { rememberMe: { lifeTime } } : {}),
      ...(challengedAt === undefined ? {} : { assertion: { deviceIds: signersOf(devices), policyId, challengedAt } }),
      ...(push ? { push } : {}),
    }
  },
})

/** The devices that may be used now. */
function devicesOf({ config: configured, facts, user }: Turn): readonly DeviceFacts[] {
  const policy = policyOf(configured, facts)
  const usable = policy && facts.user?.mfaEnabled ? usableDevices(facts.devices ?? [], policy) : []
  // Nobody is there to type or to choose anything: an app may be asked.
  return user?.knownBy === 'hint' ? usable.filter((device) => policy && takesPush(policy, device)) : usable
}

/** The device that was chosen, as long as it may be used. */
function chosenDevice(turn: Turn): DeviceFacts | undefined {
  return devicesOf(turn).find(({ id }) => id === turn.slot.deviceId)
}

/** The chosen device where passcodes of it are taken. */
function showingPasscodes(turn: Turn): DeviceFacts | undefined {
  const device = chosenDevice(turn)
  return device && (takesPasscode(device.type) || isAppPasscodeTaken(turn, device)) ? device : undefined
}

function isAppPasscodeTaken({ config: configured, facts }: Turn, device: DeviceFacts): boolean {
  const policy = policyOf(configured, facts)
  return policy !== undefined && takesAppPasscode(policy, device)
}

/** How the first status is picked: authentication-api 6.3. */
function choose(turn: Turn): Decided {
  const devices = devicesOf(turn)
  const [first, second] = devices
  if (turn.user === null || turn.user.knownBy === 'identifier') {
    // Which credentials somebody has is told to nobody else: they are asked for a passcode, and as often as anybody.
    return send(turn, devices.find(({ type }) => takesPasscode(type))?.id ?? null)
  }
  const user = turn.facts.user ?? null
  if (!first && user && turn.isVouched && turn.config.noDevicesMode === 'BYPASS') {
    return { outcome: 'prove', methods: ['vouched'], user, reason: 'no-device-bypassed' }
  }
  if (!first) {
    const details = { unavailableDevices: (turn.facts.devices ?? []).map(({ id }) => ({ id })) }
    return { outcome: 'fail', failure: 'NO_USABLE_DEVICES', details, reason: 'no-usable-device' }
  }
  const selection = policyOf(turn.config, turn.facts)?.authentication?.deviceSelection
  const isOpen = selection === 'PROMPT_TO_SELECT' || first.isUnordered
  const isAsked = selection === 'ALWAYS_DISPLAY_DEVICES' || (isOpen && second)
  if (isAsked && turn.user.knownBy !== 'hint') {
    return { outcome: 'wait', status: 'DEVICE_SELECTION_REQUIRED', slot: { deviceId: null }, reason: 'device-needed' }
  }
  return use(turn, first)
}

/** Waits for what the device proves itself by: a signature, or a passcode, after one was sent where it makes none itself. */
function use(turn: Turn, device: DeviceFacts): Decided {
  const { user, config: configured, facts, flow, now } = turn
  const chosen = { deviceId: device.id }
  const policy = policyOf(configured, facts)
  if (user && policy && takesPush(policy, device)) {
    const asked = { userId: user.id, deviceId: device.id, policyId: policyIdOf(configured), flowId: flow.id }
    return { outcome: 'ask', question: { kind: 'sendPush', ...asked }, slot: chosen }
  }
  if (device.type === 'FIDO2') {
    const challenged = { ...chosen, challengedAt: now }
    return { outcome: 'wait', status: 'ASSERTION_REQUIRED', slot: challenged, reason: 'assertion-needed' }
  }
  if (!isSentTo(device.type) || !user) {
    return { outcome: 'wait', status: 'OTP_REQUIRED', slot: chosen, reason: 'passcode-needed' }
  }
  return send(turn, device.id)
}

/** Has a passcode sent, where there is anything to send it to. */
function send({ user, identifier, config: configured, flow }: Turn, deviceId: string | null): Decided {
  const asked = { userId: user?.id ?? null, identifier: identifier ?? '', deviceId, policyId: policyIdOf(configured) }
  return { outcome: 'ask', question: { kind: 'sendPasscode', ...asked, flowId: flow.id }, slot: { deviceId } }
}

function checkAssertion(
  turn: Turn,
  sent: { readonly origin: string; readonly rememberMe?: boolean | undefined },
): Decided {
  const { origin } = sent
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
  return { outcome: 'ask', question, slot: withRemembering(turn, sent.rememberMe) }
}

function withRemembering({ slot: { remembers: _, ...chosen } }: Turn, asked: boolean | undefined): Slot {
  return asked ? { ...chosen, remembers: true } : chosen
}

function judge(answer: Answer, turn: Turn): Decided {
  const chosen = turn.slot
  switch (answer.to) {
    case 'sendPasscode':
      if (answer.result === 'lockedOut') return { outcome: 'refuse', refusal: tooManyCodes(answer.secondsUntilUnlock) }
      return { outcome: 'wait', status: 'OTP_REQUIRED', slot: chosen, reason: 'passcode-needed' }
    case 'sendPush':
      return judgeSentPush(answer, chosen.deviceId, showingPasscodes(turn) !== undefined)
    case 'checkPasscode':
      return judgePasscode(answer, effectsOf(turn))
    case 'checkAssertion':
      return judgeAssertion(answer, effectsOf(turn))
    default:
      throw new Error('MULTI_FACTOR_AUTHENTICATION asks about devices only')
  }
}

/** What becomes of the browser in which a second factor was proved. */
function effectsOf({
  config: configured,
  facts,
  slot: { remembers: asked },
}: Turn): (userId: string) => readonly Effect[] {
  return (userId) => remembering(policyOf(configured, facts), asked, userId)
}
