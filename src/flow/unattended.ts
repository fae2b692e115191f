/**
 * Flows without a browser (door `backchannel`): they wait for the app on a device of their user, or not at all, and nobody
 * comes to resume them, so they are answered with their last step. OpenID CIBA Core section 8.
 *
 * Never: a question that only somebody at a browser could answer left open.
 */
import { failure } from './failure.ts'
import type { QuestionKind } from './question.ts'
import { signOn } from './resume.ts'
import { type FlowState, isFinished } from './state.ts'
import { fail, move, nowhere, type StepResult, type Turn } from './turn.ts'

/** Questions that need nobody at a browser. */
const answeredAlone: ReadonlySet<QuestionKind> = new Set(['sendPush', 'callWebhook'])

/** What a turn comes to, where perhaps nobody is there. */
export function attended(turn: Turn, result: StepResult): StepResult {
  if (result.kind !== 'ask' && result.kind !== 'done') return result
  const { state } = result
  if (state.door !== 'backchannel') return result
  if (result.kind === 'ask') {
    return answeredAlone.has(result.ask.question.kind) ? result : attended(turn, givenUp(turn, state))
  }
  if (state.status === 'PUSH_CONFIRMATION_REQUIRED') return result
  if (!isFinished(state)) return attended(turn, givenUp(turn, state))
  const { outcome, failure: why } = state
  // Whoever decides it says so in this very step: there is no browser whose session is due later.
  const { signOnDue, ...ended } = move(turn, state, 'resumed', { resumedAt: turn.now })
  const issued = outcome && [...(signOnDue ? [signOn(outcome)] : []), { kind: 'issue', outcome } as const]
  const denied = why && [{ kind: 'deny', failure: why } as const]
  return { ...result, state: ended, effects: [...result.effects, ...(issued ?? denied ?? [])] }
}

function givenUp(turn: Turn, state: FlowState): StepResult {
  return fail(turn, state, 'unattended', failure('POLICY_NOT_SATISFIED'), [], nowhere)
}
