/**
 * One round trip of a browser to an identity provider and back: what is made at the start, what is asked, and what comes
 * back. RFC 6749 section 4.1, RFC 7636, RFC 9207, OpenID Connect Core 3.1.2.1; rows M01 to M05.
 *
 * Never: a value that another provider, client or redirect address could use; state that says anything by itself.
 */
import { createHash } from 'node:crypto'
import type { World } from '../world.ts'
import type { Upstream } from './upstream.ts'

/** What this server remembers of a round trip, sealed, until the browser is back. */
export interface RoundTrip {
  readonly identityProviderId: string
  /** The client the round trip was begun for: a provider configured anew cannot end it. */
  readonly clientId: string
  readonly issuer: string | null
  readonly redirectUri: string
  readonly nonce: string
  readonly codeVerifier: string
}

/** What the provider sent along with the browser. */
export interface Returned {
  readonly code: string | undefined
  readonly error: string | undefined
  /** RFC 9207. */
  readonly issuer: string | undefined
}

/** What may be added to a request. */
export interface RequestHints {
  readonly loginHint: string | null
  readonly acrValues: string | null
  /** The provider shall ask the user again. */
  readonly forcesLogin: boolean
}

/** Begins a round trip. `state` goes to the provider and is only kept as a hash. */
export function beginRoundTrip(
  world: World,
  upstream: Upstream,
  identityProviderId: string,
  redirectUri: string,
): { readonly state: string; readonly trip: RoundTrip } {
  const random = () => world.bytes(32).toString('base64url')
  const { clientId, issuer } = upstream
  const trip = { identityProviderId, clientId, issuer, redirectUri, nonce: random(), codeVerifier: random() }
  return { state: random(), trip }
}

/** Whether a round trip still belongs to the provider as it is configured now (row M02). */
export function belongsTo(trip: RoundTrip, upstream: Upstream): boolean {
  return trip.clientId === upstream.clientId && trip.issuer === upstream.issuer
}

/** Where the browser is sent. */
export function authorizationUrl(upstream: Upstream, trip: RoundTrip, state: string, hints: RequestHints): string {
  const url = new URL(upstream.authorizationEndpoint)
  const parameters: Readonly<Record<string, string | null>> = {
    response_type: 'code',
    client_id: upstream.clientId,
    redirect_uri: trip.redirectUri,
    scope: upstream.scopes.join(' '),
    state,
    nonce: upstream.protocol === 'oidc' ? trip.nonce : null,
    response_mode: upstream.responseMode === 'form_post' ? 'form_post' : null,
    code_challenge: upstream.pkce ? createHash('sha256').update(trip.codeVerifier).digest('base64url') : null,
    code_challenge_method: upstream.pkce ? 'S256' : null,
    login_hint: hints.loginHint,
    acr_values: hints.acrValues,
    prompt: hints.forcesLogin && upstream.protocol === 'oidc' ? 'login' : null,
  }
  for (const [name, value] of Object.entries(parameters)) if (value !== null) url.searchParams.set(name, value)
  return url.href
}
