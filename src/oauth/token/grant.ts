/**
 * The shape of a grant (architecture section 4): its type, parameters, how its client authenticates, the facts it
 * needs, and a pure `decide`. The phases around it belong to `endpoint.ts`, so that no grant can forget one.
 */
import type { z } from 'zod'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import type { TokenUser } from '../tokens/access-token.ts'
import type { ClaimSource } from '../tokens/claims.ts'
import type { CodeFacts } from './code-facts.ts'

/** What `decide` may ask the endpoint to find out for it. */
export interface GrantFacts {
  readonly code: CodeFacts | undefined
}

/** Tokens to issue, and what issuing them uses up. */
export interface Issue {
  readonly kind: 'issue'
  readonly scopes: readonly string[]
  readonly audiences: readonly string[]
  /** Life of the access token in seconds. */
  readonly lifetime: number
  readonly user: TokenUser | undefined
  /** Present when an ID token goes with it. */
  readonly idToken: { readonly source: ClaimSource; readonly nonce: string | undefined } | undefined
  /** The code this uses up and the family it opens. */
  readonly consumes: CodeFacts | undefined
}

/** A refusal; nothing is consumed. */
export interface Refuse {
  readonly kind: 'refuse'
  readonly error: 'invalid_request' | 'invalid_grant' | 'invalid_scope' | 'unauthorized_client'
  readonly description: string
}

/** A code that was used before, by whoever could use it again: what was issued from it is revoked. */
export interface Replay {
  readonly kind: 'replay'
  readonly code: CodeFacts
}

/** A verifier that could have been the code's and is not, from whoever could redeem the code otherwise: it is counted. */
export interface WrongVerifier {
  readonly kind: 'wrong verifier'
  readonly code: CodeFacts
}

/** What the client's developer is told of a verifier that does not prove the challenge, counted or not. */
export const verifierDiffers = 'code_verifier does not fit the code_challenge'

/** What a grant makes of a request. */
export type Verdict = Issue | Refuse | Replay | WrongVerifier

/** What a grant decides from. */
export interface GrantRequest<P> {
  readonly client: Application
  readonly environment: Environment
  readonly params: P
  readonly facts: GrantFacts
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
  readonly needs: readonly (keyof GrantFacts)[]
  readonly decide: (request: GrantRequest<never>) => Verdict
}

/** Declares a grant. */
export function defineGrant<P extends z.ZodObject>(
  grant: Omit<Grant, 'params' | 'decide'> & {
    readonly params: P
    readonly decide: (request: GrantRequest<z.output<P>>) => Verdict
  },
): Grant {
  return grant
}

/** Refuses a request; the description goes to the client's developer. */
export function refuse(error: Refuse['error'], description: string): Refuse {
  return { kind: 'refuse', error, description }
}
