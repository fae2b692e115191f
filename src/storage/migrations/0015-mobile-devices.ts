/** MOBILE devices: the keys of apps, the keys that pair them, and the requests they are asked to answer. */
import type { Migration } from '../migration.ts'

export const mobileDevices: Migration = {
  number: 15,
  name: 'mobile-devices',
  steps: [
    `CREATE TABLE IF NOT EXISTS mobile_devices (
      environment_id TEXT NOT NULL, device_id TEXT NOT NULL, user_id TEXT NOT NULL, application_id TEXT NOT NULL,
      public_key TEXT NOT NULL, key_thumbprint TEXT NOT NULL, os TEXT, model TEXT, sealed_push_token TEXT,
      created_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, device_id), UNIQUE (environment_id, key_thumbprint))`,
    `CREATE TABLE IF NOT EXISTS pairing_keys (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, user_id TEXT NOT NULL, code_hash TEXT NOT NULL,
      applications TEXT NOT NULL, claimed_at BIGINT, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, code_hash))`,
    `CREATE INDEX IF NOT EXISTS pairing_keys_user ON pairing_keys (environment_id, user_id)`,
    `CREATE INDEX IF NOT EXISTS pairing_keys_expiry ON pairing_keys (expires_at)`,
    `CREATE TABLE IF NOT EXISTS push_requests (
      environment_id TEXT NOT NULL, flow_id TEXT NOT NULL, id TEXT NOT NULL, user_id TEXT NOT NULL,
      device_id TEXT NOT NULL, application_id TEXT NOT NULL, matches_number INTEGER NOT NULL,
      remote_address TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, flow_id))`,
    `CREATE INDEX IF NOT EXISTS push_requests_device ON push_requests (environment_id, device_id)`,
    `CREATE INDEX IF NOT EXISTS push_requests_expiry ON push_requests (expires_at)`,
  ],
}
