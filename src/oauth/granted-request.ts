/**
 * What of an authorization request lasts, beside its scopes: it goes from the request to the code, and from the code to
 * the token family. Members that a request does not have are left out, so that the common one stores nothing.
 */
import type { ClaimsRequest } from './rules/claims-request.ts'

/** What lasts. */
export interface GrantedRequest {
  /** Claims asked for one by one (OpenID Connect Core section 5.5). */
  readonly claims?: ClaimsRequest
}

/** What a checked request has of it, or a code that came of one. */
export function grantedRequest({ claims }: { readonly claims?: ClaimsRequest | null }): GrantedRequest {
  return claims ? { claims } : {}
}
