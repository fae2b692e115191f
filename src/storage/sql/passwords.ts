/** Statements on `passwords`. The hash has a random salt, so it is the version of its row. */
import type { Statement } from '../port.ts'

/** What is kept of a password; times are epoch milliseconds. */
export interface PasswordColumns {
  readonly hash: string
  readonly changed_at: number
  /** 1 when it must be changed at the next sign-on. */
  readonly must_change: number
  /** JSON array of former passwords: `{ hash, replacedAt }`. */
  readonly history: string
}

/** Puts a new password in the place of the one whose hash was read. No row: somebody else was first. */
export function replacePassword(
  environmentId: string,
  userId: string,
  readHash: string,
  password: PasswordColumns,
): Statement<{ readonly replaced: number }> {
  return {
    text: `UPDATE passwords SET hash = $4, changed_at = $5, must_change = $6, history = $7
           WHERE environment_id = $1 AND user_id = $2 AND hash = $3 RETURNING 1 AS replaced`,
    values: [
      environmentId,
      userId,
      readHash,
      password.hash,
      password.changed_at,
      password.must_change,
      password.history,
    ],
  }
}

/** Stores the same password under a hash of the current cost, unless it has been changed meanwhile. */
export function rehashPassword(
  environmentId: string,
  userId: string,
  readHash: string,
  hash: string,
): Statement<object> {
  return {
    text: 'UPDATE passwords SET hash = $4 WHERE environment_id = $1 AND user_id = $2 AND hash = $3',
    values: [environmentId, userId, readHash, hash],
  }
}

/** Makes the user change the password at the next sign-on. No row: there is none. */
export function forcePasswordChange(environmentId: string, userId: string): Statement<{ readonly forced: number }> {
  return {
    text: 'UPDATE passwords SET must_change = 1 WHERE environment_id = $1 AND user_id = $2 RETURNING 1 AS forced',
    values: [environmentId, userId],
  }
}
