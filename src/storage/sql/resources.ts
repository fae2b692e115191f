/** Statements on `resources` and `scopes` beside those the snapshot is loaded from (`environments.ts`). */
import type { Statement } from '../port.ts'
import type { SecretHashesRow, SecretRow } from './client-secrets.ts'
import type { ResourceRow, ScopeRow } from './environments.ts'

/** One resource. */
export function resourceById(environmentId: string, id: string): Statement<ResourceRow> {
  return {
    text: `SELECT id, name, type, audience, document, created_at, updated_at
           FROM resources WHERE environment_id = $1 AND id = $2`,
    values: [environmentId, id],
  }
}

/** The secret of a custom resource, with its predecessor. */
export function resourceSecret(environmentId: string, resourceId: string): Statement<SecretRow> {
  return {
    text: `SELECT sealed, hash, previous_sealed, previous_hash, previous_expires_at, created_at
           FROM resource_secrets WHERE environment_id = $1 AND resource_id = $2`,
    values: [environmentId, resourceId],
  }
}

/** The hashes of the secrets of all resources. */
export function resourceSecretsOf(
  environmentId: string,
): Statement<SecretHashesRow & { readonly resource_id: string }> {
  return {
    text: `SELECT resource_id, hash, previous_hash, previous_expires_at
           FROM resource_secrets WHERE environment_id = $1`,
    values: [environmentId],
  }
}

/** The resource whose tokens are for this audience. */
export function resourceForAudience(environmentId: string, audience: string): Statement<{ readonly id: string }> {
  return {
    text: 'SELECT id FROM resources WHERE environment_id = $1 AND audience = $2',
    values: [environmentId, audience],
  }
}

/** The scopes of one resource. */
export function scopesOfResource(environmentId: string, resourceId: string): Statement<ScopeRow> {
  return {
    text: `SELECT id, resource_id, name, document, created_at, updated_at
           FROM scopes WHERE environment_id = $1 AND resource_id = $2 ORDER BY created_at, id`,
    values: [environmentId, resourceId],
  }
}

/** One scope of one resource. */
export function scopeById(environmentId: string, resourceId: string, id: string): Statement<ScopeRow> {
  return {
    text: `SELECT id, resource_id, name, document, created_at, updated_at
           FROM scopes WHERE environment_id = $1 AND resource_id = $2 AND id = $3`,
    values: [environmentId, resourceId, id],
  }
}

/** A grant as seen from its resource. */
export interface GrantOfResourceRow {
  readonly id: string
  readonly application_id: string
  /** JSON array of scope ids. */
  readonly scope_ids: string
}

/** The grants that applications hold on one resource. */
export function grantsOfResource(environmentId: string, resourceId: string): Statement<GrantOfResourceRow> {
  return {
    text: 'SELECT id, application_id, scope_ids FROM application_grants WHERE environment_id = $1 AND resource_id = $2',
    values: [environmentId, resourceId],
  }
}
