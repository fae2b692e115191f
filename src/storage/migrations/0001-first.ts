/**
 * The tables of the first release. Architecture section 5: keys begin with `environment_id`, times are epoch
 * milliseconds, ids are UUIDv4 text, documents are JSON text; what can be filtered or sorted is a column of its own.
 * Global tables: organizations, licenses, environments, environment_changes, role_assignments, client_index.
 */
import type { Migration } from '../migration.ts'

export const first: Migration = {
  number: 1,
  name: 'first',
  steps: [
    `CREATE TABLE IF NOT EXISTS organizations (
      id TEXT PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL,
      created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS licenses (
      id TEXT PRIMARY KEY, organization_id TEXT NOT NULL, name TEXT NOT NULL, package TEXT NOT NULL,
      status TEXT NOT NULL, begins_at BIGINT NOT NULL, created_at BIGINT NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS environments (
      id TEXT PRIMARY KEY, organization_id TEXT NOT NULL, license_id TEXT NOT NULL, name TEXT NOT NULL,
      type TEXT NOT NULL, region TEXT NOT NULL, document TEXT NOT NULL, settings TEXT NOT NULL,
      mfa_settings TEXT, version INTEGER NOT NULL, changed_at BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      deleted_at BIGINT)`,
    `CREATE UNIQUE INDEX IF NOT EXISTS environments_name ON environments (organization_id, name) WHERE deleted_at IS NULL`,
    `CREATE INDEX IF NOT EXISTS environments_page ON environments (created_at, id)`,
    `CREATE INDEX IF NOT EXISTS environments_changed ON environments (changed_at)`,
    `CREATE TABLE IF NOT EXISTS environment_changes (
      environment_id TEXT NOT NULL, version INTEGER NOT NULL, kind TEXT NOT NULL, object_id TEXT NOT NULL,
      changed_at BIGINT NOT NULL, PRIMARY KEY (environment_id, version, kind, object_id))`,
    `CREATE INDEX IF NOT EXISTS environment_changes_age ON environment_changes (changed_at)`,
    `CREATE TABLE IF NOT EXISTS role_assignments (
      id TEXT PRIMARY KEY, environment_id TEXT NOT NULL, actor_type TEXT NOT NULL, actor_id TEXT NOT NULL,
      role_id TEXT NOT NULL, scope_type TEXT NOT NULL, scope_id TEXT NOT NULL, scope_environment_id TEXT,
      read_only INTEGER NOT NULL, created_at BIGINT NOT NULL,
      UNIQUE (environment_id, actor_id, role_id, scope_type, scope_id))`,
    `CREATE INDEX IF NOT EXISTS role_assignments_scope ON role_assignments (scope_environment_id)`,
    `CREATE TABLE IF NOT EXISTS client_index (client_id TEXT PRIMARY KEY, environment_id TEXT NOT NULL)`,

    `CREATE TABLE IF NOT EXISTS data_keys (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, wrapped TEXT NOT NULL, master_key_id TEXT NOT NULL,
      created_at BIGINT NOT NULL, PRIMARY KEY (environment_id, id))`,
    `CREATE TABLE IF NOT EXISTS signing_keys (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, policy_id TEXT NOT NULL, algorithm TEXT NOT NULL,
      public_jwk TEXT NOT NULL, sealed_private_key TEXT NOT NULL, signs_from BIGINT NOT NULL, retired_at BIGINT,
      created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id))`,
    `CREATE INDEX IF NOT EXISTS signing_keys_retired ON signing_keys (retired_at)`,

    `CREATE TABLE IF NOT EXISTS password_policies (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, is_default INTEGER NOT NULL,
      document TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, name))`,
    `CREATE TABLE IF NOT EXISTS populations (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, is_default INTEGER NOT NULL,
      password_policy_id TEXT, document TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, name))`,
    `CREATE TABLE IF NOT EXISTS applications (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
      enabled INTEGER NOT NULL, document TEXT NOT NULL, version INTEGER NOT NULL,
      created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, name))`,
    `CREATE TABLE IF NOT EXISTS application_secrets (
      environment_id TEXT NOT NULL, application_id TEXT NOT NULL, sealed TEXT NOT NULL, hash TEXT NOT NULL,
      previous_sealed TEXT, previous_hash TEXT, previous_expires_at BIGINT, created_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, application_id))`,
    `CREATE TABLE IF NOT EXISTS application_grants (
      environment_id TEXT NOT NULL, application_id TEXT NOT NULL, id TEXT NOT NULL, resource_id TEXT NOT NULL,
      scope_ids TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, application_id, id), UNIQUE (environment_id, application_id, resource_id))`,
    `CREATE TABLE IF NOT EXISTS resources (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
      audience TEXT, document TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, name))`,
    `CREATE UNIQUE INDEX IF NOT EXISTS resources_audience ON resources (environment_id, audience) WHERE audience IS NOT NULL`,
    `CREATE TABLE IF NOT EXISTS scopes (
      environment_id TEXT NOT NULL, resource_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,
      document TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, resource_id, id), UNIQUE (environment_id, resource_id, name))`,
    `CREATE TABLE IF NOT EXISTS sign_on_policies (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, description TEXT,
      is_default INTEGER NOT NULL, version INTEGER NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, name))`,
    `CREATE TABLE IF NOT EXISTS sign_on_policy_versions (
      environment_id TEXT NOT NULL, policy_id TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL,
      actions TEXT NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (environment_id, policy_id, version))`,
    `CREATE TABLE IF NOT EXISTS sign_on_policy_assignments (
      environment_id TEXT NOT NULL, application_id TEXT NOT NULL, id TEXT NOT NULL, policy_id TEXT NOT NULL,
      priority INTEGER NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, application_id, id), UNIQUE (environment_id, application_id, policy_id))`,
    `CREATE INDEX IF NOT EXISTS sign_on_policy_assignments_policy ON sign_on_policy_assignments (environment_id, policy_id)`,

    `CREATE TABLE IF NOT EXISTS users (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, population_id TEXT NOT NULL,
      username TEXT NOT NULL, username_key TEXT NOT NULL, email_key TEXT, given_key TEXT, family_key TEXT,
      mobile_phone TEXT, external_id TEXT, enabled INTEGER NOT NULL, locked_at BIGINT, locked_until BIGINT, mfa_failures INTEGER NOT NULL DEFAULT 0, mfa_enabled INTEGER NOT NULL,
      verification_required INTEGER NOT NULL, registered_email_key TEXT, document TEXT NOT NULL, last_sign_on_at BIGINT, last_sign_on_ip TEXT, profile_asked_at BIGINT, version INTEGER NOT NULL,
      created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, username_key))`,
    `CREATE INDEX IF NOT EXISTS users_page ON users (environment_id, created_at, id)`,
    `CREATE INDEX IF NOT EXISTS users_population ON users (environment_id, population_id, created_at, id)`,
    `CREATE INDEX IF NOT EXISTS users_email ON users (environment_id, email_key)`,
    `CREATE UNIQUE INDEX IF NOT EXISTS users_registered_email ON users (environment_id, registered_email_key) WHERE registered_email_key IS NOT NULL`,
    `CREATE INDEX IF NOT EXISTS users_given ON users (environment_id, given_key)`,
    `CREATE INDEX IF NOT EXISTS users_family ON users (environment_id, family_key)`,
    `CREATE INDEX IF NOT EXISTS users_mobile_phone ON users (environment_id, mobile_phone)`,
    `CREATE INDEX IF NOT EXISTS users_external_id ON users (environment_id, external_id)`,
    `CREATE TABLE IF NOT EXISTS passwords (
      environment_id TEXT NOT NULL, user_id TEXT NOT NULL, hash TEXT NOT NULL, changed_at BIGINT NOT NULL,
      must_change INTEGER NOT NULL, history TEXT NOT NULL, PRIMARY KEY (environment_id, user_id))`,
    `CREATE TABLE IF NOT EXISTS limits (
      environment_id TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, count INTEGER NOT NULL,
      expires_at BIGINT NOT NULL, PRIMARY KEY (environment_id, kind, subject))`,
    `CREATE INDEX IF NOT EXISTS limits_expiry ON limits (expires_at)`,

    `CREATE TABLE IF NOT EXISTS sessions (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, token_hash TEXT NOT NULL, user_id TEXT NOT NULL,
      document TEXT NOT NULL, version INTEGER NOT NULL, created_at BIGINT NOT NULL, active_at BIGINT NOT NULL,
      expires_at BIGINT NOT NULL, PRIMARY KEY (environment_id, id))`,
    `CREATE UNIQUE INDEX IF NOT EXISTS sessions_token ON sessions (environment_id, token_hash)`,
    `CREATE INDEX IF NOT EXISTS sessions_user ON sessions (environment_id, user_id)`,
    `CREATE INDEX IF NOT EXISTS sessions_expiry ON sessions (expires_at)`,
    `CREATE TABLE IF NOT EXISTS flows (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, token_hash TEXT, state TEXT NOT NULL, version INTEGER NOT NULL,
      created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, PRIMARY KEY (environment_id, id))`,
    `CREATE INDEX IF NOT EXISTS flows_expiry ON flows (expires_at)`,
    `CREATE TABLE IF NOT EXISTS authorization_codes (
      environment_id TEXT NOT NULL, code_hash TEXT NOT NULL, family_id TEXT NOT NULL, client_id TEXT NOT NULL,
      user_id TEXT NOT NULL, session_id TEXT NOT NULL, document TEXT NOT NULL, created_at BIGINT NOT NULL,
      expires_at BIGINT NOT NULL, used_at BIGINT, purge_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, code_hash))`,
    `CREATE INDEX IF NOT EXISTS authorization_codes_expiry ON authorization_codes (purge_at)`,
    `CREATE TABLE IF NOT EXISTS token_families (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, client_id TEXT NOT NULL, user_id TEXT NOT NULL,
      session_id TEXT NOT NULL, scope TEXT NOT NULL, document TEXT NOT NULL, generation INTEGER NOT NULL,
      rotated_at BIGINT, revoked_at BIGINT, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id))`,
    `CREATE INDEX IF NOT EXISTS token_families_user ON token_families (environment_id, user_id, session_id)`,
    `CREATE INDEX IF NOT EXISTS token_families_expiry ON token_families (expires_at)`,

    `CREATE TABLE IF NOT EXISTS events (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, recorded_at BIGINT NOT NULL, action TEXT NOT NULL,
      result TEXT NOT NULL, actor_client_id TEXT, actor_user_id TEXT, subject_type TEXT, subject_id TEXT,
      session_id TEXT, correlation_id TEXT, remote_ip TEXT, document TEXT NOT NULL,
      PRIMARY KEY (environment_id, recorded_at, id))`,
    `CREATE TABLE IF NOT EXISTS outbox (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL,
      attempts INTEGER NOT NULL, next_at BIGINT NOT NULL, created_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id))`,
    `CREATE INDEX IF NOT EXISTS outbox_due ON outbox (next_at)`,
  ],
}
