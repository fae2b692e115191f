/** What users granted to applications: platform-api 3.11.4, the user's OAuth scope consents. */
import type { Migration } from '../migration.ts'

export const oauthConsents: Migration = {
  number: 12,
  name: 'oauth-consents',
  steps: [
    `CREATE TABLE IF NOT EXISTS oauth_consents (
      environment_id TEXT NOT NULL, user_id TEXT NOT NULL, application_id TEXT NOT NULL, id TEXT NOT NULL,
      scope_ids TEXT NOT NULL, version INTEGER NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      used_at BIGINT, PRIMARY KEY (environment_id, user_id, application_id))`,
    `CREATE INDEX IF NOT EXISTS oauth_consents_application ON oauth_consents (environment_id, application_id)`,
  ],
}
