/**
 * A user's claims by scope: OpenID Connect Core section 5.4 with PingOne's predefined attributes of the `openid`
 * resource (platform-api 3.11.3). What the user does not have is left out. Never: a claim of a scope that was not
 * granted.
 */
import { z } from 'zod'
import { defineMetadata } from '../metadata.ts'
import type { RequestedClaim } from '../rules/claims-request.ts'

/** The attributes of a user, named as the Users API names them. */
export interface ClaimSource {
  readonly username: string
  readonly updatedAt: number
  readonly attributes: UserAttributes
}

/** What the user document may hold of the attributes that become claims. */
export interface UserAttributes {
  readonly email?: string | undefined
  readonly name?:
    | { readonly given?: string; readonly family?: string; readonly middle?: string; readonly formatted?: string }
    | undefined
  readonly nickname?: string | undefined
  readonly locale?: string | undefined
  readonly timezone?: string | undefined
  readonly photo?: { readonly href?: string } | undefined
  readonly primaryPhone?: string | undefined
  readonly address?:
    | {
        readonly streetAddress?: string
        readonly locality?: string
        readonly region?: string
        readonly postalCode?: string
        readonly countryCode?: string
      }
    | undefined
}

const claimsByScope: Readonly<Record<string, (user: ClaimSource) => Readonly<Record<string, unknown>>>> = {
  profile: ({ attributes: { name, nickname, locale, timezone, photo }, username, updatedAt }) => ({
    name: name?.formatted ?? (name?.given && name.family ? `${name.given} ${name.family}` : undefined),
    given_name: name?.given,
    family_name: name?.family,
    middle_name: name?.middle,
    nickname,
    preferred_username: username,
    picture: photo?.href,
    zoneinfo: timezone,
    locale,
    updated_at: Math.floor(updatedAt / 1000),
  }),
  email: ({ attributes }) => ({ email: attributes.email }),
  address: ({ attributes: { address } }) => ({
    address: address && {
      street_address: address.streetAddress,
      locality: address.locality,
      region: address.region,
      postal_code: address.postalCode,
      country: address.countryCode,
    },
  }),
  phone: ({ attributes }) => ({ phone_number: attributes.primaryPhone }),
}

/** Every claim that the scopes may bring. */
const claimNames = [
  'name',
  'given_name',
  'family_name',
  'middle_name',
  'nickname',
  'preferred_username',
  'picture',
  'zoneinfo',
  'locale',
  'updated_at',
  'email',
  'phone_number',
  'address',
]

export const claimMetadata = defineMetadata(
  {
    scopes_supported: z.array(z.string()),
    claim_types_supported: z.array(z.string()),
    claims_supported: z.array(z.string()),
  },
  () => ({
    scopes_supported: ['openid', ...Object.keys(claimsByScope)],
    claim_types_supported: ['normal'],
    claims_supported: claimNames,
  }),
)

/** Which scope brings a claim. */
const scopeOfClaim: ReadonlyMap<string, string> = new Map(
  Object.entries(claimsByScope).flatMap(([scope, brings]) =>
    Object.keys(brings({ username: '', updatedAt: 0, attributes: {} })).map((claim) => [claim, scope] as const),
  ),
)

/** The scopes that bring these claims, each once; claims that no scope brings are passed over. */
export function scopesOfClaims(names: readonly string[]): readonly string[] {
  return [...new Set(names.flatMap((name) => scopeOfClaim.get(name) ?? []))]
}

/** Claims that were asked for one by one (OpenID Connect Core section 5.5): those the user has, with a value that will do. */
export function individualClaims(user: ClaimSource, requested: readonly RequestedClaim[]): Record<string, unknown> {
  const available = claimsOf(user, scopesOfClaims(requested.map(({ name }) => name)))
  const claims: Record<string, unknown> = {}
  for (const { name, values } of requested) {
    const value = Object.hasOwn(available, name) ? available[name] : undefined
    if (value !== undefined && (!values || values.some((wanted) => wanted === value))) claims[name] = value
  }
  return claims
}

/** A user of the directory as a source of claims. */
export function claimSource(user: {
  readonly username: string
  readonly updatedAt: number
  readonly document: UserAttributes
}): ClaimSource {
  return { username: user.username, updatedAt: user.updatedAt, attributes: user.document }
}

/** The claims that the granted scopes bring. Members the user lacks are undefined, and so absent from JSON. */
export function claimsOf(user: ClaimSource, scopes: readonly string[]): Record<string, unknown> {
  const claims: Record<string, unknown> = {}
  for (const scope of scopes) {
    const brings = Object.hasOwn(claimsByScope, scope) ? claimsByScope[scope] : undefined
    if (brings) for (const [name, value] of Object.entries(brings(user))) if (value !== undefined) claims[name] = value
  }
  return claims
}
