/**
 * An identity provider as it is configured (platform-api 3.13), made from its rows. Its secret stays sealed until the
 * moment it is used.
 */
import {
  type AttributeMapping,
  type FlowIdentityProvider,
  type IdentityProviderType,
  identityProviderTypes,
} from '../flow/identity-provider.ts'
import type { SealContext } from '../keys/sealing.ts'
import type { IdentityProviderAttributeRow, IdentityProviderRow } from '../storage/sql/identity-providers.ts'

/** An image as clients send and read it. */
interface Image {
  readonly id: string
  readonly href: string
}

/** The `document` column: what clients wrote, beside name, type, enabled and the secret. */
export interface IdentityProviderDocument {
  readonly description?: string | undefined
  readonly icon?: Image | undefined
  readonly loginButtonIcon?: Image | undefined
  readonly registration?: { readonly population?: { readonly id: string } | undefined } | undefined
  /** Extension: domains of e-mail addresses of which the provider is the authority (row M08). */
  readonly trustedEmailDomains?: readonly string[] | undefined
  /** Extension: whether JWTs that it signs are taken as grants (RFC 7523 section 2.1). */
  readonly acceptsAssertions?: boolean | undefined
  readonly clientId?: string | undefined
  readonly appId?: string | undefined
  readonly tenantId?: string | undefined
  readonly keyId?: string | undefined
  readonly teamId?: string | undefined
  readonly clientEnvironment?: 'live' | 'sandbox' | undefined
  readonly authorizationEndpoint?: string | undefined
  readonly discoveryEndpoint?: string | undefined
  readonly issuer?: string | undefined
  readonly jwksEndpoint?: string | undefined
  readonly scopes?: readonly string[] | undefined
  readonly tokenEndpoint?: string | undefined
  readonly tokenEndpointAuthMethod?: 'CLIENT_SECRET_BASIC' | 'CLIENT_SECRET_POST' | 'NONE' | undefined
  readonly userInfoEndpoint?: string | undefined
  readonly pkceMethod?: 'S256' | 'NONE' | undefined
}

/** A configured identity provider. */
export interface IdentityProvider {
  readonly id: string
  readonly name: string
  readonly type: IdentityProviderType
  readonly enabled: boolean
  readonly document: IdentityProviderDocument
  readonly sealedSecret: string | null
  readonly mappings: readonly AttributeMapping[]
}

/** What binds the sealed secret to its row. */
export function identityProviderSecretContext(environmentId: string, id: string): SealContext {
  return { environmentId, table: 'identity_providers', row: id, column: 'sealed_secret' }
}

/**
 * The providers of an environment, by id.
 * @throws when a row has a type that this version does not know
 */
export function identityProvidersFrom(
  rows: readonly IdentityProviderRow[],
  attributes: readonly IdentityProviderAttributeRow[],
): ReadonlyMap<string, IdentityProvider> {
  return new Map(
    rows.map((row) => {
      const type = identityProviderTypes.find((known) => known === row.type)
      if (!type) throw new Error(`no such type of identity provider: ${row.type}`)
      const provider: IdentityProvider = {
        id: row.id,
        name: row.name,
        type,
        enabled: row.enabled === 1,
        document: JSON.parse(row.document) as IdentityProviderDocument,
        sealedSecret: row.sealed_secret,
        mappings: attributes
          .filter((attribute) => attribute.identity_provider_id === row.id)
          .map(({ name, value, update_mode: update }) => ({ name, value, update })),
      }
      return [row.id, provider]
    }),
  )
}

/** The population that a provider registers people in, by its `document` column; undefined where it names none. */
export function populationOfProvider(document: string): string | undefined {
  return (JSON.parse(document) as IdentityProviderDocument).registration?.population?.id
}

/** What flows know of it. */
export function flowIdentityProvider({ id, name, type, enabled, document }: IdentityProvider): FlowIdentityProvider {
  const icon = document.loginButtonIcon ?? document.icon
  const populationId = document.registration?.population?.id ?? null
  return { id, name, type, enabled, populationId, ...(icon ? { icon } : {}) }
}
