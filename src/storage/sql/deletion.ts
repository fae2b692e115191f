/**
 * Statements that remove an environment (architecture section 5, "Deletion"): first the stamp, then rows in short
 * batches, then what the stamp stood on.
 */
import type { Statement } from '../port.ts'

/**
 * Every table with rows of an environment and what names a row beside the environment, in the order of removal: keys
 * and secrets first, so that what is sealed becomes unreadable at once. `environments` and `outbox` go last, by hand.
 */
export const environmentTables = {
  data_keys: ['id'],
  signing_keys: ['id'],
  key_rotation_policies: ['id'],
  custom_domains: ['id'],
  application_secrets: ['application_id'],
  resource_secrets: ['resource_id'],
  push_credentials: ['application_id', 'id'],
  passwords: ['user_id'],
  agreement_consents: ['user_id', 'agreement_id'],
  identity_providers: ['id'],
  identity_provider_attributes: ['identity_provider_id', 'id'],
  linked_accounts: ['identity_provider_id', 'external_id'],
  external_authentications: ['flow_id'],
  notifications_settings: ['kind'],
  phone_delivery_settings: ['id'],
  email_domains: ['id'],
  trusted_emails: ['id'],
  devices: ['user_id', 'id'],
  fido2_credentials: ['credential_id'],
  fido2_attestations: ['credential_id'],
  mobile_devices: ['device_id'],
  pairing_keys: ['id'],
  device_pairings: ['device_id'],
  push_requests: ['flow_id'],
  recovery_codes: ['user_id', 'code_hash'],
  remembered_browsers: ['user_id', 'token_hash'],
  device_authentications: ['id'],
  inbox: ['id'],
  one_time_codes: ['purpose', 'subject'],
  invitations: ['user_id'],
  sessions: ['id'],
  flows: ['id'],
  pushed_requests: ['reference_hash'],
  authorization_codes: ['code_hash'],
  token_families: ['id'],
  polled_grants: ['id'],
  opaque_tokens: ['token_hash'],
  used_jwts: ['kind', 'id_hash'],
  oauth_consents: ['user_id', 'application_id'],
  client_registration_policies: ['id'],
  initial_access_tokens: ['id'],
  dynamic_clients: ['application_id'],
  client_index: ['client_id'],
  role_assignments: ['id'],
  application_grants: ['application_id', 'id'],
  sign_on_policy_assignments: ['application_id', 'id'],
  device_paths: ['path_id'],
  application_key_uses: ['application_id', 'used'],
  application_groups: ['application_id', 'group_id'],
  application_attributes: ['application_id', 'id'],
  applications: ['id'],
  group_memberships: ['user_id', 'group_id'],
  group_nestings: ['group_id', 'parent_id'],
  groups: ['id'],
  users: ['id'],
  limits: ['kind', 'subject'],
  populations: ['id'],
  password_policies: ['id'],
  notifications_policies: ['id'],
  template_contents: ['id'],
  device_authentication_policies: ['id'],
  fido2_policies: ['id'],
  agreement_revisions: ['agreement_id', 'language_id', 'id'],
  agreement_languages: ['agreement_id', 'id'],
  agreements: ['id'],
  languages: ['id'],
  scopes: ['resource_id', 'id'],
  resource_attributes: ['resource_id', 'id'],
  resources: ['id'],
  sign_on_policy_versions: ['policy_id', 'version'],
  sign_on_policies: ['id'],
  environment_changes: ['version', 'kind', 'object_id'],
  events: ['id'],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** The name of a table with rows of an environment. */
export type EnvironmentTable = keyof typeof environmentTables

/** Stamps an environment as deleted: from now on nothing finds it. */
export function stampDeletion(id: string, now: number): Statement<{ readonly id: string }> {
  return {
    text: 'UPDATE environments SET deleted_at = $2, updated_at = $2 WHERE id = $1 AND deleted_at IS NULL RETURNING id',
    values: [id, now],
  }
}

/** When an environment was stamped; null: it lives; no row: it is gone. */
export function deletionOf(id: string): Statement<{ readonly deleted_at: number | null }> {
  return { text: 'SELECT deleted_at FROM environments WHERE id = $1', values: [id] }
}

/** Removes at most `limit` rows of an environment from one table; as many rows come back. */
export function deleteRowsOf(table: EnvironmentTable, environmentId: string, limit: number): Statement<object> {
  const key = environmentTables[table].join(', ')
  return {
    text: `DELETE FROM ${table} WHERE environment_id = $1
             AND (${key}) IN (SELECT ${key} FROM ${table} WHERE environment_id = $1 LIMIT $2)
           RETURNING 1 AS removed`,
    values: [environmentId, limit],
  }
}

/** Removes at most `limit` roles that actors of other environments hold in this one. */
export function deleteRolesIn(environmentId: string, limit: number): Statement<object> {
  return {
    text: `DELETE FROM role_assignments
           WHERE id IN (SELECT id FROM role_assignments WHERE scope_environment_id = $1 LIMIT $2)
           RETURNING 1 AS removed`,
    values: [environmentId, limit],
  }
}

/** Empties the row of a deleted environment; what is left says only that there was one. */
export function emptyTombstone(id: string): Statement<object> {
  return {
    text: `UPDATE environments SET name = '', document = '{}', settings = '{}' WHERE id = $1 AND deleted_at IS NOT NULL`,
    values: [id],
  }
}

/** Removes the row of a deleted environment. */
export function deleteTombstone(id: string): Statement<object> {
  return { text: 'DELETE FROM environments WHERE id = $1 AND deleted_at IS NOT NULL', values: [id] }
}
