/**
 * One turn of the flow machine: what goes in, what comes out, and the one way from a status to the next, `move`, which
 * writes the trace. Architecture sections 3 and 4.
 *
 * Never: a transition without an entry in the trace.
 */
import type { ActionRequest } from './actions/index.ts'
import type { ExternalAuthentication } from './external-authentication.ts'
import type { PushAnswer } from './factors/push.ts'
import type { FactName, Facts } from './facts.ts'
import type { Failure } from './failure.ts'
import type { PolicyVersions } from './policy-versions.ts'
import type { Answer, Effect, Question } from './question.ts'
import type { TransitionReason } from './reasons.ts'
import type { Refusal } from './refusal.ts'
import { type FlowState, type FlowStatus, type TraceEvent, flowLifetime } from './state.ts'

/** What can happen to a flow once it exists. */
export type FlowEvent =
  | ActionRequest
  | { readonly type: 'external'; readonly authentication: ExternalAuthentication }
  | { readonly type: 'push'; readonly answer: PushAnswer }
  | { readonly type: 'answer'; readonly ask: Ask; readonly answer: Answer }
  | { readonly type: 'resume' }

/** A question on its way to the runtime. It comes back with the answer, unchanged. */
export interface Ask {
  readonly question: Question
  /** The action that asks. */
  readonly action: NonNullable<FlowState['action']>
  readonly status: FlowStatus
  /** The event that led to the question. */
  readonly cause: TraceEvent
  /** What was decided in this request before the question came up. */
  readonly effects: readonly Effect[]
}

/** What a turn comes to; `machine.ts` says what the caller does with each. */
export type StepResult =
  /** `userId: null` stands for the user of the session. */
  | { readonly kind: 'needs'; readonly facts: readonly FactName[]; readonly userId: string | null }
  | { readonly kind: 'ask'; readonly state: FlowState; readonly ask: Ask }
  | {
      readonly kind: 'done'
      readonly state: FlowState
      readonly effects: readonly Effect[]
      readonly reason: TransitionReason
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** What stays the same while one event is worked off. */
export interface Turn {
  readonly policies: readonly PolicyVersions[]
  readonly facts: Facts
  /** Epoch milliseconds. */
  readonly now: number
  readonly cause: TraceEvent
}

/** How many transitions a trace keeps; the oldest go first. */
const traceLength = 50

/** No action is waiting. */
export const nowhere = { action: null, offers: [], slot: null } satisfies Partial<FlowState>

/** Nobody is known and nothing is proved; the session does not come back, what was required stays required (D20). */
export const nobody = {
  ...nowhere,
  user: null,
  identifier: null,
  proofs: [],
  sessionCounts: false,
} satisfies Partial<FlowState>

/**
 * The next state, with its trace.
 * @param after the status the flow is in afterwards; null while no policy runs
 */
export function move(
  { now, cause }: Pick<Turn, 'now' | 'cause'>,
  state: FlowState,
  reason: TransitionReason,
  changes: Partial<FlowState>,
  after: FlowStatus | null = changes.status ?? state.trace.at(-1)?.after ?? null,
): FlowState {
  const before = state.trace.at(-1)?.after ?? null
  const entry = { at: now, event: cause, reason, before, after, actionId: state.action?.id ?? null }
  return { ...state, ...changes, trace: [...state.trace, entry].slice(-traceLength) }
}

/** The flow waits, or is finished: its life slides to the idle time from now, never beyond its end (D3). */
export function done(
  { now }: Turn,
  state: FlowState,
  effects: readonly Effect[],
  reason: TransitionReason,
): StepResult {
  const expiresAt = Math.min(now + flowLifetime.idle, state.endsAt)
  return { kind: 'done', state: { ...state, expiresAt }, effects, reason }
}

/** The flow has FAILED. */
export function fail(
  turn: Turn,
  state: FlowState,
  reason: TransitionReason,
  failure: Failure,
  effects: readonly Effect[],
  leaving: Partial<FlowState> = nowhere,
): StepResult {
  return done(turn, move(turn, state, reason, { ...leaving, status: 'FAILED', failure }), effects, reason)
}

/** The caller has to load facts. */
export function needs(facts: readonly FactName[], userId: string | null): StepResult {
  return { kind: 'needs', facts, userId }
}

/** The request does not fit. */
export function refuse(refusal: Refusal): StepResult {
  return { kind: 'refused', refusal }
}

/** The caller has to answer a question. */
export function pose(
  { cause }: Turn,
  state: FlowState,
  action: Ask['action'],
  question: Question,
  effects: readonly Effect[],
): StepResult {
  return { kind: 'ask', state, ask: { question, action, status: state.status, cause, effects } }
}
