/**
 * Grants that a client polls for while the user decides elsewhere (RFC 8628, OpenID CIBA), and the short names under
 * which applications have a page for user codes.
 */
import type { Migration } from '../migration.ts'

export const polledGrants: Migration = {
  number: 19,
  name: 'polled-grants',
  steps: [
    `CREATE TABLE IF NOT EXISTS polled_grants (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, code_hash TEXT NOT NULL, user_code_hash TEXT,
      client_id TEXT NOT NULL, document TEXT NOT NULL, status TEXT NOT NULL, interval_seconds INTEGER NOT NULL,
      poll_after BIGINT NOT NULL, is_early INTEGER NOT NULL, reached_at BIGINT, flow_id TEXT, user_id TEXT,
      session_id TEXT, outcome TEXT, decided_at BIGINT, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
      purge_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, code_hash), UNIQUE (environment_id, user_code_hash))`,
    `CREATE INDEX IF NOT EXISTS polled_grants_user ON polled_grants (environment_id, user_id)`,
    `CREATE INDEX IF NOT EXISTS polled_grants_purge ON polled_grants (purge_at)`,
    `CREATE TABLE IF NOT EXISTS device_paths (
      environment_id TEXT NOT NULL, path_id TEXT NOT NULL, application_id TEXT NOT NULL,
      PRIMARY KEY (environment_id, path_id), UNIQUE (environment_id, application_id))`,
  ],
}
