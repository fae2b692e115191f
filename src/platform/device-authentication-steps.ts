/**
 * The shell around stand-alone authentications: loads one, runs the pure judgement (flow/device-authentication.ts), has its
 * questions answered by what answers a flow, and saves each step in one unit. Of several requests at once one is first;
 * the others are judged again by what it left.
 *
 * Never: an authentication told to another application than the one that began it; new tries, or more messages, than a
 * flow gives.
 */
import type { Context } from '../contract/operation.ts'
import { type Device, deviceFacts, devicesOf, transientDevice } from '../directory/devices.ts'
import { type UserWithPassword, userWithPasswordById } from '../directory/users.ts'
import { notFound, problem } from '../errors/problem.ts'
import {
  decodeDeviceAuthentication,
  type DeviceAuthenticationEvent,
  type DeviceAuthenticationFacts,
  type DeviceAuthenticationState,
  encodeDeviceAuthentication,
  stepDeviceAuthentication,
} from '../flow/device-authentication.ts'
import type { Answer, Question } from '../flow/question.ts'
import type { Refusal } from '../flow/refusal.ts'
import { flowLifetime } from '../flow/state.ts'
import type { Write } from '../flow-runtime/asked.ts'
import { checkAssertion } from '../flow-runtime/asks/check-assertion.ts'
import { checkPasscode } from '../flow-runtime/asks/check-passcode.ts'
import { prepareSending } from '../flow-runtime/asks/send-passcode.ts'
import type { FactorUse } from '../flow-runtime/factor-use.ts'
import { guarded } from '../flow-runtime/guarded.ts'
import { refusalProblem } from '../flow-runtime/runtime.ts'
import { userFacts } from '../flow-runtime/user-facts.ts'
import { compareAndSet, insert } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { Stale } from '../storage/refusals.ts'
import { deviceAuthenticationById } from '../storage/sql/device-authentications.ts'
import { reachesPopulation } from './user-control.ts'

export const authenticating = { permission: 'mfa:create:deviceAuthentication' } as const

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

/**
 * The user an authentication is of, if the actor may ask them for a second factor.
 * @returns undefined for one out of reach as for one who does not exist
 */
export async function authenticatedUser(context: Context, userId: string): Promise<UserWithPassword | undefined> {
  const { kernel, environment } = context
  const found = await userWithPasswordById(kernel, environment.id, userId)
  return found && reachesPopulation(context, authenticating.permission, found.user.populationId) ? found : undefined
}

/**
 * Begins an authentication and stores it.
 * @param asProblem makes of a refusal what the caller is told
 * @throws Problem for a refusal; nothing is stored then
 */
export async function beginDeviceAuthentication(
  context: Context,
  found: UserWithPassword,
  state: DeviceAuthenticationState,
  event: DeviceAuthenticationEvent,
  asProblem: (refusal: Refusal) => Error,
): Promise<DeviceAuthentication> {
  const { kernel, environment, now, actor } = context
  const id = kernel.world.uuid()
  const devices = await devicesOf(kernel, environment.id, found.user.id, now)
  const begun = { id, state, found, devices, createdAt: now, updatedAt: now, expiresAt: now + flowLifetime.idle }
  const stepped = await drive(context, begun, event, {})
  if ('refusal' in stepped) throw asProblem(stepped.refusal)
  await commit(context, { ...begun, state: stepped.state }, stepped.writes, function* () {
    yield* insert('device_authentications', {
      environment_id: environment.id,
      id,
      user_id: found.user.id,
      client_id: actor.kind === 'anonymous' ? '' : actor.clientId,
      state: encodeDeviceAuthentication(stepped.state),
      version: 1,
      created_at: now,
      updated_at: now,
      expires_at: begun.expiresAt,
    })
    yield context.record({
      action: 'DEVICE_AUTHENTICATION.CREATED',
      subject: { type: 'DEVICE_AUTHENTICATION', id },
      detail: { userId: found.user.id },
    })
  })
  return { ...begun, state: stepped.state }
}

/**
 * Loads an authentication.
 * @throws Problem NOT_FOUND, the same for unknown, begun by another application and of a user out of reach; EXPIRED;
 *   UNAVAILABLE for a state of a newer release
 */
export async function loadDeviceAuthentication(
  context: Context,
  id: string,
): Promise<DeviceAuthentication & { readonly version: number }> {
  const { kernel, environment, now, actor } = context
  const [row] = await kernel.storage.read(deviceAuthenticationById(environment.id, id))
  if (!row || actor.kind === 'anonymous' || actor.clientId !== row.client_id) throw notFound()
  const found = await authenticatedUser(context, row.user_id)
  if (!found) throw notFound()
  if (row.expires_at <= now) throw problem('EXPIRED')
  const state = decodeDeviceAuthentication(row.state)
  if (!state) throw problem('UNAVAILABLE', { headers: { 'retry-after': '5' } })
  return {
    id,
    state,
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
 * @param secrets what was cut out of the body
 * @throws Problem for a refusal; the authentication is unchanged then
 */
export async function carryOn(
  context: Context,
  id: string,
  event: DeviceAuthenticationEvent,
  secrets: Readonly<Record<string, string>>,
): Promise<DeviceAuthentication> {
  const { environment, now } = context
  for (let attempt = 1; ; attempt++) {
    const { version, ...present } = await loadDeviceAuthentication(context, id)
    const stepped = await drive(context, present, event, secrets)
    if ('refusal' in stepped) throw refusalProblem(stepped.refusal)
    const expiresAt = Math.min(now + flowLifetime.idle, present.createdAt + flowLifetime.absolute)
    const next = { ...present, state: stepped.state, updatedAt: now, expiresAt }
    try {
      await commit(context, next, stepped.writes, () =>
        compareAndSet('device_authentications', { environment_id: environment.id, id }, version, {
          state: encodeDeviceAuthentication(next.state),
          updated_at: now,
          expires_at: expiresAt,
        }),
      )
      return next
    } catch (error) {
      if (!(error instanceof Stale) || attempt === attempts) throw error
    }
  }
}

/** Saves a step: the authentication, what answering wrote, and the event of its end, in one unit. */
async function commit(
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

type Stepped =
  | { readonly state: DeviceAuthenticationState; readonly writes: readonly Write[] }
  | { readonly refusal: Refusal }

/** Judges an event, and the answer to what was asked for that. */
async function drive(
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
  const { applicationId, oneTime } = state
  const use = { kind: 'deviceAuthentication', deviceAuthenticationId: id } as const
  const factor: FactorUse = {
    use,
    applicationId,
    beside: oneTime ? [transientDevice(oneTime, found.user.id, context.now)] : [],
  }
  switch (question.kind) {
    case 'sendPasscode':
      return prepareSending(context, question, factor)
    case 'checkPasscode':
      return checkPasscode(context, question, secrets, factor)
    case 'checkAssertion':
      return checkAssertion(context, question, secrets, { ...use, challengedAt: question.challengedAt })
    default:
      throw new Error(`${question.kind} is no question about devices`)
  }
}
