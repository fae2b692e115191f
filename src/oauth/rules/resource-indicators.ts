/**
 * Resource indicators: for which resource servers a token is meant. RFC 8707; row C23. A resource is named by its
 * audience, the platform by its own. One token serves one resource, unless the application may ask for tokens that serve
 * several (`requestScopesForMultipleResourcesEnabled`); a code may be for several, and each token that it gives for one.
 *
 * Never: an audience that was not named, where one was; a resource of which the application was granted nothing.
 */
import { audienceOf, type GrantedResource, grantScopes, type ScopeGrant } from './scopes.ts'

/** What a request names. */
export interface Target {
  /** The values of `resource`; none where the request leaves it to the scopes. */
  readonly resources: readonly string[]
  /** The audience of tokens for the platform. */
  readonly platformAudience: string
}

/** A refusal, by the OAuth code that it has. */
export interface RefusedTarget {
  readonly error: 'invalid_scope' | 'invalid_target'
  readonly refused: string
}

interface Terms {
  readonly user: boolean
  readonly manyResources: boolean
}

const mostResources = 20
const longestResource = 2048
/** An absolute URI without a fragment (RFC 8707 section 2). */
const absoluteUri = /^[a-z][a-z0-9+.-]*:[^\s#\\"<>^`{|}]+$/i

/**
 * Decides what one token gets, and whom it is for.
 * @param requested distinct scopes
 * @param granted what the application was granted
 */
export function grantForTarget(
  requested: readonly string[],
  granted: readonly GrantedResource[],
  target: Target,
  terms: Terms,
): ScopeGrant | RefusedTarget {
  if (target.resources.length === 0) return asScopeRefusal(grantScopes(requested, granted, terms))
  const named = select(granted, target)
  if ('refused' in named) return named
  const { custom, hasPlatform } = named
  if (custom.length > 1 && !terms.manyResources) return refuse('one token serves one resource')
  if (custom.length > 0 && hasPlatform) return refuse('a token for the platform serves nothing else')
  const grant = grantScopes(requested, named.usable, { ...terms, manyResources: true })
  return 'refused' in grant ? asScopeRefusal(grant) : { ...grant, ...audienceOf(custom) }
}

/** Decides what a code gets of which each token is for one of the resources. */
export function grantForTargets(
  requested: readonly string[],
  granted: readonly GrantedResource[],
  target: Target,
): ScopeGrant | RefusedTarget {
  const named = select(granted, target)
  if ('refused' in named) return named
  const has = (name: string) => name === 'openid' || named.usable.some(({ scopes }) => scopes.includes(name))
  const scopes = requested.filter(has)
  if (requested.length > 0 && scopes.length === 0) {
    return { error: 'invalid_scope', refused: 'At least one scope must be granted' }
  }
  return { scopes, ...audienceOf(named.custom) }
}

/** What a grant holds that tokens are issued from. */
export interface Narrowable extends ScopeGrant {
  /** The resources it was asked for; none where its scopes say which. */
  readonly resources?: readonly string[]
}

/**
 * Decides what a token gets out of a grant: all of it, or what the request for the token names of it.
 * @param granted what the application is granted now
 */
export function narrow(
  grant: Narrowable,
  granted: readonly GrantedResource[],
  target: Target,
  terms: Terms,
): ScopeGrant | RefusedTarget {
  const { platformAudience } = target
  const resources = target.resources.length > 0 ? target.resources : (grant.resources ?? [])
  if (resources.length === 0) return grant
  const within = grant.resources ?? (grant.audiences.length > 0 ? grant.audiences : [platformAudience])
  if (!resources.every((resource) => within.includes(resource))) return refuse('resource is not of this grant')
  return grantForTarget(grant.scopes, granted, { resources, platformAudience }, terms)
}

interface Selection {
  readonly custom: readonly GrantedResource[]
  readonly hasPlatform: boolean
  /** The named ones, and that of OpenID Connect, which serves the client itself. */
  readonly usable: readonly GrantedResource[]
}

function select(
  granted: readonly GrantedResource[],
  { resources, platformAudience }: Target,
): Selection | RefusedTarget {
  if (resources.length > mostResources) return refuse('too many resources')
  const malformed = resources.find((uri) => uri.length > longestResource || !absoluteUri.test(uri))
  if (malformed !== undefined) return refuse('resource is no absolute URI')
  const custom = granted.filter(
    ({ type, audience }) => type === 'CUSTOM' && audience !== null && resources.includes(audience),
  )
  const hasPlatform = resources.includes(platformAudience)
  const isKnown = (resource: string) =>
    resource === platformAudience || custom.some(({ audience }) => audience === resource)
  if (!resources.every(isKnown)) return refuse('resource is unknown, or not granted to the application')
  const usable = granted.filter(
    (resource) =>
      resource.type === 'OPENID_CONNECT' ||
      custom.includes(resource) ||
      (hasPlatform && resource.type === 'PINGONE_API'),
  )
  return { custom, hasPlatform, usable }
}

function refuse(refused: string): RefusedTarget {
  return { error: 'invalid_target', refused }
}

function asScopeRefusal(grant: ScopeGrant | { readonly refused: string }): ScopeGrant | RefusedTarget {
  return 'refused' in grant ? { error: 'invalid_scope', refused: grant.refused } : grant
}
