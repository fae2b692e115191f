/**
 * PURE: what must fit together in an OIDC application. platform-api 3.7 ("Rules and defaults"), RFC 6749 section 4.4,
 * decisions D12 and D14.
 *
 * Never: an application saved that could not work, or a public client without PKCE unless it asked for that by name.
 */
import type { BlockList } from 'node:net'
import type { z } from 'zod'
import { uuid } from '../contract/validation.ts'
import type { ApplicationDocument, applicationType, corsSettings } from './application.ts'
import { keySetProblem } from './client-key-set.ts'
import { algorithmFits, certificateNameProblem, certificateNames, profileProblems } from './client-security.ts'
import type { Detail } from '../errors/problem.ts'
import { outboundUrlProblem } from '../external/outbound-url.ts'
import { requestUriWithoutHash } from './request-uri.ts'
import { originProblem, redirectUriProblem, webAddressProblem } from './registered-urls.ts'

/** What the rules look at: the document of an application, with its type. */
export type Candidate = Omit<ApplicationDocument, 'assignActorRoles'> & {
  readonly type: z.output<typeof applicationType>
}

/** PKCE where the application does not say: S256 for public clients (D14), PingOne's default for confidential ones. */
export function defaultPkceEnforcement(
  method: ApplicationDocument['tokenEndpointAuthMethod'],
): ApplicationDocument['pkceEnforcement'] {
  return method === 'NONE' ? 'S256_REQUIRED' : 'OPTIONAL'
}

/**
 * Everything that is wrong with an application; empty when nothing is.
 * @param listed addresses the operator lets the server ask beside public ones
 */
export function applicationProblems(candidate: Candidate, listed: BlockList | undefined): Detail[] {
  return [
    ...urlProblems(candidate),
    ...frontchannelProblems(candidate),
    ...backchannelProblems(candidate, listed),
    ...iconProblems(candidate, listed),
    ...grantProblems(candidate),
    ...deviceProblems(candidate),
    ...(candidate.corsSettings ? corsProblems(candidate.corsSettings) : []),
    ...refreshProblems(candidate),
    ...keyProblems(candidate, listed),
    ...requestObjectProblems(candidate, listed),
    ...authenticationProblems(candidate),
    ...profileProblems(candidate).flatMap(({ member, message }) => invalid(member, message)),
    ...(candidate.requireConsent ? consentProblems(candidate) : unseenProblems(candidate)),
  ]
}

function urlProblems(candidate: Candidate): Detail[] {
  const registrant = { native: candidate.type === 'NATIVE_APP', wildcards: candidate.allowWildcardInRedirectUris }
  const afterSignOff = { ...registrant, wildcards: false }
  return [
    ...candidate.redirectUris.flatMap((uri, at) => invalid(`redirectUris.${at}`, redirectUriProblem(uri, registrant))),
    ...candidate.postLogoutRedirectUris.flatMap((uri, at) =>
      invalid(`postLogoutRedirectUris.${at}`, redirectUriProblem(uri, afterSignOff)),
    ),
    ...page('initiateLoginUri', candidate.initiateLoginUri, true),
    ...page('loginPageUrl', candidate.loginPageUrl, true),
    ...page('targetLinkUri', candidate.targetLinkUri, false),
    ...page('homePageUrl', candidate.homePageUrl, false),
    ...page('deviceCustomVerificationUri', candidate.deviceCustomVerificationUri, true),
    ...page('policyUri', candidate.policyUri, false),
    ...page('tosUri', candidate.tosUri, false),
    ...page('icon.href', candidate.icon?.href, false),
  ]
}

function page(target: string, address: string | undefined, secure: boolean): Detail[] {
  return address === undefined ? [] : invalid(target, webAddressProblem(address, secure))
}

/** Front-Channel Logout 1.0 section 2: a page under scheme, host and port of one of the redirect URIs. */
function frontchannelProblems({ frontchannelLogoutUri: uri, redirectUris }: Candidate): Detail[] {
  const target = 'frontchannelLogoutUri'
  if (uri === undefined) return []
  const message = uri.includes('#') ? 'must not have a fragment' : webAddressProblem(uri, true)
  if (message !== undefined) return invalid(target, message)
  const { origin } = new URL(uri)
  const isOwn = redirectUris.some((each) => URL.parse(each)?.origin === origin)
  return invalid(target, isOwn ? undefined : 'must have the scheme, host and port of a redirect URI')
}

/** Back-Channel Logout 1.0 section 2.2: an address that the server may ask (row G01). */
function backchannelProblems({ backchannelLogoutUri: uri }: Candidate, listed: BlockList | undefined): Detail[] {
  return invalid('backchannelLogoutUri', uri === undefined ? undefined : outboundUrlProblem(uri, listed))
}

/**
 * The picture of a client that has registered itself is fetched by the server, so that the browsers of users do not tell
 * anybody where they sign on (row H08); that of another application by browsers alone.
 */
function iconProblems({ registration, icon }: Candidate, listed: BlockList | undefined): Detail[] {
  return invalid('icon.href', registration && icon ? outboundUrlProblem(icon.href, listed) : undefined)
}

function grantProblems({ grantTypes, responseTypes, tokenEndpointAuthMethod }: Candidate): Detail[] {
  const needs = (wanted: boolean, grant: (typeof grantTypes)[number], target: string) =>
    invalid(target, wanted && !grantTypes.includes(grant) ? `needs the grant type ${grant}` : undefined)
  return [
    ...needs(responseTypes.includes('CODE'), 'AUTHORIZATION_CODE', 'responseTypes'),
    ...needs(responseTypes.includes('TOKEN') || responseTypes.includes('ID_TOKEN'), 'IMPLICIT', 'responseTypes'),
    ...confidentialGrantTypes.flatMap((grant) =>
      invalid(
        'tokenEndpointAuthMethod',
        tokenEndpointAuthMethod === 'NONE' && grantTypes.includes(grant)
          ? `must not be NONE with the grant type ${grant}`
          : undefined,
      ),
    ),
  ]
}

/** Grant types by which an application gets tokens on its own word. */
const confidentialGrantTypes: readonly ApplicationDocument['grantTypes'][number][] = [
  'CLIENT_CREDENTIALS',
  'TOKEN_EXCHANGE',
  'CIBA',
  'JWT_BEARER',
]

/** A short name that looks like an id would take the page of another application away. */
function deviceProblems({ devicePathId }: Candidate): Detail[] {
  return invalid('devicePathId', uuid.safeParse(devicePathId).success ? 'must not look like an id' : undefined)
}

function corsProblems({ behavior, origins = [] }: z.output<typeof corsSettings>): Detail[] {
  switch (behavior) {
    case 'ALLOW_NO_ORIGINS':
      return invalid('corsSettings.origins', origins.length > 0 ? 'must be absent with ALLOW_NO_ORIGINS' : undefined)
    case 'ALLOW_SPECIFIC_ORIGINS':
      return origins.length === 0
        ? [{ code: 'REQUIRED_VALUE', target: 'corsSettings.origins', message: 'must not be empty' }]
        : origins.flatMap((origin, at) => invalid(`corsSettings.origins.${at}`, originProblem(origin)))
  }
}

/** What an application could do in the place of the user is no consent: only the sign-on page asks for it. */
function consentProblems({ isFirstParty, loginPageUrl, grantTypes }: Candidate): Detail[] {
  const unasked = (['TOKEN_EXCHANGE', 'JWT_BEARER'] as const).find((grant) => grantTypes.includes(grant))
  return [
    ...invalid('requireConsent', unasked ? `must not be true with the grant type ${unasked}` : undefined),
    ...invalid('requireConsent', isFirstParty ? 'must not be true with isFirstParty' : undefined),
    ...invalid('requireConsent', loginPageUrl === undefined ? undefined : 'must not be true with loginPageUrl'),
  ]
}

/** Grant types whose tokens are a user's, so that there can be refresh tokens beside them (platform-api 3.7). */
const grantTypesWithUser: readonly ApplicationDocument['grantTypes'][number][] = [
  'AUTHORIZATION_CODE',
  'DEVICE_CODE',
  'CIBA',
]

function refreshProblems({ grantTypes, refreshTokenDuration, refreshTokenRollingDuration }: Candidate): Detail[] {
  const isAlone = grantTypes.includes('REFRESH_TOKEN') && !grantTypesWithUser.some((type) => grantTypes.includes(type))
  const isTooLong = refreshTokenDuration > refreshTokenRollingDuration
  return [
    ...invalid('grantTypes', isAlone ? `must hold ${grantTypesWithUser.join(' or ')} beside REFRESH_TOKEN` : undefined),
    ...invalid('refreshTokenDuration', isTooLong ? 'must not be greater than refreshTokenRollingDuration' : undefined),
  ]
}

/** What the user has never seen they cannot have granted. */
function unseenProblems({ authorizationDetailsTypes: types = [] }: Candidate): Detail[] {
  return invalid('authorizationDetailsTypes', types.length > 0 ? 'needs requireConsent' : undefined)
}

function keyProblems({ jwks, jwksUrl }: Candidate, listed: BlockList | undefined): Detail[] {
  const both = jwks !== undefined && jwksUrl !== undefined
  return [
    ...invalid('jwksUrl', both ? 'must not be there together with jwks' : undefined),
    ...invalid('jwks', jwks === undefined ? undefined : keySetProblem(jwks)),
    ...invalid('jwksUrl', jwksUrl === undefined ? undefined : outboundUrlProblem(jwksUrl, listed)),
  ]
}

function requestObjectProblems(candidate: Candidate, listed: BlockList | undefined): Detail[] {
  const {
    requireSignedRequestObject,
    supportUnsignedRequestObject,
    requestObjectSigningAlg,
    requestUris = [],
  } = candidate
  const both = requireSignedRequestObject && supportUnsignedRequestObject
  const isNoneRefused = requestObjectSigningAlg === 'none' && !supportUnsignedRequestObject
  return [
    ...invalid('supportUnsignedRequestObject', both ? 'must not be true with requireSignedRequestObject' : undefined),
    ...invalid('requestObjectSigningAlg', isNoneRefused ? 'needs supportUnsignedRequestObject' : undefined),
    ...requestUris.flatMap((uri, at) =>
      invalid(`requestUris.${at}`, outboundUrlProblem(requestUriWithoutHash(uri), listed)),
    ),
  ]
}

/** What the method of authentication needs (platform-api 3.7, RFC 8705 sections 2.1.2 and 2.2.2). */
function authenticationProblems(candidate: Candidate): Detail[] {
  const { tokenEndpointAuthMethod: method, tokenEndpointAuthSigningAlg: algorithm, jwks, jwksUrl } = candidate
  const named = certificateNames.filter((name) => candidate[name] !== undefined)
  const needsKeys = method === 'PRIVATE_KEY_JWT' || method === 'SELF_SIGNED_TLS_CLIENT_AUTH'
  const needsName = method === 'TLS_CLIENT_AUTH'
  return [
    ...required(
      'jwks',
      needsKeys && jwks === undefined && jwksUrl === undefined,
      `or jwksUrl is required with ${method}`,
    ),
    ...required(certificateNames[0], needsName && named.length === 0, `or another name is required with ${method}`),
    ...named.flatMap((name) => invalid(name, certificateNameProblem(name, candidate[name] ?? ''))),
    ...invalid(named[1] ?? '', named.length > 1 ? `must not be there together with ${named[0]}` : undefined),
    ...invalid(named[0] ?? '', named.length > 0 && !needsName ? 'needs the method TLS_CLIENT_AUTH' : undefined),
    ...invalid(
      'tokenEndpointAuthSigningAlg',
      algorithm === undefined || algorithmFits(algorithm, method) ? undefined : `does not fit ${method}`,
    ),
  ]
}

function required(target: string, isMissing: boolean, message: string): Detail[] {
  return isMissing ? [{ code: 'REQUIRED_VALUE', target, message }] : []
}

function invalid(target: string, message: string | undefined): Detail[] {
  return message === undefined ? [] : [{ code: 'INVALID_VALUE', target, message }]
}
