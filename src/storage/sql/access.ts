/** Statements on `role_assignments` and on what keeps a user's access token alive. */
import type { Statement } from '../port.ts'
import { offlineIn } from './token-families.ts'

/** A row of `role_assignments`. */
export interface RoleAssignmentRow {
  readonly id: string
  readonly environment_id: string
  readonly actor_type: 'APPLICATION' | 'USER' | 'GROUP'
  readonly actor_id: string
  readonly role_id: string
  readonly scope_type: 'ORGANIZATION' | 'ENVIRONMENT' | 'POPULATION'
  readonly scope_id: string
  readonly scope_environment_id: string | null
  readonly read_only: number
  readonly created_at: number
}

/**
 * The role assignments of an application or user of an environment: their own, and of a user those of the groups they were put
 * into, and of the groups those are nested in. Who is a member by a filter holds none by it.
 */
export function roleAssignmentsOf(environmentId: string, actorId: string): Statement<RoleAssignmentRow> {
  return {
    text: `SELECT * FROM role_assignments WHERE environment_id = $1 AND actor_id IN (
             WITH RECURSIVE holders(id) AS (
               SELECT s.id FROM (SELECT CAST($2 AS TEXT) AS id UNION
                 SELECT m.group_id FROM group_memberships m WHERE m.environment_id = $1 AND m.user_id = $2) s
               UNION SELECT n.parent_id FROM holders h
               JOIN group_nestings n ON n.environment_id = $1 AND n.group_id = h.id)
             SELECT id FROM holders)
           ORDER BY created_at, id`,
    values: [environmentId, actorId],
  }
}

/** One row while a session of a user lives and the user may sign on: for what names no grant (decision D23). */
export function liveSession(
  environmentId: string,
  userId: string,
  sessionId: string,
  now: number,
): Statement<{ readonly id: string }> {
  return {
    text: `SELECT s.id FROM sessions s
           JOIN users u ON u.environment_id = s.environment_id AND u.id = s.user_id AND u.enabled = 1
             AND (u.locked_at IS NULL OR u.locked_until <= $4)
           WHERE s.environment_id = $1 AND s.id = $3 AND s.user_id = $2 AND s.expires_at > $4`,
    values: [environmentId, userId, sessionId, now],
  }
}

/** A grant that lives, with its user as they are now. */
export interface LiveGrantRow {
  readonly document: string
  readonly username: string
  readonly population_id: string
  readonly created_at: number
  readonly updated_at: number
  readonly family_id: string
  readonly family_client_id: string
  readonly family_scope: string
  readonly family_document: string
}

/** A grant is alive while it is not revoked, its session lives or it outlives that, and the user may sign on. */
const liveGrants = `SELECT u.document, u.username, u.population_id, u.created_at, u.updated_at,
    f.id AS family_id, f.client_id AS family_client_id, f.scope AS family_scope, f.document AS family_document
  FROM token_families f
  JOIN users u ON u.environment_id = f.environment_id AND u.id = f.user_id AND u.enabled = 1
    AND (u.locked_at IS NULL OR u.locked_until <= $5)
  LEFT JOIN sessions s ON s.environment_id = f.environment_id AND s.id = f.session_id AND s.expires_at > $5
  WHERE f.environment_id = $1 AND f.user_id = $3 AND f.session_id IN ($4, $6)
    AND (s.id IS NOT NULL OR f.session_id = $6) AND f.revoked_at IS NULL`

/** One row while a grant is alive (decisions D22, D23). */
export function liveGrant(
  environmentId: string,
  grantId: string,
  userId: string,
  sessionId: string,
  now: number,
): Statement<LiveGrantRow> {
  const values = [environmentId, grantId, userId, sessionId, now, offlineIn(sessionId)]
  return { text: `${liveGrants} AND f.id = $2`, values }
}

/** A grant of a user to a client that is alive, for what names none: the newest of the session, or else one that is offline. */
export function liveGrantOfSession(
  environmentId: string,
  clientId: string,
  userId: string,
  sessionId: string,
  now: number,
): Statement<LiveGrantRow> {
  return {
    text: `${liveGrants} AND f.client_id = $2
           ORDER BY CASE WHEN f.session_id = $6 THEN 1 ELSE 0 END, f.created_at DESC, f.id LIMIT 1`,
    values: [environmentId, clientId, userId, sessionId, now, offlineIn(sessionId)],
  }
}

/** What an opaque access token says, until it expires. */
export function opaqueToken(
  environmentId: string,
  tokenHash: string,
  now: number,
): Statement<{ readonly claims: string }> {
  return {
    text: 'SELECT claims FROM opaque_tokens WHERE environment_id = $1 AND token_hash = $2 AND expires_at > $3',
    values: [environmentId, tokenHash, now],
  }
}

/** Forgets an opaque access token; a row for the one caller that did. */
export function forgetOpaqueToken(
  environmentId: string,
  tokenHash: string,
): Statement<{ readonly token_hash: string }> {
  return {
    text: 'DELETE FROM opaque_tokens WHERE environment_id = $1 AND token_hash = $2 RETURNING token_hash',
    values: [environmentId, tokenHash],
  }
}
