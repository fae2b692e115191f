/**
 * PURE: addresses of request objects. Their fragment is a hash of the object, by which a cache would know that it has
 * changed (OpenID Connect Core section 6.2, Dynamic Client Registration 1.0 section 2); nothing is cached here, so it says
 * nothing, and is never sent.
 */

/** The address itself. */
export function requestUriWithoutHash(uri: string): string {
  return uri.replace(/#.*$/s, '')
}
