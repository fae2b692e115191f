/** What answering a question of the machine comes to: the answer, and what has to be written with the state. */
import type { Answer } from '../flow/question.ts'
import type { UnitBody } from '../storage/port.ts'

/** Statements that belong into the unit that saves the flow. */
export interface Write {
  /** `setPassword` writes only happen with the machine's effect of that name. */
  readonly with: 'save' | 'setPassword'
  readonly run: () => UnitBody<void>
}

/** An answered question. */
export interface Asked {
  readonly answer: Answer
  readonly write?: Write
}
