/** Conditions on ID tokens, each by the name of its class in the suite. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
} from 'jose'
import { claimsOfScope, validateStandardClaims } from './standard-claims.ts'

/** What a token is judged by. */
export interface IdTokenFacts {
  readonly issuer: string
  readonly clientId: string
  readonly nonce: string | undefined
  readonly keys: JSONWebKeySet
  /** Epoch milliseconds. */
  readonly now: number
}

/** An ID token as it was read. */
export interface IdToken {
  readonly jwt: string
  readonly header: ReturnType<typeof decodeProtectedHeader>
  readonly claims: JWTPayload
}

/** Clocks may differ by so many seconds. */
const skew = 300

export function extractIdToken(jwt: unknown): IdToken {
  assert.ok(typeof jwt === 'string' && jwt !== '', 'there is an ID token')
  return { jwt, header: decodeProtectedHeader(jwt), claims: decodeJwt(jwt) }
}

/** The sequence of conditions that every ID token passes; no module asks for an `acr` by the parameter `claims`, or for encryption. */
export async function performStandardIdTokenChecks(token: IdToken, facts: IdTokenFacts): Promise<void> {
  validateIdToken(token, facts)
  validateIdTokenStandardClaims(token)
  validateIdTokenNonce(token, facts)
  await validateIdTokenSignature(token, facts)
  checkForSubjectInIdToken(token)
  ensureIdTokenUpdatedAtValid(token, facts)
}

function validateIdToken({ claims }: IdToken, { issuer, clientId, now }: IdTokenFacts): void {
  assert.equal(claims.iss, issuer)
  assert.ok([claims.aud].flat().includes(clientId))
  assert.ok((claims.exp ?? 0) > now / 1000 - skew)
  assert.ok((claims.iat ?? Number.POSITIVE_INFINITY) < now / 1000 + skew)
}

function validateIdTokenStandardClaims({ claims }: IdToken): void {
  validateStandardClaims(claims)
}

function validateIdTokenNonce({ claims }: IdToken, { nonce }: IdTokenFacts): void {
  assert.equal(claims['nonce'], nonce)
}

async function validateIdTokenSignature({ jwt }: IdToken, { keys, now }: IdTokenFacts): Promise<void> {
  await jwtVerify(jwt, createLocalJWKSet(keys), { currentDate: new Date(now), clockTolerance: skew })
}

function checkForSubjectInIdToken({ claims }: IdToken): void {
  assert.match(claims.sub ?? '', /^[\x21-\x7e]{1,255}$/)
}

function ensureIdTokenUpdatedAtValid({ claims }: IdToken, { now }: IdTokenFacts): void {
  const at = claims['updated_at']
  if (at !== undefined) assert.ok(typeof at === 'number' && at > 0 && at < now / 1000 + skew)
}

export function ensureIdTokenContainsKid({ header }: IdToken): void {
  assert.ok(header.kid)
}

export function ensureIdTokenSignatureIsRS256({ header }: IdToken): void {
  assert.equal(header.alg, 'RS256')
}

export function checkIdTokenSignatureAlgorithm({ header }: IdToken, algorithm: string): void {
  assert.equal(header.alg, algorithm)
}

/** The left half of a SHA-256 (Core 3.1.3.6, for RS256). */
const halfHash = (text: string) => createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url')

export function extractAtHash({ claims }: IdToken): void {
  assert.ok(claims['at_hash'])
}

export function validateAtHash({ claims }: IdToken, accessToken: string): void {
  assert.equal(claims['at_hash'], halfHash(accessToken))
}

export function extractCHash({ claims }: IdToken): void {
  assert.ok(claims['c_hash'])
}

export function validateCHash({ claims }: IdToken, code: string): void {
  assert.equal(claims['c_hash'], halfHash(code))
}

export function ensureIdTokenDoesNotContainName({ claims }: IdToken): void {
  assert.equal(claims['name'], undefined)
}

export function ensureIdTokenContainsName({ claims }: IdToken): void {
  assert.ok(claims['name'])
}

export function ensureIdTokenDoesNotContainEmailForScopeEmail({ claims }: IdToken): void {
  assert.equal(claims['email'], undefined)
}

/** Claims that an ID token may have unasked. */
const ownClaims =
  'iss sub aud exp iat auth_time nonce acr amr azp at_hash c_hash nbf jti sid s_hash openbanking_intent_id txn'.split(
    ' ',
  )

export function ensureIdTokenDoesNotContainNonRequestedClaims({ claims }: IdToken, scope: string): void {
  const requested = [...ownClaims, ...scope.split(' ').flatMap(claimsOfScope)]
  assert.deepEqual(
    Object.keys(claims).filter((name) => !requested.includes(name)),
    [],
  )
}

export function verifyScopesReturnedInAuthorizationEndpointIdToken({ claims }: IdToken, scope: string): void {
  assert.deepEqual(
    scope
      .split(' ')
      .flatMap(claimsOfScope)
      .filter((name) => !(name in claims)),
    [],
  )
}

export function verifyIdTokenSubConsistentHybridFlow(first: IdToken, second: IdToken): void {
  assert.equal(first.claims.sub, second.claims.sub)
  assert.equal(first.claims.iss, second.claims.iss)
}

export function checkSecondIdTokenAuthTimeIsLaterIfPresent(first: IdToken, second: IdToken): void {
  const [before, after] = [first.claims['auth_time'], second.claims['auth_time']]
  if (before !== undefined && after !== undefined) assert.ok(Number(after) > Number(before))
}

export function checkIdTokenAuthTimeClaimPresentDueToMaxAge({ claims }: IdToken): void {
  assert.equal(typeof claims['auth_time'], 'number')
}

export function checkIdTokenAuthTimeIsRecentIfPresent({ claims }: IdToken, { now }: IdTokenFacts): void {
  assert.ok(Math.abs(now / 1000 - Number(claims['auth_time'])) < 20)
}

export function checkIdTokenAuthTimeClaimsSameIfPresent(first: IdToken, second: IdToken): void {
  assert.equal(second.claims['auth_time'], first.claims['auth_time'])
}

export function checkIdTokenSubConsistentForSecondAuthorization(first: IdToken, second: IdToken): void {
  assert.equal(second.claims.sub, first.claims.sub)
}

export function validateIdTokenACRClaimAgainstAcrValuesRequest({ claims }: IdToken, acrValues: string): void {
  assert.ok(acrValues.split(' ').includes(String(claims['acr'])))
}

/** OpenID Connect Core section 12.2. */
export function compareIdTokenClaims(first: IdToken, second: IdToken): void {
  for (const name of ['iss', 'sub', 'aud', 'azp']) assert.deepEqual(second.claims[name], first.claims[name], name)
  assert.notEqual(second.claims.iat, first.claims.iat)
  if ('auth_time' in second.claims) assert.equal(second.claims['auth_time'], first.claims['auth_time'])
}
