/**
 * The shell around stand-alone authentications: reads one, runs the pure judgement (flow/device-authentication.ts), has its
 * questions answered by what answers a flow, and saves each step in one unit. Of several events at once one is first; the
 * others are judged again by what it left. Who may reach one is the business of whoever loads it: an application
 * (platform/device-authentication-steps.ts), or the app on a device.
 *
 * Never: new tries, or more messages, than a flow gives.
 */
import type { Context } from '../contract/operation.ts'
import { type Device, deviceFacts, devicesOf, transientDevice } from '../directory/devices.ts'
import { pushesTo } from '../directory/push-requests.ts'
import { type UserWithPassword, userWithPasswordById } from '../directory/users.ts'
import { notFound, problem } from '../errors/problem.ts'
import { pushStatuses } from '../flow/actions/push-confirmation.ts'
import {
  decodeDeviceAuthentication,
  deviceAuthenticationAsOf,
  type DeviceAuthenticationEvent,
  type DeviceAuthenticationFacts,
  type DeviceAuthenticationState,
  encodeDeviceAuthentication,
  stepDeviceAuthentication,
} from '../flow/device-authentication.ts'
import type { PushAnswer } from '../flow/factors/push.ts'
import type { Answer, Question } from '../flow/question.ts'
import type { Refusal } from '../flow/refusal.ts'
import { flowLifetime } from '../flow/state.ts'
import { clearGuesses } from '../limits/guesses.ts'
import { compareAndSet, hold } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { Stale } from '../storage/refusals.ts'
import { type DeviceAuthenticationRow, deviceAuthenticationById } from '../storage/sql/device-authentications.ts'
import { withdrawPushRequest } from '../storage/sql/mobile-devices.ts'
import type { Write } from './asked.ts'
import { checkAssertion } from './asks/check-assertion.ts'
import { checkPasscode } from './asks/check-passcode.ts'
import { prepareSending } from './asks/send-passcode.ts'
import { preparePush } from './asks/send-push.ts'
import type { FactorUse } from './factor-use.ts'
import { guarded } from './guarded.ts'
import { refusalProblem } from './runtime.ts'
import { standingOn } from './standing.ts'
import { userFacts } from './user-facts.ts'

/** A stand-alone authentication, with its user as they are now. Times are epoch milliseconds. */
export interface DeviceAuthentication {
  readonly id: string
  readonly state: DeviceAuthenticationState
  readonly found: UserWithPassword
  /** The user's own, in their order. */
  readonly devices: readonly Device[]
  readonly createdAt: number
  readonly updatedAt: number
  readonly expiresAt: number
}

/** One that is stored. */
export type StoredAuthentication = DeviceAuthentication & { readonly version: number }

/**
 * What a row comes to now.
 * @throws Problem EXPIRED; UNAVAILABLE for a state of a newer release
 */
export async function readAuthentication(
  { kernel, environment, now }: Context,
  row: DeviceAuthenticationRow,
  found: UserWithPassword,
): Promise<StoredAuthentication> {
  if (row.expires_at <= now) throw problem('EXPIRED')
  const state = decodeDeviceAuthentication(row.state)
  if (!state) throw problem('UNAVAILABLE', { headers: { 'retry-after': '5' } })
  return {
    id: row.id,
    state: deviceAuthenticationAsOf(state, now),
    found,
    devices: await devicesOf(kernel, environment.id, row.user_id, now),
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    expiresAt: row.expires_at,
  }
}

const attempts = 3

/**
 * Carries an event into an authentication.
 * @param load loads it, once for every attempt
 * @param secrets what was cut out of the body
 * @param also what else belongs into the unit
 * @throws Problem for a refusal; the authentication is unchanged then
 */
export async function carryIntoAuthentication(
  context: Context,
  load: () => Promise<StoredAuthentication>,
  event: DeviceAuthenticationEvent,
  secrets: Readonly<Record<string, string>>,
  also: (state: DeviceAuthenticationState, userId: string) => UnitBody<void> = function* () {},
): Promise<DeviceAuthentication> {
  const { environment, now } = context
  for (let attempt = 1; ; attempt++) {
    const { version, ...present } = await load()
    const key = { environment_id: environment.id, id: present.id }
    const standing = standingOn(context, () => hold('device_authentications', key, version))
    try {
      const stepped = await driveAuthentication(standing, present, event, secrets)
      if ('refusal' in stepped) throw refusalProblem(stepped.refusal)
      const expiresAt = Math.min(now + flowLifetime.idle, present.createdAt + flowLifetime.absolute)
      const next = { ...present, state: stepped.state, updatedAt: now, expiresAt }
      await saveAuthentication(context, next, stepped.writes, function* () {
        yield* compareAndSet('device_authentications', key, version, {
          state: encodeDeviceAuthentication(next.state),
          updated_at: now,
          expires_at: expiresAt,
        })
        // Whatever happens to it, the request that it waited for is over.
        const waited = pushStatuses.some((status) => status === present.state.status)
        if (waited) yield withdrawPushRequest(environment.id, present.id)
        yield* also(next.state, present.found.user.id)
      })
      return next
    } catch (error) {
      if (!(error instanceof Stale) || attempt === attempts) throw error
    }
  }
}

/**
 * Carries the answer of an app into the authentication that it was asked for.
 * @throws Problem NOT_FOUND where nothing waits for it
 */
export async function answerAuthentication(
  context: Context,
  id: string,
  answer: PushAnswer,
): Promise<{ readonly isMismatched: boolean }> {
  const { kernel, environment } = context
  const isMismatch = ({ status }: DeviceAuthenticationState) => status === 'PUSH_CONFIRMATION_TIMED_OUT'
  const load = async () => {
    const [row] = await kernel.storage.read(deviceAuthenticationById(environment.id, id))
    const found = row && (await userWithPasswordById(kernel, environment.id, row.user_id))
    if (!found) throw notFound()
    return readAuthentication(context, row, found)
  }
  const { state } = await carryIntoAuthentication(
    context,
    load,
    { type: 'push', answer },
    {},
    function* (next, userId) {
      const isTaken = !isMismatch(next)
      if (isTaken && answer.decision === 'APPROVE') yield clearGuesses(pushesTo(environment.id, userId))
      yield context.record({
        result: isTaken ? 'SUCCESS' : 'FAILED',
        subject: { type: 'DEVICE_AUTHENTICATION', id },
        userId,
        detail: { deviceId: answer.deviceId, decision: answer.decision },
      })
    },
  )
  return { isMismatched: isMismatch(state) }
}

/** Saves a step: the authentication, what answering wrote, and the event of its end, in one unit. */
export async function saveAuthentication(
  { kernel, record }: Context,
  { id, state, found }: DeviceAuthentication,
  writes: readonly Write[],
  save: () => UnitBody<unknown>,
): Promise<void> {
  await kernel.storage.commit({
    name: 'save-device-authentication',
    *run() {
      yield* save()
      for (const write of writes) yield* guarded(write.run)
      if (state.status !== 'COMPLETED' && state.status !== 'FAILED') return
      yield record({
        action: `DEVICE_AUTHENTICATION.${state.status}`,
        result: state.status === 'COMPLETED' ? 'SUCCESS' : 'FAILED',
        subject: { type: 'DEVICE_AUTHENTICATION', id },
        detail: { userId: found.user.id, ...(state.failure ? { reason: state.failure.code } : {}) },
      })
    },
  })
  if (writes.some(({ sends }) => sends)) kernel.wakeOutbox()
}

/** What came of an event. */
export type Stepped =
  | { readonly state: DeviceAuthenticationState; readonly writes: readonly Write[] }
  | { readonly refusal: Refusal }

/** Judges an event, and the answer to what was asked for that. */
export async function driveAuthentication(
  context: Context,
  authentication: DeviceAuthentication,
  event: DeviceAuthenticationEvent,
  secrets: Readonly<Record<string, string>>,
): Promise<Stepped> {
  const { environment, now } = context
  const { id, found, devices } = authentication
  const facts: DeviceAuthenticationFacts = {
    id,
    user: userFacts(context, found),
    devices: devices.map(deviceFacts),
    configuration: environment.flowConfiguration,
    now,
  }
  const first = stepDeviceAuthentication(authentication.state, event, facts)
  if (first.kind === 'refused') return first
  if (first.kind === 'done') return { state: first.state, writes: [] }
  const { answer, write } = await answerQuestion(context, authentication, first.question, secrets)
  const second = stepDeviceAuthentication(first.state, { type: 'answer', answer }, facts)
  if (second.kind === 'refused') return second
  if (second.kind === 'ask') throw new Error('an answer about devices raises no other question')
  return { state: second.state, writes: write ? [write] : [] }
}

/** Answers a question about the user's devices, for this authentication alone. */
function answerQuestion(
  context: Context,
  { id, state, found }: DeviceAuthentication,
  question: Question,
  secrets: Readonly<Record<string, string>>,
): Promise<{ readonly answer: Answer; readonly write?: Write }> {
  const { applicationId, oneTime, text } = state
  const use = { kind: 'deviceAuthentication', deviceAuthenticationId: id } as const
  const factor: FactorUse = {
    use,
    applicationId,
    beside: oneTime ? [transientDevice(oneTime, found.user.id, context.now)] : [],
  }
  switch (question.kind) {
    case 'sendPasscode':
      return prepareSending(context, question, factor, text)
    case 'sendPush':
      return preparePush(context, question, {
        applicationId: applicationId ?? context.environment.id,
        text,
        termsFrom: (terms) => terms,
      })
    case 'checkPasscode':
      return checkPasscode(context, question, secrets, factor)
    case 'checkAssertion':
      return checkAssertion(context, question, secrets, { ...use, challengedAt: question.challengedAt })
    default:
      throw new Error(`${question.kind} is no question about devices`)
  }
}
