/** Statements on `token_families`: the grants that tokens are issued from, and their refresh tokens. */
import type { Statement } from '../port.ts'
import { type UserWithPasswordRow, userWithPasswordColumns, withPasswordOf } from './users.ts'

const offlineMark = '/offline'

/**
 * What stands in `session_id` of a family that outlives the sign-off of its session: the session all the same, marked, so
 * that what is looked for by the session itself does not find it.
 */
export function offlineIn(sessionId: string): string {
  return `${sessionId}${offlineMark}`
}

/** The session that `session_id` of a family names, and whether the family outlives its sign-off. */
export function sessionOfFamily(value: string): { readonly sessionId: string; readonly isOffline: boolean } {
  const isOffline = value.endsWith(offlineMark)
  return { sessionId: isOffline ? value.slice(0, -offlineMark.length) : value, isOffline }
}

/** The same in SQL: the session that a family of the table `alias` names. */
export function sessionOf(alias: string): string {
  return `replace(${alias}.session_id, '${offlineMark}', '')`
}

/** Where the refresh tokens of a family stand. */
export interface FamilyChainRow {
  readonly generation: number
  readonly rotated_at: number | null
  readonly revoked_at: number | null
  readonly created_at: number
}

/** A family with its user and session as they are now; the columns of the user are all null when they are gone. */
export type FamilyFactsRow = {
  readonly family_client_id: string
  readonly family_user_id: string
  /** To be read by `sessionOfFamily`. */
  readonly family_session_id: string
  readonly family_scope: string
  readonly family_document: string
  readonly family_created_at: number
  readonly generation: number
  readonly rotated_at: number | null
  readonly revoked_at: number | null
  /** When the session was used last; null when it has ended, or there is none. */
  readonly session_active_at: number | null
} & (UserWithPasswordRow | { readonly id: null })

/** Everything a refresh token is judged by, in one read. */
export function familyFacts(environmentId: string, id: string, now: number): Statement<FamilyFactsRow> {
  return {
    text: `SELECT f.client_id AS family_client_id, f.user_id AS family_user_id, f.session_id AS family_session_id,
             f.scope AS family_scope, f.document AS family_document, f.created_at AS family_created_at,
             f.generation, f.rotated_at, f.revoked_at, s.active_at AS session_active_at, ${userWithPasswordColumns}
           FROM token_families f
           LEFT JOIN users u ON u.environment_id = f.environment_id AND u.id = f.user_id ${withPasswordOf}
           LEFT JOIN sessions s ON s.environment_id = f.environment_id AND s.id = f.session_id AND s.expires_at > $3
           WHERE f.environment_id = $1 AND f.id = $2`,
    values: [environmentId, id, now],
  }
}

/**
 * Moves a family from one refresh token to the next: exactly one caller gets a row, and nobody where it was revoked.
 * @param keptUntil how long the row is kept
 */
export function rotateFamily(
  environmentId: string,
  id: string,
  generation: number,
  now: number,
  keptUntil: number,
): Statement<FamilyChainRow> {
  return {
    text: `UPDATE token_families SET generation = generation + 1, rotated_at = $4,
             expires_at = CASE WHEN expires_at < $5 THEN $5 ELSE expires_at END
           WHERE environment_id = $1 AND id = $2 AND generation = $3 AND revoked_at IS NULL
           RETURNING generation, rotated_at, revoked_at, created_at`,
    values: [environmentId, id, generation, now, keptUntil],
  }
}

/** A family as it is, and as it stays until the unit is over. */
export function holdFamily(environmentId: string, id: string): Statement<FamilyChainRow> {
  return {
    text: `UPDATE token_families SET rotated_at = rotated_at WHERE environment_id = $1 AND id = $2
           RETURNING generation, rotated_at, revoked_at, created_at`,
    values: [environmentId, id],
  }
}

/** Whose a family is. */
export function familyOwner(
  environmentId: string,
  id: string,
): Statement<{ readonly client_id: string; readonly user_id: string; readonly session_id: string }> {
  return {
    text: 'SELECT client_id, user_id, session_id FROM token_families WHERE environment_id = $1 AND id = $2',
    values: [environmentId, id],
  }
}

/** Revokes a token family; everything issued from it dies (decision D22). */
export function revokeFamily(environmentId: string, familyId: string, now: number): Statement<{ readonly id: string }> {
  return {
    text: 'UPDATE token_families SET revoked_at = $3 WHERE environment_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING id',
    values: [environmentId, familyId, now],
  }
}

/** Revokes every family that a client has in a session. */
export function revokeFamiliesOfClientInSession(
  environmentId: string,
  {
    client_id,
    user_id,
    session_id,
  }: { readonly client_id: string; readonly user_id: string; readonly session_id: string },
  now: number,
): Statement<object> {
  return {
    text: `UPDATE token_families SET revoked_at = $5
           WHERE environment_id = $1 AND user_id = $2 AND session_id = $3 AND client_id = $4 AND revoked_at IS NULL`,
    values: [environmentId, user_id, session_id, client_id, now],
  }
}

/** Names one family among those of its user. */
export interface FamilyKey {
  readonly environmentId: string
  readonly userId: string
  readonly clientId: string
  readonly id: string
}

/** Ends the refresh tokens of the other families that a client has in a session; their access tokens stay. */
export function endOtherRefreshOfSession(key: FamilyKey, sessionId: string): Statement<object> {
  return {
    text: `UPDATE token_families SET generation = 0
           WHERE environment_id = $1 AND user_id = $2 AND session_id = $3 AND client_id = $4 AND id <> $5 AND generation > 0`,
    values: [key.environmentId, key.userId, sessionId, key.clientId, key.id],
  }
}

/**
 * The oldest offline families of a user and client that have refresh tokens, beyond the named one and the newest `others`.
 * Oldest first: whoever ends several of them in this order waits for nobody who waits for them.
 * @param most how many are wanted
 */
export function oldestOfflineFamilies(
  key: FamilyKey,
  others: number,
  most: number,
): Statement<{ readonly id: string }> {
  return {
    text: `SELECT id FROM (
             SELECT id, created_at FROM token_families
             WHERE environment_id = $1 AND user_id = $2 AND client_id = $3 AND id <> $4
               AND session_id <> ${sessionOf('token_families')}
               AND generation > 0 ORDER BY created_at DESC, id DESC LIMIT 1000 OFFSET ${others}) AS older
           ORDER BY created_at, id LIMIT ${most}`,
    values: [key.environmentId, key.userId, key.clientId, key.id],
  }
}

/** Ends the refresh tokens of a family; its access tokens stay until they expire. */
export function endRefreshOfFamily(environmentId: string, id: string): Statement<object> {
  return {
    text: 'UPDATE token_families SET generation = 0 WHERE environment_id = $1 AND id = $2 AND generation > 0',
    values: [environmentId, id],
  }
}

/** Ends all refresh tokens of a user; access tokens stay until they expire. */
export function endRefreshOfUser(environmentId: string, userId: string): Statement<object> {
  return {
    text: 'UPDATE token_families SET generation = 0 WHERE environment_id = $1 AND user_id = $2 AND generation > 0',
    values: [environmentId, userId],
  }
}
