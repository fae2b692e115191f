/** Custom domains: the name that an environment has for its own, with its certificate. */
import type { Migration } from '../migration.ts'

export const customDomains: Migration = {
  number: 24,
  name: 'custom-domains',
  steps: [
    `CREATE TABLE IF NOT EXISTS custom_domains (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, domain_name TEXT NOT NULL, status TEXT NOT NULL,
      certificate TEXT, sealed_private_key TEXT, certificate_expires_at BIGINT,
      created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id))`,
    `CREATE UNIQUE INDEX IF NOT EXISTS custom_domains_name ON custom_domains (domain_name)`,
  ],
}
