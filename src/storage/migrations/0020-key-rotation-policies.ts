/** Key rotation policies: what an environment's signing keys are like, when another one takes over, and who uses which. */
import type { Migration } from '../migration.ts'

export const keyRotationPolicies: Migration = {
  number: 20,
  name: 'key-rotation-policies',
  steps: [
    `CREATE TABLE IF NOT EXISTS key_rotation_policies (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, algorithm TEXT NOT NULL, dn TEXT NOT NULL,
      key_length INTEGER NOT NULL, validity_period INTEGER NOT NULL, rotation_period INTEGER NOT NULL,
      is_default INTEGER NOT NULL, rotates_at BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id))`,
    `CREATE INDEX IF NOT EXISTS key_rotation_policies_due ON key_rotation_policies (rotates_at)`,
    `CREATE TABLE IF NOT EXISTS application_key_uses (
      environment_id TEXT NOT NULL, application_id TEXT NOT NULL, used TEXT NOT NULL,
      PRIMARY KEY (environment_id, application_id, used))`,
    `CREATE INDEX IF NOT EXISTS application_key_uses_used ON application_key_uses (environment_id, used)`,
  ],
}
