/**
 * What an authorization request gets when its user is known: a code, or tokens, with the statements that store them.
 * RFC 6749 sections 4.1.2 and 4.2.2, OpenID Connect Core section 3.2.2.5, authentication-api 2.4.
 * Never: a token without its family row (decision D22), or a code stored as it is.
 */
import { eventOrigin } from '../../contract/event-origin.ts'
import type { Context } from '../../contract/operation.ts'
import { consentStands } from '../../directory/oauth-consents.ts'
import { problem } from '../../errors/problem.ts'
import { type EventDescription, eventRow } from '../../events/record.ts'
import type { Outcome } from '../../flow/outcome.ts'
import { insert } from '../../storage/operations.ts'
import type { UnitBody } from '../../storage/port.ts'
import { type CodeDocument, hashCode } from '../token/code-facts.ts'
import { openFamily } from '../token-family.ts'
import { signAccessToken, type TokenUser } from '../tokens/access-token.ts'
import type { ClaimSource } from '../tokens/claims.ts'
import { signIdToken } from '../tokens/id-token.ts'
import type { AuthorizationRequest } from './request.ts'
import type { ResponseParameters } from './response.ts'

/** A response that is ready to travel once `store` is committed. */
export interface Issued {
  readonly parameters: ResponseParameters
  readonly store: () => UnitBody<void>
  /** Whether `store` is one statement. */
  readonly single: boolean
  /** The volume event of a code: what lasts is the grant, whose event is in the commit that redeems it (decision D19). */
  readonly audit: EventDescription | undefined
}

/** Tells of an issued code, after its commit. */
export function auditIssued(context: Context, { audit }: Issued): void {
  const { kernel, environment } = context
  if (audit) kernel.volumeEvents.add(eventRow(eventOrigin(context, environment.id), audit))
}

const usedCodesAreKeptMilliseconds = 24 * 3600 * 1000

/** Prepares the response of a request. Signing happens here, before the unit. */
export async function issueResponse(
  context: Context,
  request: AuthorizationRequest,
  outcome: Pick<Outcome, 'userId' | 'acr' | 'amr' | 'authTime' | 'session' | 'consentId'>,
  source: ClaimSource,
): Promise<Issued> {
  const { kernel, environment, site, now } = context
  const user: TokenUser = {
    id: outcome.userId,
    sessionId: outcome.session.id,
    acr: outcome.acr,
    amr: outcome.amr,
    authTime: outcome.authTime,
  }
  const familyId = kernel.world.uuid()
  const state = request.state === null ? {} : { state: request.state }
  const subject = { type: 'AUTHORIZATION', id: familyId }
  const who = { userId: user.id, clientId: request.clientId, sessionId: user.sessionId }

  if (request.responseType.code) {
    const code = kernel.world.uuid()
    return {
      parameters: { code, ...state, iss: site.issuer },
      *store() {
        yield* insert('authorization_codes', {
          environment_id: environment.id,
          code_hash: hashCode(code),
          family_id: familyId,
          client_id: request.clientId,
          user_id: user.id,
          session_id: user.sessionId,
          document: JSON.stringify(codeDocument(request, user, outcome.consentId)),
          created_at: now,
          expires_at: now + environment.settings.authorizationCodeSeconds * 1000,
          used_at: null,
          purge_at: now + usedCodesAreKeptMilliseconds,
        })
      },
      single: true,
      audit: { action: 'AUTHORIZATION_CODE.ISSUED', subject, ...who },
    }
  }

  const { consentId } = outcome
  const consented = { environmentId: environment.id, userId: user.id, applicationId: request.clientId }
  const lifetime = request.accessTokenSeconds ?? environment.settings.accessTokenSeconds
  const accessToken = request.responseType.token
    ? await signAccessToken(
        environment,
        site,
        {
          jti: kernel.world.uuid(),
          clientId: request.clientId,
          scopes: request.scopes,
          audiences: request.audiences,
          lifetime,
          user,
          grantId: familyId,
        },
        now,
      )
    : undefined
  const idToken = request.responseType.idToken
    ? await signIdToken(
        environment,
        site,
        {
          clientId: request.clientId,
          user,
          source,
          scopes: request.scopes,
          nonce: request.nonce ?? undefined,
          accessToken,
        },
        now,
      )
    : undefined
  return {
    parameters: {
      ...(accessToken === undefined
        ? {}
        : { access_token: accessToken, token_type: 'Bearer', expires_in: lifetime, scope: request.scopes.join(' ') }),
      ...(idToken === undefined ? {} : { id_token: idToken }),
      ...state,
      iss: site.issuer,
    },
    *store() {
      if (consentId !== undefined && !(yield* consentStands({ ...consented, consentId }, now))) {
        throw problem('access_denied', { description: 'the consent was withdrawn' })
      }
      yield* openFamily(environment, { id: familyId, clientId: request.clientId, user, scopes: request.scopes }, now)
      yield context.record({ action: 'TOKEN.ISSUED', subject, ...who })
    },
    single: false,
    audit: undefined,
  }
}

function codeDocument(request: AuthorizationRequest, user: TokenUser, consentId: string | undefined): CodeDocument {
  return {
    redirectUri: request.redirectUri,
    challenge: request.challenge,
    nonce: request.nonce,
    scopes: request.scopes,
    audiences: request.audiences,
    accessTokenSeconds: request.accessTokenSeconds,
    acr: user.acr,
    amr: user.amr,
    authTime: user.authTime,
    ...(consentId === undefined ? {} : { consentId }),
  }
}
