/** The standard claims of OpenID Connect Core section 5.1, and the scopes that bring them (5.4), as the suite has them. */
import assert from 'node:assert/strict'

const types: Readonly<Record<string, 'string' | 'boolean' | 'number' | 'object'>> = {
  ...Object.fromEntries(
    `sub name given_name family_name middle_name nickname preferred_username profile picture website email gender birthdate
      zoneinfo locale phone_number`
      .split(/\s+/)
      .map((name) => [name, 'string'] as const),
  ),
  email_verified: 'boolean',
  phone_number_verified: 'boolean',
  address: 'object',
  updated_at: 'number',
}

const addressMembers = ['formatted', 'street_address', 'locality', 'region', 'postal_code', 'country']

const scopes: Readonly<Record<string, string>> = {
  openid: 'sub',
  profile: `name given_name family_name middle_name nickname profile picture website gender birthdate zoneinfo locale
    updated_at preferred_username`,
  email: 'email email_verified',
  address: 'address',
  phone: 'phone_number phone_number_verified',
}

/** The standard claims of a scope. */
export function claimsOfScope(scope: string): readonly string[] {
  return scopes[scope]?.split(/\s+/) ?? []
}

/** Whether all standard claims have the type that they should have. */
export function validateStandardClaims(claims: Readonly<Record<string, unknown>>): void {
  for (const [name, type] of Object.entries(types)) {
    if (name in claims) assert.equal(typeof claims[name], type, name)
  }
  for (const [name, value] of Object.entries(claims['address'] ?? {})) {
    if (addressMembers.includes(name)) assert.equal(typeof value, 'string', name)
  }
  if ('birthdate' in claims) assert.match(String(claims['birthdate']), /^(\d{4})(-\d{2}-\d{2})?$/)
}
