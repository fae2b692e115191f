/**
 * PURE: what a client assertion has to say: RFC 7523 sections 2.2 and 3, OpenID Connect Core section 9, decision D8; rows
 * C18, D10, D12, D14.
 *
 * Never: an audience that is a list, not even of one; a request object or any other JWT of the client in its place, since
 * none of them has the client as its subject; an assertion that could be used twice.
 */
import { clientJwtProblem } from './client-jwt-claims.ts'

/** Values of `typ` that an assertion may have. */
export const assertionTypes = [undefined, 'jwt', 'client-authentication+jwt'] as const

/** The value of `client_assertion_type` (RFC 7523 section 2.2). */
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** What is expected of an assertion. */
export interface AssertionExpectations {
  readonly clientId: string
  readonly issuer: string
  /** The address of the token endpoint, where the application may name it as audience; undefined: it may not. */
  readonly tokenEndpoint: string | undefined
  /** The longest life from now on, in seconds. */
  readonly longestLife: number
  /** Epoch milliseconds. */
  readonly now: number
}

/** What is wrong with the claims of an assertion; undefined when nothing is. */
export function clientAssertionProblem(
  claims: Readonly<Record<string, unknown>>,
  { clientId, issuer, tokenEndpoint, longestLife, now }: AssertionExpectations,
): string | undefined {
  const { sub, aud, jti } = claims
  if (sub !== clientId) return 'sub is not the client'
  if (typeof aud !== 'string') return 'aud is not a single string'
  if (typeof jti !== 'string' || jti === '') return 'jti is missing'
  const audiences = tokenEndpoint === undefined ? [issuer] : [issuer, tokenEndpoint]
  return clientJwtProblem(claims, { issuer: clientId, audiences, longestLife, now })
}
