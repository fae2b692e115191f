/**
 * Access tokens: JWTs with PingOne's claims (authentication-api 2.9), `typ: at+jwt` as RFC 9068 section 2.1 wants.
 * User tokens carry the private grant id `p1.gid`, so that userinfo and the management API see a revocation at once
 * (decision D22). Never: an application token with a `sub`.
 */
import { cnfOf, type Confirmation } from '../../access/confirmation.ts'
import type { Application } from '../../environment/application.ts'
import { signingKeyFor } from '../../environment/signing-key-choice.ts'
import type { Environment } from '../../environment/snapshot.ts'
import type { SigningAlgorithm } from '../../keys/algorithm.ts'
import { signJwt } from '../../keys/jws.ts'
import type { AuthorizationDetail } from '../rules/authorization-details.ts'
import type { Site } from '../../site.ts'
import type { ActClaim } from '../rules/token-exchange.ts'

/** The user's part of a token. */
export interface TokenUser {
  readonly id: string
  /** Empty where nobody has signed on here. */
  readonly sessionId: string
  /** Name of the sign-on policy that was completed; undefined: none was. */
  readonly acr: string | undefined
  readonly amr: readonly string[]
  /** Epoch seconds of the authentication; undefined: there was none here. */
  readonly authTime: number | undefined
}

/** What an access token says. */
export interface AccessTokenContent {
  readonly jti: string
  readonly client: Application
  readonly scopes: readonly string[]
  /** Custom audiences; empty for the platform. */
  readonly audiences: readonly string[]
  /** Life in seconds. */
  readonly lifetime: number
  readonly user: TokenUser | undefined
  /** The token family, for user tokens. */
  readonly grantId: string | undefined
  /** The key that whoever presents the token has to prove. */
  readonly confirmation: Confirmation | undefined
  /** Who acts for the user, where it is not the user alone (RFC 8693 section 4.1). */
  readonly act?: ActClaim | undefined
  /** What was granted in detail (RFC 9396 section 9.1). */
  readonly authorizationDetails?: readonly AuthorizationDetail[] | undefined
}

/**
 * Signs an access token.
 * @param now epoch milliseconds
 */
export function signAccessToken(
  environment: Environment,
  site: Site,
  content: AccessTokenContent,
  now: number,
): string | Promise<string> {
  const issuedAt = Math.floor(now / 1000)
  const scope = content.scopes.join(' ')
  const common = {
    client_id: content.client.clientId,
    iss: site.issuer,
    jti: content.jti,
    iat: issuedAt,
    exp: issuedAt + content.lifetime,
    aud: content.audiences.length > 0 ? content.audiences : [site.platformAudience],
    ...(scope === '' ? {} : { scope }),
    cnf: cnfOf(content.confirmation),
    authorization_details: content.authorizationDetails,
  }
  const { user } = content
  const claims = user
    ? {
        ...common,
        sub: user.id,
        sid: user.sessionId === '' ? undefined : user.sessionId,
        auth_time: user.authTime,
        acr: user.acr,
        act: content.act,
        env: environment.id,
        org: environment.organizationId,
        'p1.gid': content.grantId,
      }
    : { ...common, env: environment.id, org: environment.organizationId, 'p1.rid': content.jti }
  const key = signingKeyFor(
    environment,
    { algorithm: algorithmOf(environment, content), application: content.client },
    now,
  )
  return signJwt(key, claims, { typ: 'at+jwt', includeX5t: content.client.document.includeX5t })
}

/** The algorithm that the resources of a token want, where they want one and agree on it. */
function algorithmOf({ resources }: Environment, { audiences }: AccessTokenContent): SigningAlgorithm | undefined {
  if (audiences.length === 0) return undefined
  const wanted = new Set<SigningAlgorithm | null>()
  for (const { audience, signingAlgorithm } of resources.values()) {
    if (audience !== null && audiences.includes(audience)) wanted.add(signingAlgorithm)
  }
  const [algorithm] = wanted
  return wanted.size === 1 && algorithm ? algorithm : undefined
}
