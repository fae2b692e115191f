/**
 * PURE: what a token that is exchanged for another may become. RFC 8693 sections 2.1, 4.1 and 4.4, authentication-api 2.17;
 * row E26.
 *
 * Never: a scope that any of the applications on the way could not have asked for, a token for the platform or for more
 * than one resource, or an actor that the subject token does not let act.
 */
import { type GrantedResource, grantScopes, type ScopeGrant } from './scopes.ts'

/** Types of tokens that may be exchanged (RFC 8693 section 3). */
export const exchangeableTypes = {
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
  idToken: 'urn:ietf:params:oauth:token-type:id_token',
} as const

/** Who acts, and for whom they were acting before: the `act` claim. */
export interface ActClaim {
  readonly sub: string
  readonly act?: ActClaim
}

/** Whoever acts: a user, or an application by itself. */
export interface Actor {
  /** The id of the user, or of the application. */
  readonly sub: string
  readonly clientId: string
}

/** A refusal, by the OAuth code that it has. */
export interface RefusedExchange {
  readonly error: 'invalid_request' | 'invalid_scope' | 'invalid_target'
  readonly refused: string
}

/** How many may act for one another: a token does not grow without end. */
const longestChain = 8

/** Reads the `act` claim of a token of our own. */
export function readAct(claim: unknown): ActClaim | undefined {
  if (typeof claim !== 'object' || claim === null) return undefined
  const { sub, act } = claim as { readonly sub?: unknown; readonly act?: unknown }
  if (typeof sub !== 'string') return undefined
  const before = readAct(act)
  return { sub, ...(before ? { act: before } : {}) }
}

/**
 * The `act` claim of the new token: the actor, acting for whoever acted before. Without an actor what the subject token
 * said goes on.
 */
export function actOf(actor: Actor | undefined, before: ActClaim | undefined): ActClaim | undefined | RefusedExchange {
  if (!actor) return before
  let links = 1
  for (let link = before; link; link = link.act) links += 1
  if (links > longestChain) return { error: 'invalid_request', refused: 'too many act for one another' }
  return { sub: actor.sub, ...(before ? { act: before } : {}) }
}

/**
 * Whether a subject token lets an actor act for its subject: its `may_act` claim, where it has one, names the actor by
 * every member that says who somebody is (RFC 8693 section 4.4).
 */
export function mayAct(claim: unknown, actor: Actor, issuer: string): boolean {
  if (claim === undefined) return true
  if (typeof claim !== 'object' || claim === null || Array.isArray(claim)) return false
  const { sub, client_id: clientId, iss = issuer } = claim as Readonly<Record<string, unknown>>
  if (sub === undefined && clientId === undefined) return false
  return (
    (sub === undefined || sub === actor.sub) &&
    (clientId === undefined || clientId === actor.clientId) &&
    iss === issuer
  )
}

/** What a new token may be for: what every application on the way was granted. */
export interface ExchangeCeiling {
  /** What whoever exchanges was granted. */
  readonly granted: readonly GrantedResource[]
  /** What those were granted whom the subject token and its grant were issued to. */
  readonly holders: readonly (readonly GrantedResource[])[]
  /** The scopes of the grant, where its application could only have what its user consented to. */
  readonly consented: readonly string[] | undefined
}

/**
 * Decides the scopes and the one audience of the new token.
 * @param requested distinct scopes; none: all that there are of the one resource
 * @param targets the values of `resource` and `audience`, distinct
 */
export function exchangedGrant(
  requested: readonly string[],
  targets: readonly string[],
  { granted, holders, consented }: ExchangeCeiling,
): ScopeGrant | RefusedExchange {
  if (targets.length > 1) return { error: 'invalid_target', refused: 'one token serves one resource' }
  const [target] = targets
  const custom = granted.filter(({ type, audience }) => type === 'CUSTOM' && audience === (target ?? audience))
  if (target !== undefined && custom.length === 0) {
    return { error: 'invalid_target', refused: 'the target is unknown, or not granted to the application' }
  }
  const usable = custom.map((resource) => ({
    ...resource,
    scopes: resource.scopes.filter(
      (name) =>
        (consented === undefined || consented.includes(name)) &&
        holders.every((holder) =>
          holder.some((own) => own.audience === resource.audience && own.scopes.includes(name)),
        ),
    ),
  }))
  if (!requested.every((name) => usable.some(({ scopes }) => scopes.includes(name)))) {
    return {
      error: 'invalid_scope',
      refused: 'May not request scopes beyond those of the subject token and the application',
    }
  }
  const grant = grantScopes(requested, usable, { user: false, manyResources: false })
  if ('refused' in grant) return { error: 'invalid_scope', ...grant }
  if (grant.audiences.length === 1) return grant
  return target === undefined
    ? { error: 'invalid_target', refused: 'scope, audience or resource has to say what the token is for' }
    : { error: 'invalid_scope', refused: 'At least one scope must be granted' }
}
