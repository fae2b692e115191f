/** Statements on `sessions`. */
import type { Statement } from '../port.ts'

/** A live session with its user as they are now. */
export interface SessionWithUserRow {
  readonly id: string
  readonly user_id: string
  readonly document: string
  readonly version: number
  readonly created_at: number
  readonly active_at: number
  readonly expires_at: number
}

/** The live session of a token. */
export function sessionByToken(environmentId: string, tokenHash: string, now: number): Statement<SessionWithUserRow> {
  return {
    text: `SELECT id, user_id, document, version, created_at, active_at, expires_at
           FROM sessions WHERE environment_id = $1 AND token_hash = $2 AND expires_at > $3`,
    values: [environmentId, tokenHash, now],
  }
}

/** A live session by its id, with the token it answers to. */
export function sessionById(
  environmentId: string,
  id: string,
  now: number,
): Statement<SessionWithUserRow & { readonly token_hash: string }> {
  return {
    text: `SELECT id, token_hash, user_id, document, version, created_at, active_at, expires_at
           FROM sessions WHERE environment_id = $1 AND id = $2 AND expires_at > $3`,
    values: [environmentId, id, now],
  }
}

/** Notes that a session was used; its end slides with it. */
export function touchSession(
  environmentId: string,
  id: string,
  activeAt: number,
  expiresAt: number,
): Statement<object> {
  return {
    text: 'UPDATE sessions SET active_at = $3, expires_at = $4 WHERE environment_id = $1 AND id = $2 AND active_at < $3',
    values: [environmentId, id, activeAt, expiresAt],
  }
}

/** A row of `flows`. */
export interface FlowRow {
  readonly token_hash: string | null
  readonly state: string
  readonly version: number
  readonly expires_at: number
}

/** A flow that has not expired. */
export function flowById(environmentId: string, id: string, now: number): Statement<FlowRow> {
  return {
    text: 'SELECT token_hash, state, version, expires_at FROM flows WHERE environment_id = $1 AND id = $2 AND expires_at > $3',
    values: [environmentId, id, now],
  }
}
