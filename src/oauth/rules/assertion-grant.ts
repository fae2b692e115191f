/**
 * PURE: what a JWT has to say that is a grant by itself: RFC 7523 section 3; rows D24, D25.
 *
 * Never: an assertion that could be used twice, or that lives for long.
 */
import { type ClientJwtExpectations, clientJwtProblem } from './client-jwt-claims.ts'

/** Values of `typ` that it may have. */
export const assertionGrantTypes = [undefined, 'jwt', 'authorization-grant+jwt'] as const

/** What an assertion says, once nothing is wrong with it. */
export interface AssertionGrant {
  readonly subject: string
  readonly jti: string
  /** Epoch seconds. */
  readonly expiresAt: number
}

/** Reads the claims of an assertion; undefined when something is wrong with them. */
export function readAssertionGrant(
  claims: Readonly<Record<string, unknown>>,
  expectations: ClientJwtExpectations,
): AssertionGrant | undefined {
  const { sub: subject, jti, exp: expiresAt } = claims
  const isWhole = typeof subject === 'string' && subject !== '' && typeof jti === 'string' && jti !== ''
  if (!isWhole || clientJwtProblem(claims, expectations) !== undefined) return undefined
  return { subject, jti, expiresAt: Number(expiresAt) }
}
