/** The device authentication policies that devices are made under, until they are activated. */
import type { Migration } from '../migration.ts'

export const devicePairings: Migration = {
  number: 28,
  name: 'device-pairings',
  steps: [
    `CREATE TABLE IF NOT EXISTS device_pairings (
      environment_id TEXT NOT NULL, device_id TEXT NOT NULL, user_id TEXT NOT NULL, policy_id TEXT NOT NULL,
      expires_at BIGINT NOT NULL, PRIMARY KEY (environment_id, device_id))`,
    `CREATE INDEX IF NOT EXISTS device_pairings_expiry ON device_pairings (expires_at)`,
  ],
}
