/** Statements on `signing_keys` and `key_rotation_policies`. */
import type { Statement } from '../port.ts'
import { among } from './page.ts'

/** A row of `signing_keys`. */
export type SigningKeyRow = {
  readonly id: string
  /** The policy it was made under, which may be gone. */
  readonly policy_id: string
  readonly algorithm: string
  readonly public_jwk: string
  readonly sealed_private_key: string
  readonly signs_from: number
  /** When it stopped signing; null while it signs or will. */
  readonly retired_at: number | null
  readonly created_at: number
  /** End of its certificate. */
  readonly expires_at: number
}

/** The signing keys of an environment, those that begin last first. */
export function signingKeysOf(environmentId: string): Statement<SigningKeyRow> {
  return {
    text: `SELECT id, policy_id, algorithm, public_jwk, sealed_private_key, signs_from, retired_at, created_at, expires_at
           FROM signing_keys WHERE environment_id = $1 ORDER BY signs_from DESC, id`,
    values: [environmentId],
  }
}

/** A row of `key_rotation_policies`. Periods are in days. */
export type KeyRotationPolicyRow = {
  readonly id: string
  readonly name: string
  readonly algorithm: string
  readonly dn: string
  readonly key_length: number
  readonly validity_period: number
  readonly rotation_period: number
  readonly is_default: number
  /** When its next key begins to sign: then the background work has something to do. */
  readonly rotates_at: number
  readonly created_at: number
  readonly updated_at: number
}

const policyColumns =
  'id, name, algorithm, dn, key_length, validity_period, rotation_period, is_default, rotates_at, created_at, updated_at'

/** The key rotation policies of an environment, the oldest first. */
export function keyRotationPoliciesOf(environmentId: string): Statement<KeyRotationPolicyRow> {
  return {
    text: `SELECT ${policyColumns} FROM key_rotation_policies WHERE environment_id = $1 ORDER BY created_at, id`,
    values: [environmentId],
  }
}

/** One key rotation policy. */
export function keyRotationPolicyById(environmentId: string, id: string): Statement<KeyRotationPolicyRow> {
  return {
    text: `SELECT ${policyColumns} FROM key_rotation_policies WHERE environment_id = $1 AND id = $2`,
    values: [environmentId, id],
  }
}

/** Makes one policy the default, and the others not. */
export function makeDefaultPolicy(environmentId: string, id: string): Statement<object> {
  return {
    text: `UPDATE key_rotation_policies SET is_default = CASE WHEN id = $2 THEN 1 ELSE 0 END
           WHERE environment_id = $1 AND (is_default = 1 OR id = $2)`,
    values: [environmentId, id],
  }
}

/** Policies of live environments whose next key has begun to sign, at most a hundred. */
export function policiesToRotate(now: number): Statement<{ readonly environment_id: string; readonly id: string }> {
  return {
    text: `SELECT p.environment_id, p.id FROM key_rotation_policies p
           JOIN environments e ON e.id = p.environment_id AND e.deleted_at IS NULL
           WHERE p.rotates_at <= $1 ORDER BY p.rotates_at LIMIT 100`,
    values: [now],
  }
}

/** Environments with keys that were retired before a moment, at most a hundred. */
export function environmentsWithKeysRetired(before: number): Statement<{ readonly environment_id: string }> {
  return {
    text: `SELECT DISTINCT k.environment_id FROM signing_keys k
           JOIN environments e ON e.id = k.environment_id AND e.deleted_at IS NULL
           WHERE k.retired_at <= $1 LIMIT 100`,
    values: [before],
  }
}

/** Removes the keys of an environment that were retired before a moment; their ids come back. */
export function removeKeysRetired(environmentId: string, before: number): Statement<{ readonly id: string }> {
  return {
    text: 'DELETE FROM signing_keys WHERE environment_id = $1 AND retired_at <= $2 RETURNING id',
    values: [environmentId, before],
  }
}

/**
 * One of the applications that are configured to use any of these.
 * @param used ids of key rotation policies, and names of algorithms
 */
export function applicationUsing(
  environmentId: string,
  used: readonly string[],
): Statement<{ readonly application_id: string }> {
  const { text, values } = among('used', used)(2)
  return {
    text: `SELECT application_id FROM application_key_uses WHERE environment_id = $1 AND ${text} LIMIT 1`,
    values: [environmentId, ...values],
  }
}
