/**
 * Logout tokens: OpenID Connect Back-Channel Logout 1.0 section 2.4. Its `typ` keeps it from passing for an ID token or an
 * access token (rows E11, F19).
 *
 * The user is named as in the ID tokens of the application; where it has a `sub` of its own making, which may not be known
 * any more, the session alone is (section 2.4 wants one of both).
 *
 * Never: a `nonce`, which would make an ID token of it.
 */
import type { Application } from '../environment/application.ts'
import { responseKey } from '../environment/response-key.ts'
import type { Environment } from '../environment/snapshot.ts'
import { sessionFor, subjectFor } from '../environment/subject.ts'
import { signJwt } from '../keys/jws.ts'
import type { Site } from '../site.ts'
import type { LogoutNotice } from './logout-notice.ts'

/** Seconds it is good for (security catalogue 4.6): it is made for one request. */
const lifeSeconds = 120

/**
 * Signs a logout token, as the ID tokens of the application are (section 2.4).
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
  const subject = subjectFor(environment, application, userId)
  const claims = {
    iss: site.issuer,
    sub: application.subject && subject === userId && sessionId !== undefined ? undefined : subject,
    aud: application.clientId,
    iat: issuedAt,
    exp: issuedAt + lifeSeconds,
    jti,
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    sid: sessionId === undefined ? undefined : sessionFor(environment, application, sessionId),
  }
  const { idTokenSignedResponseAlg: algorithm } = application.document
  return signJwt(responseKey(environment, application, algorithm, now), claims, { typ: 'logout+jwt' })
}
