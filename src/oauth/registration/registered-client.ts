/**
 * PURE: the application that client metadata comes to under the policy of an environment. RFC 7591 sections 2 and 3.2.1
 * (the server may replace what was asked for, and says so), OpenID Connect Dynamic Client Registration 1.0 section 2.
 * Rows H03-H05, H07. The rules of every application hold here too (`environment/application-rules.ts`).
 *
 * | what is asked for and not allowed             | what becomes of it                                        |
 * |-----------------------------------------------|-----------------------------------------------------------|
 * | grant types, response types, scopes           | left out; refused when nothing remains                    |
 * | a way to authenticate, a redirect URI, a key  | refused: the client could not work, or not as it believes |
 *
 * Never: a WORKER, a client whose users are not asked, one that signs users on by itself, or anything the policy does not
 * name.
 */
import type { BlockList } from 'node:net'
import {
  type Application,
  type ApplicationDocument,
  applicationDefaults,
  tokenEndpointAuthMethod,
} from '../../environment/application.ts'
import { applicationProblems, defaultPkceEnforcement } from '../../environment/application-rules.ts'
import { type ClientRegistrationPolicy, coversHost } from '../../environment/client-registration-policy.ts'
import { tokenProblems } from '../../environment/application-token-rules.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { responseTypeNames } from '../authorize/response.ts'
import { parseScope } from '../rules/scopes.ts'
import { grants as tokenGrants } from '../token/grants/index.ts'
import { type ClientMetadata, metadataName, metadataProblem, writeClientMetadata } from './client-metadata.ts'

/** An application as a client that registers itself gets it. */
export interface RegisteredClient {
  readonly type: Application['type']
  readonly document: ApplicationDocument
  readonly grants: Application['grants']
}

/** By what a client is judged. */
export interface Terms {
  readonly policy: ClientRegistrationPolicy
  readonly environment: Pick<Environment, 'resources' | 'scopes' | 'keyRotationPolicies'>
  /** Addresses the operator lets the server ask beside public ones. */
  readonly listed: BlockList | undefined
}

type GrantType = ApplicationDocument['grantTypes'][number]
type AuthMethod = ApplicationDocument['tokenEndpointAuthMethod']

/** The grants by the names of the protocol; `implicit` has none at the token endpoint. */
const grantNames: ReadonlyMap<string, GrantType> = new Map([
  ...tokenGrants.map(({ type, grantType }) => [type, grantType] as const),
  ['implicit', 'IMPLICIT'],
])

/**
 * Judges metadata.
 * @param before the document so far, of which what only administrators say is kept
 * @throws Problem invalid_redirect_uri, invalid_client_metadata
 */
export function registeredClient(
  metadata: ClientMetadata,
  { policy, environment, listed }: Terms,
  before?: ApplicationDocument,
): RegisteredClient {
  const asked = metadata.grant_types ?? ['authorization_code']
  const method = authMethodOf(metadata, policy)
  if (method === 'NONE' && asked.includes('client_credentials'))
    throw metadataProblem(['token_endpoint_auth_method'], 'must not be none with the grant type client_credentials')
  const grantTypes = grantTypesOf(asked, policy)
  const isByBrowser = grantTypes.includes('AUTHORIZATION_CODE') || grantTypes.includes('IMPLICIT')
  const { redirectUris = [] } = metadata.document
  if (isByBrowser && redirectUris.length === 0)
    throw metadataProblem(['redirect_uris'], 'must hold at least one address for these grant types')
  const type = typeOf(metadata, method, isByBrowser)
  const document: ApplicationDocument = {
    ...applicationDefaults,
    ...(policy.acceptTokenEndpointAudience ? { acceptTokenEndpointAudience: true } : {}),
    ...(before && keptOf(before)),
    grantTypes,
    responseTypes: responseTypesOf(metadata, grantTypes),
    tokenEndpointAuthMethod: method,
    pkceEnforcement: defaultPkceEnforcement(method),
    requireConsent: true,
    supportUnsignedRequestObject: maySendUnsigned(metadata.document),
    ...metadata.document,
    registration: metadata.registration,
  }
  requireFitting({ type, document }, policy, listed)
  requireKeys(document, environment)
  return { type, document, grants: grantsOf(metadata.scope, policy, environment) }
}

/** Who does not say how its request objects are signed may sign them or not (Dynamic Client Registration 1.0 section 2). */
function maySendUnsigned({
  requireSignedRequestObject,
  requestObjectSigningAlg,
}: Partial<ApplicationDocument>): boolean {
  return requireSignedRequestObject !== true && (requestObjectSigningAlg ?? 'none') === 'none'
}

/** What clients cannot say of themselves. */
const administrators = [
  'description',
  'targetLinkUri',
  'hiddenFromAppPortal',
  'accessControl',
  'corsSettings',
  'parTimeout',
  'devicePathId',
  'deviceCustomVerificationUri',
  'deviceTimeout',
  'devicePollingInterval',
  'refreshTokenDuration',
  'refreshTokenRollingDuration',
  'refreshTokenRollingGracePeriodDuration',
  'refreshTokenType',
  'additionalRefreshTokenReplayProtectionEnabled',
  'acceptTokenEndpointAudience',
  'authorizationDetailsTypes',
  'fapiProfile',
  'signing',
  'includeX5t',
  'echoed',
] as const satisfies readonly (keyof ApplicationDocument)[]

function keptOf(before: ApplicationDocument): Partial<ApplicationDocument> {
  return Object.fromEntries(administrators.map((member) => [member, before[member]]))
}

/** Every way to authenticate has the name of the protocol in capitals. */
function authMethodOf(
  { token_endpoint_auth_method: asked }: ClientMetadata,
  policy: ClientRegistrationPolicy,
): AuthMethod {
  const { tokenEndpointAuthMethods: allowed } = policy
  const standard = allowed.includes('CLIENT_SECRET_BASIC') ? 'CLIENT_SECRET_BASIC' : allowed[0]
  const method = asked === undefined ? standard : tokenEndpointAuthMethod.safeParse(asked.toUpperCase()).data
  if (method !== undefined && allowed.includes(method) && (asked ?? '') === (asked ?? '').toLowerCase()) return method
  throw metadataProblem(['token_endpoint_auth_method'], `must be one of ${allowed.join(', ').toLowerCase()}`)
}

function grantTypesOf(asked: readonly string[], { grantTypes: allowed }: ClientRegistrationPolicy): GrantType[] {
  const known = asked.map((name) => grantNames.get(name))
  const granted = allowed.filter((grant) => known.includes(grant))
  if (granted.length > 0) return granted
  const names = [...grantNames].filter(([, grant]) => allowed.includes(grant)).map(([name]) => name)
  throw metadataProblem(['grant_types'], `must hold one of ${names.join(', ')}`)
}

/** A response type is a set of words; an application has the words (authentication-api 2.19). */
function responseTypesOf({ response_types }: ClientMetadata, grantTypes: readonly GrantType[]) {
  const words = (name: string) => name.split(' ').toSorted().join(' ')
  const known = new Set(responseTypeNames.map(words))
  const possible = (word: string) => grantTypes.includes(word === 'code' ? 'AUTHORIZATION_CODE' : 'IMPLICIT')
  const asked = response_types ?? (grantTypes.includes('AUTHORIZATION_CODE') ? ['code'] : [])
  const taken = asked.filter((name) => known.has(words(name)) && name.split(' ').every(possible))
  if (asked.length > 0 && taken.length === 0)
    throw metadataProblem(['response_types'], 'must hold one that goes with the grant types of the client')
  const present = new Set(taken.flatMap((name) => name.split(' ')))
  return (['CODE', 'TOKEN', 'ID_TOKEN'] as const).filter((word) => present.has(word.toLowerCase()))
}

/** What nobody says is read off the redirect URIs: a client that is reached on the device is a native one (RFC 8252). */
function typeOf(metadata: ClientMetadata, method: AuthMethod, isByBrowser: boolean): Application['type'] {
  const { redirectUris = [] } = metadata.document
  const isLocal = redirectUris.some((uri) => !/^https:/i.test(uri))
  if (metadata.application_type === 'native' || (metadata.application_type === undefined && isLocal))
    return 'NATIVE_APP'
  if (!isByBrowser) return 'SERVICE'
  return method === 'NONE' ? 'SINGLE_PAGE_APP' : 'WEB_APP'
}

function requireFitting(
  { type, document }: Pick<RegisteredClient, 'type' | 'document'>,
  policy: ClientRegistrationPolicy,
  listed: BlockList | undefined,
): void {
  const candidate = { ...document, type }
  const [found] = [...applicationProblems(candidate, listed), ...tokenProblems(candidate, listed)]
  if (found) throw metadataProblem(metadataName(found.target ?? '').split('.'), found.message)
  for (const [name, uris] of Object.entries({
    redirect_uris: document.redirectUris,
    post_logout_redirect_uris: document.postLogoutRedirectUris,
  })) {
    const at = uris.findIndex((uri) => !mayNameHost(policy, uri))
    if (at >= 0) throw metadataProblem([name, String(at)], 'must name a host that is allowed here')
  }
}

/** Of an application that has a key rotation policy, ID tokens are signed by that. */
function requireKeys(
  { signing, idTokenSignedResponseAlg }: ApplicationDocument,
  { keyRotationPolicies }: Terms['environment'],
): void {
  const own = signing && keyRotationPolicies.get(signing.keyRotationPolicy.id)?.algorithm
  if (own === undefined || (idTokenSignedResponseAlg ?? own) === own) return
  throw metadataProblem(['id_token_signed_response_alg'], `must be ${own}`)
}

/** Whether the policy lets a redirect URI name its host; of a private-use scheme, its scheme. */
export function mayNameHost({ redirectHosts }: Pick<ClientRegistrationPolicy, 'redirectHosts'>, uri: string): boolean {
  if (redirectHosts === undefined) return true
  const named = URL.parse(uri)
  return named !== null && coversHost(redirectHosts, /^https?:$/.test(named.protocol) ? named.hostname : named.protocol)
}

function grantsOf(
  scope: string | undefined,
  { grants }: ClientRegistrationPolicy,
  { resources, scopes }: Terms['environment'],
): Application['grants'] {
  const asked = parseScope(scope)
  if ('refused' in asked) throw metadataProblem(['scope'], asked.refused)
  const isAskedFor = (id: string) => asked.length === 0 || asked.includes(scopes.get(id)?.name ?? '')
  const granted = grants
    .filter(({ resource }) => resources.has(resource.id))
    .map((grant) => ({
      resourceId: grant.resource.id,
      // What was deleted since the policy was written is nowhere.
      scopeIds: grant.scopes.map(({ id }) => id).filter((id) => scopes.has(id) && isAskedFor(id)),
    }))
    .filter(({ scopeIds }) => scopeIds.length > 0)
  if (asked.length > 0 && granted.length === 0 && !asked.includes('openid'))
    throw metadataProblem(['scope'], 'must hold a scope that clients may have here')
  return granted
}

/** Everything that is registered of a client, in the names of the protocol (RFC 7591 section 3.2.1). */
export function registeredMetadata(
  { type, document, grants }: RegisteredClient,
  { scopes }: Pick<Environment, 'scopes'>,
): Readonly<Record<string, unknown>> {
  const words = new Set(document.responseTypes.map((word) => word.toLowerCase()))
  const names = grants.flatMap(({ scopeIds }) => scopeIds.map((id) => scopes.get(id)?.name))
  return {
    ...writeClientMetadata(document),
    application_type: type === 'NATIVE_APP' ? 'native' : 'web',
    grant_types: [...grantNames].filter(([, grant]) => document.grantTypes.includes(grant)).map(([name]) => name),
    response_types: responseTypeNames.filter((name) => name.split(' ').every((word) => words.has(word))),
    token_endpoint_auth_method: document.tokenEndpointAuthMethod.toLowerCase(),
    scope: [...new Set(['openid', ...names.filter((name) => name !== undefined)])].join(' '),
  }
}
