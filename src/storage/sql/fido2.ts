/** Statements on `fido2_credentials`. */
import type { Statement } from '../port.ts'

/** A row of `fido2_credentials`. */
export interface Fido2CredentialRow {
  /** Base64url. */
  readonly credential_id: string
  readonly user_id: string
  readonly device_id: string
  /** COSE, base64url. */
  readonly public_key: string
  readonly sign_count: number
  readonly is_backup_eligible: number
  /** Of its attestation; null for one that was made before those were kept. */
  readonly format: string | null
  readonly aaguid: string | null
  readonly is_trusted: number | null
}

const columns = `c.*, a.format, a.aaguid, a.is_trusted FROM fido2_credentials c
  LEFT JOIN fido2_attestations a ON a.environment_id = c.environment_id AND a.credential_id = c.credential_id`

/** The credentials of a user. */
export function fido2CredentialsOf(environmentId: string, userId: string): Statement<Fido2CredentialRow> {
  return {
    text: `SELECT ${columns} WHERE c.environment_id = $1 AND c.user_id = $2 ORDER BY c.created_at, c.credential_id`,
    values: [environmentId, userId],
  }
}

/** A credential by its own id. */
export function fido2CredentialById(environmentId: string, credentialId: string): Statement<Fido2CredentialRow> {
  return {
    text: `SELECT ${columns} WHERE c.environment_id = $1 AND c.credential_id = $2`,
    values: [environmentId, credentialId],
  }
}

/** Moves the signature counter of a credential on. No row: somebody else has moved it since it was read (row L27). */
export function moveSignCount(
  environmentId: string,
  credentialId: string,
  from: number,
  to: number,
): Statement<{ readonly moved: number }> {
  return {
    text: `UPDATE fido2_credentials SET sign_count = $4
           WHERE environment_id = $1 AND credential_id = $2 AND sign_count = $3 RETURNING 1 AS moved`,
    values: [environmentId, credentialId, from, to],
  }
}
