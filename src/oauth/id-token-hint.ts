/**
 * `id_token_hint`: an ID token of ours that says who the application expects (OpenID Connect Core section 3.1.2.1, row
 * A33), or whose session is to end (RP-Initiated Logout 1.0 section 2). It may have expired: to sign on it proves nothing
 * and only narrows down who may be, and to sign off it names what is over anyway.
 *
 * Never: somebody signed on by a hint; a hint of another environment or another client taken for one.
 */
import type { Environment } from '../environment/snapshot.ts'
import { signingAlgorithms } from '../keys/algorithm.ts'
import { verifyJwt } from '../keys/verify-jwt.ts'
import type { Site } from '../site.ts'

/** What an ID token says of whom it was for. */
export interface IdTokenHint {
  readonly clientId: string
  readonly userId: string
  readonly sessionId: string
}

/**
 * Reads an ID token of this environment, whatever client it was for.
 * @param now epoch milliseconds
 * @returns undefined when it is none
 */
export function verifyIdTokenHint(
  environment: Environment,
  site: Site,
  hint: string,
  now: number,
): IdTokenHint | undefined {
  const verdict = verifyJwt(hint, {
    key: (kid) => environment.signingKeys.find((key) => key.kid === kid),
    algorithms: signingAlgorithms,
    typ: [undefined],
    now,
    expired: 'accept',
  })
  if (!verdict.ok) return undefined
  const { iss, aud, sub, sid } = verdict.claims
  const isWhole = iss === site.issuer && typeof aud === 'string' && typeof sub === 'string' && typeof sid === 'string'
  return isWhole ? { clientId: aud, userId: sub, sessionId: sid } : undefined
}

/**
 * Reads a hint that a client gives when it asks for somebody to be signed on.
 * @param now epoch milliseconds
 * @returns the id of the user it names; undefined when it is no ID token that this environment gave this client
 */
export function readIdTokenHint(
  environment: Environment,
  site: Site,
  clientId: string,
  hint: string,
  now: number,
): string | undefined {
  const named = verifyIdTokenHint(environment, site, hint, now)
  return named?.clientId === clientId ? named.userId : undefined
}
