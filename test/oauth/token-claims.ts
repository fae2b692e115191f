/** Claims of tokens for tests that compare them whole. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose'
import type { Stile } from '../harness/stile.ts'
import { customResource, type Resource } from './registrations.ts'

/** Verifies a token by the published keys and gives its claims. */
export async function verifiedClaims(stile: Stile, token: string): Promise<JWTPayload> {
  const { json } = await stile.send(`/${stile.environmentId}/as/jwks`)
  const { payload } = await jwtVerify(token, createLocalJWKSet(json), { issuer: stile.issuer })
  return payload
}

/** Claims without those that differ from token to token, after looking at these. */
export function timeless({ iat = 0, exp = 0, jti, ...claims }: JWTPayload, seconds: number): Record<string, unknown> {
  assert.ok(Math.abs(iat - Date.now() / 1000) < 30)
  assert.equal(exp - iat, seconds)
  if (jti !== undefined) assert.match(jti, /^[0-9a-f-]{36}$/)
  return claims
}

/** `at_hash` of an access token (OpenID Connect Core 3.1.3.6). */
export function accessTokenHash(token: string): string {
  return createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url')
}

/** A custom resource whose tokens have an audience and a life of their own. */
export function ordersResource(stile: Stile): Promise<Resource> {
  const properties = { name: 'Orders API', audience: 'https://orders.test/api', accessTokenValiditySeconds: 900 }
  return customResource(stile, properties, ['orders:read', 'orders:write'])
}
