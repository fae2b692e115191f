/** Languages, agreements with their languages and revisions, and what users consented to. */
import type { Migration } from '../migration.ts'

export const agreements: Migration = {
  number: 9,
  name: 'agreements',
  steps: [
    `CREATE TABLE IF NOT EXISTS languages (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, locale TEXT NOT NULL, name TEXT NOT NULL,
      is_default INTEGER NOT NULL, enabled INTEGER NOT NULL, customer_added INTEGER NOT NULL,
      created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, locale))`,
    `CREATE TABLE IF NOT EXISTS agreements (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, enabled INTEGER NOT NULL,
      document TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, name))`,
    `CREATE TABLE IF NOT EXISTS agreement_languages (
      environment_id TEXT NOT NULL, agreement_id TEXT NOT NULL, id TEXT NOT NULL, locale TEXT NOT NULL,
      enabled INTEGER NOT NULL, document TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, agreement_id, id), UNIQUE (environment_id, agreement_id, locale))`,
    `CREATE TABLE IF NOT EXISTS agreement_revisions (
      environment_id TEXT NOT NULL, agreement_id TEXT NOT NULL, language_id TEXT NOT NULL, id TEXT NOT NULL,
      content_type TEXT NOT NULL, text TEXT NOT NULL, effective_at BIGINT NOT NULL, require_reconsent INTEGER NOT NULL,
      created_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, agreement_id, language_id, id),
      UNIQUE (environment_id, agreement_id, language_id, effective_at))`,
    `CREATE TABLE IF NOT EXISTS agreement_consents (
      environment_id TEXT NOT NULL, user_id TEXT NOT NULL, agreement_id TEXT NOT NULL, id TEXT NOT NULL,
      language_id TEXT NOT NULL, revision_id TEXT NOT NULL, consented_at BIGINT NOT NULL, revoked_at BIGINT,
      created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, user_id, agreement_id))`,
    `CREATE INDEX IF NOT EXISTS agreement_consents_agreement ON agreement_consents (environment_id, agreement_id)`,
  ],
}
