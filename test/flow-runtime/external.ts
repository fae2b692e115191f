/** An upstream provider as an identity provider of the demo environment, and browsers that go there and come back. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Browser } from '../harness/sign-on.ts'
import type { Answer, Stile } from '../harness/stile.ts'
import type { OpenIdProvider } from '../harness/openid-provider.ts'

/** Makes an identity provider of a provider, and returns its id. */
export async function newIdentityProvider(
  stile: Stile,
  { issuer, clientSecret }: OpenIdProvider,
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const { status, json, text } = await stile.api('POST', '/identityProviders', providerBody(issuer, clientSecret, more))
  assert.equal(status, 200, text)
  return json.id as string
}

/** An identity provider as the management API takes it. */
export function providerBody(issuer: string, clientSecret: string, more: Readonly<Record<string, unknown>> = {}) {
  return {
    name: `Provider ${randomUUID()}`,
    enabled: true,
    type: 'OPENID_CONNECT',
    clientId: 'stile',
    clientSecret,
    issuer,
    authorizationEndpoint: `${issuer}/authorize`,
    tokenEndpoint: `${issuer}/token`,
    jwksEndpoint: `${issuer}/jwks`,
    userInfoEndpoint: `${issuer}/userinfo`,
    scopes: ['openid', 'email'],
    pkceMethod: 'S256',
    ...more,
  }
}

/** Maps claims of a provider: name of the user's attribute -> value and mode. */
export async function mapAttributes(
  stile: Stile,
  providerId: string,
  mappings: Readonly<Record<string, readonly [value: string, update?: 'EMPTY_ONLY' | 'ALWAYS']>>,
): Promise<void> {
  const path = `/identityProviders/${providerId}/attributes`
  for (const [name, [value, update = 'EMPTY_ONLY']] of Object.entries(mappings)) {
    const existing = (await stile.api('GET', path)).json._embedded.attributes.find(
      (attribute: Answer['json']) => attribute.name === name,
    )
    const [method, at] = existing ? ['PUT', `${path}/${existing.id}`] : ['POST', path]
    const answer = await stile.api(method ?? '', at ?? '', { name, value, update })
    assert.ok(answer.status < 300, answer.text)
  }
}

/** Sends a browser to a provider; where it is sent. */
export async function leave(browser: Browser, flowId: string, providerId: string): Promise<string> {
  const answer = await browser.send(
    `/${browser.stile.environmentId}/rp/authenticate?providerId=${providerId}&flowId=${flowId}`,
  )
  assert.equal(answer.status, 302, answer.text)
  return answer.headers.get('location') ?? ''
}

/** Sends a browser to a provider and back; the address it comes back to, not opened yet. */
export async function roundTrip(
  browser: Browser,
  flowId: string,
  providerId: string,
  provider: OpenIdProvider,
): Promise<string> {
  return ownPath(browser.stile, await provider.signOn(await leave(browser, flowId, providerId)))
}

/** An address of the server as the tests reach it. */
export function ownPath(stile: Stile, address: string): string {
  assert.ok(address.startsWith(stile.authUrl), address)
  return address.slice(stile.authUrl.length)
}

/** Sends a browser to a provider and back into the flow; what became of the flow. */
export async function comeBack(
  browser: Browser,
  flowId: string,
  providerId: string,
  provider: OpenIdProvider,
): Promise<Answer['json']> {
  const answer = await browser.send(await roundTrip(browser, flowId, providerId, provider))
  assert.equal(answer.status, 302, answer.text)
  const location = new URL(answer.headers.get('location') ?? '')
  assert.equal(location.searchParams.get('flowId'), flowId)
  assert.equal(location.searchParams.get('error'), null)
  return (await browser.send(`/${browser.stile.environmentId}/flows/${flowId}`)).json
}
