/** Recovery codes of users, as keyed hashes. */
import type { Migration } from '../migration.ts'

export const recoveryCodes: Migration = {
  number: 8,
  name: 'recovery-codes',
  steps: [
    `CREATE TABLE IF NOT EXISTS recovery_codes (
      environment_id TEXT NOT NULL, user_id TEXT NOT NULL, code_hash TEXT NOT NULL, created_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, user_id, code_hash))`,
  ],
}
