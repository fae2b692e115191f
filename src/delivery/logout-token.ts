/**
 * Logout tokens: OpenID Connect Back-Channel Logout 1.0 section 2.4. Its `typ` keeps it from passing for an ID token or an
 * access token (rows E11, F19).
 *
 * Never: a `nonce`, which would make an ID token of it; a token without the user.
 */
import type { Environment } from '../environment/snapshot.ts'
import { signJwt } from '../keys/jws.ts'
import type { Site } from '../site.ts'
import type { LogoutNotice } from './logout-notice.ts'

/** Seconds it is good for (security catalogue 4.6): it is made for one request. */
const lifeSeconds = 120

/**
 * Signs a logout token.
 * @param jti never the same twice, also where the same notice is sent again: receivers may refuse what they have seen
 * @param now epoch milliseconds
 */
export function signLogoutToken(
  environment: Environment,
  site: Site,
  { clientId, userId, sessionId }: LogoutNotice,
  jti: string,
  now: number,
): string | Promise<string> {
  const issuedAt = Math.floor(now / 1000)
  const claims = {
    iss: site.issuer,
    sub: userId,
    aud: clientId,
    iat: issuedAt,
    exp: issuedAt + lifeSeconds,
    jti,
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    sid: sessionId,
  }
  return signJwt(environment.signingKey, claims, { typ: 'logout+jwt' })
}
