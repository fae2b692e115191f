/**
 * The end of a flow: its browser resumes it, and the authorization request is answered. authentication-api 2.6; rows
 * J07-J09; decisions D1, D3.
 *
 * Never: a second time; somebody who may not sign on any more.
 */
import { isAdmitted, lackedForAdmission } from './access-control.ts'
import { type Facts, isUsable } from './facts.ts'
import { type Failure, failure } from './failure.ts'
import type { Outcome } from './outcome.ts'
import type { Effect } from './question.ts'
import type { TransitionReason } from './reasons.ts'
import { flowGone, notFinished } from './refusal.ts'
import { type FlowState, isFinished } from './state.ts'
import { move, needs, refuse, type StepResult, type Turn } from './turn.ts'

/** Whether it is yet to be read who somebody is now. */
export function lacksUser({ user }: Facts, userId: string | undefined): boolean {
  return userId !== undefined && user !== null && user?.id !== userId
}

/** Turns a finished flow into the answer of its authorization request, once (security catalogue J07-J09). */
export function resume(state: FlowState, facts: Facts, now: number): StepResult {
  if (!isFinished(state)) return refuse(notFinished)
  if (state.resumedAt !== null) return refuse(flowGone)
  const turn: Turn = { policies: [], facts, now, cause: 'resume' }
  if (state.failure) return resumed(turn, state, { kind: 'deny', failure: state.failure })
  if (lacksUser(facts, state.outcome?.userId)) return needs(['user'], state.outcome?.userId ?? null)
  const { outcome, signOnDue } = state
  // The session that a step-up keeps has to last until its browser has come back.
  const keeps = signOnDue && outcome?.session.kept ? outcome.session.id : undefined
  if (keeps !== undefined && facts.session === undefined) return needs(['session'], null)
  const isGone = keeps !== undefined && (facts.session?.id !== keeps || facts.session.userId !== outcome?.userId)
  if (!outcome || !isUsable(facts.user)) return denied(turn, state, 'user-not-usable', failure('ACCOUNT_NOT_USABLE'))
  if (isGone) return denied(turn, state, 'policy-not-satisfied', failure('POLICY_NOT_SATISFIED'))
  const lacking = lackedForAdmission(facts, outcome.userId)
  if (lacking.length > 0) return needs(lacking, outcome.userId)
  if (!isAdmitted(facts, outcome.userId)) {
    return denied(turn, state, 'access-denied', failure('APPLICATION_ACCESS_DENIED'))
  }
  return resumed(turn, state, ...(signOnDue ? [signOn(outcome)] : []), { kind: 'issue', outcome })
}

/** What has changed since the flow was completed keeps its outcome from being issued. */
function denied(turn: Turn, state: FlowState, reason: TransitionReason, why: Failure): StepResult {
  const failed = move(turn, state, reason, { status: 'FAILED', outcome: null, failure: why })
  return resumed(turn, failed, { kind: 'deny', failure: why })
}

/** Whoever completed the flow is signed on. */
export function signOn(outcome: Outcome): Effect {
  return { kind: 'signOn', outcome }
}

/** Resume does not prolong a flow (D3). */
function resumed(turn: Turn, state: FlowState, ...effects: readonly Effect[]): StepResult {
  const marked = move(turn, state, 'resumed', { resumedAt: turn.now })
  return { kind: 'done', state: marked, effects, reason: 'resumed' }
}
