/** Statements on `devices`. */
import type { Statement } from '../port.ts'

/** A row of `devices`. Times are epoch milliseconds. */
export interface DeviceRow {
  readonly id: string
  readonly user_id: string
  readonly type: string
  readonly status: string
  readonly nickname: string | null
  readonly email: string | null
  /** As written: E.164, perhaps with dots, spaces and brackets; behind a comma, the extension. */
  readonly phone: string | null
  /** The seed of one-time passwords, sealed. */
  readonly sealed_seed: string | null
  /** The last time step whose password was used. */
  readonly last_step: number | null
  readonly blocked_at: number | null
  readonly position: number
  readonly created_at: number
  readonly updated_at: number
  /** When a device that was never activated goes; null once it is. */
  readonly expires_at: number | null
  /** Of a MOBILE device, null of any other. */
  readonly application_id: string | null
  readonly os: string | null
  readonly model: string | null
  /** 1: its app is sent messages. */
  readonly push_enabled: number
  /** How many tries at the user's devices the present window has seen; null: there were none lately. */
  readonly guesses: number | null
  /** When that window ends; it may have ended. */
  readonly guesses_until: number | null
}

/** The devices of a user in their order, without those that waited too long to be activated. */
export function devicesOfUser(environmentId: string, userId: string, now: number): Statement<DeviceRow> {
  return {
    text: `SELECT d.*, l.count AS guesses, l.expires_at AS guesses_until, m.application_id, m.os, m.model,
             CASE WHEN m.sealed_push_token IS NULL THEN 0 ELSE 1 END AS push_enabled
           FROM devices d
           LEFT JOIN limits l ON l.environment_id = d.environment_id AND l.kind = 'passcode' AND l.subject = d.user_id
           LEFT JOIN mobile_devices m ON m.environment_id = d.environment_id AND m.device_id = d.id
           WHERE d.environment_id = $1 AND d.user_id = $2 AND (d.expires_at IS NULL OR d.expires_at > $3)
           ORDER BY d.position, d.created_at, d.id`,
    values: [environmentId, userId, now],
  }
}

/** The policy that a device is made under; no row: the default one, or it is made. */
export function pairingPolicyOf(environmentId: string, deviceId: string): Statement<{ readonly policy_id: string }> {
  return {
    text: 'SELECT policy_id FROM device_pairings WHERE environment_id = $1 AND device_id = $2',
    values: [environmentId, deviceId],
  }
}

/**
 * Marks a time step as used. No row: somebody used this one or a later one (RFC 6238 section 5.2).
 */
export function useStep(
  environmentId: string,
  userId: string,
  id: string,
  step: number,
): Statement<{ readonly used: number }> {
  return {
    text: `UPDATE devices SET last_step = $4 WHERE environment_id = $1 AND user_id = $2 AND id = $3
             AND (last_step IS NULL OR last_step < $4) RETURNING 1 AS used`,
    values: [environmentId, userId, id, step],
  }
}

/** Makes units that change the devices of one user follow one another. No row: there is no such user. */
export function lockUser(environmentId: string, userId: string): Statement<{ readonly id: string }> {
  return {
    text: 'UPDATE users SET version = version WHERE environment_id = $1 AND id = $2 RETURNING id',
    values: [environmentId, userId],
  }
}
