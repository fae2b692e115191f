/**
 * A token that is handed to an endpoint as a parameter, of whichever kind: revocation and introspection take all of them
 * (authentication-api 2.11 and 2.12). Which kind it is, the token itself says by its key and its `typ`; a hint counts for
 * nothing (RFC 7009 section 2.1).
 *
 * Never: a token of one kind taken for another (rows E11, F19, L13), or one of another environment (row E13).
 */
import { type AccessTokenClaims, verifyAccessToken } from '../access/bearer.ts'
import type { Context } from '../contract/operation.ts'
import { type IdTokenClaims, readIdToken } from './tokens/read-id-token.ts'
import { type RefreshTokenName, readRefreshToken } from './tokens/refresh-token.ts'

/** A token of this environment, unexpired; what has become of its grant is not looked at. */
export type PresentedToken =
  | { readonly kind: 'access'; readonly access: AccessTokenClaims }
  | { readonly kind: 'refresh'; readonly name: RefreshTokenName }
  | { readonly kind: 'id'; readonly id: IdTokenClaims }

/** Reads it; undefined for anything that this environment did not issue, and what has expired. */
export function readPresentedToken(
  { kernel, environment, site, now }: Context,
  token: string,
): PresentedToken | undefined {
  const name = readRefreshToken(environment, site, token, now)
  if (name) return { kind: 'refresh', name }
  const access = verifyAccessToken(kernel, environment, token, now)
  if (access) return { kind: 'access', access }
  const id = readIdToken(environment, site, token, now)
  return id && { kind: 'id', id }
}
