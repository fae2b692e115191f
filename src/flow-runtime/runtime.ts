/**
 * The shell around the flow machine: begins flows, carries actions into them, resumes them, and saves each step in one
 * unit (architecture section 3). The state is saved by compareAndSet; a loser reloads and judges the event once more
 * against the new state.
 *
 * Never: a decision of its own about what a flow may do, or a secret in what it saves.
 */
import type { Context } from '../contract/operation.ts'
import { countAddressWith } from '../limits/addresses.ts'
import { clearGuesses } from '../limits/guesses.ts'
import { pushesTo } from '../directory/push-requests.ts'
import { type Session, sessionFacts } from '../directory/sessions.ts'
import type { UserWithPassword } from '../directory/users.ts'
import type { Application } from '../environment/application.ts'
import { problem } from '../errors/problem.ts'
import type { MediaType } from '../flow/actions/index.ts'
import type { ExternalAuthentication } from '../flow/external-authentication.ts'
import type { PushAnswer } from '../flow/factors/push.ts'
import { start, step } from '../flow/machine.ts'
import { readRequest } from '../flow/media-types.ts'
import type { Effect } from '../flow/question.ts'
import { actionNotAllowed, type Refusal } from '../flow/refusal.ts'
import type { FlowState } from '../flow/state.ts'
import type { FlowEvent } from '../flow/turn.ts'
import type { UnitBody } from '../storage/port.ts'
import { Stale } from '../storage/refusals.ts'
import type { Write } from './asked.ts'
import { candidatePolicies, policyVersions } from './candidates.ts'
import { drive } from './drive.ts'
import { guarded } from './guarded.ts'
import { saveStep } from './save-step.ts'
import { standingOn } from './standing.ts'
import { holdFlow, insertFlow, type StoredFlow } from './stored-flow.ts'

/** What a door knows when a flow begins. */
export interface FlowBeginning {
  readonly application: Application
  readonly door: FlowState['door']
  readonly forcesLogin: boolean
  /** Whether nobody is there who could be asked anything (`prompt=none`). */
  readonly isSilent: boolean
  readonly maxAge: number | null
  readonly loginHint: string | null
  /** The only user that may be signed on; null: anybody. */
  readonly hintedUserId: string | null
  /** Whether the application has signed that it means them. */
  readonly isVouched?: boolean
  readonly acrValues: readonly string[]
  /**
   * What the user is asked for beside the policies: what they grant, and to whom, or an invitation to accept; nothing where
   * the application needs no consent.
   */
  readonly grants: Pick<FlowState['request'], 'consent' | 'deviceGrant' | 'backchannel' | 'invitation'>
  /** The checked authorization request, opaque here. */
  readonly parameters: FlowState['request']['parameters']
  /** The live session of the browser. */
  readonly session: Session | null
  /** Its user, as read with it; undefined when they are gone. */
  readonly sessionUser: UserWithPassword | undefined
}

/** A flow that begins. */
export interface Begun {
  readonly state: FlowState
  /** The user of the session, as just read; undefined where none was needed. */
  readonly user: UserWithPassword | undefined
  /** What has to be written with it. */
  readonly writes: readonly Write[]
}

/**
 * Begins a flow; nothing is stored yet. A session that satisfies the policy gives a COMPLETED flow at once.
 * @throws LoginRequired when nobody is there (`isSilent`) and somebody would have to be written to
 */
export async function beginFlow(context: Context, beginning: FlowBeginning): Promise<Begun> {
  const { kernel, environment, now } = context
  const { application, door, acrValues, session, sessionUser, isSilent } = beginning
  const { forcesLogin, maxAge, loginHint, hintedUserId, isVouched, parameters, grants } = beginning
  const vouched = isVouched ? { isVouched: true as const } : {}
  const candidates = candidatePolicies(environment, application, acrValues)
  const origin = {
    id: kernel.world.uuid(),
    environmentId: environment.id,
    door,
    application: { id: application.id },
    request: { forcesLogin, maxAge, loginHint, hintedUserId, ...vouched, parameters, ...grants },
    newSessionId: kernel.world.uuid(),
  }
  const policies = candidates.map((policy) => ({ atStart: policy, current: policy }))
  const driven = await drive(context, (facts) => start(candidates, origin, facts, now), {
    application,
    policies,
    secrets: {},
    session: { read: session && sessionFacts(session), user: sessionUser },
    isSilent,
    isUnattended: door === 'backchannel',
    parameters,
  })
  if (driven.kind === 'refused') throw refusalProblem(driven.refusal)
  return { state: driven.state, user: driven.user, writes: driven.writes }
}

/**
 * Stores a flow that waits, bound to a session token, and what its first answers wrote.
 * @param also what belongs into the same unit
 * @throws Problem LIMITED where too many began from the address of the browser (row J32)
 */
export async function storeFlow(
  context: Context,
  { state, writes }: Begun,
  token: string,
  also: () => UnitBody<void> = function* () {},
): Promise<void> {
  const { kernel } = context
  await kernel.storage.commit({
    name: 'store-flow',
    *run() {
      // A flow without a browser is begun by this server itself.
      if (state.door !== 'backchannel') yield* countAddressWith(context, 'flow')
      yield* also()
      yield* insertFlow(state, token)
      for (const write of writes) if (write.with === 'save') yield* guarded(write.run)
    },
  })
  if (writes.some(({ sends }) => sends)) kernel.wakeOutbox()
}

const attempts = 3

/** A flow after something was carried into it. */
export interface Carried {
  readonly state: FlowState
  readonly application: Application
  /** The session token it is bound to from now on, where that has changed. */
  readonly token: string | undefined
}

/**
 * Carries an action into a flow.
 * @param body the parsed JSON body
 * @returns the flow afterwards; the answer's session cookie is set where it changes
 * @throws Problem for a refusal; the flow is unchanged then
 */
export function actOnFlow(
  context: Context,
  load: () => Promise<StoredFlow>,
  action: MediaType,
  body: unknown,
): Promise<Carried> {
  return carry(context, load, ({ offers }) => {
    const read = readRequest(action, body)
    // No other body would do where the status does not allow the action, and that is what is told (D5).
    if ('refusal' in read) throw refusalProblem(offers.includes(action) ? read.refusal : actionNotAllowed)
    return { event: read.request, secrets: read.secrets }
  })
}

/**
 * Carries somebody who came back from an identity provider into their flow.
 * @param authentication what the provider answered, verified
 * @throws Problem for a refusal; the flow is unchanged then
 */
export function returnToFlow(
  context: Context,
  load: () => Promise<StoredFlow>,
  authentication: ExternalAuthentication,
): Promise<Carried> {
  return carry(context, load, () => ({ event: { type: 'external', authentication }, secrets: {} }))
}

/**
 * Carries the answer of an app into the flow that waits for it, and records that.
 * @param answer what the app has signed, verified
 * @param remoteAddress of the browser that signs on, by which the conditions of the policy are judged
 * @throws Problem for a refusal; the flow is unchanged then
 */
export function answerPush(
  context: Context,
  load: () => Promise<StoredFlow>,
  answer: PushAnswer,
  remoteAddress: string,
): Promise<Carried> {
  // Not spread: a context works out what it is asked for.
  const { kernel, now, correlationId, headers, certificate, method, target, mediaType, actor } = context
  const { environment, site, answer: headersOut, record } = context
  const caller = { headers, certificate, method, target, mediaType, actor, remoteAddress }
  const asBrowser: Context = { kernel, now, correlationId, ...caller, environment, site, answer: headersOut, record }
  return carry(
    asBrowser,
    load,
    () => ({ event: { type: 'push', answer }, secrets: {} }),
    function* ({ id, user, trace }) {
      const isTaken = trace.at(-1)?.reason !== 'push-mismatched'
      if (!user) return
      if (isTaken && answer.decision === 'APPROVE') yield clearGuesses(pushesTo(context.environment.id, user.id))
      yield context.record({
        result: isTaken ? 'SUCCESS' : 'FAILED',
        subject: { type: 'FLOW', id },
        userId: user.id,
        detail: { deviceId: answer.deviceId, decision: answer.decision },
      })
    },
  )
}

async function carry(
  context: Context,
  load: () => Promise<StoredFlow>,
  read: (state: FlowState) => { readonly event: FlowEvent; readonly secrets: Readonly<Record<string, string>> },
  also: (state: FlowState) => UnitBody<void> = function* () {},
): Promise<Carried> {
  const { kernel, environment, now } = context
  for (let attempt = 1; ; attempt++) {
    const flow = await load()
    const { event, secrets } = read(flow.state)
    const policies = await policyVersions(kernel.environments, environment, flow.application, flow.state)
    const standing = standingOn(context, () => holdFlow(flow))
    try {
      const driven = await drive(standing, (facts) => step(policies, flow.state, event, facts, now), {
        application: flow.application,
        policies,
        secrets,
        session: { id: flow.state.session?.id },
        isSilent: false,
        isUnattended: flow.state.door === 'backchannel',
        parameters: flow.state.request.parameters,
      })
      if (driven.kind === 'refused') throw refusalProblem(driven.refusal)
      const token = await saveStep(context, flow, driven, also)
      return { state: driven.state, application: driven.application, token }
    } catch (error) {
      if (!(error instanceof Stale) || attempt === attempts) throw error
    }
  }
}

/** What a finished flow wants done for its authorization request. */
export interface Resumed {
  readonly flow: StoredFlow
  readonly state: FlowState
  readonly effect: Extract<Effect, { kind: 'issue' | 'deny' }>
  /** Whether the session is yet to be written, since it was not the browser that completed the flow (D1). */
  readonly signsOn: boolean
  /** The flow's user, as just read. */
  readonly user: UserWithPassword | undefined
}

/**
 * Resumes a flow: once, by its own browser, and only when it is finished. Nothing is saved yet: the caller saves the
 * flow with whatever it issues, by `saveFlow`, in one unit.
 * @returns the flow as it is, when it is not finished
 * @throws Problem NOT_FOUND for a flow that was resumed before
 */
export async function resumeFlow(
  context: Context,
  flow: StoredFlow,
): Promise<Resumed | { readonly unfinished: StoredFlow }> {
  const { kernel, environment, now } = context
  const policies = await policyVersions(kernel.environments, environment, flow.application, flow.state)
  const driven = await drive(context, (facts) => step(policies, flow.state, { type: 'resume' }, facts, now), {
    application: flow.application,
    policies,
    secrets: {},
    session: { id: flow.state.session?.id },
    isSilent: false,
    isUnattended: false,
    parameters: flow.state.request.parameters,
  })
  if (driven.kind === 'refused') {
    if (driven.refusal.reason === 'not-finished') return { unfinished: flow }
    throw refusalProblem(driven.refusal)
  }
  const effect = driven.effects.find((candidate) => candidate.kind === 'issue' || candidate.kind === 'deny')
  if (!effect) throw new Error('a resumed flow has nothing to answer')
  const signsOn = driven.effects.some(({ kind }) => kind === 'signOn')
  return { flow, state: driven.state, effect, signsOn, user: driven.user }
}

/** A refusal of the machine as an answer (authentication-api 7.4). */
export function refusalProblem(refusal: Refusal): Error {
  const { code, details, retryAfter = 60 } = refusal
  if (code !== 'REQUEST_LIMITED') return problem(code, { details })
  return problem('LIMITED', { details, headers: { 'retry-after': String(retryAfter) } })
}
