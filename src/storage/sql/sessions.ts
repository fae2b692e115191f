/** Statements on `sessions`. */
import type { Statement } from '../port.ts'
import { offlineIn, sessionOf } from './token-families.ts'
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

/** Put together once: every request of a browser asks it. */
const sessionByTokenText = `SELECT s.id AS session_id, s.user_id AS session_user_id, s.document AS session_document,
    s.version AS session_version, s.created_at AS session_created_at, s.active_at AS session_active_at,
    s.expires_at AS session_expires_at, ${userWithPasswordColumns}
  FROM sessions s LEFT JOIN users u ON u.environment_id = s.environment_id AND u.id = s.user_id ${withPasswordOf}
  WHERE s.environment_id = $1 AND s.token_hash = $2 AND s.expires_at > $3`

/** The live session of a token, with its user and their password. */
export function sessionByToken(environmentId: string, tokenHash: string, now: number): Statement<SessionWithUserRow> {
  return { text: sessionByTokenText, values: [environmentId, tokenHash, now] }
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
export function removeSession(
  environmentId: string,
  id: string,
): Statement<{ readonly user_id: string; readonly document: string }> {
  return {
    text: 'DELETE FROM sessions WHERE environment_id = $1 AND id = $2 RETURNING user_id, document',
    values: [environmentId, id],
  }
}

/**
 * Revokes token families that were opened in a session (decision D22).
 * @param alsoOffline whether those end as well that outlive a sign-off
 */
export function revokeFamiliesOfSession(
  environmentId: string,
  userId: string,
  sessionId: string,
  alsoOffline: boolean,
  now: number,
): Statement<object> {
  return {
    text: `UPDATE token_families SET revoked_at = $4
           WHERE environment_id = $1 AND user_id = $2 AND session_id IN ($3, $5) AND revoked_at IS NULL`,
    values: [environmentId, userId, sessionId, now, alsoOffline ? offlineIn(sessionId) : sessionId],
  }
}

/** An application that took part in a session, as it is registered now. */
export interface ParticipantRow {
  readonly id: string
  readonly document: string
}

/** The enabled applications that were issued something in a session, whether it is revoked by now or not. */
export function participantsOfSession(
  environmentId: string,
  userId: string,
  sessionId: string,
): Statement<ParticipantRow> {
  return {
    text: `SELECT id, document FROM applications WHERE environment_id = $1 AND enabled = 1 AND id IN
             (SELECT client_id FROM token_families
              WHERE environment_id = $1 AND user_id = $2 AND session_id IN ($3, $4))
           ORDER BY id`,
    values: [environmentId, userId, sessionId, offlineIn(sessionId)],
  }
}

/** An application that took part in one of the sessions of a user. */
export interface ParticipationRow extends ParticipantRow {
  readonly session_id: string
  /** Of a session that lives. */
  readonly session_document: string | null
  /** 1 where users have a `sub` of the application's own making. */
  readonly own_subject: number
}

/**
 * Which enabled application took part in which session of a user: sessions that live, and those in which something was
 * issued that is not revoked.
 * @param exceptTokenHash the session that answers to this token is left out
 * @param most of one application, so many of the newest
 * @param usualSubject the value of the mapping of `sub` that makes none of its own
 */
export function participationsOfUser(
  environmentId: string,
  userId: string,
  exceptTokenHash: string,
  most: number,
  usualSubject: string,
): Statement<ParticipationRow> {
  return {
    text: `SELECT a.id, a.document, t.session_id, t.session_document,
             CASE WHEN m.value IS NULL OR m.value = $5 THEN 0 ELSE 1 END AS own_subject FROM (
             SELECT f.client_id, ${sessionOf('f')} AS session_id, MAX(s.document) AS session_document, ROW_NUMBER() OVER
               (PARTITION BY f.client_id ORDER BY MAX(f.created_at) DESC, ${sessionOf('f')}) AS place FROM token_families f
             LEFT JOIN sessions s ON s.environment_id = f.environment_id AND s.id = ${sessionOf('f')}
             WHERE f.environment_id = $1 AND f.user_id = $2 AND (s.id IS NOT NULL OR f.revoked_at IS NULL)
               AND (s.token_hash IS NULL OR s.token_hash <> $3)
             GROUP BY f.client_id, ${sessionOf('f')}) t
           JOIN applications a ON a.environment_id = $1 AND a.id = t.client_id AND a.enabled = 1
           LEFT JOIN application_attributes m ON m.environment_id = $1 AND m.application_id = a.id AND m.name = 'sub'
           WHERE t.place <= $4 ORDER BY a.id, t.place`,
    values: [environmentId, userId, exceptTokenHash, most, usualSubject],
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
