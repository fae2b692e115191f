/**
 * The flow machine: one state and one event give the next state, or a question. Architecture sections 3 and 4,
 * authentication-api 3 to 5, security catalogue 1.J. How it is driven, at most 16 turns for one request:
 *
 * | `kind`    | what the caller does |
 * |-----------|----------------------|
 * | `needs`   | load these facts and call again with the same arguments and every fact loaded so far |
 * | `ask`     | answer the question; call `step` with the state given back and `{ type: 'answer', ask, answer }` |
 * | `done`    | save the state and carry out the effects, in one unit |
 * | `refused` | tell the client; what is saved stays as it is |
 *
 * Never: I/O, a clock, randomness, a secret; a status that does not follow from what was proved; a transition without
 * a reason.
 */
import { isAdmitted, lackedForAdmission } from './access-control.ts'
import type { Decision } from './action.ts'
import { type ActionStatus, type AnyActionEvent, offers } from './actions/index.ts'
import { judge } from './completion.ts'
import { readsFact } from './condition.ts'
import type { Destination } from './device-grant.ts'
import { type FactName, type Facts, isUsable } from './facts.ts'
import { type Failure, failure } from './failure.ts'
import { identified, isStranger, proven, unnamed, userAtStart } from './flow-user.ts'
import type { Json } from './json.ts'
import { asksWho, type CompiledAction, type CompiledPolicy } from './policy.ts'
import { type LivePolicy, type PolicyVersions, variantOf } from './policy-versions.ts'
import { mayComeFrom } from './providers.ts'
import type { Effect } from './question.ts'
import type { TransitionReason } from './reasons.ts'
import { actionNotAllowed, flowGone, noSuchRequest, otherUser } from './refusal.ts'
import { isRequestStep, requestStep } from './request-steps.ts'
import { canBeDemanded, demanded, proofOf } from './proving.ts'
import { lacksUser, resume, signOn } from './resume.ts'
import { type FlowOrigin, type FlowState, isFinished, newFlow } from './state.ts'
import { type FlowEvent, type StepResult, type Turn, done, fail, move, needs } from './turn.ts'
import { nobody, nowhere, pose, refuse } from './turn.ts'
import { attended } from './unattended.ts'

/**
 * Begins a flow. A session that satisfies the policy gives a COMPLETED flow at once.
 * @param candidates the policies that may run, in order, at their current versions
 * @param now epoch milliseconds
 */
export function start(
  candidates: readonly CompiledPolicy[],
  origin: FlowOrigin,
  facts: Facts,
  now: number,
): StepResult {
  const policies = candidates.map((policy) => ({ atStart: policy, current: policy }))
  const turn: Turn = { policies, facts, now, cause: 'start' }
  if (facts.session === undefined) {
    // The user of the session is of no interest where the request is for somebody.
    const { invitation, isVouched } = origin.request
    const isForSomebody = origin.door === 'backchannel' || invitation !== undefined || isVouched === true
    return needs(isForSomebody ? ['session'] : ['session', 'user'], null)
  }
  const versions = candidates.map(({ id, version }) => ({ policyId: id, version }))
  const flow = newFlow(origin, versions, facts.session, now)
  const begins = userAtStart(flow)
  const lacking = lackingFacts(turn, flow, begins?.id)
  if (lacking.length > 0) return needs(lacking, begins?.id ?? null)
  return attended(turn, advance(turn, isUsable(facts.user) ? { ...flow, user: begins } : flow, []))
}

/**
 * Applies one event to a flow.
 * @param policies the candidates of the flow, each as it was at the start and as it is now
 * @param now epoch milliseconds
 * @throws when the caller leaves out a version the flow depends on, or an action breaks its own declaration
 */
export function step(
  policies: readonly PolicyVersions[],
  state: FlowState,
  event: FlowEvent,
  facts: Facts,
  now: number,
): StepResult {
  if (now >= state.expiresAt) return refuse(flowGone)
  if (event.type === 'resume') return resume(state, facts, now)
  if (!isAllowed(state, event)) return refuse(event.type === 'push' ? noSuchRequest : actionNotAllowed)
  const turn: Turn = { policies, facts, now, cause: event.type === 'answer' ? event.ask.cause : event.type }
  return attended(turn, apply(turn, state, event))
}

function apply(turn: Turn, state: FlowState, event: Exclude<FlowEvent, { type: 'resume' }>): StepResult {
  const { facts } = turn
  const lacking = lackingFacts(turn, state, state.user?.id)
  if (lacking.length > 0) return needs(lacking, state.user?.id ?? null)
  if (state.user && !isUsable(facts.user)) return dismissUser(turn, state)
  const effects = event.type === 'answer' ? event.ask.effects : []
  const action = waitingAction(turn, state)
  if (!action) return advance(turn, state, effects)
  if (event.type === 'external' && !mayComeFrom(state, action, facts, event.authentication)) {
    return refuse(actionNotAllowed)
  }
  const missing = action.definition.needs.filter((fact) => facts[fact] === undefined)
  if (missing.length > 0) return needs(missing, state.user?.id ?? null)
  if (event.type === 'push') {
    const decision = action.definition.answerPush?.({ ...actionTurn(turn, state, action), event: event.answer })
    return decision ? carryOut(turn, state, action, decision, effects) : refuse(noSuchRequest)
  }
  const about = event.type === 'external' ? unnamed(state) : state
  return carryOut(turn, about, action, decide(turn, about, action, event), effects)
}

function isAllowed(state: FlowState, event: Exclude<FlowEvent, { type: 'resume' }>): boolean {
  if (isFinished(state)) return false
  if (event.type === 'external' || event.type === 'push') return true
  if (event.type !== 'answer') return state.offers.includes(event.type)
  const { ask, answer } = event
  const isAsked = ask.action.id === state.action?.id && ask.action.policyVersion === state.action.policyVersion
  return isAsked && ask.status === state.status && ask.question.kind === answer.to
}

/** What no step can do without: the session it began with, its user, and what the conditions of its policies read. */
function lackingFacts({ policies, facts }: Turn, flow: FlowState, userId: string | undefined): FactName[] {
  const actions = policies.flatMap(({ atStart, current }) => [...atStart.actions, ...(current?.actions ?? [])])
  const readsRequest = actions.some(({ condition }) => condition && readsFact(condition, 'request'))
  const lacking: FactName[] = []
  if (flow.session && facts.session === undefined) lacking.push('session')
  if (lacksUser(facts, userId)) lacking.push('user')
  if (readsRequest && facts.request === undefined) lacking.push('request')
  return lacking
}

/** The running candidate; null when it may not run any more, or none is left. */
function policyOf({ policies }: Turn, { candidates, candidate }: FlowState): LivePolicy | null {
  const wanted = candidates[candidate]
  if (!wanted) return null
  const found = policies.find(({ atStart: { id, version } }) => id === wanted.policyId && version === wanted.version)
  if (!found) throw new Error(`policy ${wanted.policyId} version ${wanted.version} was not handed in`)
  return found.current && { atStart: found.atStart, current: found.current }
}

/** The action the flow waits on; null when its policy may not run any more or has changed under it. */
function waitingAction(turn: Turn, state: FlowState): CompiledAction | null {
  const policy = policyOf(turn, state)
  const { action } = state
  if (!policy || !action) return null
  if (isRequestStep(action.id)) return requestStep(state, action.id) ?? null
  return variantOf(policy, action.id, action.policyVersion) ?? null
}

function decide(
  turn: Turn,
  state: FlowState,
  action: CompiledAction,
  event: AnyActionEvent,
): Decision<Json, ActionStatus> {
  return action.definition.decide({ ...actionTurn(turn, state, action), event })
}

/** What an action looks at, whatever has happened. */
function actionTurn(
  { facts, now }: Turn,
  { id, application, request, proofs, slot, status, user, identifier }: FlowState,
  { definition, config }: CompiledAction,
) {
  const flow = { id, applicationId: application.id, proofs }
  const isVouched = request.isVouched === true
  return { config, slot: definition.slot.parse(slot), status, user, isVouched, flow, identifier, facts, now }
}

/** Judges the flow and goes wherever that leads. */
function advance(turn: Turn, state: FlowState, effects: readonly Effect[]): StepResult {
  const policy = policyOf(turn, state)
  if (!policy) return handOver(turn, state, 'policy-not-available', failure('POLICY_NOT_AVAILABLE'), effects)
  const judgement = judge(policy, state, turn.facts, turn.now)
  if (judgement.kind === 'lacking') return needs(judgement.facts, judgement.userId)
  const judged: FlowState = { ...state, steps: judgement.steps }
  switch (judgement.kind) {
    case 'next':
      return enter(turn, judged, judgement.action, effects)
    case 'unprovable':
      return handOver(turn, judged, 'policy-not-satisfied', failure('POLICY_NOT_SATISFIED'), effects)
    case 'complete': {
      const { outcome } = judgement
      const lacking = lackedForAdmission(turn.facts, outcome.userId)
      if (lacking.length > 0) return needs(lacking, outcome.userId)
      if (!isAdmitted(turn.facts, outcome.userId)) {
        return fail(turn, judged, 'access-denied', failure('APPLICATION_ACCESS_DENIED'), effects)
      }
      // Neither the app nor whoever has just come is a browser that a session was given: who resumes the flow signs on.
      const isDue = turn.cause === 'push' || (turn.cause === 'start' && !outcome.session.kept)
      const due = isDue ? { signOnDue: true as const } : {}
      const completed = move(turn, judged, 'policy-satisfied', { ...nowhere, status: 'COMPLETED', outcome, ...due })
      return done(turn, completed, [...effects, ...(isDue ? [] : [signOn(outcome)])], 'policy-satisfied')
    }
  }
}

/** Begins an action from its empty slot. */
function enter(turn: Turn, state: FlowState, action: CompiledAction, effects: readonly Effect[]): StepResult {
  const { definition, id, policyVersion } = action
  const lacking = definition.needs.filter((fact) => turn.facts[fact] === undefined)
  if (lacking.length > 0) return needs(lacking, state.user?.id ?? null)
  const entering: FlowState = {
    ...state,
    action: { id, policyVersion },
    offers: [],
    slot: definition.freshSlot,
  }
  const decision = decide(turn, entering, action, { type: 'enter' })
  if (decision.outcome !== 'ask') return carryOut(turn, entering, action, decision, effects)
  const placed = move(turn, entering, 'action-entered', { status: definition.statuses[0] })
  return carryOut(turn, placed, action, decision, effects)
}

/** Does what an action has decided. */
function carryOut(
  turn: Turn,
  state: FlowState,
  action: CompiledAction,
  decision: Decision<Json, ActionStatus>,
  effects: readonly Effect[],
): StepResult {
  switch (decision.outcome) {
    case 'refuse':
      return refuse(decision.refusal)
    case 'ask': {
      const { question, slot = state.slot, user } = decision
      if (user && isStranger(state, user)) return refuse(otherUser)
      if (user && !isUsable(user)) return dismissUser(turn, state)
      const asking = { ...state, slot, user: proven(state, user) }
      const place = { id: action.id, policyVersion: action.policyVersion }
      return pose(turn, asking, place, question, [...effects, ...(decision.effects ?? [])])
    }
    case 'identify':
      return advance(turn, move(turn, state, decision.reason, identified(state, decision.named)), effects)
    case 'restart':
      return advance(turn, move(turn, state, decision.reason, nobody), effects)
    case 'fail': {
      const end = decision.isFinal ? fail : handOver
      return end(turn, state, decision.reason, failure(decision.failure, decision.details), effects)
    }
    case 'wait': {
      const { status, slot, user, named, withholds = [], reason } = decision
      if (user && isStranger(state, user)) return refuse(otherUser)
      if (user && !isUsable(user)) return dismissUser(turn, state)
      const waiting = move(turn, state, reason, {
        status,
        offers: offers(action.definition, action.config, status).filter(
          (name) => !withholds.includes(name) && (name !== 'session.reset' || asksWho(policyOf(turn, state)?.atStart)),
        ),
        slot,
        user: proven(state, user),
        ...(named ? identified(state, named) : {}),
      })
      return done(turn, waiting, [...effects, ...(decision.effects ?? [])], reason)
    }
    case 'prove': {
      const { user, methods, demands, goesTo } = decision
      if (isStranger(state, user)) return refuse(otherUser)
      if (!isUsable(user)) return dismissUser(turn, state)
      const fresh = methods.map((method) => proofOf(method, decision, action, turn.now))
      const standing = { actionId: action.id, user, identifier: state.identifier, facts: turn.facts, now: turn.now }
      if (!action.definition.isSatisfied(fresh, action.config, standing))
        throw new Error(`${action.type} proved too little`)
      if (demands !== undefined && !canBeDemanded(state.steps, demands)) {
        return fail(turn, state, 'demand-not-met', failure('POLICY_NOT_SATISFIED'), effects)
      }
      const proved = move(turn, state, decision.reason, {
        proofs: [...state.proofs, ...fresh],
        user: proven(state, user),
        steps: state.steps.map((each) => demanded(each, demands)),
        ...(goesTo ? toApplication(goesTo) : {}),
      })
      const facts = { ...turn.facts, user }
      return advance({ ...turn, facts }, proved, [...effects, ...(decision.effects ?? [])])
    }
  }
}

/** The flow is about another application: its policies are judged from their beginning, by all that was proved. */
function toApplication({ applicationId, candidates }: Destination): Partial<FlowState> {
  return { application: { id: applicationId }, candidates, candidate: 0, steps: [] }
}

/** The flow's user may not sign on any more: nothing they proved counts, and the next policy begins without them. */
function dismissUser(turn: Turn, state: FlowState): StepResult {
  return handOver(turn, state, 'user-not-usable', failure('ACCOUNT_NOT_USABLE'), [], nobody)
}

/** The running policy has failed: the next candidate gets its turn; with the last one the flow has FAILED. */
function handOver(
  turn: Turn,
  state: FlowState,
  reason: TransitionReason,
  why: Failure,
  effects: readonly Effect[],
  leaving: Partial<FlowState> = nowhere,
): StepResult {
  const candidate = state.candidate + 1
  if (candidate < state.candidates.length) {
    return advance(turn, move(turn, state, reason, { ...leaving, candidate, steps: [] }, null), effects)
  }
  return fail(turn, state, reason, why, effects, leaving)
}
