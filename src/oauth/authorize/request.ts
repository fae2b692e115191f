/**
 * The authorization request, read and checked: RFC 6749 section 3.1, OpenID Connect Core section 3.1.2, authentication-api
 * 2.3, decisions D10, D11, D14. Which check runs when, and where its failure is answered:
 *
 * | check                                             | failure goes to                              |
 * |---------------------------------------------------|----------------------------------------------|
 * | client: one id, known, enabled                    | a 400 page; pi.flow: PingOne JSON            |
 * | request_uri: a reference that the client may use  | the redirect URI beside it, or as above      |
 * | redirect URI: one, registered (none with pi.flow) | a 400 page; pi.flow: PingOne JSON            |
 * | pushed, where it has to be                        | the redirect URI; pi.flow: JSON with details |
 * | response_type, response_mode                      | likewise                                     |
 * | no other parameter twice                          | likewise                                     |
 * | client may use that type                          | likewise                                     |
 * | no request object                                 | likewise                                     |
 * | scope, resource, openid with id_token, nonce      | likewise                                     |
 * | PKCE, dpop_jkt, prompt, max_age, id_token_hint    | likewise                                     |
 * | claims                                            | likewise                                     |
 *
 * Never: a Location to an address that is not known good; a parameter that is unknown leading to an error.
 */
import { z } from 'zod'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { type Problem, problem } from '../../errors/problem.ts'
import type { ConsentRequest } from '../../flow/consent.ts'
import { grantedResources, mayServeMany, scopeIdsOf } from '../granted-resources.ts'
import { readIdTokenHint } from '../id-token-hint.ts'
import { defineMetadata } from '../metadata.ts'
import { type CodeChallenge, challengeMethods, readChallenge } from '../rules/pkce.ts'
import type { RequestParameters } from '../parameters.ts'
import type { ClaimsRequest } from '../rules/claims-request.ts'
import { grantForTarget, grantForTargets, type Target } from '../rules/resource-indicators.ts'
import { parseScope, type ScopeGrant } from '../rules/scopes.ts'
import { scopesOfClaims } from '../tokens/claims.ts'
import { obtainableClaims, policiesAskedFor, requestedClaims, userAskedFor } from './requested-claims.ts'
import {
  isCodeAlone,
  defaultMode,
  type ResponseMode,
  type ResponseType,
  readResponseMode,
  readResponseType,
} from './response.ts'

export const requestMetadata = defineMetadata(
  {
    authorization_endpoint: z.string(),
    claims_parameter_supported: z.boolean(),
    request_parameter_supported: z.boolean(),
    request_uri_parameter_supported: z.boolean(),
    code_challenge_methods_supported: z.array(z.string()),
  },
  (_environment, site) => ({
    authorization_endpoint: `${site.issuer}/authorize`,
    claims_parameter_supported: true,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    code_challenge_methods_supported: [...challengeMethods],
  }),
)

/** Where and how the answer of a request travels. */
export interface ReturnPath {
  readonly mode: ResponseMode
  /** Null only with `pi.flow`. */
  readonly redirectUri: string | null
  readonly state: string | null
}

/** A checked authorization request. Plain data: it is stored with the flow. */
export interface AuthorizationRequest extends ReturnPath {
  readonly clientId: string
  readonly responseType: ResponseType
  readonly scopes: readonly string[]
  /** What was asked for and is not granted, if anything. */
  readonly leftOut?: readonly string[]
  readonly audiences: readonly string[]
  readonly accessTokenSeconds: number | null
  readonly nonce: string | null
  readonly challenge: CodeChallenge | null
  /** The thumbprint of the key that the code is bound to (RFC 9449 section 10, row B21). */
  readonly dpopJkt: string | null
  readonly prompt: 'none' | 'login' | null
  /** What the user has to grant; null where the application needs no consent. */
  readonly consent: ConsentRequest | null
  readonly maxAge: number | null
  readonly acrValues: readonly string[]
  readonly loginHint: string | null
  /** The user that `id_token_hint` names: nobody else may be signed on. */
  readonly hintedUserId: string | null
  readonly uiLocales: string | null
  /** The claims asked for one by one that the application may have. */
  readonly claims: ClaimsRequest | null
  /** The resource servers that were named. */
  readonly resources: readonly string[]
}

/** A failure that may be told to the application. */
export interface RefusedRequest {
  readonly failure: Problem
  readonly returnPath: ReturnPath
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
  { environment, site, now }: Pick<Context, 'environment' | 'site' | 'now'>,
  client: Application,
  { values, repeated, resources }: RequestParameters,
): AuthorizationRequest {
  if (repeated.length > 0) throw invalid(`${repeated[0]} is repeated`)
  const path = readReturnPath(values, repeated)
  const type = readType(values)
  if (readResponseMode(values['response_mode'], type) === undefined) throw invalid('response_mode is not allowed here')
  requireAllowed(client, type)
  if (values['request'] !== undefined) throw problem('request_not_supported')
  const target: Target = { resources: [...new Set(resources)], platformAudience: site.platformAudience }
  const scope = readScope(environment, client, values, type, target)
  const nonce = values['nonce'] ?? null
  if (type.idToken && nonce === null && path.mode !== 'pi.flow') throw invalid('nonce is required with id_token')
  const pkce = type.code
    ? readChallenge(client.document.pkceEnforcement, values['code_challenge'], values['code_challenge_method'])
    : { challenge: null }
  if ('refused' in pkce) throw invalid(pkce.refused)
  const hint = values['id_token_hint']
  const hintedUserId = hint === undefined ? null : readIdTokenHint(environment, site, client.id, hint, now)
  if (hintedUserId === undefined) throw invalid('id_token_hint is not an ID token of this client')
  const asked = requestedClaims(values['claims'])
  const acrValues = (values['acr_values'] ?? '').split(' ').filter((name) => name !== '')
  const claims = obtainableClaims(environment, client, asked)
  return {
    mode: path.mode,
    redirectUri: path.redirectUri,
    state: path.state,
    clientId: client.id,
    responseType: type,
    scopes: scope.scopes,
    ...(scope.leftOut.length > 0 ? { leftOut: scope.leftOut } : {}),
    audiences: scope.audiences,
    accessTokenSeconds: scope.accessTokenSeconds,
    nonce,
    challenge: pkce.challenge,
    dpopJkt: readThumbprint(values['dpop_jkt']),
    prompt: readPrompt(values['prompt']),
    consent: readConsent(environment, client, [...scope.scopes, ...scopesBeside(claims)], target, values['prompt']),
    maxAge: readMaxAge(values['max_age']),
    acrValues: policiesAskedFor(environment, client, acrValues, asked),
    loginHint: values['login_hint']?.slice(0, 256) ?? null,
    hintedUserId: userAskedFor(hintedUserId, asked),
    uiLocales: values['ui_locales']?.slice(0, 256) ?? null,
    claims,
    resources: target.resources,
  }
}

/** A claim asked for by itself is granted as the scope that brings it. */
function scopesBeside(claims: ClaimsRequest | null): readonly string[] {
  return scopesOfClaims([...(claims?.idToken ?? []), ...(claims?.userinfo ?? [])].map(({ name }) => name))
}

function readType(values: Values): ResponseType {
  const text = values['response_type']
  if (text === undefined) throw invalid('response_type is missing')
  const type = readResponseType(text)
  if (!type) throw problem('unsupported_response_type')
  return type
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

function readScope(
  environment: Environment,
  client: Application,
  values: Values,
  type: ResponseType,
  target: Target,
): ScopeGrant & { readonly leftOut: readonly string[] } {
  const requested = parseScope(values['scope'])
  if ('refused' in requested) throw problem('invalid_scope', { description: requested.refused })
  if (type.idToken && !requested.includes('openid')) {
    throw problem('invalid_scope', { description: 'id_token needs the openid scope' })
  }
  // Access that outlives the session takes a refresh token, and so a code (OpenID Connect Core section 11).
  const mayRefresh = type.code && client.document.grantTypes.includes('REFRESH_TOKEN')
  const usable = mayRefresh ? requested : requested.filter((name) => name !== 'offline_access')
  const granted = grantedResources(environment, client)
  // Of a code each token may be for one of several resources.
  const grant =
    isCodeAlone(type) && target.resources.length > 1
      ? grantForTargets(usable, granted, target)
      : grantForTarget(usable, granted, target, { user: true, manyResources: mayServeMany(client) })
  if ('refused' in grant) throw problem(grant.error, { description: grant.refused })
  return { ...grant, leftOut: requested.filter((name) => !grant.scopes.includes(name)) }
}

/** What the user has to grant; `prompt=consent` says: whatever was granted before. */
function readConsent(
  environment: Environment,
  client: Application,
  scopes: readonly string[],
  target: Target,
  prompt: string | undefined,
): ConsentRequest | null {
  if (client.document.requireConsent !== true) return null
  return {
    scopeIds: [...new Set(scopeIdsOf(environment, client, scopes, target))],
    isAsked: (prompt ?? '').split(' ').includes('consent'),
  }
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
