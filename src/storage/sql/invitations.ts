/** Statements on `invitations`. */
import type { Statement } from '../port.ts'

/** An invitation as it lies in storage. Times are epoch milliseconds. */
export interface InvitationRow {
  readonly user_id: string
  readonly id: string
  readonly application_id: string | null
  readonly email_key: string
  readonly code_hash: string
  readonly created_at: number
  readonly expires_at: number
}

const columns = 'user_id, id, application_id, email_key, code_hash, created_at, expires_at'

/** Stores an invitation in the place of an older one of the same user, which is dead from then on. */
export function putInvitation(environmentId: string, row: InvitationRow): Statement<object> {
  return {
    text: `INSERT INTO invitations (environment_id, ${columns})
           VALUES ($1, $2, $3, CAST($4 AS TEXT), $5, $6, $7, $8)
           ON CONFLICT (environment_id, user_id) DO UPDATE SET
             id = excluded.id, application_id = excluded.application_id, email_key = excluded.email_key,
             code_hash = excluded.code_hash, created_at = excluded.created_at, expires_at = excluded.expires_at`,
    values: [
      environmentId,
      row.user_id,
      row.id,
      row.application_id,
      row.email_key,
      row.code_hash,
      row.created_at,
      row.expires_at,
    ],
  }
}

/** The invitation of a user, as long as it lives. */
export function invitationOfUser(environmentId: string, userId: string, now: number): Statement<InvitationRow> {
  return {
    text: `SELECT ${columns} FROM invitations WHERE environment_id = $1 AND user_id = $2 AND expires_at > $3`,
    values: [environmentId, userId, now],
  }
}

/** The invitation of a code, as long as it lives. */
export function invitationByCode(environmentId: string, codeHash: string, now: number): Statement<InvitationRow> {
  return {
    text: `SELECT ${columns} FROM invitations WHERE environment_id = $1 AND code_hash = $2 AND expires_at > $3`,
    values: [environmentId, codeHash, now],
  }
}
