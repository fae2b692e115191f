/**
 * Logout tokens: OpenID Connect Back-Channel Logout 1.0 section 2.4. Its `typ` keeps it from passing for an ID token or an
 * access token (rows E11, F19).
 *
 * Never: a `nonce`, which would make an ID token of it; a token without the user.
 */
import type { Application } from '../environment/application.ts'
import { signingKeyFor } from '../environment/signing-key-choice.ts'
import type { Environment } from '../environment/snapshot.ts'
import { isHmac } from '../keys/algorithm.ts'
import { signJwt } from '../keys/jws.ts'
import type { Site } from '../site.ts'
import type { LogoutNotice } from './logout-notice.ts'

/** Seconds it is good for (security catalogue 4.6): it is made for one request. */
const lifeSeconds = 120

/**
 * Signs a logout token, as the ID tokens of the application are (section 2.4); with a key of the environment where those are
 * signed by the client secret, which nobody opens for this.
 * @param jti never the same twice, also where the same notice is sent again: receivers may refuse what they have seen
 * @param now epoch milliseconds
 */
export function signLogoutToken(
  environment: Environment,
  site: Site,
  application: Application,
  { userId, sessionId }: LogoutNotice,
  jti: string,
  now: number,
): string | Promise<string> {
  const issuedAt = Math.floor(now / 1000)
  const claims = {
    iss: site.issuer,
    sub: userId,
    aud: application.clientId,
    iat: issuedAt,
    exp: issuedAt + lifeSeconds,
    jti,
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    sid: sessionId,
  }
  const { idTokenSignedResponseAlg: own } = application.document
  const algorithm = own === undefined || isHmac(own) ? undefined : own
  return signJwt(signingKeyFor(environment, { algorithm, application }, now), claims, { typ: 'logout+jwt' })
}
