/**
 * ID tokens of this environment that come back as a parameter, to be introspected or exchanged. Hints, which may have
 * expired, are another matter (`id-token-hint.ts`).
 *
 * Never: a token of another kind: those have a `typ`, and one that tells of events is a logout token (RFC 8417 section 2.2).
 */
import type { Environment } from '../../environment/snapshot.ts'
import { signingAlgorithms } from '../../keys/algorithm.ts'
import { verifyJwt } from '../../keys/verify-jwt.ts'
import type { Site } from '../../site.ts'

/** What an ID token says, as far as anybody here reads it. */
export interface IdTokenClaims {
  /** Whom it was issued to, and is for. */
  readonly clientId: string
  readonly userId: string
  readonly sessionId: string
  /** Epoch seconds. */
  readonly expiresAt: number
  /** Everything that it says. */
  readonly all: Readonly<Record<string, unknown>>
}

/**
 * Verifies an ID token: signature, kind, issuer, times. Not whether its session lives.
 * @param now epoch milliseconds
 */
export function readIdToken(
  environment: Environment,
  site: Site,
  token: string,
  now: number,
): IdTokenClaims | undefined {
  const verdict = verifyJwt(token, {
    key: (kid) => environment.signingKeys.find((key) => key.kid === kid),
    algorithms: signingAlgorithms,
    typ: [undefined],
    now,
  })
  if (!verdict.ok) return undefined
  const { claims: all } = verdict
  const { iss, aud: clientId, sub: userId, sid: sessionId, exp: expiresAt, auth_time } = all
  const isIdToken = iss === site.issuer && typeof auth_time === 'number' && all['events'] === undefined
  return isIdToken &&
    typeof clientId === 'string' &&
    typeof userId === 'string' &&
    typeof sessionId === 'string' &&
    typeof expiresAt === 'number'
    ? { clientId, userId, sessionId, expiresAt, all }
    : undefined
}
