/** What applications send push messages to their apps with: the credentials of each at Apple and Google, sealed. */
import type { Migration } from '../migration.ts'

export const pushCredentials: Migration = {
  number: 25,
  name: 'push-credentials',
  steps: [
    `CREATE TABLE IF NOT EXISTS push_credentials (
      environment_id TEXT NOT NULL, application_id TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
      sealed TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, application_id, id), UNIQUE (environment_id, application_id, type))`,
  ],
}
