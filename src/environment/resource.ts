/**
 * Resources (API audiences) and their scopes as the runtime sees them: platform-api 3.11. The attributes of the resource
 * `openid` become claims about the user, those of a custom one claims of its access tokens.
 */
import { z } from 'zod'
import type { SigningAlgorithm } from '../keys/algorithm.ts'
import type { SealContext } from '../keys/sealing.ts'
import type { ResourceAttributeRow } from '../storage/sql/attributes.ts'
import type { SecretHashesRow } from '../storage/sql/client-secrets.ts'
import type { ResourceRow, ScopeRow } from '../storage/sql/environments.ts'
import { isReservedClaim, type MappedValue, mappedValue } from './attribute-mapping.ts'
import { openidAttributes } from './openid-attributes.ts'
import { type SecretHash, secretHashes } from './secret-hash.ts'

/** How the server of a custom resource authenticates at the introspection endpoint (platform-api 3.11). */
export const introspectEndpointAuthMethod = z.enum(['NONE', 'CLIENT_SECRET_BASIC', 'CLIENT_SECRET_POST'])

/** A resource (API audience), platform-api 3.11. */
export interface Resource {
  readonly id: string
  readonly name: string
  readonly type: 'OPENID_CONNECT' | 'PINGONE_API' | 'CUSTOM'
  /** The `aud` of its access tokens; null for the built-in ones, whose audience is the platform. */
  readonly audience: string | null
  readonly accessTokenSeconds: number | null
  readonly introspectEndpointAuthMethod: z.output<typeof introspectEndpointAuthMethod>
  /** SHA-256 of the secrets that are valid, base64url; none for a built-in one. */
  readonly secretHashes: readonly SecretHash[]
  /** Extension: what its access tokens are signed by; null: as the application or the environment has it. */
  readonly signingAlgorithm: SigningAlgorithm | null
  /** Extension: whether its access tokens are JWTs or handles that only this server can read. */
  readonly accessTokenFormat: 'JWT' | 'OPAQUE'
  /** What its access tokens say beside what all do; of a custom resource. */
  readonly attributes: readonly MappedClaim[]
  /** What they have as `sub`, where that is not the id of the user. */
  readonly subject: MappedValue | undefined
}

/** What binds a sealed secret to its resource, and to being the present or the previous one. */
export function resourceSecretContext(
  environmentId: string,
  resourceId: string,
  column: 'sealed' | 'previous_sealed' = 'sealed',
): SealContext {
  return { environmentId, table: 'resource_secrets', row: resourceId, column }
}

/** A scope of a resource, platform-api 3.11.2. */
export interface Scope {
  readonly id: string
  readonly name: string
  readonly description: string | null
  readonly resourceId: string
}

/** A claim that a mapping makes. */
export interface MappedClaim {
  readonly name: string
  readonly value: MappedValue
  readonly idToken: boolean
  readonly userInfo: boolean
}

/** The value by which `sub` is the id of the user. */
export const usualSubject = '${user.id}'

/** What is stored of a custom resource beside its columns, as far as tokens want to know it. */
interface ResourceDocument {
  readonly accessTokenValiditySeconds?: number
  readonly introspectEndpointAuthMethod?: Resource['introspectEndpointAuthMethod']
  readonly signingAlgorithm?: SigningAlgorithm
  readonly accessTokenFormat?: Resource['accessTokenFormat']
}

/** The resources of an environment by their ids. */
export function resourcesFrom(
  rows: readonly ResourceRow[],
  secrets: readonly (SecretHashesRow & { readonly resource_id: string })[],
  attributes: readonly ResourceAttributeRow[],
): ReadonlyMap<string, Resource> {
  return new Map(
    rows.map(({ id, name, type, audience, document }) => {
      const stored = JSON.parse(document) as ResourceDocument
      const own = attributes.filter(({ resource_id }) => resource_id === id)
      const subject = own.find((attribute) => attribute.name === 'sub')?.value ?? usualSubject
      return [
        id,
        {
          id,
          name,
          type,
          audience,
          accessTokenSeconds: stored.accessTokenValiditySeconds ?? null,
          introspectEndpointAuthMethod: stored.introspectEndpointAuthMethod ?? 'CLIENT_SECRET_BASIC',
          secretHashes: secretHashes(secrets.find(({ resource_id }) => resource_id === id)),
          signingAlgorithm: stored.signingAlgorithm ?? null,
          accessTokenFormat: stored.accessTokenFormat ?? 'JWT',
          attributes: own.filter(({ name: claim }) => !isReservedClaim(claim)).map(mappedClaim),
          subject: subject === usualSubject ? undefined : mappedValue(subject),
        },
      ]
    }),
  )
}

function mappedClaim({ name, value, id_token, user_info }: ResourceAttributeRow): MappedClaim {
  return { name, value: mappedValue(value), idToken: id_token === 1, userInfo: user_info === 1 }
}

/**
 * Which claims about the user each scope of `openid` brings: its predefined attributes by their scope, and the custom ones
 * that a scope names in `mappedClaims`.
 */
export function claimsByScopeFrom(
  resources: readonly ResourceRow[],
  scopes: readonly ScopeRow[],
  attributes: readonly ResourceAttributeRow[],
): ReadonlyMap<string, readonly MappedClaim[]> {
  const openid = resources.find(({ type }) => type === 'OPENID_CONNECT')
  const isClaim = ({ name, value }: ResourceAttributeRow) => value !== '' && !isReservedClaim(name)
  const own = attributes.filter((attribute) => attribute.resource_id === openid?.id && isClaim(attribute))
  return new Map(
    scopes
      .filter(({ resource_id }) => resource_id === openid?.id)
      .map(({ name, document }) => {
        const { mappedClaims = [] } = JSON.parse(document) as { mappedClaims?: readonly string[] }
        const brought = own.filter(
          (attribute) => mappedClaims.includes(attribute.id) || predefinedScope(attribute) === name,
        )
        return [name, brought.toSorted(inTheirOrder).map(mappedClaim)]
      }),
  )
}

const order = Object.keys(openidAttributes)

function inTheirOrder(one: ResourceAttributeRow, other: ResourceAttributeRow): number {
  return order.indexOf(one.name) - order.indexOf(other.name)
}

function predefinedScope({ name, type }: ResourceAttributeRow): string | undefined {
  return type === 'PREDEFINED' && Object.hasOwn(openidAttributes, name) ? openidAttributes[name]?.scope : undefined
}
