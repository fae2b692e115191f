/** Statements on `oauth_consents` beside what is built of the race words. */
import type { Statement } from '../port.ts'

/** A row of `oauth_consents`. */
export interface OauthConsentRow {
  readonly user_id: string
  readonly application_id: string
  readonly id: string
  /** JSON array of scope ids. */
  readonly scope_ids: string
  readonly version: number
  readonly created_at: number
  readonly updated_at: number
  readonly used_at: number | null
}

/** What a user granted to an application. */
export function consentOf(environmentId: string, userId: string, applicationId: string): Statement<OauthConsentRow> {
  return {
    text: 'SELECT * FROM oauth_consents WHERE environment_id = $1 AND user_id = $2 AND application_id = $3',
    values: [environmentId, userId, applicationId],
  }
}

/** What a user granted, to all applications; the newest first. */
export function consentsOfUser(environmentId: string, userId: string): Statement<OauthConsentRow> {
  return {
    text: `SELECT * FROM oauth_consents WHERE environment_id = $1 AND user_id = $2
           ORDER BY created_at DESC, application_id LIMIT 1000`,
    values: [environmentId, userId],
  }
}

/** Notes the use of a consent: a row comes back while it stands, and it cannot be withdrawn before the unit is over. */
export function noteConsentUse(
  environmentId: string,
  userId: string,
  applicationId: string,
  id: string,
  now: number,
): Statement<{ readonly id: string }> {
  return {
    text: `UPDATE oauth_consents SET used_at = $5
           WHERE environment_id = $1 AND user_id = $2 AND application_id = $3 AND id = $4 RETURNING id`,
    values: [environmentId, userId, applicationId, id, now],
  }
}

/** Revokes everything that was issued to one client for one user. */
export function revokeFamiliesOfUserAtClient(
  environmentId: string,
  userId: string,
  clientId: string,
  now: number,
): Statement<object> {
  return {
    text: `UPDATE token_families SET revoked_at = $4
           WHERE environment_id = $1 AND user_id = $2 AND client_id = $3 AND revoked_at IS NULL`,
    values: [environmentId, userId, clientId, now],
  }
}
