/** A flow as somebody outside may be told of it. */
import type { Proof } from './proof.ts'

/** What may be told of a flow to somebody outside. */
export interface FlowSummary {
  readonly id: string
  readonly applicationId: string
  readonly proofs: readonly Proof[]
}
