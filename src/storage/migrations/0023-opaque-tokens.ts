/** Opaque access tokens: what each says, until it expires, and of which user. */
import type { Migration } from '../migration.ts'

export const opaqueTokens: Migration = {
  number: 23,
  name: 'opaque-tokens',
  steps: [
    `CREATE TABLE IF NOT EXISTS opaque_tokens (
      environment_id TEXT NOT NULL, token_hash TEXT NOT NULL, user_id TEXT, claims TEXT NOT NULL, created_at BIGINT NOT NULL,
      expires_at BIGINT NOT NULL, PRIMARY KEY (environment_id, token_hash))`,
    `CREATE INDEX IF NOT EXISTS opaque_tokens_user ON opaque_tokens (environment_id, user_id)`,
    `CREATE INDEX IF NOT EXISTS opaque_tokens_expiry ON opaque_tokens (expires_at)`,
  ],
}
