/**
 * ID tokens: OpenID Connect Core sections 2, 3.2.2.10 and 3.3.2.11, PingOne's claims (authentication-api 2.9). Issued only when
 * the request had the `openid` scope. Never: the `typ` of an access token.
 */
import { hash } from 'node:crypto'
import { z } from 'zod'
import type { Environment } from '../../environment/snapshot.ts'
import { signJwt } from '../../keys/jws.ts'
import type { Site } from '../../site.ts'
import { defineMetadata } from '../metadata.ts'
import type { TokenUser } from './access-token.ts'
import type { RequestedClaim } from '../rules/claims-request.ts'
import { type ClaimSource, claimsOf, individualClaims } from './claims.ts'

export const idTokenMetadata = defineMetadata(
  {
    subject_types_supported: z.array(z.string()),
    id_token_signing_alg_values_supported: z.array(z.string()),
    claims_supported: z.array(z.string()),
  },
  ({ settings }) => ({
    subject_types_supported: ['public'],
    // RS256 must be there, even where nothing is signed with it (OpenID Connect Discovery section 3).
    id_token_signing_alg_values_supported: [...new Set(['RS256', settings.signingAlgorithm])],
    claims_supported: [
      'sub',
      'iss',
      'aud',
      'exp',
      'iat',
      'auth_time',
      'acr',
      'amr',
      'nonce',
      'sid',
      'env',
      'org',
      'p1.region',
    ],
  }),
)

/** What an ID token says. */
export interface IdTokenContent {
  readonly clientId: string
  readonly user: TokenUser
  readonly source: ClaimSource
  readonly scopes: readonly string[]
  /** Claims asked for one by one. */
  readonly claims?: readonly RequestedClaim[] | undefined
  readonly nonce: string | undefined
  /** The access token issued beside it, for `at_hash`. */
  readonly accessToken: string | undefined
  /** The code issued beside it, for `c_hash`. */
  readonly code?: string | undefined
  /** The `state` of an answer that brings a code, for `s_hash` (FAPI 1.0 part 2 section 5.1). */
  readonly state?: string | undefined
}

/**
 * Signs an ID token.
 * @param now epoch milliseconds
 */
export function signIdToken(
  environment: Environment,
  site: Site,
  content: IdTokenContent,
  now: number,
): string | Promise<string> {
  const issuedAt = Math.floor(now / 1000)
  const { user } = content
  return signJwt(environment.signingKey, {
    ...individualClaims(content.source, content.claims ?? []),
    ...claimsOf(content.source, content.scopes),
    iss: site.issuer,
    sub: user.id,
    aud: content.clientId,
    iat: issuedAt,
    exp: issuedAt + environment.settings.idTokenSeconds,
    acr: user.acr,
    amr: user.amr.length > 0 ? user.amr : undefined,
    auth_time: user.authTime,
    at_hash: leftHalfHash(content.accessToken),
    c_hash: leftHalfHash(content.code),
    s_hash: leftHalfHash(content.state),
    nonce: content.nonce,
    sid: user.sessionId,
    env: environment.id,
    org: environment.organizationId,
    'p1.region': environment.region,
  })
}

/** The left half of SHA-256, base64url: both RS256 and ES256 hash with it (OpenID Connect Core 3.1.3.6 and 3.3.2.11). */
function leftHalfHash(text: string | undefined): string | undefined {
  return text === undefined ? undefined : hash('sha256', text, 'buffer').subarray(0, 16).toString('base64url')
}
