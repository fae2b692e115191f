/** Conditions on what the authorization endpoint answers, each by the name of its class in the suite. */
import assert from 'node:assert/strict'
import type { Arrival } from '../suite/browser.ts'

type Parameters = URLSearchParams
type Request = Readonly<Record<string, string>>

export function checkCallbackHttpMethodIsPost({ method }: Arrival): void {
  assert.equal(method, 'POST')
}

export function checkCallbackContentTypeIsFormUrlEncoded({ contentType }: Arrival): void {
  assert.equal(contentType, 'application/x-www-form-urlencoded')
}

export function rejectAuthCodeInUrlQuery({ url }: Arrival): void {
  assert.equal(url.searchParams.get('code'), null)
}

export function rejectErrorInUrlQuery({ url }: Arrival): void {
  assert.equal(url.searchParams.get('error'), null)
}

/** The query of the redirect URI is still there. */
export function checkMatchingCallbackParameters({ url }: Arrival, redirectUri: string): void {
  assert.equal(url.origin + url.pathname, new URL(redirectUri).origin + new URL(redirectUri).pathname)
  for (const [name, value] of new URL(redirectUri).searchParams) assert.equal(url.searchParams.get(name), value)
}

export function validateIssIfPresentInAuthorizationResponse(parameters: Parameters, issuer: string): void {
  if (parameters.has('iss')) assert.equal(parameters.get('iss'), issuer)
}

export function checkIfAuthorizationEndpointError(parameters: Parameters): void {
  assert.equal(parameters.get('error'), null, String(parameters))
}

export function checkStateInAuthorizationResponse(parameters: Parameters, request: Request): void {
  assert.equal(parameters.get('state'), request['state'] ?? null)
}

export function ensureErrorFromAuthorizationEndpointResponse(parameters: Parameters): void {
  assert.ok(parameters.get('error'), String(parameters))
}

export function rejectAuthCodeInAuthorizationEndpointResponse(parameters: Parameters): void {
  assert.equal(parameters.get('code'), null)
}

export function checkForUnexpectedParametersInErrorResponseFromAuthorizationEndpoint(parameters: Parameters): void {
  const expected = ['error', 'error_description', 'error_uri', 'state', 'session_state', 'iss']
  assert.deepEqual(
    [...parameters.keys()].filter((name) => !expected.includes(name)),
    [],
  )
}

export function checkErrorDescriptionFromAuthorizationEndpointResponseErrorContainsCRLFTAB(
  parameters: Parameters,
): void {
  assert.doesNotMatch(parameters.get('error_description') ?? '', /[\r\n\t]/)
}

/** RFC 6749 section 4.1.2.1. */
export function validateErrorDescriptionFromAuthorizationEndpointResponseError(parameters: Parameters): void {
  assert.match(parameters.get('error_description') ?? '', /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/)
}

export function validateErrorUriFromAuthorizationEndpointResponseError(parameters: Parameters): void {
  assert.match(parameters.get('error_uri') ?? '', /^[\x21\x23-\x5b\x5d-\x7e]*$/)
}

export function checkErrorFromAuthorizationEndpointIsOneThatRequiredAUserInterface(parameters: Parameters): void {
  const errors = ['interaction_required', 'login_required', 'account_selection_required', 'consent_required']
  assert.ok(errors.includes(parameters.get('error') ?? ''), String(parameters))
}

export function checkErrorFromAuthorizationEndpointErrorInvalidRequest(parameters: Parameters): void {
  assert.equal(parameters.get('error'), 'invalid_request')
}

export function checkErrorFromAuthorizationEndpointErrorInvalidRequestOrUnsupportedResponseType(
  parameters: Parameters,
): void {
  assert.match(parameters.get('error') ?? '', /^(invalid_request|unsupported_response_type)$/)
}

export function ensureMinimumAuthorizationCodeLength(code: string): void {
  assert.ok(code.length * 8 >= 128)
}

/** By Shannon, as the suite counts. */
export function ensureMinimumAuthorizationCodeEntropy(code: string): void {
  assert.ok(shannonEntropy(code) > 96)
}

/** The bits of a text, judged by how often each of its characters is in it. */
export function shannonEntropy(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  const shares = [...counts.values()].map((count) => count / text.length)
  return -text.length * shares.reduce((sum, share) => sum + share * Math.log2(share), 0)
}
