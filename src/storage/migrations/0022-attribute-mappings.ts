/** What claims are made of: attributes of resources and attribute mappings of applications. */
import type { Migration } from '../migration.ts'

export const attributeMappings: Migration = {
  number: 22,
  name: 'attribute-mappings',
  steps: [
    `CREATE TABLE IF NOT EXISTS resource_attributes (
      environment_id TEXT NOT NULL, resource_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
      value TEXT NOT NULL, id_token INTEGER NOT NULL, user_info INTEGER NOT NULL,
      created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, resource_id, id), UNIQUE (environment_id, resource_id, name))`,
    `CREATE TABLE IF NOT EXISTS application_attributes (
      environment_id TEXT NOT NULL, application_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,
      mapping_type TEXT NOT NULL, required INTEGER NOT NULL, value TEXT NOT NULL, id_token INTEGER NOT NULL,
      user_info INTEGER NOT NULL, oidc_scopes TEXT, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, application_id, id), UNIQUE (environment_id, application_id, name))`,
  ],
}
