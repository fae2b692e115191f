/**
 * Which redirect URI an authorization request may name. RFC 9700 section 2.1 (exact string comparison), RFC 8252
 * section 7.3 (loopback ports of native apps), decision D13 (wildcards), security catalogue rows A01-A18.
 *
 * Never: a comparison after parsing. `new URL` turns different strings into the same address, so parsing comes only
 * after the raw string has matched.
 */

/** What the rule needs to know of an application. */
export interface RedirectRegistration {
  readonly redirectUris: readonly string[]
  readonly native: boolean
  readonly wildcards: boolean
}

const forbiddenScheme = /^(javascript|data|vbscript|blob|file|about|view-source|filesystem):/i
const visibleAscii = /^[\x21-\x7e]+$/
const loopback = /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(\/.*)?$/

/**
 * Whether `given` is one of the registered URIs.
 * @param codeWithPkce whether the request is for a code alone, with a PKCE challenge: the only case for wildcards
 */
export function redirectUriAllowed(registration: RedirectRegistration, given: string, codeWithPkce: boolean): boolean {
  if (!visibleAscii.test(given) || given.includes('#') || forbiddenScheme.test(given)) return false
  return registration.redirectUris.some(
    (registered) =>
      registered === given ||
      (registration.native && loopbackMatches(registered, given)) ||
      (registration.wildcards && codeWithPkce && wildcardMatches(registered, given)),
  )
}

/**
 * A loopback address registered without a port admits any port, and nothing else may differ. `localhost` is among them,
 * against the advice of RFC 8252 section 8.3, since command line clients register it; it never stands for an address.
 */
function loopbackMatches(registered: string, given: string): boolean {
  const match = loopback.exec(registered)
  if (!match) return false
  const [, host = '', path = ''] = match
  const start = `http://${host}:`
  if (!given.startsWith(start) || !given.endsWith(path)) return false
  const port = given.slice(start.length, given.length - path.length)
  return /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535
}

/** `*` stands for one path segment of unreserved characters, so that `..`, `%2f` and `?` never fit it. */
function wildcardMatches(registered: string, given: string): boolean {
  const wildcardParts = registered.split('/')
  const givenParts = given.split('/')
  if (wildcardParts.length !== givenParts.length || wildcardParts.length < 4) return false
  return wildcardParts.every((part, at) =>
    part === '*' && at >= 3
      ? /^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$/.test(givenParts[at] as string)
      : part === givenParts[at],
  )
}
