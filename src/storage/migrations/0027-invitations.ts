/** Invitations of users to choose the first password of their account: at most one of each user. */
import type { Migration } from '../migration.ts'

export const invitations: Migration = {
  number: 27,
  name: 'invitations',
  steps: [
    `CREATE TABLE IF NOT EXISTS invitations (
      environment_id TEXT NOT NULL, user_id TEXT NOT NULL, id TEXT NOT NULL, application_id TEXT,
      email_key TEXT NOT NULL, code_hash TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, user_id), UNIQUE (environment_id, code_hash))`,
    `CREATE INDEX IF NOT EXISTS invitations_expiry ON invitations (expires_at)`,
  ],
}
