/** Statements on `sessions`. */
import type { Statement } from '../port.ts'
import { type UserWithPasswordRow, userWithPasswordColumns, withPasswordOf } from './users.ts'

/** A row of `sessions`. */
export interface SessionRow {
  readonly id: string
  readonly user_id: string
  readonly document: string
  readonly version: number
  readonly created_at: number
  readonly active_at: number
  readonly expires_at: number
}

/** A session beside its user as they are now, whose columns are all null when they are gone. */
export type SessionWithUserRow = { readonly [K in keyof SessionRow as `session_${K}`]: SessionRow[K] } & (
  | UserWithPasswordRow
  | { readonly id: null }
)

/** The live session of a token, with its user and their password. */
export function sessionByToken(environmentId: string, tokenHash: string, now: number): Statement<SessionWithUserRow> {
  return {
    text: `SELECT s.id AS session_id, s.user_id AS session_user_id, s.document AS session_document,
             s.version AS session_version, s.created_at AS session_created_at, s.active_at AS session_active_at,
             s.expires_at AS session_expires_at, ${userWithPasswordColumns}
           FROM sessions s LEFT JOIN users u ON u.environment_id = s.environment_id AND u.id = s.user_id ${withPasswordOf}
           WHERE s.environment_id = $1 AND s.token_hash = $2 AND s.expires_at > $3`,
    values: [environmentId, tokenHash, now],
  }
}

/** A live session by its id, with the token it answers to. */
export function sessionById(
  environmentId: string,
  id: string,
  now: number,
): Statement<SessionRow & { readonly token_hash: string }> {
  return {
    text: `SELECT id, token_hash, user_id, document, version, created_at, active_at, expires_at
           FROM sessions WHERE environment_id = $1 AND id = $2 AND expires_at > $3`,
    values: [environmentId, id, now],
  }
}

/** The live sessions of a user, the newest first. */
export function sessionsOfUser(
  environmentId: string,
  userId: string,
  now: number,
  limit: number,
): Statement<SessionRow> {
  return {
    text: `SELECT id, user_id, document, version, created_at, active_at, expires_at
           FROM sessions WHERE environment_id = $1 AND user_id = $2 AND expires_at > $3
           ORDER BY created_at DESC, id DESC LIMIT $4`,
    values: [environmentId, userId, now, limit],
  }
}

/** Removes a session: exactly one caller gets a row. */
export function removeSession(environmentId: string, id: string): Statement<{ readonly user_id: string }> {
  return {
    text: 'DELETE FROM sessions WHERE environment_id = $1 AND id = $2 RETURNING user_id',
    values: [environmentId, id],
  }
}

/** Revokes every token family that belongs to a session (decision D22); one that is offline belongs to none. */
export function revokeFamiliesOfSession(
  environmentId: string,
  userId: string,
  sessionId: string,
  now: number,
): Statement<object> {
  return {
    text: `UPDATE token_families SET revoked_at = $4
           WHERE environment_id = $1 AND user_id = $2 AND session_id = $3 AND revoked_at IS NULL`,
    values: [environmentId, userId, sessionId, now],
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

/** Notes that tokens of a session were refreshed; its end stays where it is (authentication-api 2.7). */
export function noteSessionActivity(environmentId: string, id: string, activeAt: number): Statement<object> {
  return {
    text: 'UPDATE sessions SET active_at = $3 WHERE environment_id = $1 AND id = $2 AND active_at < $3',
    values: [environmentId, id, activeAt],
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

/** Removes the sessions of a user, but for the one that answers to a token. */
export function removeSessionsOfUser(environmentId: string, userId: string, keptTokenHash: string): Statement<object> {
  return {
    text: 'DELETE FROM sessions WHERE environment_id = $1 AND user_id = $2 AND token_hash <> $3',
    values: [environmentId, userId, keptTokenHash],
  }
}
