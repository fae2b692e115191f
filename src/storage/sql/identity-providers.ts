/** Statements on `identity_providers` and `identity_provider_attributes`. */
import type { Statement } from '../port.ts'
import { type Condition, equal, pageOf, type Span } from './page.ts'

/** A row of `identity_providers`. */
export interface IdentityProviderRow {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly enabled: number
  /** JSON: `IdentityProviderDocument`. */
  readonly document: string
  readonly sealed_secret: string | null
  readonly created_at: number
  readonly updated_at: number
}

const providers = `SELECT i.id, i.name, i.type, i.enabled, i.document, i.sealed_secret, i.created_at, i.updated_at
  FROM identity_providers i`

/** The identity providers of an environment. */
export function identityProvidersOf(environmentId: string): Statement<IdentityProviderRow> {
  return { text: `${providers} WHERE i.environment_id = $1 ORDER BY i.created_at, i.id`, values: [environmentId] }
}

/** One identity provider of an environment. */
export function identityProviderById(environmentId: string, id: string): Statement<IdentityProviderRow> {
  return { text: `${providers} WHERE i.environment_id = $1 AND i.id = $2`, values: [environmentId, id] }
}

/** A page of the identity providers of an environment. */
export function identityProvidersPage(
  environmentId: string,
  filter: readonly Condition[],
  span: Span,
): Statement<IdentityProviderRow> {
  return pageOf(providers, 'i', [equal('i.environment_id', environmentId), ...filter], span)
}

/** A row of `identity_provider_attributes`. */
export interface IdentityProviderAttributeRow {
  readonly identity_provider_id: string
  readonly id: string
  readonly name: string
  readonly mapping_type: 'CORE' | 'CUSTOM'
  readonly value: string
  readonly update_mode: 'EMPTY_ONLY' | 'ALWAYS'
  readonly created_at: number
  readonly updated_at: number
}

const attributes = `SELECT a.identity_provider_id, a.id, a.name, a.mapping_type, a.value, a.update_mode, a.created_at, a.updated_at
  FROM identity_provider_attributes a`

/** The attribute mappings of all identity providers of an environment. */
export function identityProviderAttributesOf(environmentId: string): Statement<IdentityProviderAttributeRow> {
  return { text: `${attributes} WHERE a.environment_id = $1 ORDER BY a.created_at, a.id`, values: [environmentId] }
}

/** The attribute mappings of one identity provider. */
export function attributesOfProvider(
  environmentId: string,
  identityProviderId: string,
): Statement<IdentityProviderAttributeRow> {
  return {
    text: `${attributes} WHERE a.environment_id = $1 AND a.identity_provider_id = $2 ORDER BY a.created_at, a.id`,
    values: [environmentId, identityProviderId],
  }
}

/** One attribute mapping. */
export function attributeOfProvider(
  environmentId: string,
  identityProviderId: string,
  id: string,
): Statement<IdentityProviderAttributeRow> {
  return {
    text: `${attributes} WHERE a.environment_id = $1 AND a.identity_provider_id = $2 AND a.id = $3`,
    values: [environmentId, identityProviderId, id],
  }
}
