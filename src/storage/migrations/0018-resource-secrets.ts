/** The secrets that resource servers introspect tokens with. */
import type { Migration } from '../migration.ts'

export const resourceSecrets: Migration = {
  number: 18,
  name: 'resource-secrets',
  steps: [
    `CREATE TABLE IF NOT EXISTS resource_secrets (
      environment_id TEXT NOT NULL, resource_id TEXT NOT NULL, sealed TEXT NOT NULL, hash TEXT NOT NULL,
      previous_sealed TEXT, previous_hash TEXT, previous_expires_at BIGINT, created_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, resource_id))`,
  ],
}
