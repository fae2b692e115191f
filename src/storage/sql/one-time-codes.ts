/** Statements on `one_time_codes`. */
import type { Statement } from '../port.ts'

/** What names a code: for what it was made, and for whom or what. */
export interface OneTimeCodeKey {
  readonly environmentId: string
  readonly purpose: string
  readonly subject: string
}

/** Stores a code in the place of an older one, which is dead from then on. Times are epoch milliseconds. */
export function putOneTimeCode(
  { environmentId, purpose, subject }: OneTimeCodeKey,
  codeHash: string,
  createdAt: number,
  expiresAt: number,
): Statement<object> {
  return {
    text: `INSERT INTO one_time_codes (environment_id, purpose, subject, code_hash, created_at, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (environment_id, purpose, subject)
           DO UPDATE SET code_hash = $4, created_at = $5, expires_at = $6`,
    values: [environmentId, purpose, subject, codeHash, createdAt, expiresAt],
  }
}

/** The code that may be typed now. */
export function oneTimeCode(
  { environmentId, purpose, subject }: OneTimeCodeKey,
  now: number,
): Statement<{ readonly code_hash: string; readonly created_at: number }> {
  return {
    text: `SELECT code_hash, created_at FROM one_time_codes
           WHERE environment_id = $1 AND purpose = $2 AND subject = $3 AND expires_at > $4`,
    values: [environmentId, purpose, subject, now],
  }
}

/** Removes the codes of a purpose whose subject begins with a user's id and a slash. */
export function removeOneTimeCodes(environmentId: string, purpose: string, userId: string): Statement<object> {
  return {
    // '0' is the character that follows '/'.
    text: `DELETE FROM one_time_codes WHERE environment_id = $1 AND purpose = $2 AND subject > $3 AND subject < $4`,
    values: [environmentId, purpose, `${userId}/`, `${userId}0`],
  }
}
