/**
 * What of an authorization request lasts, beside its scopes: it goes from the request to the code, and from the code to
 * the token family. Members that a request does not have are left out, so that the common one stores nothing.
 */
import type { AuthorizationDetail } from './rules/authorization-details.ts'
import type { ClaimsRequest } from './rules/claims-request.ts'

/** What lasts. */
export interface GrantedRequest {
  /** Claims asked for one by one (OpenID Connect Core section 5.5). */
  readonly claims?: ClaimsRequest
  /** The resource servers that were named (RFC 8707); each token is for one or more of them. */
  readonly resources?: readonly string[]
  /** What was granted in detail (RFC 9396). */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
}

const nothingMore: GrantedRequest = {}

/** What a checked request has of it, or a code that came of one. */
export function grantedRequest({ claims, resources = [], authorizationDetails = [] }: Partial<Asked>): GrantedRequest {
  if (!claims && resources.length === 0 && authorizationDetails.length === 0) return nothingMore
  return {
    ...(claims ? { claims } : {}),
    ...(resources.length > 0 ? { resources } : {}),
    ...(authorizationDetails.length > 0 ? { authorizationDetails } : {}),
  }
}

/** The same, with a value for what is missing. */
interface Asked {
  readonly claims: ClaimsRequest | null
  readonly resources: readonly string[]
  readonly authorizationDetails: readonly AuthorizationDetail[]
}
