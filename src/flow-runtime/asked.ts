/**
 * What answering a question of the machine comes to: the answer, and what has to be written with the state. One handler
 * per question, in `asks/`.
 */
import type { Context } from '../contract/operation.ts'
import type { AnswerTo, QuestionKind, QuestionOf } from '../flow/question.ts'
import type { FlowState } from '../flow/state.ts'
import type { UnitBody } from '../storage/port.ts'

/** Statements that belong into the unit that saves the flow. */
export interface Write {
  /** `setPassword` writes only happen with the machine's effect of that name. */
  readonly with: 'save' | 'setPassword'
  /** Whether it promises a message that somebody waits for. */
  readonly sends?: true
  readonly run: () => UnitBody<void>
}

/** An answered question. */
export interface Asked<Kind extends QuestionKind> {
  readonly answer: AnswerTo<Kind>
  readonly write?: Write
}

/** Answers one kind of question. `secrets` are what was cut out of the body, `flow` is the state it is asked in. */
export type Ask<Kind extends QuestionKind> = (
  context: Context,
  question: QuestionOf<Kind>,
  secrets: Readonly<Record<string, string>>,
  flow: FlowState,
) => Promise<Asked<Kind>>
