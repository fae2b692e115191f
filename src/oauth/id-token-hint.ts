/**
 * `id_token_hint`: an ID token of ours that says who the application expects (OpenID Connect Core section 3.1.2.1, row
 * A33). It may have expired: it proves nothing, it only narrows down who may be signed on.
 *
 * Never: somebody signed on by a hint; a hint of another environment or another client taken for one.
 */
import type { Environment } from '../environment/snapshot.ts'
import { verifyJwt } from '../keys/verify-jwt.ts'
import type { Site } from '../site.ts'

/**
 * Reads a hint.
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
  const verdict = verifyJwt(hint, {
    key: (kid) => environment.signingKeys.find((key) => key.kid === kid),
    algorithms: ['RS256', 'ES256'],
    typ: [undefined],
    now,
    expired: 'accept',
  })
  if (!verdict.ok) return undefined
  const { iss, aud, sub } = verdict.claims
  return iss === site.issuer && aud === clientId && typeof sub === 'string' ? sub : undefined
}
