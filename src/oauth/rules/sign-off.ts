/**
 * PURE: what a request to sign off comes to. OpenID Connect RP-Initiated Logout 1.0 sections 2 to 4, authentication-api
 * 2.18, rows I10, I11, I12, I14, E13. In this order:
 *
 * | the request                                                           | the verdict                      |
 * |-----------------------------------------------------------------------|----------------------------------|
 * | a parameter came twice (D11)                                          | refuse                           |
 * | a hint that is no ID token of this environment                        | refuse                           |
 * | a hint of another client than `client_id`, or of one that is gone     | refuse                           |
 * | a `client_id` that is unknown or disabled                             | refuse                           |
 * | an address to return to, without hint and `client_id`                 | refuse                           |
 * | an address that is not registered, character by character             | refuse                           |
 * | the user has said yes on the page                                     | end the session of the browser   |
 * | a hint of the very session of the browser                             | end it                           |
 * | a session in the browser, and no hint or a hint of another one        | ask the user                     |
 * | no session in the browser, a hint, and an application with idpSignoff | end the session the hint names   |
 * | no session in the browser otherwise                                   | nothing to do                    |
 *
 * Never: a session ended without its user's word or an ID token of that session; a way back to an address that is not
 * registered.
 */
import { redirectUriAllowed } from './redirect-uri.ts'

/** A session, by what an ID token says of it. */
export interface NamedSession {
  readonly sessionId: string
  readonly userId: string
}

/** What is known of a request. */
export interface SignOffRequest {
  /** The name of a parameter that came more than once. */
  readonly repeated: string | undefined
  readonly hint: (NamedSession & { readonly clientId: string }) | 'invalid' | undefined
  /** `client_id`. */
  readonly clientId: string | undefined
  /** The enabled application that the hint names, or else `client_id`. */
  readonly application: { readonly postLogoutRedirectUris: readonly string[]; readonly idpSignoff: boolean } | undefined
  /** `post_logout_redirect_uri`. */
  readonly returnTo: string | undefined
  /** The live session of the browser. */
  readonly session: NamedSession | undefined
  /** Whether the user of that session has said yes on the page. */
  readonly isConfirmed: boolean
}

/** Why a request is refused: a row of the catalogue, with words for the developer. */
export interface SignOffRefusal {
  readonly kind: 'refuse'
  readonly problem:
    | 'invalid_request'
    | 'id_token_hint_rejected'
    | 'unknown_client'
    | 'post_logout_redirect_uri_rejected'
  readonly description?: string
}

/** What a request comes to. Unless it is refused, the address it came with is good. */
export type SignOffVerdict =
  | SignOffRefusal
  | { readonly kind: 'ask' }
  | { readonly kind: 'end'; readonly ends: NamedSession }
  | { readonly kind: 'nothing' }

/** Judges a request to sign off. */
export function judgeSignOff(request: SignOffRequest): SignOffVerdict {
  const refusal = refusalOf(request)
  if (refusal) return refusal
  const { hint, application, session, isConfirmed } = request
  const named = hint === 'invalid' ? undefined : hint
  if (session) {
    const isMeant = named?.sessionId === session.sessionId && named.userId === session.userId
    return isConfirmed || isMeant ? { kind: 'end', ends: session } : { kind: 'ask' }
  }
  return named && application?.idpSignoff ? { kind: 'end', ends: named } : { kind: 'nothing' }
}

function refusalOf(request: SignOffRequest): SignOffRefusal | undefined {
  const { repeated, hint, clientId, application, returnTo } = request
  if (repeated !== undefined) return refuse('invalid_request', `${repeated} is repeated`)
  if (hint === 'invalid') return refuse('id_token_hint_rejected')
  if (hint && clientId !== undefined && clientId !== hint.clientId) {
    return refuse('id_token_hint_rejected', 'id_token_hint was issued to another client than client_id')
  }
  if (hint && !application) {
    return refuse('id_token_hint_rejected', 'the application it was issued to is gone or disabled')
  }
  if (clientId !== undefined && !application) return refuse('unknown_client')
  if (returnTo === undefined) return undefined
  if (!application) {
    return refuse('post_logout_redirect_uri_rejected', 'it needs an id_token_hint or a client_id beside it')
  }
  const registered = { redirectUris: application.postLogoutRedirectUris, native: false, wildcards: false }
  return redirectUriAllowed(registered, returnTo, false) ? undefined : refuse('post_logout_redirect_uri_rejected')
}

function refuse(problem: SignOffRefusal['problem'], description?: string): SignOffRefusal {
  return { kind: 'refuse', problem, ...(description === undefined ? {} : { description }) }
}
