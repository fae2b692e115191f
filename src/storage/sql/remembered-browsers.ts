/** Statements on `remembered_browsers`. */
import type { Statement } from '../port.ts'

/** Whether a browser is remembered for a user. */
export function rememberedBrowser(
  environmentId: string,
  userId: string,
  tokenHash: string,
  now: number,
): Statement<{ readonly created_at: number }> {
  return {
    text: `SELECT created_at FROM remembered_browsers
           WHERE environment_id = $1 AND user_id = $2 AND token_hash = $3 AND expires_at > $4`,
    values: [environmentId, userId, tokenHash, now],
  }
}

/** Remembers a browser from now on; one that is remembered already is for longer. */
export function putRememberedBrowser(
  environmentId: string,
  userId: string,
  tokenHash: string,
  now: number,
  expiresAt: number,
): Statement<object> {
  return {
    text: `INSERT INTO remembered_browsers (environment_id, user_id, token_hash, created_at, expires_at)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (environment_id, user_id, token_hash) DO UPDATE SET created_at = $4, expires_at = $5`,
    values: [environmentId, userId, tokenHash, now, expiresAt],
  }
}
