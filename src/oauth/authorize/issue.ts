/**
 * What an authorization request gets when its user is known: a code, tokens, or both, with the statements that store
 * them. RFC 6749 sections 4.1.2 and 4.2.2, OpenID Connect Core sections 3.2.2.5 and 3.3.2.5, authentication-api 2.4.
 * Never: a token without its family row (decision D22).
 */
import { eventOrigin } from '../../contract/event-origin.ts'
import type { Context } from '../../contract/operation.ts'
import { consentStands } from '../../directory/oauth-consents.ts'
import type { Application } from '../../environment/application.ts'
import { problem } from '../../errors/problem.ts'
import { type EventDescription, eventRow } from '../../events/record.ts'
import type { Outcome } from '../../flow/outcome.ts'
import type { Statement, UnitBody } from '../../storage/port.ts'
import { clientUse } from '../client-use.ts'
import { grantedRequest } from '../granted-request.ts'
import { sessionStateFor } from '../session-state.ts'
import { openFamily } from '../token-family.ts'
import { type PreparedAccessToken, prepareAccessToken, type TokenUser } from '../tokens/access-token.ts'
import type { ClaimSource } from '../tokens/claim-source.ts'
import { makeIdToken } from '../tokens/id-token.ts'
import { storeCode } from './code.ts'
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

/** What the parts of a response are made from. */
interface Issuing {
  readonly context: Context
  readonly client: Application
  readonly request: AuthorizationRequest
  readonly user: TokenUser
  readonly consentId: Outcome['consentId']
}

/** Prepares the response of a request. Signing happens here, before the unit. */
export async function issueResponse(
  context: Context,
  client: Application,
  request: AuthorizationRequest,
  outcome: Pick<Outcome, 'userId' | 'acr' | 'amr' | 'authTime' | 'session' | 'consentId'>,
  source: ClaimSource,
): Promise<Issued> {
  const { kernel, environment, site } = context
  const { userId: id, acr, amr, authTime, consentId } = outcome
  const user: TokenUser = { id, sessionId: outcome.session.id, acr, amr, authTime }
  const issuing: Issuing = { context, client, request, user, consentId }
  const { code: wantsCode, token: wantsToken, idToken: wantsIdToken } = request.responseType

  const familyId = kernel.world.uuid()
  const code = wantsCode ? kernel.world.uuid() : undefined
  // A grant that is redeemed later has a family of its own: it may outlive the token beside the code.
  const codeFamilyId = wantsToken && wantsCode ? kernel.world.uuid() : familyId
  const lifetime = request.accessTokenSeconds ?? environment.settings.accessTokenSeconds
  const prepared = wantsToken ? await accessTokenOf(issuing, source, familyId, lifetime) : undefined
  const accessToken = await prepared?.token
  const idToken = wantsIdToken
    ? await makeIdToken(context, environment, site, {
        client,
        user,
        source,
        scopes: request.scopes,
        claims: request.claims?.idToken,
        nonce: request.nonce ?? undefined,
        accessToken,
        code,
        state: (code && request.state) ?? undefined,
      })
    : undefined
  const opensFamily = wantsToken || !wantsCode
  const sessionState = await sessionStateFor(context, request, user.sessionId)
  const used = clientUse(environment, client, context.now)

  const parameters: Record<string, string | number> = {}
  if (code !== undefined) parameters['code'] = code
  if (accessToken !== undefined) {
    parameters['access_token'] = accessToken
    parameters['token_type'] = 'Bearer'
    parameters['expires_in'] = lifetime
    parameters['scope'] = request.scopes.join(' ')
  }
  if (idToken !== undefined) parameters['id_token'] = idToken
  if (request.state !== null) parameters['state'] = request.state
  if (sessionState !== undefined) parameters['session_state'] = sessionState
  parameters['iss'] = site.issuer

  const kept: Kept = { used, familyId: opensFamily ? familyId : undefined, accessToken: prepared, code, codeFamilyId }
  return {
    parameters,
    store: () => storeIssued(issuing, kept),
    single: !opensFamily && !used,
    audit: code === undefined ? undefined : { action: 'AUTHORIZATION_CODE.ISSUED', ...about(issuing, codeFamilyId) },
  }
}

/** What of a response is stored. */
interface Kept {
  readonly used: Statement<object> | undefined
  /** The family that is opened at once. */
  readonly familyId: string | undefined
  readonly accessToken: PreparedAccessToken | undefined
  readonly code: string | undefined
  readonly codeFamilyId: string
}

function* storeIssued(issuing: Issuing, { used, familyId, accessToken, code, codeFamilyId }: Kept): UnitBody<void> {
  if (used) yield used
  if (familyId !== undefined) yield* storeFamily(issuing, familyId)
  if (accessToken?.store) yield* accessToken.store()
  if (code === undefined) return
  const { context, request, user, consentId } = issuing
  const frontChannelFamilyId = request.responseType.token ? familyId : undefined
  yield* storeCode(context, request, code, { user, consentId, familyId: codeFamilyId, frontChannelFamilyId })
}

function about({ request, user }: Issuing, familyId: string) {
  const subject = { type: 'AUTHORIZATION', id: familyId }
  return { subject, userId: user.id, clientId: request.clientId, sessionId: user.sessionId }
}

function accessTokenOf(
  { context, client, request, user }: Issuing,
  source: ClaimSource,
  familyId: string,
  lifetime: number,
): PreparedAccessToken | Promise<PreparedAccessToken> {
  const { kernel, environment, site } = context
  const { scopes, audiences } = request
  const held = { user, source, grantId: familyId, confirmation: undefined }
  const content = { jti: kernel.world.uuid(), client, scopes, audiences, lifetime, ...held }
  return prepareAccessToken(context, environment, site, content)
}

/** Opens the family of what the front channel brings, if the consent that it comes by stands. */
function* storeFamily(issuing: Issuing, familyId: string): UnitBody<void> {
  const { context, request, user, consentId } = issuing
  const { environment, now } = context
  const { clientId, scopes } = request
  const consented = { environmentId: environment.id, userId: user.id, applicationId: clientId }
  if (consentId !== undefined && !(yield* consentStands({ ...consented, consentId }, now))) {
    throw problem('access_denied', { description: 'the consent was withdrawn' })
  }
  yield* openFamily(environment, { id: familyId, clientId, user, scopes, granted: grantedRequest(request) }, now)
  yield context.record({ action: 'TOKEN.ISSUED', ...about(issuing, familyId) })
}
