/**
 * What the claims of a JWT have to say that a client made for this server: client assertions (RFC 7523 section 3), request
 * objects (RFC 9101 section 6), login hint tokens (authentication-api 2.14). Decision D8, rows C17, D10, D11.
 *
 * Never: a JWT that lives without end; an audience that is one of several.
 */

/** What is expected of a kind of JWT. */
export interface ClientJwtExpectations {
  /** The `iss`: the client id. */
  readonly issuer: string
  /** Values of `aud` that name this server; the JWT has exactly one audience. */
  readonly audiences: readonly string[]
  /** The longest life from now on, in seconds. */
  readonly longestLife: number
  /** Epoch milliseconds. */
  readonly now: number
}

/** How far the clock of a client may be off, in seconds. */
export const clockSkew = 60

/** What is wrong with the claims; undefined when nothing is. */
export function clientJwtProblem(
  claims: Readonly<Record<string, unknown>>,
  expectations: ClientJwtExpectations,
): string | undefined {
  const { iss, aud, exp, iat, nbf } = claims
  const now = Math.floor(expectations.now / 1000)
  if (iss !== expectations.issuer) return 'iss is not the client'
  const audience = Array.isArray(aud) && aud.length === 1 ? (aud[0] as unknown) : aud
  if (!expectations.audiences.some((own) => own === audience)) return 'aud is not this server'
  if (!isTime(exp) || (iat !== undefined && !isTime(iat)) || (nbf !== undefined && !isTime(nbf))) {
    return 'exp, iat or nbf is missing or no time'
  }
  if (exp <= now - clockSkew) return 'it has expired'
  if (exp > now + expectations.longestLife + clockSkew) return 'exp is too far ahead'
  return (iat ?? 0) > now + clockSkew || (nbf ?? 0) > now + clockSkew ? 'it is not valid yet' : undefined
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
