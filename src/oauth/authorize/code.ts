/**
 * An authorization code of a checked request: RFC 6749 sections 4.1.2 and 10.10. What the token endpoint has to know is
 * stored with it, by the hash of the code.
 * Never: a code stored as it is.
 */
import type { Context } from '../../contract/operation.ts'
import type { Outcome } from '../../flow/outcome.ts'
import { insert, type Word } from '../../storage/operations.ts'
import { grantedRequest } from '../granted-request.ts'
import { type CodeDocument, hashCode } from '../token/code-facts.ts'
import type { TokenUser } from '../tokens/access-token.ts'
import type { AuthorizationRequest } from './request.ts'

const usedCodesAreKeptMilliseconds = 24 * 3600 * 1000

/** Who gets a code, and the families that come of the request. */
export interface CodeHolder {
  readonly user: TokenUser
  /** The family that redeeming the code opens. */
  readonly familyId: string
  /** The family of the access token beside the code, where there is one. */
  readonly frontChannelFamilyId: string | undefined
  readonly consentId: Outcome['consentId']
}

/** Stores a code: one statement. */
export function* storeCode(
  { environment, now }: Context,
  request: AuthorizationRequest,
  code: string,
  holder: CodeHolder,
): Word<void> {
  yield* insert('authorization_codes', {
    environment_id: environment.id,
    code_hash: hashCode(code),
    family_id: holder.familyId,
    client_id: request.clientId,
    user_id: holder.user.id,
    session_id: holder.user.sessionId,
    document: JSON.stringify(codeDocument(request, holder)),
    created_at: now,
    expires_at: now + environment.settings.authorizationCodeSeconds * 1000,
    used_at: null,
    purge_at: now + usedCodesAreKeptMilliseconds,
  })
}

function codeDocument(
  request: AuthorizationRequest,
  { user, consentId, frontChannelFamilyId }: CodeHolder,
): CodeDocument {
  return {
    redirectUri: request.redirectUri,
    challenge: request.challenge,
    dpopJkt: request.dpopJkt ?? undefined,
    nonce: request.nonce,
    scopes: request.scopes,
    leftOut: request.leftOut,
    audiences: request.audiences,
    accessTokenSeconds: request.accessTokenSeconds,
    acr: user.acr,
    amr: user.amr,
    authTime: user.authTime,
    consentId,
    frontChannelFamilyId,
    ...grantedRequest(request),
  }
}
