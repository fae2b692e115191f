/** Statements on `limits` beside its `increment` (storage/operations.ts): giving one back, and clearing. */
import type { Statement } from '../port.ts'

/** The key of one counter. */
export interface LimitKey {
  readonly environmentId: string
  readonly kind: string
  readonly subject: string
}

/** Forgets a counter. */
export function clearLimit({ environmentId, kind, subject }: LimitKey): Statement<object> {
  return {
    text: 'DELETE FROM limits WHERE environment_id = $1 AND kind = $2 AND subject = $3',
    values: [environmentId, kind, subject],
  }
}

/** Makes the window of a counter end at another time. */
export function prolongLimit({ environmentId, kind, subject }: LimitKey, until: number): Statement<object> {
  return {
    text: 'UPDATE limits SET expires_at = $4 WHERE environment_id = $1 AND kind = $2 AND subject = $3',
    values: [environmentId, kind, subject, until],
  }
}

/**
 * Gives one use back to the window that ends at `until`. A refused caller leaves one more than the bound behind, which
 * goes first: what is given back can be taken again.
 */
export function giveBack({ environmentId, kind, subject }: LimitKey, bound: number, until: number): Statement<object> {
  return {
    text: `UPDATE limits SET count = CASE WHEN count > $5 THEN $5 - 1 ELSE count - 1 END
           WHERE environment_id = $1 AND kind = $2 AND subject = $3 AND expires_at = $4 AND count > 0`,
    values: [environmentId, kind, subject, until, bound],
  }
}
