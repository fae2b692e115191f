/** Statements on `agreement_consents`: what a user consented to last, one row for each agreement. */
import type { Statement } from '../port.ts'

/** A row of `agreement_consents`. Times are epoch milliseconds. */
export interface AgreementConsentRow {
  readonly user_id: string
  readonly agreement_id: string
  readonly id: string
  readonly language_id: string
  readonly revision_id: string
  readonly consented_at: number
  readonly revoked_at: number | null
  readonly created_at: number
  readonly updated_at: number
}

/** What a user consented to. */
export function readConsents(environmentId: string, userId: string): Statement<AgreementConsentRow> {
  return {
    text: 'SELECT * FROM agreement_consents WHERE environment_id = $1 AND user_id = $2 ORDER BY created_at, id',
    values: [environmentId, userId],
  }
}

/** The consent of a user to an agreement. */
export function readConsent(
  environmentId: string,
  userId: string,
  agreementId: string,
): Statement<AgreementConsentRow> {
  return {
    text: 'SELECT * FROM agreement_consents WHERE environment_id = $1 AND user_id = $2 AND agreement_id = $3',
    values: [environmentId, userId, agreementId],
  }
}

/**
 * Records a consent in the place of the one before, whose id stays. One statement, so that of two at once one follows
 * the other.
 * @returns the consent as it is now
 */
export function recordConsent(
  environmentId: string,
  consent: Omit<AgreementConsentRow, 'revoked_at' | 'created_at'>,
): Statement<AgreementConsentRow> {
  const { id, user_id, agreement_id, language_id, revision_id, consented_at, updated_at } = consent
  return {
    text: `INSERT INTO agreement_consents (environment_id, user_id, agreement_id, id, language_id, revision_id,
             consented_at, revoked_at, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, $8, $8)
           ON CONFLICT (environment_id, user_id, agreement_id) DO UPDATE SET
             language_id = excluded.language_id, revision_id = excluded.revision_id,
             consented_at = excluded.consented_at, revoked_at = NULL, updated_at = excluded.updated_at
           RETURNING *`,
    values: [environmentId, user_id, agreement_id, id, language_id, revision_id, consented_at, updated_at],
  }
}

/**
 * Takes a consent back; one that was taken back keeps the time at which it was.
 * @returns the consent as it is now; no row: there is none
 */
export function revokeConsent(
  environmentId: string,
  userId: string,
  agreementId: string,
  now: number,
): Statement<AgreementConsentRow> {
  return {
    text: `UPDATE agreement_consents SET revoked_at = COALESCE(revoked_at, $4),
             updated_at = CASE WHEN revoked_at IS NULL THEN $4 ELSE updated_at END
           WHERE environment_id = $1 AND user_id = $2 AND agreement_id = $3 RETURNING *`,
    values: [environmentId, userId, agreementId, now],
  }
}
