/** Statements on `polled_grants` and `device_paths`. Times are epoch milliseconds. */
import type { Statement } from '../port.ts'

/** What becomes of a polled grant: the user has yet to decide, has decided, or the client has its tokens. */
export type PolledGrantStatus = 'PENDING' | 'APPROVED' | 'DENIED' | 'USED'

/** A row of `polled_grants`, without what only the polling changes. */
export interface PolledGrantRow {
  readonly id: string
  readonly kind: string
  readonly client_id: string
  /** JSON: what is asked for. */
  readonly document: string
  readonly status: PolledGrantStatus
  readonly reached_at: number | null
  /** The flow in which the user code was entered, or which asks the user. */
  readonly flow_id: string | null
  /** Whom it is about: who entered the user code, or who was asked. */
  readonly user_id: string | null
  readonly session_id: string | null
  /** JSON: how the user signed on; null until they approve. */
  readonly outcome: string | null
  readonly decided_at: number | null
  readonly created_at: number
  readonly expires_at: number
}

const columns = `g.id, g.kind, g.client_id, g.document, g.status, g.reached_at, g.flow_id, g.user_id, g.session_id,
  g.outcome, g.decided_at, g.created_at, g.expires_at`

/** A grant with the user and session it speaks for, as they are now. */
export interface PolledGrantFactsRow extends PolledGrantRow {
  readonly username: string | null
  readonly user_document: string | null
  readonly user_population_id: string | null
  readonly user_created_at: number | null
  readonly user_updated_at: number | null
  /** 1 when the user exists, is enabled and not locked. */
  readonly user_usable: number
  readonly password_changed_at: number | null
  /** 1 while the session lives. */
  readonly session_alive: number
}

/** Everything that a poll has to know, in one read. */
export function polledGrantFacts(environmentId: string, codeHash: string, now: number): Statement<PolledGrantFactsRow> {
  return {
    text: `SELECT ${columns}, u.username, u.document AS user_document,
             u.population_id AS user_population_id, u.created_at AS user_created_at, u.updated_at AS user_updated_at,
             CASE WHEN u.enabled = 1 AND (u.locked_at IS NULL OR u.locked_until <= $3) THEN 1 ELSE 0 END AS user_usable,
             p.changed_at AS password_changed_at,
             CASE WHEN s.id IS NULL THEN 0 ELSE 1 END AS session_alive
           FROM polled_grants g
           LEFT JOIN users u ON u.environment_id = g.environment_id AND u.id = g.user_id
           LEFT JOIN passwords p ON p.environment_id = g.environment_id AND p.user_id = g.user_id
           LEFT JOIN sessions s ON s.environment_id = g.environment_id AND s.id = g.session_id AND s.expires_at > $3
           WHERE g.environment_id = $1 AND g.code_hash = $2`,
    values: [environmentId, codeHash, now],
  }
}

/** The grant of an id, as long as its time is not over. */
export function polledGrantById(environmentId: string, id: string, now: number): Statement<PolledGrantRow> {
  return {
    text: `SELECT ${columns} FROM polled_grants g WHERE g.environment_id = $1 AND g.id = $2 AND g.expires_at > $3`,
    values: [environmentId, id, now],
  }
}

/** The undecided grant of a user code, as long as its time is not over. */
export function polledGrantByUserCode(
  environmentId: string,
  userCodeHash: string,
  now: number,
): Statement<PolledGrantRow> {
  return {
    text: `SELECT ${columns} FROM polled_grants g
           WHERE g.environment_id = $1 AND g.user_code_hash = $2 AND g.expires_at > $3 AND g.status = 'PENDING'`,
    values: [environmentId, userCodeHash, now],
  }
}

/**
 * Notes a poll of a grant that is not decided. One that comes too early makes the interval longer by five seconds, from
 * then on (RFC 8628 section 3.5), and every poll is what the next one is measured from.
 */
export function notePoll(environmentId: string, id: string, now: number): Statement<{ readonly is_early: number }> {
  return {
    text: `UPDATE polled_grants SET
             is_early = CASE WHEN poll_after > $3 THEN 1 ELSE 0 END,
             interval_seconds = CASE WHEN poll_after > $3 THEN interval_seconds + 5 ELSE interval_seconds END,
             poll_after = CASE WHEN poll_after > $3 THEN $3 + 1000 * (interval_seconds + 5) ELSE $3 + 1000 * interval_seconds END
           WHERE environment_id = $1 AND id = $2 RETURNING is_early`,
    values: [environmentId, id, now],
  }
}

/** Takes an approved grant: exactly one caller gets a row. */
export function takePolledGrant(environmentId: string, id: string, now: number): Statement<{ readonly id: string }> {
  return {
    text: `UPDATE polled_grants SET status = 'USED'
           WHERE environment_id = $1 AND id = $2 AND status = 'APPROVED' AND expires_at > $3 RETURNING id`,
    values: [environmentId, id, now],
  }
}

/** Binds a grant to whoever entered its user code first, in the flow in which they did; a row comes back where they are. */
export function claimPolledGrant(
  environmentId: string,
  id: string,
  { flowId, userId }: { readonly flowId: string; readonly userId: string },
  now: number,
): Statement<{ readonly id: string }> {
  return {
    text: `UPDATE polled_grants SET flow_id = $3, user_id = $4
           WHERE environment_id = $1 AND id = $2 AND status = 'PENDING' AND expires_at > $5
             AND (user_id IS NULL OR user_id = $4 OR flow_id = $3) RETURNING id`,
    values: [environmentId, id, flowId, userId, now],
  }
}

/** Notes that the user of a grant is being reached: exactly one caller gets a row. */
export function markReached(
  environmentId: string,
  id: string,
  flowId: string | null,
  now: number,
): Statement<{ readonly id: string }> {
  return {
    text: `UPDATE polled_grants SET reached_at = $4, flow_id = CAST($3 AS TEXT)
           WHERE environment_id = $1 AND id = $2 AND status = 'PENDING' AND expires_at > $4 AND reached_at IS NULL
           RETURNING id`,
    values: [environmentId, id, flowId, now],
  }
}

/** What the user has decided, and how they signed on if they approve. */
export interface Decision {
  readonly userId: string
  readonly status: 'APPROVED' | 'DENIED'
  readonly sessionId: string | null
  /** JSON. */
  readonly outcome: string | null
}

/** Notes what the user has decided: a row comes back where it is theirs to decide, and they had not yet. */
export function decidePolledGrant(
  environmentId: string,
  id: string,
  { userId, status, sessionId, outcome }: Decision,
  now: number,
): Statement<{ readonly id: string }> {
  return {
    text: `UPDATE polled_grants SET status = $4, session_id = CAST($5 AS TEXT), outcome = CAST($6 AS TEXT), decided_at = $7
           WHERE environment_id = $1 AND id = $2 AND user_id = $3 AND status = 'PENDING' AND expires_at > $7
           RETURNING id`,
    values: [environmentId, id, userId, status, sessionId, outcome, now],
  }
}

/** The application whose page for user codes has this name. */
export function applicationOfDevicePath(
  environmentId: string,
  pathId: string,
): Statement<{ readonly application_id: string }> {
  return {
    text: 'SELECT application_id FROM device_paths WHERE environment_id = $1 AND path_id = $2',
    values: [environmentId, pathId],
  }
}
