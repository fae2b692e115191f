/** Conditions on what the token endpoint answers, each by the name of its class in the suite. */
import assert from 'node:assert/strict'
import type { Answer } from '../../harness/stile.ts'
import { shannonEntropy } from './authorization-response.ts'

export function checkTokenEndpointHttpStatus200({ status, text }: Answer): void {
  assert.equal(status, 200, text)
}

export function checkTokenEndpointHttpStatus400({ status, text }: Answer): void {
  assert.equal(status, 400, text)
}

export function checkTokenEndpointReturnedJsonContentType({ headers }: Answer): void {
  assert.match(headers.get('content-type') ?? '', /^application\/json(;|$)/)
}

/** RFC 6749 section 5.1. */
export function checkTokenEndpointCacheHeaders({ headers }: Answer): void {
  assert.match(headers.get('cache-control') ?? '', /no-store/)
  assert.equal(headers.get('pragma'), 'no-cache')
}

export function checkIfTokenEndpointResponseError({ json, text }: Answer): void {
  assert.equal(json?.error, undefined, text)
}

export function checkForAccessTokenValue({ json }: Answer): void {
  assert.ok(typeof json.access_token === 'string' && json.access_token !== '')
}

export function extractExpiresInFromTokenEndpointResponse({ json }: Answer): void {
  assert.ok(json.expires_in !== undefined)
}

export function validateExpiresIn({ json }: Answer): void {
  if (json.expires_in !== undefined) assert.ok(Number.isInteger(json.expires_in) && json.expires_in > 0)
}

export function checkTokenTypeIsBearer({ json }: Answer): void {
  assert.match(json.token_type, /^bearer$/i)
}

export function ensureMinimumAccessTokenEntropy({ json }: Answer): void {
  assert.ok(shannonEntropy(json.access_token) > 96)
}

/** RFC 6749 appendix A.12. */
export function ensureAccessTokenContainsAllowedCharactersOnly({ json }: Answer): void {
  assert.match(json.access_token, /^[\x20-\x7e]+$/)
}

export function ensureAccessTokenValuesAreDifferent(first: string, second: string): void {
  assert.notEqual(first, second)
}

/** RFC 6749 appendix A.17. */
export function ensureRefreshTokenContainsAllowedCharactersOnly(refreshToken: string): void {
  assert.match(refreshToken, /^[\x20-\x7e]+$/)
}

export function ensureMinimumRefreshTokenLength(refreshToken: string): void {
  assert.ok(refreshToken.length * 8 >= 128)
}

export function ensureMinimumRefreshTokenEntropy(refreshToken: string): void {
  assert.ok(shannonEntropy(refreshToken) > 96)
}

/** RFC 6749 section 5.2. */
export function validateErrorFromTokenEndpointResponseError({ json, text }: Answer): void {
  assert.match(json?.error ?? '', /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/, text)
}

export function checkErrorDescriptionFromTokenEndpointResponseErrorContainsCRLFTAB({ json }: Answer): void {
  assert.doesNotMatch(json.error_description ?? '', /[\r\n\t]/)
}

export function validateErrorDescriptionFromTokenEndpointResponseError({ json }: Answer): void {
  assert.match(json.error_description ?? '', /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/)
}

export function validateErrorUriFromTokenEndpointResponseError({ json }: Answer): void {
  assert.match(json.error_uri ?? '', /^[\x21\x23-\x5b\x5d-\x7e]*$/)
}

export function checkErrorFromTokenEndpointResponseErrorInvalidGrant({ json }: Answer): void {
  assert.equal(json.error, 'invalid_grant')
}
