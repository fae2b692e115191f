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
  const usable = granted.filter((resource) => user || resource.type !== 'OPENID_CONNECT')
  const scopes: string[] = []
  const resources = new Set<GrantedResource>()
  for (const name of requested) {
    if (user && name === 'openid') {
      scopes.push(name)
      continue
    }
    const resource = usable.find((candidate) => candidate.scopes.includes(name))
    if (!resource) continue
    scopes.push(name)
    if (resource.type !== 'OPENID_CONNECT') resources.add(resource)
  }
  if (requested.length > 0 && scopes.length === 0) return { refused: 'At least one scope must be granted' }
  if (requested.length === 0 && !user) {
    const custom = usable.filter((resource) => resource.type === 'CUSTOM' && resource.scopes.length > 0)
    if (custom.length === 1 && custom[0]) {
      resources.add(custom[0])
      scopes.push(...custom[0].scopes)
    }
  }
  const custom = [...resources].filter((resource) => resource.type === 'CUSTOM')
  if (resources.size > 1 && !(manyResources && custom.length === resources.size)) {
    return { refused: 'May not request scopes for multiple resources' }
  }
  const lives = custom.map((resource) => resource.accessTokenSeconds).filter((life) => life !== null)
  return {
    scopes,
    audiences: custom.map((resource) => resource.audience).filter((audience) => audience !== null),
    accessTokenSeconds: lives.length > 0 ? Math.min(...lives) : null,
  }
}
