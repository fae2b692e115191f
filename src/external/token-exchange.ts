/**
 * Redeeming an authorization code at an identity provider: RFC 6749 sections 2.3.1 and 4.1.3, RFC 7636.
 *
 * Never: a secret in an address; a token kept beyond the round trip (row M20).
 */
import type { World } from '../world.ts'
import { appleClientSecret } from './apple-client-secret.ts'
import type { Egress } from './egress.ts'
import type { RoundTrip } from './round-trip.ts'
import type { Upstream } from './upstream.ts'
import { UpstreamRefused } from './upstream-refused.ts'

/** What a provider gives for a code. */
export interface UpstreamTokens {
  readonly accessToken: string
  readonly idToken: string | null
}

const maximumBytes = 256 * 1024

/**
 * Redeems a code.
 * @param secret the client's secret, in the clear
 * @throws UpstreamRefused
 */
export async function exchangeCode(
  egress: Egress,
  world: World,
  upstream: Upstream,
  secret: string,
  trip: RoundTrip,
  code: string,
): Promise<UpstreamTokens> {
  const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: trip.redirectUri })
  if (upstream.pkce) body.set('code_verifier', trip.codeVerifier)
  const headers: Record<string, string> = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  }
  switch (upstream.clientAuthentication) {
    case 'basic':
      headers['authorization'] = basicCredentials(upstream.clientId, secret)
      break
    case 'post':
      body.set('client_id', upstream.clientId)
      body.set('client_secret', secret)
      break
    case 'apple':
      body.set('client_id', upstream.clientId)
      body.set('client_secret', appleClientSecret(upstream, secret, world.now()))
      break
    case 'none':
      body.set('client_id', upstream.clientId)
      break
  }
  const request = { method: 'POST', url: upstream.tokenEndpoint, headers, body: body.toString(), maximumBytes } as const
  const answer = await egress(request).catch((error: unknown) => {
    throw new UpstreamRefused('provider-unreachable', error)
  })
  if (answer.status !== 200) throw new UpstreamRefused(answer.status < 500 ? 'code-rejected' : 'provider-unreachable')
  return tokensFrom(answer.body)
}

/** The Authorization header of a client: both parts are form-encoded before they are joined (RFC 6749 section 2.3.1). */
export function basicCredentials(clientId: string, secret: string): string {
  const encode = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)
  return `Basic ${Buffer.from(`${encode(clientId)}:${encode(secret)}`).toString('base64')}`
}

function tokensFrom(body: Buffer): UpstreamTokens {
  let json: unknown
  try {
    json = JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw new UpstreamRefused('code-rejected', error)
  }
  const { access_token: accessToken, id_token: idToken } = (json ?? {}) as Readonly<Record<string, unknown>>
  if (typeof accessToken !== 'string' || !/^[\x21-\x7e]{1,16384}$/.test(accessToken)) {
    throw new UpstreamRefused('code-rejected')
  }
  return { accessToken, idToken: typeof idToken === 'string' ? idToken : null }
}
