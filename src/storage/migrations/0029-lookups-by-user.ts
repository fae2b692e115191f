/**
 * Indexes for what is looked for by its user: the few grants that have refresh tokens among all that a user gave, which
 * each new one of them looks at, and mobile devices.
 */
import type { Migration } from '../migration.ts'

export const lookupsByUser: Migration = {
  number: 29,
  name: 'lookups-by-user',
  steps: [
    `CREATE INDEX IF NOT EXISTS token_families_refreshing
       ON token_families (environment_id, user_id, client_id, session_id) WHERE generation > 0`,
    `CREATE INDEX IF NOT EXISTS mobile_devices_user ON mobile_devices (environment_id, user_id)`,
  ],
}
