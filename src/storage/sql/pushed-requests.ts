/** Statements on `pushed_requests`. */
import type { Statement } from '../port.ts'

/** A pushed request that waits for its use. */
export interface PushedRequestRow {
  readonly client_id: string
  readonly document: string
}

/** The request of a reference, while it lives. */
export function pushedRequest(environmentId: string, hash: string, now: number): Statement<PushedRequestRow> {
  return {
    text: `SELECT client_id, document FROM pushed_requests
           WHERE environment_id = $1 AND reference_hash = $2 AND expires_at > $3`,
    values: [environmentId, hash, now],
  }
}
