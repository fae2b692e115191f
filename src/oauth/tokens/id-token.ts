/**
 * ID tokens: OpenID Connect Core sections 2, 3.2.2.10 and 3.3.2.11, PingOne's claims (authentication-api 2.9). Issued only when
 * the request had the `openid` scope. Never: the `typ` of an access token.
 */
import { hash } from 'node:crypto'
import { z } from 'zod'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import {
  contentEncryptionAlgorithms,
  keyEncryptionAlgorithms,
  responseAlgorithms,
} from '../../environment/application-tokens.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { sessionFor } from '../../environment/subject.ts'
import { hashOf, type JwsAlgorithm } from '../../keys/algorithm.ts'
import { signJwt } from '../../keys/jws.ts'
import type { Site } from '../../site.ts'
import { defineMetadata } from '../metadata.ts'
import { encryptFor } from '../response-encryption.ts'
import { responseKey } from '../../environment/response-key.ts'
import type { TokenUser } from './access-token.ts'
import type { RequestedClaim } from '../rules/claims-request.ts'
import type { ClaimSource } from './claim-source.ts'
import { userClaims } from './claims.ts'

export const idTokenMetadata = defineMetadata(
  {
    subject_types_supported: z.array(z.string()),
    id_token_signing_alg_values_supported: z.array(z.string()),
    id_token_encryption_alg_values_supported: z.array(z.string()),
    id_token_encryption_enc_values_supported: z.array(z.string()),
    claims_supported: z.array(z.string()),
  },
  ({ defaultKeyRotationPolicy }) => ({
    subject_types_supported: ['public', 'pairwise'],
    // An application may have any; what it has by default comes first.
    id_token_signing_alg_values_supported: [...new Set([defaultKeyRotationPolicy.algorithm, ...responseAlgorithms])],
    id_token_encryption_alg_values_supported: [...keyEncryptionAlgorithms],
    id_token_encryption_enc_values_supported: [...contentEncryptionAlgorithms],
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
  readonly client: Application
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
 * Makes an ID token: signed, and encrypted where the application wants that.
 * @throws Problem invalid_request when the user has no value for a required attribute, or there is no key to encrypt to
 */
export async function makeIdToken(
  context: Pick<Context, 'kernel' | 'now'>,
  environment: Environment,
  site: Site,
  content: IdTokenContent,
): Promise<string> {
  const issuedAt = Math.floor(context.now / 1000)
  const { client, user, scopes, claims: requested = [] } = content
  const {
    idTokenSignedResponseAlg,
    idTokenEncryptedResponseAlg: alg,
    idTokenEncryptedResponseEnc: enc,
  } = client.document
  const key = responseKey(environment, client, idTokenSignedResponseAlg, context.now)
  const hashed = (text: string | undefined) => (text === undefined ? undefined : leftHalfHash(text, key.algorithm))
  const about = await userClaims(context, environment, client, content.source, { place: 'idToken', scopes, requested })
  const own = {
    iss: site.issuer,
    aud: client.clientId,
    iat: issuedAt,
    exp: issuedAt + environment.settings.idTokenSeconds,
    acr: user.acr,
    amr: user.amr.length > 0 ? user.amr : undefined,
    auth_time: user.authTime,
    at_hash: hashed(content.accessToken),
    c_hash: hashed(content.code),
    s_hash: hashed(content.state),
    nonce: content.nonce,
    sid: sessionFor(environment, client, user.sessionId),
    env: environment.id,
    org: environment.organizationId,
    'p1.region': environment.region,
  }
  const jwt = await signJwt(key, { ...about, ...own }, { includeX5t: client.document.includeX5t })
  return alg === undefined ? jwt : encryptFor(context, client, { jwt }, { alg, enc })
}

/** Whether an ID token for an application may not come about, for want of a value or of a key of the application. */
export function mayFail({ document, claims, subject }: Application): boolean {
  return (
    document.idTokenEncryptedResponseAlg !== undefined ||
    subject !== undefined ||
    claims.some(({ required }) => required)
  )
}

/** The left half of a hash, base64url, by the hash of the ID token's algorithm (OpenID Connect Core 3.1.3.6 and 3.3.2.11). */
export function leftHalfHash(token: string, algorithm: JwsAlgorithm): string {
  const digest = hash(hashOf(algorithm), token, 'buffer')
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
