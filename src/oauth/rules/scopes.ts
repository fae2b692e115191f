/**
 * Which scopes a request gets, and the audience and life that follow: RFC 6749 section 3.3, authentication-api 2.3 and
 * 2.9, platform-api 3.9 and 3.11. What is not granted to the application is left out; when nothing remains of what was
 * asked for, the request is refused.
 *
 * Never: a scope in a token that the application was not granted (row A28), or one token for two resource servers.
 */

/** A resource and those of its scopes that are granted to the application. */
export interface GrantedResource {
  readonly type: 'OPENID_CONNECT' | 'PINGONE_API' | 'CUSTOM'
  readonly audience: string | null
  readonly accessTokenSeconds: number | null
  readonly scopes: readonly string[]
}

/** What a token will carry. */
export interface ScopeGrant {
  readonly scopes: readonly string[]
  /** Audiences of custom resources; empty for the platform. */
  readonly audiences: readonly string[]
  /** The shortest life among the resources, in seconds; null where none sets one. */
  readonly accessTokenSeconds: number | null
}

const forPlatform: Omit<ScopeGrant, 'scopes'> = { audiences: [], accessTokenSeconds: null }

const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/
const maximumScopes = 100

/** Splits a `scope` parameter into distinct scopes, or says what is wrong with it. */
export function parseScope(scope: string | undefined): readonly string[] | { readonly refused: string } {
  if (scope === undefined || scope === '') return []
  if (scope.length > 8192) return { refused: 'the scope parameter is too long' }
  const names = scope.split(' ').filter((name) => name !== '')
  if (names.length > maximumScopes) return { refused: 'too many scopes' }
  if (!names.every((name) => scopeToken.test(name))) return { refused: 'a scope has characters that are not allowed' }
  return [...new Set(names)]
}

/**
 * Leaves `offline_access` out where there can be no refresh token, without which there is no access that outlives the session
 * (OpenID Connect Core section 11).
 */
export function usableScopes(requested: readonly string[], mayRefresh: boolean): readonly string[] {
  return mayRefresh ? requested : requested.filter((name) => name !== 'offline_access')
}

/**
 * Decides what of the requested scopes a token gets.
 * @param requested distinct scopes; none asked for means: everything of the one custom resource, where there is one
 * @param user whether a user takes part: only then `openid` and the OIDC scopes mean anything
 * @param manyResources whether one token may serve several custom resources
 */
export function grantScopes(
  requested: readonly string[],
  granted: readonly GrantedResource[],
  { user, manyResources }: { readonly user: boolean; readonly manyResources: boolean },
): ScopeGrant | { readonly refused: string } {
  const isUsable = ({ type }: GrantedResource) => user || type !== 'OPENID_CONNECT'
  const scopes: string[] = []
  const resources: GrantedResource[] = []
  for (const name of requested) {
    if (user && name === 'openid') {
      scopes.push(name)
      continue
    }
    const resource = granted.find((candidate) => isUsable(candidate) && candidate.scopes.includes(name))
    if (!resource) continue
    scopes.push(name)
    if (resource.type !== 'OPENID_CONNECT' && !resources.includes(resource)) resources.push(resource)
  }
  if (requested.length > 0 && scopes.length === 0) return { refused: 'At least one scope must be granted' }
  if (requested.length === 0 && !user) {
    const [only, ...others] = granted.filter((resource) => resource.type === 'CUSTOM' && resource.scopes.length > 0)
    if (only && others.length === 0) {
      resources.push(only)
      scopes.push(...only.scopes)
    }
  }
  const custom = resources.filter((resource) => resource.type === 'CUSTOM')
  if (resources.length > 1 && !(manyResources && custom.length === resources.length)) {
    return { refused: 'May not request scopes for multiple resources' }
  }
  return { scopes, ...audienceOf(custom) }
}

/** Whom a token for custom resources is for, and how long it lives: as long as the resource wants that wants it shortest. */
export function audienceOf(custom: readonly GrantedResource[]): Omit<ScopeGrant, 'scopes'> {
  if (custom.length === 0) return forPlatform
  const lives = custom.map(({ accessTokenSeconds }) => accessTokenSeconds).filter((life) => life !== null)
  return {
    audiences: custom.map(({ audience }) => audience).filter((audience) => audience !== null),
    accessTokenSeconds: lives.length > 0 ? Math.min(...lives) : null,
  }
}
