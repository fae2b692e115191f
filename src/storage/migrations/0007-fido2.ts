/** FIDO2: policies, and the credentials of devices. A credential is of one account only (row L29). */
import type { Migration } from '../migration.ts'

export const fido2: Migration = {
  number: 7,
  name: 'fido2',
  steps: [
    `CREATE TABLE IF NOT EXISTS fido2_policies (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, is_default INTEGER NOT NULL,
      document TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, name))`,
    `CREATE TABLE IF NOT EXISTS fido2_credentials (
      environment_id TEXT NOT NULL, credential_id TEXT NOT NULL, user_id TEXT NOT NULL, device_id TEXT NOT NULL,
      public_key TEXT NOT NULL, sign_count BIGINT NOT NULL, is_backup_eligible INTEGER NOT NULL,
      created_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, credential_id), UNIQUE (environment_id, user_id, device_id))`,
  ],
}
