/** The domains and addresses in whose name an environment sends e-mail: platform-api 3.18. */
import type { Migration } from '../migration.ts'

export const emailDomains: Migration = {
  number: 11,
  name: 'email-domains',
  steps: [
    `CREATE TABLE IF NOT EXISTS email_domains (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, domain_name TEXT NOT NULL, domain_key TEXT NOT NULL,
      sealed_dkim_key TEXT NOT NULL, dkim_public_key TEXT NOT NULL, created_at BIGINT NOT NULL,
      updated_at BIGINT NOT NULL, PRIMARY KEY (environment_id, id), UNIQUE (environment_id, domain_key))`,
    `CREATE TABLE IF NOT EXISTS trusted_emails (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, domain_id TEXT NOT NULL, email_address TEXT NOT NULL,
      address_key TEXT NOT NULL, status TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, address_key))`,
  ],
}
