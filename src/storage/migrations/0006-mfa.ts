/** MFA: device authentication policies and devices. */
import type { Migration } from '../migration.ts'

export const mfa: Migration = {
  number: 6,
  name: 'mfa',
  steps: [
    `CREATE TABLE IF NOT EXISTS device_authentication_policies (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, is_default INTEGER NOT NULL,
      document TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, name))`,
    `CREATE TABLE IF NOT EXISTS devices (
      environment_id TEXT NOT NULL, user_id TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL,
      nickname TEXT, email TEXT, phone TEXT, sealed_seed TEXT, last_step BIGINT, blocked_at BIGINT, position BIGINT NOT NULL,
      created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, expires_at BIGINT,
      PRIMARY KEY (environment_id, user_id, id))`,
    `CREATE INDEX IF NOT EXISTS devices_expiry ON devices (expires_at)`,
  ],
}
