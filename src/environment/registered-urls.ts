/**
 * PURE: which addresses an application may register. RFC 6749 section 3.1.2, RFC 8252 section 7, RFC 9700 section 2.1;
 * security catalogue rows A07, A12, A15, A18; decision D13. Every rule is an allow-list over the text as it was sent,
 * which is then stored byte by byte; parsing comes after and can only refuse.
 *
 * - Redirect URIs (also after sign-off): https; http on a loopback host alone (`localhost`, `*.localhost`, 127.0.0.1,
 *   [::1]); a private-use scheme with a dot, for native applications alone.
 * - Web addresses (pages of the application): the same without private-use schemes, with fragments; those that are only
 *   shown as links may be plain http anywhere.
 * - A wildcard is one whole segment of a path and needs the application's switch. That such an address serves requests
 *   for a code with PKCE alone is judged when it is used (`oauth/rules/redirect-uri.ts`).
 *
 * Never: a list of forbidden schemes (the next one would be missing), or a change to what was sent.
 */

/** What an application may register. */
export interface Registrant {
  /** A native application, which may use private-use schemes. */
  readonly native: boolean
  /** `allowWildcardInRedirectUris`. */
  readonly wildcards: boolean
}

/** The text clients look for when a wildcard is refused (platform-api 1.11). */
export const wildcardsNotAllowed = 'Wildcards are not allowed in redirect URIs.'

const maximumLength = 2048

/** What is wrong with a redirect URI; undefined when nothing is. */
export function redirectUriProblem(uri: string, registrant: Registrant): string | undefined {
  if (uri.includes('*') && !registrant.wildcards) return wildcardsNotAllowed
  const malformed = uriProblem(uri)
  if (malformed) return malformed
  if (uri.includes('#')) return 'must not have a fragment'
  const scheme = schemeOf(uri)
  if (scheme === 'https' || scheme === 'http') return webProblem(uri, true) ?? wildcardProblem(uri)
  if (!registrant.native) return 'must be an https address, or http on a loopback host'
  if (!scheme.includes('.')) return 'must use a scheme that is a reversed domain name, such as com.example.app'
  return uri.includes('*') ? 'must have wildcards in https addresses only' : undefined
}

/**
 * What is wrong with the address of a page; undefined when nothing is.
 * @param secure whether a browser is sent there in the course of a sign-on: then https, or http on a loopback host
 */
export function webAddressProblem(address: string, secure: boolean): string | undefined {
  const malformed = uriProblem(address)
  if (malformed) return malformed
  const scheme = schemeOf(address)
  return scheme === 'https' || scheme === 'http' ? webProblem(address, secure) : 'must be an http or https address'
}

/** What is wrong with an origin of `corsSettings`; undefined when nothing is. It is compared with what browsers send. */
export function originProblem(origin: string): string | undefined {
  if (origin.length > 256 || !/^https?:\/\//.test(origin)) return 'must be an origin: scheme, host and port'
  if (origin.includes('*'))
    return 'must name one origin: wildcards in origins are not available in this version of Stile'
  return URL.canParse(origin) && new URL(origin).origin === origin
    ? undefined
    : 'must be an origin as browsers send it: scheme, lower-case host, port unless it is the default one, no path'
}

/** RFC 3986: the characters of a URI and an absolute form. */
function uriProblem(uri: string): string | undefined {
  if (uri.length > maximumLength) return `must not be longer than ${maximumLength} characters`
  if (!/^[\x21-\x7e]+$/.test(uri)) return 'must consist of visible ASCII characters'
  if (/["<>\\^`{|}]/.test(uri)) return 'must not hold characters that have to be percent-encoded'
  if (/%(?![0-9a-f]{2})/i.test(uri) || /%(?:[01][0-9a-f]|7f)/i.test(uri)) return 'must be well percent-encoded'
  return /^[a-z][a-z0-9+.-]*:./i.test(uri) ? undefined : 'must be an absolute URI'
}

function schemeOf(uri: string): string {
  return uri.slice(0, uri.indexOf(':')).toLowerCase()
}

/** http and https: a plain host, no credentials, no segments that a browser would resolve away. */
function webProblem(address: string, secure: boolean): string | undefined {
  const [, authority, path] = /^https?:\/\/([^/?#]+)([^?#]*)/i.exec(address) ?? []
  if (authority === undefined || path === undefined || !URL.canParse(address)) return 'must be an address with a host'
  if (authority.includes('@')) return 'must not hold credentials'
  const { protocol, hostname } = new URL(address)
  if (authority.toLowerCase().replace(/:\d+$/, '') !== hostname) return 'must name its host the way browsers write it'
  if (path.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))) return 'must not have . or .. in its path'
  return secure && protocol === 'http:' && !isLoopback(hostname)
    ? 'must use https, except on a loopback host'
    : undefined
}

function isLoopback(hostname: string): boolean {
  return /^(?:(?:.+\.)?localhost|127\.0\.0\.1|\[::1\])$/.test(hostname)
}

function wildcardProblem(uri: string): string | undefined {
  const [, beforePath = '', path = '', query = ''] = /^([a-z]+:\/\/[^/?]*)([^?]*)(.*)$/i.exec(uri) ?? []
  const stray = [beforePath, query, ...path.split('/').filter((segment) => segment !== '*')]
  return stray.some((part) => part.includes('*'))
    ? 'must have a wildcard only as a whole segment of its path'
    : undefined
}
