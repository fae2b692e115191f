/**
 * What an authorization request asks access to, and what of it the user has to grant: scopes (RFC 6749 section 3.3),
 * resource servers (RFC 8707), details (RFC 9396), claims asked for one by one (OpenID Connect Core section 5.5).
 *
 * Never: anything that the application may not have; details that the user is not shown.
 */
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { problem } from '../../errors/problem.ts'
import type { ConsentRequest } from '../../flow/consent.ts'
import { grantedResources, mayServeMany, scopeIdsOf } from '../granted-resources.ts'
import { requestedDetails } from '../requested-details.ts'
import { type AuthorizationDetail, inWords } from '../rules/authorization-details.ts'
import type { ClaimsRequest } from '../rules/claims-request.ts'
import { grantForTarget, grantForTargets, type Target } from '../rules/resource-indicators.ts'
import { parseScope, type ScopeGrant, usableScopes } from '../rules/scopes.ts'
import { scopesOfClaims } from '../tokens/claims.ts'
import { isCodeAlone, type ResponseType } from './response.ts'

type Values = Readonly<Record<string, string>>

/** What is asked for, as far as it may be had. */
export interface RequestedAccess extends ScopeGrant {
  /** What was asked for and is not granted, if anything. */
  readonly leftOut?: readonly string[]
  /** The resource servers that were named. */
  readonly resources: readonly string[]
  readonly authorizationDetails: readonly AuthorizationDetail[]
  /** What the user has to grant; null where the application needs no consent. */
  readonly consent: ConsentRequest | null
}

/**
 * Reads and judges it.
 * @param claims those asked for one by one that the application may have
 * @throws Problem invalid_scope, invalid_target, invalid_authorization_details, invalid_request
 */
export function requestedAccess(
  environment: Environment,
  client: Application,
  values: Values,
  type: ResponseType,
  target: Target,
  claims: ClaimsRequest | null,
): RequestedAccess {
  const grant = readScope(environment, client, values['scope'], type, target)
  const authorizationDetails = readDetails(environment, client, values['authorization_details'], type)
  const { resources } = target
  const access = { ...grant, resources, authorizationDetails, consent: null }
  if (client.document.requireConsent !== true) return access
  const scopes = [...grant.scopes, ...scopesBeside(environment, claims)]
  const details = inWords(authorizationDetails, environment.settings.authorizationDetailsTypes)
  return {
    ...access,
    consent: {
      scopeIds: [...new Set(scopeIdsOf(environment, client, scopes, target))],
      // Whatever was granted before.
      isAsked: (values['prompt'] ?? '').split(' ').includes('consent') || mayBeAnybody(client, values['redirect_uri']),
      ...(details.length > 0 ? { details } : {}),
    },
  }
}

/**
 * Whether any other program on the device could pass for the client: its users are then asked each time (RFC 8252 section
 * 8.6, row H09).
 */
function mayBeAnybody({ document }: Application, redirectUri = ''): boolean {
  const isPublic = document.tokenEndpointAuthMethod === 'NONE'
  return document.registration !== undefined && isPublic && !/^https:/i.test(redirectUri)
}

function readScope(
  environment: Environment,
  client: Application,
  scope: string | undefined,
  type: ResponseType,
  target: Target,
): ScopeGrant & { readonly leftOut?: readonly string[] } {
  const requested = parseScope(scope)
  if ('refused' in requested) throw problem('invalid_scope', { description: requested.refused })
  if (type.idToken && !requested.includes('openid')) {
    throw problem('invalid_scope', { description: 'id_token needs the openid scope' })
  }
  const usable = usableScopes(requested, type.code && client.document.grantTypes.includes('REFRESH_TOKEN'))
  const granted = grantedResources(environment, client)
  // Of a code each token may be for one of several resources.
  const grant =
    isCodeAlone(type) && target.resources.length > 1
      ? grantForTargets(usable, granted, target)
      : grantForTarget(usable, granted, target, { user: true, manyResources: mayServeMany(client) })
  if ('refused' in grant) throw problem(grant.error, { description: grant.refused })
  const leftOut = requested.filter((name) => !grant.scopes.includes(name))
  return leftOut.length > 0 ? { ...grant, leftOut } : grant
}

/** What is asked for in detail. Only a code brings it: the token response tells what was granted (RFC 9396 section 7). */
function readDetails(
  environment: Environment,
  client: Application,
  text: string | undefined,
  type: ResponseType,
): readonly AuthorizationDetail[] {
  if (text !== undefined && !isCodeAlone(type)) {
    throw problem('invalid_request', { description: 'authorization_details needs the response type code' })
  }
  return requestedDetails(environment, client, text)
}

/** A claim asked for by itself is granted as the scope that brings it. */
function scopesBeside(environment: Environment, claims: ClaimsRequest | null): readonly string[] {
  return scopesOfClaims(
    environment,
    [...(claims?.idToken ?? []), ...(claims?.userinfo ?? [])].map(({ name }) => name),
  )
}
