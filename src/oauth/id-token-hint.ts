/**
 * `id_token_hint`: an ID token of ours that says who the application expects (OpenID Connect Core section 3.1.2.1, row
 * A33), or whose session is to end (RP-Initiated Logout 1.0 section 2). It may have expired: to sign on it proves nothing
 * and only narrows down who may be, and to sign off it names what is over anyway.
 *
 * Never: somebody signed on by a hint; a hint of another environment or another client taken for one.
 */
import type { Application } from '../environment/application.ts'
import type { Context } from '../contract/operation.ts'
import { type IdTokenClaims, type IdTokenPorts, readIdToken, readIdTokenOf } from './tokens/read-id-token.ts'

/** Reads an ID token of this environment, whatever client it was for; undefined when it is none. */
export function verifyIdTokenHint(context: Context, hint: string): Promise<IdTokenClaims | undefined> {
  return readIdToken(context, hint, 'accept')
}

/**
 * Reads a hint that a client gives when it asks for somebody to be signed on.
 * @returns the id of the user it names; undefined when it is no ID token that this environment gave this client
 */
export function readIdTokenHint(ports: IdTokenPorts, client: Application, hint: string): string | undefined {
  return readIdTokenOf(ports, client, hint, 'accept')?.userId
}
