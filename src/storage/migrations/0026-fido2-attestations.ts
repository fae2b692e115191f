/** What was known of the authenticator of a FIDO2 credential when it was made. */
import type { Migration } from '../migration.ts'

export const fido2Attestations: Migration = {
  number: 26,
  name: 'fido2-attestations',
  steps: [
    `CREATE TABLE IF NOT EXISTS fido2_attestations (
      environment_id TEXT NOT NULL, credential_id TEXT NOT NULL, user_id TEXT NOT NULL, device_id TEXT NOT NULL,
      format TEXT NOT NULL, aaguid TEXT NOT NULL, is_trusted INTEGER NOT NULL, created_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, credential_id))`,
    `CREATE INDEX IF NOT EXISTS fido2_attestations_user ON fido2_attestations (environment_id, user_id)`,
  ],
}
