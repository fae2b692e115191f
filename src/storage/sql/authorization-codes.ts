/** Statements on `authorization_codes`. */
import type { Statement } from '../port.ts'

/** A code with the user and session it speaks for, as they are now. */
export interface CodeFactsRow {
  readonly family_id: string
  readonly client_id: string
  readonly user_id: string
  readonly session_id: string
  readonly document: string
  readonly created_at: number
  readonly expires_at: number
  readonly used_at: number | null
  readonly username: string | null
  readonly user_document: string | null
  readonly population_id: string | null
  readonly user_created_at: number | null
  readonly user_updated_at: number | null
  /** 1 when the user exists, is enabled and not locked. */
  readonly user_usable: number
  readonly password_changed_at: number | null
  /** 1 while the session lives. */
  readonly session_alive: number
}

/** Everything the code grant has to know, in one read. */
export function codeFacts(environmentId: string, codeHash: string, now: number): Statement<CodeFactsRow> {
  return {
    text: `SELECT c.family_id, c.client_id, c.user_id, c.session_id, c.document, c.created_at, c.expires_at, c.used_at,
             u.username, u.document AS user_document, u.population_id, u.created_at AS user_created_at, u.updated_at AS user_updated_at,
             CASE WHEN u.enabled = 1 AND (u.locked_at IS NULL OR u.locked_until <= $3) THEN 1 ELSE 0 END AS user_usable,
             p.changed_at AS password_changed_at,
             CASE WHEN s.id IS NULL THEN 0 ELSE 1 END AS session_alive
           FROM authorization_codes c
           LEFT JOIN users u ON u.environment_id = c.environment_id AND u.id = c.user_id
           LEFT JOIN passwords p ON p.environment_id = c.environment_id AND p.user_id = c.user_id
           LEFT JOIN sessions s ON s.environment_id = c.environment_id AND s.id = c.session_id AND s.expires_at > $3
           WHERE c.environment_id = $1 AND c.code_hash = $2`,
    values: [environmentId, codeHash, now],
  }
}

/** Takes a code: exactly one caller changes a row. */
export function takeCode(environmentId: string, codeHash: string, now: number): Statement<object> {
  return {
    text: `UPDATE authorization_codes SET used_at = $3
           WHERE environment_id = $1 AND code_hash = $2 AND used_at IS NULL AND expires_at > $3`,
    values: [environmentId, codeHash, now],
    counts: true,
  }
}

/**
 * Ends a code that was not used, whatever any node's clock says. It is not marked as used: who comes later with the
 * right verifier is too late, and replays nothing.
 */
export function burnCode(environmentId: string, codeHash: string): Statement<{ readonly family_id: string }> {
  return {
    text: `UPDATE authorization_codes SET expires_at = 0
           WHERE environment_id = $1 AND code_hash = $2 AND used_at IS NULL AND expires_at > 0 RETURNING family_id`,
    values: [environmentId, codeHash],
  }
}
