/** Browsers in which users need not prove a second factor for a while. */
import type { Migration } from '../migration.ts'

export const rememberedBrowsers: Migration = {
  number: 14,
  name: 'remembered-browsers',
  steps: [
    `CREATE TABLE IF NOT EXISTS remembered_browsers (
      environment_id TEXT NOT NULL, user_id TEXT NOT NULL, token_hash TEXT NOT NULL, created_at BIGINT NOT NULL,
      expires_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, user_id, token_hash))`,
    `CREATE INDEX IF NOT EXISTS remembered_browsers_expiry ON remembered_browsers (expires_at)`,
  ],
}
