/**
 * The shell around the flow machine: begins flows, carries actions into them, resumes them, and saves each step in one
 * unit (architecture section 3). The state is saved by compareAndSet; a loser reloads and judges the event once more
 * against the new state.
 *
 * Never: a decision of its own about what a flow may do, or a secret in what it saves.
 */
import type { Context } from '../contract/operation.ts'
import { hashSessionToken, sessionCookie } from '../directory/session-cookie.ts'
import { readBrowserToken, type Remembering, remembering } from '../directory/remembered-browsers.ts'
import { type Session, sessionFacts, sessionFrom, writeSession } from '../directory/sessions.ts'
import type { UserWithPassword } from '../directory/users.ts'
import type { Application } from '../environment/application.ts'
import { problem } from '../errors/problem.ts'
import type { MediaType } from '../flow/actions/index.ts'
import type { ConsentRequest } from '../flow/consent.ts'
import type { ExternalAuthentication } from '../flow/external-authentication.ts'
import type { Outcome } from '../flow/outcome.ts'
import { start, step } from '../flow/machine.ts'
import { readRequest } from '../flow/media-types.ts'
import type { Effect } from '../flow/question.ts'
import type { Refusal } from '../flow/refusal.ts'
import type { FlowState } from '../flow/state.ts'
import type { FlowEvent } from '../flow/turn.ts'
import type { UnitBody } from '../storage/port.ts'
import { Stale } from '../storage/refusals.ts'
import { sessionById } from '../storage/sql/sessions.ts'
import { recordSignOn } from '../storage/sql/users.ts'
import { isAboutSomebody } from './binding.ts'
import type { Write } from './asked.ts'
import { candidatePolicies, policyVersions } from './candidates.ts'
import { drive, type Driven } from './drive.ts'
import { guarded } from './guarded.ts'
import { insertFlow, saveFlow, type StoredFlow } from './stored-flow.ts'

type Done = Extract<Driven, { kind: 'done' }>

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
  readonly acrValues: readonly string[]
  /** What the user has to grant; undefined where the application needs no consent. */
  readonly consent: ConsentRequest | undefined
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
  const { forcesLogin, maxAge, loginHint, hintedUserId, parameters, consent } = beginning
  const candidates = candidatePolicies(environment, application, acrValues)
  const origin = {
    id: kernel.world.uuid(),
    environmentId: environment.id,
    door,
    application: { id: application.id },
    request: { forcesLogin, maxAge, loginHint, hintedUserId, parameters, ...(consent ? { consent } : {}) },
    newSessionId: kernel.world.uuid(),
  }
  const policies = candidates.map((policy) => ({ atStart: policy, current: policy }))
  const driven = await drive(context, (facts) => start(candidates, origin, facts, now), {
    application,
    policies,
    secrets: {},
    session: { read: session && sessionFacts(session), user: sessionUser },
    isSilent,
    parameters,
  })
  if (driven.kind === 'refused') throw refusalProblem(driven.refusal)
  return { state: driven.state, user: driven.user, writes: driven.writes }
}

/** Stores a flow that waits, bound to a session token, and what its first answers wrote. */
export async function storeFlow({ kernel }: Context, { state, writes }: Begun, token: string): Promise<void> {
  await kernel.storage.commit({
    name: 'store-flow',
    *run() {
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
  return carry(context, load, () => {
    const read = readRequest(action, body)
    if ('refusal' in read) throw refusalProblem(read.refusal)
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

async function carry(
  context: Context,
  load: () => Promise<StoredFlow>,
  read: () => { readonly event: FlowEvent; readonly secrets: Readonly<Record<string, string>> },
): Promise<Carried> {
  const { kernel, environment, now } = context
  for (let attempt = 1; ; attempt++) {
    const flow = await load()
    const { event, secrets } = read()
    const policies = await policyVersions(kernel.environments, environment, flow.application, flow.state)
    const driven = await drive(context, (facts) => step(policies, flow.state, event, facts, now), {
      application: flow.application,
      policies,
      secrets,
      session: { id: flow.state.session?.id },
      isSilent: false,
      parameters: flow.state.request.parameters,
    })
    if (driven.kind === 'refused') throw refusalProblem(driven.refusal)
    try {
      const token = await save(context, flow, driven)
      return { state: driven.state, application: flow.application, token }
    } catch (error) {
      if (!(error instanceof Stale) || attempt === attempts) throw error
    }
  }
}

/** Saves a step: the flow, what answering wrote, the session of a sign-on, and the audit event, in one unit. */
async function save(context: Context, flow: StoredFlow, { state, effects, writes }: Done): Promise<string | undefined> {
  const { kernel, now } = context
  const signOn = effects.find((effect) => effect.kind === 'signOn')
  const becameKnown = !isAboutSomebody(flow.state) && isAboutSomebody(state)
  const newToken = signOn || (becameKnown && flow.token === undefined) ? kernel.world.uuid() : undefined
  const kept = signOn?.outcome.session.kept ? await keptSession(context, signOn.outcome) : undefined
  const setsPassword = effects.some((effect) => effect.kind === 'setPassword')
  const remembered = effects.flatMap((effect) => rememberingOf(context, effect))
  await kernel.storage.commit({
    name: 'save-flow',
    *run() {
      yield* saveFlow(flow, state, newToken)
      for (const { store } of remembered) yield* store()
      for (const write of writes) if (write.with === 'save' || setsPassword) yield* guarded(write.run)
      if (signOn && newToken) yield* signOnWrites(context, signOn.outcome, kept, newToken)
      if (state.status === 'COMPLETED' || state.status === 'FAILED') {
        yield context.record({
          action: state.status === 'COMPLETED' ? 'FLOW.COMPLETED' : 'FLOW.FAILED',
          result: state.status === 'COMPLETED' ? 'SUCCESS' : 'FAILED',
          subject: { type: 'FLOW', id: state.id },
          clientId: flow.application.id,
          ...(state.user ? { userId: state.user.id } : {}),
          ...(state.outcome ? { sessionId: state.outcome.session.id } : {}),
          detail: { reason: state.trace.at(-1)?.reason ?? '' },
        })
      }
    },
  })
  if (writes.some(({ sends }) => sends)) kernel.wakeOutbox()
  const cookies = [
    ...(newToken ? [sessionCookie(context.site, newToken, now)] : []),
    ...remembered.map(({ cookie }) => cookie),
  ]
  if (cookies.length > 0) context.answer['set-cookie'] = cookies
  return newToken
}

function rememberingOf({ kernel, site, headers, now }: Context, effect: Effect): readonly Remembering[] {
  if (effect.kind !== 'rememberBrowser') return []
  const { userId, seconds } = effect
  return [remembering(kernel, site, { userId, seconds, token: readBrowserToken(headers.cookie), now })]
}

async function keptSession(context: Context, outcome: Outcome): Promise<Session> {
  const { kernel, environment, now } = context
  const [row] = await kernel.storage.read(sessionById(environment.id, outcome.session.id, now))
  if (!row) throw new Stale('sessions')
  return sessionFrom(row)
}

function* signOnWrites(context: Context, outcome: Outcome, kept: Session | undefined, token: string): UnitBody<void> {
  const { environment, now, remoteAddress } = context
  yield* writeSession({
    environmentId: environment.id,
    settings: environment.settings,
    outcome,
    kept,
    tokenHash: hashSessionToken(token),
    remoteIp: remoteAddress,
    userAgent: context.headers['user-agent'] ?? '',
    now,
  })
  yield recordSignOn(environment.id, outcome.userId, now, remoteAddress)
  yield context.record({
    action: kept ? 'SESSION.UPDATED' : 'SESSION.CREATED',
    subject: { type: 'SESSION', id: outcome.session.id },
    userId: outcome.userId,
    sessionId: outcome.session.id,
    ...(outcome.session.replaces ? { detail: { replaces: outcome.session.replaces } } : {}),
  })
}

/** What a finished flow wants done for its authorization request. */
export interface Resumed {
  readonly flow: StoredFlow
  readonly state: FlowState
  readonly effect: Extract<Effect, { kind: 'issue' | 'deny' }>
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
    parameters: flow.state.request.parameters,
  })
  if (driven.kind === 'refused') {
    if (driven.refusal.reason === 'not-finished') return { unfinished: flow }
    throw refusalProblem(driven.refusal)
  }
  const effect = driven.effects.find((candidate) => candidate.kind === 'issue' || candidate.kind === 'deny')
  if (!effect) throw new Error('a resumed flow has nothing to answer')
  return { flow, state: driven.state, effect, user: driven.user }
}

/** A refusal of the machine as an answer (authentication-api 7.4). */
export function refusalProblem(refusal: Refusal): Error {
  const { code, details, retryAfter = 60 } = refusal
  if (code !== 'REQUEST_LIMITED') return problem(code, { details })
  return problem('LIMITED', { details, headers: { 'retry-after': String(retryAfter) } })
}
