/** Clients that register themselves: what an environment allows them, the tokens that let them in, and who did. */
import type { Migration } from '../migration.ts'

export const clientRegistration: Migration = {
  number: 21,
  name: 'client-registration',
  steps: [
    `CREATE TABLE IF NOT EXISTS client_registration_policies (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id))`,
    `CREATE TABLE IF NOT EXISTS initial_access_tokens (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, token_hash TEXT NOT NULL, description TEXT,
      maximum_uses INTEGER NOT NULL, uses INTEGER NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, token_hash))`,
    `CREATE INDEX IF NOT EXISTS initial_access_tokens_page ON initial_access_tokens (environment_id, created_at, id)`,
    `CREATE INDEX IF NOT EXISTS initial_access_tokens_expiry ON initial_access_tokens (expires_at)`,
    `CREATE TABLE IF NOT EXISTS dynamic_clients (
      environment_id TEXT NOT NULL, application_id TEXT NOT NULL, client_uri TEXT, token_hash TEXT,
      used_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, created_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, application_id))`,
    `CREATE UNIQUE INDEX IF NOT EXISTS dynamic_clients_uri ON dynamic_clients (environment_id, client_uri) WHERE client_uri IS NOT NULL`,
    `CREATE INDEX IF NOT EXISTS dynamic_clients_expiry ON dynamic_clients (expires_at)`,
  ],
}
