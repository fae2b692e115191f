/** Identity providers, their attribute mappings, the accounts linked to users, and round trips that are under way. */
import type { Migration } from '../migration.ts'

export const identityProviders: Migration = {
  number: 4,
  name: 'identity-providers',
  steps: [
    `CREATE TABLE IF NOT EXISTS identity_providers (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, enabled INTEGER NOT NULL,
      document TEXT NOT NULL, sealed_secret TEXT, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, name))`,
    `CREATE TABLE IF NOT EXISTS identity_provider_attributes (
      environment_id TEXT NOT NULL, identity_provider_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,
      mapping_type TEXT NOT NULL, value TEXT NOT NULL, update_mode TEXT NOT NULL,
      created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, identity_provider_id, id), UNIQUE (environment_id, identity_provider_id, name))`,
    `CREATE TABLE IF NOT EXISTS linked_accounts (
      environment_id TEXT NOT NULL, identity_provider_id TEXT NOT NULL, external_id TEXT NOT NULL, id TEXT NOT NULL,
      user_id TEXT NOT NULL, created_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, identity_provider_id, external_id),
      UNIQUE (environment_id, user_id, identity_provider_id))`,
    `CREATE TABLE IF NOT EXISTS external_authentications (
      environment_id TEXT NOT NULL, flow_id TEXT NOT NULL, state_hash TEXT NOT NULL, document TEXT NOT NULL,
      expires_at BIGINT NOT NULL, PRIMARY KEY (environment_id, flow_id), UNIQUE (environment_id, state_hash))`,
    `CREATE INDEX IF NOT EXISTS external_authentications_expiry ON external_authentications (expires_at)`,
  ],
}
