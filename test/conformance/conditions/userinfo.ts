/** Conditions on what the userinfo endpoint answers, each by the name of its class in the suite. */
import assert from 'node:assert/strict'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import type { Answer } from '../../harness/stile.ts'
import type { IdToken } from './id-token.ts'
import { claimsOfScope, validateStandardClaims } from './standard-claims.ts'

type Claims = Readonly<Record<string, unknown>>

export function ensureHttpStatusCodeIs200({ status, text }: Answer): void {
  assert.equal(status, 200, text)
}

/** RFC 6750 section 3.1. */
export function ensureHttpStatusCodeIs4xx({ status }: Answer): void {
  assert.equal(Math.floor(status / 100), 4)
}

export function ensureContentTypeJson({ headers }: Answer): void {
  assert.match(headers.get('content-type') ?? '', /^application\/json(;|$)/)
}

export function ensureContentTypeApplicationJwt({ headers }: Answer): void {
  assert.match(headers.get('content-type') ?? '', /^application\/jwt(;|$)/)
}

export function extractUserInfoFromUserInfoEndpointResponse({ json }: Answer): Claims {
  assert.equal(typeof json, 'object')
  return json
}

export function validateUserInfoStandardClaims(claims: Claims): void {
  validateStandardClaims(claims)
}

export function ensureUserInfoContainsSub({ sub }: Claims): void {
  assert.ok(sub)
}

export function ensureUserInfoUpdatedAtValid({ updated_at: at }: Claims, now: number): void {
  if (at !== undefined) assert.ok(typeof at === 'number' && at > 0 && at < now / 1000 + 300)
}

/** OpenID Connect Core section 5.6.2. */
export function ensureMemberValuesInClaimNameReferenceToMemberNamesInClaimSources(claims: Claims): void {
  const sources = Object.keys(claims['_claim_sources'] ?? {})
  for (const source of Object.values(claims['_claim_names'] ?? {})) assert.ok(sources.includes(String(source)))
}

export function verifyUserInfoAndIdTokenSameSub({ sub }: Claims, idToken: IdToken): void {
  assert.equal(sub, idToken.claims.sub)
}

export function verifyScopesReturnedInUserInfoClaims(claims: Claims, scope: string): void {
  const missing = scope
    .split(' ')
    .flatMap(claimsOfScope)
    .filter((name) => !(name in claims))
  assert.deepEqual(missing, [])
}

export function ensureUserInfoContainsName({ name }: Claims): void {
  assert.ok(name)
}

export function ensureUserInfoDoesNotContainName({ name }: Claims): void {
  assert.equal(name, undefined)
}

export async function validateUserInfoResponseSignature(
  { text }: Answer,
  keys: JSONWebKeySet,
  now: number,
): Promise<Claims> {
  const { payload, protectedHeader } = await jwtVerify(text, createLocalJWKSet(keys), { currentDate: new Date(now) })
  assert.equal(protectedHeader.alg, 'RS256', 'ValidateUserInfoSigningAlgIsRS256')
  return payload
}

export function validateSignedUserInfoResponseStandardJWTClaims(
  claims: Claims,
  issuer: string,
  clientId: string,
): void {
  assert.equal(claims['iss'], issuer)
  assert.ok([claims['aud']].flat().includes(clientId))
}

export function ensureUserInfoDoesNotContainNonce({ nonce }: Claims): void {
  assert.equal(nonce, undefined)
}
