/**
 * Stand-alone MFA: a user proves a second factor to an application that asks for it, without a flow. authentication-api
 * 6.4; rows L01, L02, L06, L22. Which device, what it is asked for and what proves it is decided by
 * MULTI_FACTOR_AUTHENTICATION itself, as in a flow; here is what a flow would otherwise be around it.
 *
 * Never: a way out of COMPLETED or FAILED; an account that cannot be used; an answer of an app that was not asked, or not asked
 * any more.
 */
import { z } from 'zod'
import { multiFactorAuthentication as action } from './actions/multi-factor-authentication.ts'
import type { ReadRequest } from './media-types.ts'
import { isUsable, type UserFacts } from './facts.ts'
import type { FlowConfiguration } from './configuration.ts'
import { type DeviceFacts, oneTimeDevice, oneTimeFacts, viewDevice } from './factors/device.ts'
import { failure, failureSchema } from './failure.ts'
import type { PushAnswer } from './factors/push.ts'
import type { Answer, Question } from './question.ts'
import { clientContext, transactionText } from './transaction-text.ts'
import { actionNotAllowed, noSuchRequest, type Refusal } from './refusal.ts'

/** The statuses, in the words of authentication-api 6.4. */
export const deviceAuthenticationStatuses = [...action.statuses, 'COMPLETED', 'FAILED'] as const

const stateSchema = z.strictObject({
  policyId: z.string(),
  /** What the user is told that they sign on to. */
  applicationId: z.string().nullable(),
  oneTime: oneTimeDevice.nullable(),
  /** What the user is told in the place of the usual. */
  text: transactionText.exactOptional(),
  /** What their app is told. */
  clientContext: clientContext.exactOptional(),
  status: z.enum(deviceAuthenticationStatuses),
  slot: action.slot,
  /** What the status would take and this one does not: the app that was asked shows no passcodes. */
  withholds: z.array(z.string()).exactOptional(),
  failure: failureSchema.nullable(),
})

/** What is remembered between two requests. */
export type DeviceAuthenticationState = Readonly<z.infer<typeof stateSchema>>

const versioned = z.strictObject({ v: z.int(), state: z.unknown() })

/** The text form of a state. */
export function encodeDeviceAuthentication(state: DeviceAuthenticationState): string {
  return JSON.stringify({ v: 1, state })
}

/** Reads the text form; undefined for one of a newer release. @throws when it is not what it says it is */
export function decodeDeviceAuthentication(text: string): DeviceAuthenticationState | undefined {
  const { v, state } = versioned.parse(JSON.parse(text))
  return v === 1 ? stateSchema.parse(state) : undefined
}

/** A state before anything is decided. */
export function newDeviceAuthentication(
  asked: Pick<DeviceAuthenticationState, keyof ReturnType<typeof askedIn>>,
): DeviceAuthenticationState {
  return { ...asked, status: 'DEVICE_SELECTION_REQUIRED', slot: action.freshSlot, failure: null }
}

/** The media types of the action that an authentication takes. */
export const deviceAuthenticationActions = ['device.select', 'otp.check', 'assertion.check'] as const

/** The name by which the device in use is given up: `{"reason":"CHANGE_DEVICE"}`. */
export const cancelling = 'cancel.push.authentication'

/** What comes in. `enter`: no device was named, so one is chosen. */
export type DeviceAuthenticationEvent =
  | { readonly type: 'enter' }
  | { readonly type: typeof cancelling }
  | Extract<ReadRequest['request'], { readonly type: (typeof deviceAuthenticationActions)[number] }>
  | { readonly type: 'answer'; readonly answer: Answer }
  /** The app on a device has answered, whose signature is verified. */
  | { readonly type: 'push'; readonly answer: PushAnswer }

/** What an authentication takes now; each is a link. */
export function deviceAuthenticationOffers({
  status,
  withholds = [],
}: DeviceAuthenticationState): readonly ((typeof deviceAuthenticationActions)[number] | typeof cancelling)[] {
  const taken = deviceAuthenticationActions.filter(
    (name) => action.accepts[name].in.some((each) => each === status) && !withholds.includes(name),
  )
  const hasDevice = taken.length > 0 && status !== 'DEVICE_SELECTION_REQUIRED'
  return hasDevice ? [...taken, cancelling] : taken
}

/**
 * The state at a moment: a push request that was not answered has timed out.
 * @param now epoch milliseconds
 */
export function deviceAuthenticationAsOf(state: DeviceAuthenticationState, now: number): DeviceAuthenticationState {
  const lapsed = action.lapse?.(state.slot, state.status)
  return lapsed && now >= lapsed.at ? { ...state, status: lapsed.status } : state
}

/** What is decided from. */
export interface DeviceAuthenticationFacts {
  /** Of the authentication. */
  readonly id: string
  /** As the directory holds them now. */
  readonly user: UserFacts
  /** The user's own, in their order. */
  readonly devices: readonly DeviceFacts[]
  readonly configuration: FlowConfiguration
  /** Epoch milliseconds. */
  readonly now: number
}

/** What was decided: the next state, a question whose answer is the next event, or nothing since the request does not fit. */
export type DeviceAuthenticationStep =
  | { readonly kind: 'done'; readonly state: DeviceAuthenticationState }
  | { readonly kind: 'ask'; readonly state: DeviceAuthenticationState; readonly question: Question }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** Judges one event. */
export function stepDeviceAuthentication(
  state: DeviceAuthenticationState,
  event: DeviceAuthenticationEvent,
  { id, user, devices, configuration, now }: DeviceAuthenticationFacts,
): DeviceAuthenticationStep {
  if (event.type === 'push' && state.status !== 'PUSH_CONFIRMATION_REQUIRED') {
    return { kind: 'refused', refusal: noSuchRequest }
  }
  if (event.type !== 'enter' && event.type !== 'answer' && event.type !== 'push') {
    const isTaken = deviceAuthenticationOffers(state).includes(event.type)
    if (!isTaken) return { kind: 'refused', refusal: actionNotAllowed }
  }
  if (!isUsable(user)) return failed(state, 'ACCOUNT_NOT_USABLE')
  if (event.type === cancelling) return { kind: 'done', state: newDeviceAuthentication(askedIn(state)) }
  const turn = {
    config: configOf(state),
    slot: state.slot,
    status: state.status,
    // Whoever asks for the authentication says who the user is: devices are shown and chosen as after a password.
    user: { id: user.id, knownBy: 'credentials' } as const,
    isVouched: false,
    flow: { id, applicationId: state.applicationId ?? '', proofs: [] },
    identifier: null,
    facts: { user, devices: [...devices, ...oneTimeFacts(state.oneTime)], configuration },
    now,
  }
  const decision =
    event.type === 'push'
      ? (action.answerPush?.({ ...turn, event: event.answer }) ??
        ({ outcome: 'refuse', refusal: noSuchRequest } as const))
      : action.decide({ ...turn, event })
  switch (decision.outcome) {
    case 'wait':
      return { kind: 'done', state: waiting(state, decision) }
    case 'ask':
      return { kind: 'ask', state: { ...state, slot: decision.slot ?? state.slot }, question: decision.question }
    case 'prove':
      return { kind: 'done', state: { ...state, status: 'COMPLETED' } }
    case 'fail':
      return failed(state, decision.failure, decision.details)
    case 'refuse':
      return { kind: 'refused', refusal: decision.refusal }
    case 'identify':
    case 'restart':
      throw new Error('MULTI_FACTOR_AUTHENTICATION neither names nor forgets a user')
  }
}

function waiting(
  state: DeviceAuthenticationState,
  {
    status,
    slot,
    withholds = [],
  }: Pick<DeviceAuthenticationState, 'status' | 'slot'> & {
    readonly withholds?: readonly string[]
  },
): DeviceAuthenticationState {
  const withheld = withholds.length > 0 ? { withholds: [...withholds] } : {}
  return { ...askedIn(state), status, slot, ...withheld, failure: state.failure }
}

function failed(state: DeviceAuthenticationState, ...why: Parameters<typeof failure>): DeviceAuthenticationStep {
  return { kind: 'done', state: { ...state, status: 'FAILED', failure: failure(...why) } }
}

/** What it was begun with. */
function askedIn({ policyId, applicationId, oneTime, text, clientContext: context }: DeviceAuthenticationState) {
  return { policyId, applicationId, oneTime, ...(text ? { text } : {}), ...(context ? { clientContext: context } : {}) }
}

function configOf({ policyId }: DeviceAuthenticationState) {
  return { deviceAuthenticationPolicy: { id: policyId } }
}

/** What is shown of the devices: those of the user that may be used, the one in use, what a FIDO2 device is to sign, and the number that is typed into an app. */
export function viewDeviceAuthentication(
  state: DeviceAuthenticationState,
  devices: readonly DeviceFacts[],
  configuration: FlowConfiguration,
) {
  const {
    assertion,
    push,
    devices: usable = [],
  } = action.view?.({
    config: configOf(state),
    slot: state.slot,
    facts: { devices, configuration },
  }) ?? {}
  const { deviceId } = state.slot
  const [oneTime] = oneTimeFacts(state.oneTime)
    .filter((device) => device.id === deviceId)
    .map(viewDevice)
  return {
    devices: usable,
    ...(deviceId === null
      ? {}
      : { selectedDevice: { id: deviceId, ...(oneTime ? { oneTime: shownOf(oneTime) } : {}) } }),
    ...(assertion && state.status === 'ASSERTION_REQUIRED' ? { assertion } : {}),
    ...(push && push.number !== null && state.status === 'PUSH_CONFIRMATION_REQUIRED'
      ? { numberMatching: { number: push.number } }
      : {}),
  }
}

function shownOf({ type, email, phone }: ReturnType<typeof viewDevice>) {
  return { type, ...(email === undefined ? {} : { email }), ...(phone === undefined ? {} : { phone }) }
}
