/**
 * The authorization request, read and checked: RFC 6749 section 3.1, OpenID Connect Core section 3.1.2, authentication-api
 * 2.3, decisions D10, D11, D14. Which check runs when, and where its failure is answered:
 *
 * | check                                             | failure goes to                              |
 * |---------------------------------------------------|----------------------------------------------|
 * | client: one id, known, enabled                    | a 400 page; pi.flow: PingOne JSON            |
 * | request, request_uri: readable, of the client     | the redirect URI beside it, or as above      |
 * | redirect URI: one, registered (none with pi.flow) | a 400 page; pi.flow: PingOne JSON            |
 * | pushed, where it has to be                        | the redirect URI; pi.flow: JSON with details |
 * | response_type, response_mode                      | likewise                                     |
 * | no other parameter twice                          | likewise                                     |
 * | client may use that type                          | likewise                                     |
 * | signed, where it has to be                        | likewise                                     |
 * | scope, resource, openid with id_token, nonce      | likewise                                     |
 * | PKCE, dpop_jkt, prompt, max_age, id_token_hint    | likewise                                     |
 * | authorization_details, claims                     | likewise                                     |
 *
 * Never: a Location to an address that is not known good; a parameter that is unknown leading to an error.
 */
import { z } from 'zod'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import { type Problem, problem } from '../../errors/problem.ts'
import { readIdTokenHint } from '../id-token-hint.ts'
import { defineMetadata } from '../metadata.ts'
import { demandsSignedRequests, fapiAuthorizationProblem } from '../rules/fapi.ts'
import { type CodeChallenge, challengeMethods, readChallenge } from '../rules/pkce.ts'
import type { RequestParameters } from '../parameters.ts'
import type { ClaimsRequest } from '../rules/claims-request.ts'
import type { ClientContext, TransactionTemplate } from '../rules/request-object.ts'
import type { Target } from '../rules/resource-indicators.ts'
import { requestObjectAlgorithms } from './request-object.ts'
import { type RequestedAccess, requestedAccess } from './requested-access.ts'
import { obtainableClaims, policiesAskedFor, requestedClaims, userAskedFor } from './requested-claims.ts'
import { defaultMode, type ResponseMode, type ResponseType, readResponseMode, readResponseType } from './response.ts'

export const requestMetadata = defineMetadata(
  {
    authorization_endpoint: z.string(),
    acr_values_supported: z.array(z.string()).optional(),
    claims_parameter_supported: z.boolean(),
    authorization_details_types_supported: z.array(z.string()).optional(),
    request_parameter_supported: z.boolean(),
    request_uri_parameter_supported: z.boolean(),
    require_request_uri_registration: z.boolean(),
    request_object_signing_alg_values_supported: z.array(z.string()),
    code_challenge_methods_supported: z.array(z.string()),
  },
  ({ settings: { authorizationDetailsTypes: types }, policies, defaultPolicyId }, site) => ({
    authorization_endpoint: `${site.issuer}/authorize`,
    ...acrValuesSupported(policies.get(defaultPolicyId)?.name),
    claims_parameter_supported: true,
    ...(types.length > 0 ? { authorization_details_types_supported: types.map(({ type }) => type) } : {}),
    request_parameter_supported: true,
    request_uri_parameter_supported: true,
    require_request_uri_registration: true,
    request_object_signing_alg_values_supported: ['none', ...requestObjectAlgorithms],
    code_challenge_methods_supported: [...challengeMethods],
  }),
)

/** The policy of every application that has none of its own; which others have is nobody else's to know. */
function acrValuesSupported(defaultPolicy: string | undefined) {
  return defaultPolicy === undefined || defaultPolicy.includes(' ') ? {} : { acr_values_supported: [defaultPolicy] }
}

/** Where and how the answer of a request travels. */
export interface ReturnPath {
  readonly mode: ResponseMode
  /** Null only with `pi.flow`. */
  readonly redirectUri: string | null
  readonly state: string | null
}

/** A checked authorization request. Plain data: it is stored with the flow. */
export interface AuthorizationRequest extends ReturnPath, RequestedAccess {
  readonly clientId: string
  readonly responseType: ResponseType
  readonly nonce: string | null
  readonly challenge: CodeChallenge | null
  /** The thumbprint of the key that the code is bound to (RFC 9449 section 10, row B21). */
  readonly dpopJkt: string | null
  readonly prompt: 'none' | 'login' | null
  readonly maxAge: number | null
  readonly acrValues: readonly string[]
  readonly loginHint: string | null
  /** The user that `id_token_hint` names: nobody else may be signed on. */
  readonly hintedUserId: string | null
  /** Whether the client has signed that it means them (`login_hint_token`). */
  readonly isVouched: boolean
  readonly uiLocales: string | null
  /** The claims asked for one by one that the application may have. */
  readonly claims: ClaimsRequest | null
  /** The address of the user, where the client asks in their place and has signed it (authentication-api 2.14). */
  readonly remoteIp: string | null
  /** What the user is told of the transaction that they approve, where the client has signed that. */
  readonly template: TransactionTemplate | null
  /** What the app of the user is told beside that (`pi.clientContext`). */
  readonly clientContext: ClientContext | null
}

type Values = Readonly<Record<string, string>>

/** The parts that decide where failures go, read before anything else is judged. */
export function readReturnPath(
  values: Values,
  repeated: readonly string[],
): ReturnPath & { readonly type: ResponseType | undefined } {
  const type = repeated.includes('response_type') ? undefined : readResponseType(values['response_type'] ?? '')
  const asked = repeated.includes('response_mode') ? undefined : values['response_mode']
  return {
    type,
    mode: readResponseMode(asked, type) ?? defaultMode(type),
    redirectUri: values['redirect_uri'] ?? null,
    state: repeated.includes('state') ? null : (values['state'] ?? null),
  }
}

/**
 * Checks everything about a request whose client and redirect URI are known good.
 * @throws Problem whose OAuth code is sent to the application
 */
export function checkRequest(
  context: Pick<Context, 'environment' | 'site' | 'now'>,
  client: Application,
  { values, repeated, resources, signed, vouchedUserId }: RequestParameters,
): AuthorizationRequest {
  const { environment, site } = context
  if (repeated.length > 0) throw invalid(`${repeated[0]} is repeated`)
  const path = readReturnPath(values, repeated)
  const type = readType(values)
  if (readResponseMode(values['response_mode'], type) === undefined) throw invalid('response_mode is not allowed here')
  requireAllowed(client, type)
  requireOwnPages(client, path)
  const mustBeSigned = client.document.requireSignedRequestObject || demandsSignedRequests(client.document)
  if (mustBeSigned && !signed) throw invalid('a signed request object is required')
  requireProfile(client, values, type)
  const target: Target = { resources: [...new Set(resources)], platformAudience: site.platformAudience }
  const nonce = values['nonce'] ?? null
  if (type.idToken && nonce === null && path.mode !== 'pi.flow') throw invalid('nonce is required with id_token')
  const pkce = type.code
    ? readChallenge(client.document.pkceEnforcement, values['code_challenge'], values['code_challenge_method'])
    : { challenge: null }
  if ('refused' in pkce) throw invalid(pkce.refused)
  const hint = values['id_token_hint']
  const hintedUserId = hint === undefined ? null : readIdTokenHint(context, client, hint)
  if (hintedUserId === undefined) throw invalid('id_token_hint is not an ID token of this client')
  const asked = requestedClaims(values['claims'])
  const acrValues = (values['acr_values'] ?? '').split(' ').filter((name) => name !== '')
  const claims = obtainableClaims(environment, client, asked)
  const access = requestedAccess(environment, client, values, type, target, claims)
  return {
    mode: path.mode,
    redirectUri: path.redirectUri,
    state: path.state,
    clientId: client.id,
    responseType: type,
    nonce,
    challenge: pkce.challenge,
    dpopJkt: readThumbprint(values['dpop_jkt']),
    prompt: readPrompt(values['prompt']),
    maxAge: readMaxAge(values['max_age']),
    acrValues: policiesAskedFor(environment, client, acrValues, asked),
    loginHint: values['login_hint']?.slice(0, 256) ?? null,
    hintedUserId: userAskedFor(environment, client, agreed(hintedUserId, vouchedUserId), asked),
    isVouched: vouchedUserId !== undefined,
    uiLocales: values['ui_locales']?.slice(0, 256) ?? null,
    claims,
    remoteIp: signed?.remoteIp ?? null,
    template: signed?.template ?? null,
    clientContext: signed?.clientContext ?? null,
    ...access,
  }
}

function readType(values: Values): ResponseType {
  const text = values['response_type']
  if (text === undefined) throw invalid('response_type is missing')
  const type = readResponseType(text)
  if (!type) throw problem('unsupported_response_type')
  return type
}

/** The user whom a hint and a token name. @throws Problem invalid_request where they name two */
function agreed(hinted: string | null, vouched: string | undefined): string | null {
  if (hinted !== null && vouched !== undefined && hinted !== vouched) throw invalid('two users are meant')
  return vouched ?? hinted
}

function requireAllowed(client: Application, type: ResponseType): void {
  const { responseTypes, grantTypes } = client.document
  const allowed =
    (!type.code || (responseTypes.includes('CODE') && grantTypes.includes('AUTHORIZATION_CODE'))) &&
    (!type.token || (responseTypes.includes('TOKEN') && grantTypes.includes('IMPLICIT'))) &&
    (!type.idToken || (responseTypes.includes('ID_TOKEN') && grantTypes.includes('IMPLICIT')))
  if (!allowed)
    throw problem('unauthorized_client', { description: 'the application does not have this response type' })
  const { dpopBoundAccessTokens, tlsClientCertificateBoundAccessTokens } = client.document
  if (type.token && (dpopBoundAccessTokens || tlsClientCertificateBoundAccessTokens)) {
    // No key is proved here (row D24).
    throw problem('unauthorized_client', { description: 'access tokens of the application are bound to a key' })
  }
}

/** A client that has registered itself must not see what its users type. */
function requireOwnPages({ document }: Application, { mode }: ReturnPath): void {
  if (document.registration === undefined || mode !== 'pi.flow') return
  throw problem('unauthorized_client', { description: 'users of this client sign on on the hosted pages alone' })
}

function requireProfile({ document }: Application, values: Values, { code, token, idToken }: ResponseType): void {
  const refused = fapiAuthorizationProblem(document, {
    isCodeAlone: code && !token && !idToken,
    isChallenged: values['code_challenge'] !== undefined && values['code_challenge_method'] === 'S256',
    isRedirected: values['redirect_uri'] !== undefined && values['response_mode'] !== 'pi.flow',
  })
  if (refused !== undefined) throw invalid(refused)
}

function readThumbprint(thumbprint: string | undefined): string | null {
  if (thumbprint === undefined) return null
  if (!/^[\w-]{43}$/.test(thumbprint)) throw invalid('dpop_jkt is no SHA-256 thumbprint')
  return thumbprint
}

/** `consent` is ignored where the application needs none (authentication-api 2.4), as is what is unknown. */
function readPrompt(prompt: string | undefined): 'none' | 'login' | null {
  const words = (prompt ?? '').split(' ').filter((word) => word !== '')
  if (words.includes('none')) {
    if (words.length > 1) throw invalid('prompt=none stands alone')
    return 'none'
  }
  return words.includes('login') || words.includes('select_account') ? 'login' : null
}

function readMaxAge(maxAge: string | undefined): number | null {
  if (maxAge === undefined) return null
  if (!/^\d{1,9}$/.test(maxAge)) throw invalid('max_age is not a number of seconds')
  return Number(maxAge)
}

function invalid(description: string): Problem {
  return problem('invalid_request', { description })
}
