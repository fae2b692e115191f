/** The inbox of a development server. */
import type { Migration } from '../migration.ts'

export const inbox: Migration = {
  number: 3,
  name: 'inbox',
  steps: [
    `CREATE TABLE IF NOT EXISTS inbox (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, template TEXT NOT NULL, delivery_method TEXT NOT NULL,
      recipient TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id))`,
    `CREATE INDEX IF NOT EXISTS inbox_page ON inbox (environment_id, created_at)`,
    `CREATE INDEX IF NOT EXISTS inbox_expiry ON inbox (expires_at)`,
  ],
}
