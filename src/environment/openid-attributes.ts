/**
 * The attributes that the resource `openid` has from the beginning, and the scope that brings each: platform-api 3.11.3,
 * OpenID Connect Core sections 5.1 and 5.4. Their values can be changed. Two have a value here that PingOne leaves empty,
 * since the directory knows it: `email_verified` and `address.formatted`.
 */
import type { ResourceAttributeRow } from '../storage/sql/attributes.ts'
import type { World } from '../world.ts'

/** What one begins with. */
export interface OpenidAttribute {
  readonly scope: 'profile' | 'email' | 'address' | 'phone'
  readonly value: string
}

export const openidAttributes: Readonly<Record<string, OpenidAttribute>> = {
  name: { scope: 'profile', value: '${user.name.formatted}' },
  given_name: { scope: 'profile', value: '${user.name.given}' },
  family_name: { scope: 'profile', value: '${user.name.family}' },
  middle_name: { scope: 'profile', value: '${user.name.middle}' },
  nickname: { scope: 'profile', value: '${user.nickname}' },
  preferred_username: { scope: 'profile', value: '${user.username}' },
  picture: { scope: 'profile', value: '${user.photo.href}' },
  profile: { scope: 'profile', value: '' },
  website: { scope: 'profile', value: '' },
  gender: { scope: 'profile', value: '' },
  birthdate: { scope: 'profile', value: '' },
  zoneinfo: { scope: 'profile', value: '${user.timezone}' },
  locale: { scope: 'profile', value: '${user.locale}' },
  updated_at: { scope: 'profile', value: '${#datetime.toUnixTimestamp(user.updatedAt)}' },
  email: { scope: 'email', value: '${user.email}' },
  email_verified: { scope: 'email', value: '${user.emailVerified}' },
  'address.formatted': { scope: 'address', value: '${user.address.formatted}' },
  'address.street_address': { scope: 'address', value: '${user.address.streetAddress}' },
  'address.locality': { scope: 'address', value: '${user.address.locality}' },
  'address.region': { scope: 'address', value: '${user.address.region}' },
  'address.postal_code': { scope: 'address', value: '${user.address.postalCode}' },
  'address.country': { scope: 'address', value: '${user.address.countryCode}' },
  phone_number: { scope: 'phone', value: '${user.primaryPhone}' },
  phone_number_verified: { scope: 'phone', value: '' },
}

/** The scopes that bring claims, in the order in which discovery names them. */
export const claimScopes = ['profile', 'email', 'address', 'phone'] as const

/** The rows of these attributes in a new environment. */
export function openidAttributeRows(
  world: World,
  environmentId: string,
  resourceId: string,
  now: number,
): readonly (ResourceAttributeRow & { readonly environment_id: string })[] {
  return Object.entries(openidAttributes).map(([name, { value }]) => ({
    environment_id: environmentId,
    resource_id: resourceId,
    id: world.uuid(),
    name,
    type: 'PREDEFINED',
    value,
    id_token: 1,
    user_info: 1,
    created_at: now,
    updated_at: now,
  }))
}
