/** JWTs of clients that were used and count once. */
import type { Migration } from '../migration.ts'

export const usedJwts: Migration = {
  number: 16,
  name: 'used-jwts',
  steps: [
    `CREATE TABLE IF NOT EXISTS used_jwts (
      environment_id TEXT NOT NULL, kind TEXT NOT NULL, id_hash TEXT NOT NULL, expires_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, kind, id_hash))`,
    `CREATE INDEX IF NOT EXISTS used_jwts_expiry ON used_jwts (expires_at)`,
  ],
}
