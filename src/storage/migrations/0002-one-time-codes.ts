/** Codes that are sent to a user and typed back: recovery, verification, activation, one-time passcodes. */
import type { Migration } from '../migration.ts'

export const oneTimeCodes: Migration = {
  number: 2,
  name: 'one-time-codes',
  steps: [
    `CREATE TABLE IF NOT EXISTS one_time_codes (
      environment_id TEXT NOT NULL, purpose TEXT NOT NULL, subject TEXT NOT NULL, code_hash TEXT NOT NULL,
      created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, PRIMARY KEY (environment_id, purpose, subject))`,
    `CREATE INDEX IF NOT EXISTS one_time_codes_expiry ON one_time_codes (expires_at)`,
  ],
}
