/** Authorization requests that were pushed and not used yet (RFC 9126). */
import type { Migration } from '../migration.ts'

export const pushedRequests: Migration = {
  number: 17,
  name: 'pushed-requests',
  steps: [
    `CREATE TABLE IF NOT EXISTS pushed_requests (
      environment_id TEXT NOT NULL, reference_hash TEXT NOT NULL, client_id TEXT NOT NULL, document TEXT NOT NULL,
      created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, reference_hash))`,
    `CREATE INDEX IF NOT EXISTS pushed_requests_expiry ON pushed_requests (expires_at)`,
  ],
}
