/**
 * A token that is handed to an endpoint as a parameter, of whichever kind: revocation and introspection take all of them
 * (authentication-api 2.11 and 2.12). Which kind it is, the token itself says by its key and its `typ`; a hint counts for
 * nothing (RFC 7009 section 2.1).
 *
 * Never: a token of one kind taken for another (rows E11, F19, L13), or one of another environment (row E13).
 */
import { type AccessTokenReading, readAccessToken } from '../access/access-token.ts'
import type { Context } from '../contract/operation.ts'
import { type IdTokenClaims, readIdToken } from './tokens/read-id-token.ts'
import { type RefreshTokenName, readRefreshToken } from './tokens/refresh-token.ts'

/** A token of this environment, unexpired. How an access token stands was looked up with it; of the others it is not known. */
export type PresentedToken =
  | { readonly kind: 'access'; readonly reading: AccessTokenReading }
  | { readonly kind: 'refresh'; readonly name: RefreshTokenName }
  | { readonly kind: 'id'; readonly id: IdTokenClaims }

/** Reads it; undefined for anything that this environment did not issue, and what has expired. */
export async function readPresentedToken(context: Context, token: string): Promise<PresentedToken | undefined> {
  const { environment, site, now } = context
  const name = readRefreshToken(environment, site, token, now)
  if (name) return { kind: 'refresh', name }
  const reading = await readAccessToken(context, token)
  if (reading) return { kind: 'access', reading }
  const id = await readIdToken(context, token, 'refuse')
  return id && { kind: 'id', id }
}
