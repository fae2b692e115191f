/** Stand-alone MFA. */
import type { Migration } from '../migration.ts'

export const deviceAuthentications: Migration = {
  number: 13,
  name: 'device-authentications',
  steps: [
    `CREATE TABLE IF NOT EXISTS device_authentications (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, user_id TEXT NOT NULL, client_id TEXT NOT NULL, state TEXT NOT NULL,
      version BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id))`,
    `CREATE INDEX IF NOT EXISTS device_authentications_user ON device_authentications (environment_id, user_id)`,
    `CREATE INDEX IF NOT EXISTS device_authentications_expiry ON device_authentications (expires_at)`,
  ],
}
