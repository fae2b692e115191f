/** Statements on `linked_accounts` and `external_authentications`. */
import type { Statement } from '../port.ts'
import { type UserWithPasswordRow, userWithPasswordColumns, withPasswordOf } from './users.ts'

/** The user an account at a provider is linked to, with their password. */
export function userOfLinkedAccount(
  environmentId: string,
  identityProviderId: string,
  externalId: string,
): Statement<UserWithPasswordRow> {
  return {
    text: `SELECT ${userWithPasswordColumns} FROM linked_accounts a
           JOIN users u ON u.environment_id = a.environment_id AND u.id = a.user_id ${withPasswordOf}
           WHERE a.environment_id = $1 AND a.identity_provider_id = $2 AND a.external_id = $3`,
    values: [environmentId, identityProviderId, externalId],
  }
}

/** The account at a provider that a user is linked to. */
export function linkedAccountOf(
  environmentId: string,
  userId: string,
  identityProviderId: string,
): Statement<{ readonly external_id: string }> {
  return {
    text: `SELECT external_id FROM linked_accounts
           WHERE environment_id = $1 AND user_id = $2 AND identity_provider_id = $3`,
    values: [environmentId, userId, identityProviderId],
  }
}

/** An account at a provider that a user is linked to. */
export interface LinkedAccountRow {
  readonly id: string
  readonly identity_provider_id: string
  readonly external_id: string
}

/** Every account that a user is linked to, the oldest first. */
export function linkedAccountsOf(environmentId: string, userId: string): Statement<LinkedAccountRow> {
  return {
    text: `SELECT id, identity_provider_id, external_id FROM linked_accounts
           WHERE environment_id = $1 AND user_id = $2 ORDER BY created_at, id`,
    values: [environmentId, userId],
  }
}

/** Whether a user is linked to an account at any provider. */
export function anyLinkedAccountOf(environmentId: string, userId: string): Statement<{ readonly linked: number }> {
  return {
    text: 'SELECT 1 AS linked FROM linked_accounts WHERE environment_id = $1 AND user_id = $2 LIMIT 1',
    values: [environmentId, userId],
  }
}

/** A round trip that is under way. */
export interface ExternalAuthenticationRow {
  readonly flow_id: string
  /** Sealed JSON. */
  readonly document: string
}

/** Begins a round trip; the one before it in the same flow is over. */
export function replaceExternalAuthentication(
  environmentId: string,
  row: ExternalAuthenticationRow & { readonly state_hash: string; readonly expires_at: number },
): Statement<object> {
  return {
    text: `INSERT INTO external_authentications (environment_id, flow_id, state_hash, document, expires_at)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (environment_id, flow_id) DO UPDATE SET
             state_hash = excluded.state_hash, document = excluded.document, expires_at = excluded.expires_at`,
    values: [environmentId, row.flow_id, row.state_hash, row.document, row.expires_at],
  }
}

/** The round trip of a state, as long as it lives. */
export function externalAuthenticationByState(
  environmentId: string,
  stateHash: string,
  now: number,
): Statement<ExternalAuthenticationRow> {
  return {
    text: `SELECT flow_id, document FROM external_authentications
           WHERE environment_id = $1 AND state_hash = $2 AND expires_at > $3`,
    values: [environmentId, stateHash, now],
  }
}
