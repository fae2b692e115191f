/** Conditions on what comes of signing off, each by the name of its class in the suite. */
import assert from 'node:assert/strict'
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'
import type { Arrival } from '../suite/browser.ts'
import type { IdToken } from './id-token.ts'

export function checkPostLogoutState({ url }: Arrival, state: string): void {
  assert.equal(url.searchParams.get('state'), state)
}

export function checkNoPostLogoutState({ url }: Arrival): void {
  assert.equal(url.searchParams.has('state'), false)
}

export function checkForUnexpectedParametersInPostLogoutRedirect({ url }: Arrival): void {
  assert.deepEqual(
    [...url.searchParams.keys()].filter((name) => name !== 'state'),
    [],
  )
}

export function checkForUnexpectedParametersInFrontchannelLogoutRequest({ url }: Arrival): void {
  assert.deepEqual([...url.searchParams.keys()].toSorted(), ['iss', 'sid'])
}

export function validateFrontchannelLogoutIss({ url }: Arrival, issuer: string): void {
  assert.equal(url.searchParams.get('iss'), issuer)
}

export function checkIdTokenSidMatchesFrontChannelLogoutRequest({ url }: Arrival, { claims }: IdToken): void {
  assert.ok(claims['sid'])
  assert.equal(url.searchParams.get('sid'), claims['sid'])
}

/** EnsureIncomingTls12WithSecureCipherOrTls13 as well. */
export function ensureIncomingTls13(version: string | null): void {
  assert.equal(version, 'TLSv1.3')
}

/** ExtractLogoutTokenFromBackchannelLogoutRequest. */
export function extractLogoutToken(form: URLSearchParams): string {
  return form.get('logout_token') ?? assert.fail('there is a logout token')
}

export function checkForUnexpectedParametersInBackchannelLogoutRequest(form: URLSearchParams): void {
  assert.deepEqual([...form.keys()], ['logout_token'])
}

/** ValidateLogoutTokenSignature, and the claims that it vouches for. */
export async function validateLogoutTokenSignature(token: string, keys: JSONWebKeySet): Promise<JWTPayload> {
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys))
  assert.equal(protectedHeader.alg, 'RS256')
  return payload
}

/** Back-Channel Logout 1.0 section 2.4. */
export function validateLogoutTokenClaims(claims: JWTPayload, issuer: string, clientId: string, now: number): void {
  assert.equal(claims.iss, issuer)
  assert.ok([claims.aud].flat().includes(clientId))
  assert.ok(Math.abs(now / 1000 - (claims.iat ?? 0)) < 300)
  assert.ok(claims.jti)
  assert.deepEqual(claims['events'], { 'http://schemas.openid.net/event/backchannel-logout': {} })
}

export function checkLogoutTokenNoNonce(claims: JWTPayload): void {
  assert.equal(claims['nonce'], undefined)
}

/** CheckLogoutTokenHasSubOrSid, CheckIdTokenSubMatchesLogoutToken, CheckIdTokenSidMatchesLogoutToken. */
export function checkLogoutTokenHasSubOrSid({ sub, sid }: JWTPayload, { claims }: IdToken): void {
  assert.ok(sub !== undefined || sid !== undefined)
  if (sub !== undefined) assert.equal(sub, claims.sub)
  if (sid !== undefined) assert.equal(sid, claims['sid'])
}
