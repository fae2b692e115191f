/**
 * The shape of a grant (architecture section 4): its type, its parameters, how its client authenticates, what it looks up,
 * and a pure `decide`. The phases around it belong to `endpoint.ts`, so that no grant can forget one.
 */
import type { z } from 'zod'
import type { Confirmation } from '../../access/confirmation.ts'
import type { Context } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import type { EventDescription } from '../../events/record.ts'
import type { Unit } from '../../storage/port.ts'
import type { AuthorizationDetail } from '../rules/authorization-details.ts'
import type { RequestedClaim } from '../rules/claims-request.ts'
import type { Target } from '../rules/resource-indicators.ts'
import type { ActClaim } from '../rules/token-exchange.ts'
import type { TokenUser } from '../tokens/access-token.ts'
import type { ClaimSource } from '../tokens/claim-source.ts'
import type { RefreshToken } from '../tokens/refresh-token.ts'

/** A unit that a verdict asks for; the endpoint commits it. */
export type GrantUnit<T> = (context: Context, environment: Environment) => Unit<T>

/** Tokens to issue, and what issuing them changes. */
export interface Issue {
  readonly kind: 'issue'
  readonly scopes: readonly string[]
  readonly audiences: readonly string[]
  /** Life of the access token in seconds. */
  readonly lifetime: number
  readonly user: TokenUser | undefined
  /** The user's attributes, where the grant has them: read where the tokens want them and it has not. */
  readonly source?: ClaimSource | undefined
  /** The token family, for user tokens. */
  readonly familyId: string | undefined
  /** Who acts for the user (RFC 8693 section 4.1). */
  readonly act?: ActClaim | undefined
  /** The `issued_token_type` of the answer (RFC 8693 section 2.2.1). */
  readonly issuedTokenType?: string
  /** What was granted in detail; it is told beside the token (RFC 9396 section 7). */
  readonly authorizationDetails?: readonly AuthorizationDetail[] | undefined
  /** Present when an ID token goes with it. */
  readonly idToken:
    | {
        readonly source: ClaimSource
        readonly nonce: string | undefined
        /** Claims asked for one by one. */
        readonly claims?: readonly RequestedClaim[] | undefined
      }
    | undefined
  /**
   * What lasts: the unit that uses up what was presented and records the change. It refuses when somebody else came
   * first, and says which refresh token goes out with the rest, if any does. Where nothing lasts, the volume event of the
   * issuance (decision D19).
   */
  readonly effect:
    | { readonly unit: GrantUnit<Refuse | RefreshToken | undefined> }
    | { readonly event: EventDescription }
}

/** A refusal. What was presented is not used up, except by what `unit` does about an attack. */
export interface Refuse {
  readonly kind: 'refuse'
  readonly error:
    | 'invalid_authorization_details'
    | 'invalid_request'
    | 'invalid_grant'
    | 'invalid_scope'
    | 'invalid_target'
    | 'unauthorized_client'
    | 'authorization_pending'
    | 'slow_down'
    | 'polling_denied'
    | 'expired_token'
  readonly description: string
  /** Committed before the answer; it may find that another refusal is due in the place of this one. */
  readonly unit?: GrantUnit<void> | GrantUnit<Refuse | undefined>
}

/** What a grant makes of a request. */
export type Verdict = Issue | Refuse

/** What a grant is asked with. */
export interface GrantQuestion<P> {
  readonly client: Application
  readonly environment: Environment
  readonly params: P
  /** The resource servers that the request names. */
  readonly target: Target
  /**
   * The key that the client has proved for this request, already in accordance with what the application demands. The
   * endpoint binds the access token to it; what lives longer (a code, a family) the grant compares or binds itself.
   */
  readonly confirmation: Confirmation | undefined
}

/** What a grant decides from. */
export interface GrantRequest<P, F> extends GrantQuestion<P> {
  readonly facts: F
  /** Epoch milliseconds. */
  readonly now: number
}

/** A grant with its types erased, as the endpoint sees it. */
export interface Grant {
  readonly type: string
  /** The member of `grantTypes` that an application needs. */
  readonly grantType: Application['document']['grantTypes'][number]
  readonly params: z.ZodObject
  /** `required`: a confidential client; `as registered`: a public one too. */
  readonly clientAuth: 'required' | 'as registered'
  /** Finds out what `decide` has to know; reads only. */
  readonly gather: (context: Context, question: GrantQuestion<never>) => unknown
  readonly decide: (request: GrantRequest<never, never>) => Verdict
}

/** Declares a grant. */
export function defineGrant<P extends z.ZodObject, F>(
  grant: Omit<Grant, 'params' | 'gather' | 'decide'> & {
    readonly params: P
    readonly gather: (context: Context, question: GrantQuestion<z.output<P>>) => F | Promise<F>
    readonly decide: (request: GrantRequest<z.output<P>, F>) => Verdict
  },
): Grant {
  return grant
}

/**
 * Refuses a request; the description goes to the client's developer.
 * @param unit what an attack brings about, or what counts the try, committed before the answer
 */
export function refuse(error: Refuse['error'], description: string, unit?: Refuse['unit']): Refuse {
  return { kind: 'refuse', error, description, ...(unit ? { unit } : {}) }
}
