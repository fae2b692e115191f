/** What a client asks at its backchannel, and what its user does, for tests of OpenID CIBA. */
import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { inboxOf } from '../flow-runtime/arrange.ts'
import type { Browser } from '../harness/sign-on.ts'
import { type Answer, basic, type Stile } from '../harness/stile.ts'
import { pageOf, press, visit } from './device-journeys.ts'
import { expectStatus, type Person, type Registered, web } from './registrations.ts'

/** A confidential client that asks users at their own devices. */
export const bank = { ...web, grantTypes: ['CIBA'], responseTypes: [], redirectUris: [] }

/** Somebody with an address. */
export interface Reachable extends Person {
  readonly email: string
}

/** What a client is answered. */
export interface Asked {
  readonly auth_req_id: string
  readonly expires_in: number
  readonly interval: number
}

/** The request of a client. */
export function askFor(
  stile: Stile,
  { clientId, clientSecret }: Registered,
  parameters: Readonly<Record<string, string>>,
  path = 'cibaAuthorization',
): Promise<Answer> {
  return stile.send(`/${stile.environmentId}/as/${path}`, {
    body: new URLSearchParams({ ...(parameters['request'] ? {} : { scope: 'openid profile' }), ...parameters }),
    headers: { authorization: basic(clientId, clientSecret) },
  })
}

/** A request that is taken. */
export async function ask(
  stile: Stile,
  client: Registered,
  parameters: Readonly<Record<string, string>>,
): Promise<Asked> {
  return expectStatus(await askFor(stile, client, parameters), 200) as Asked
}

/** A client polls. */
export function pollFor(
  stile: Stile,
  { clientId, clientSecret }: Registered,
  authReqId: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return stile.send(`/${stile.environmentId}/as/token`, {
    body: new URLSearchParams({ grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: authReqId, ...more }),
    headers: { authorization: basic(clientId, clientSecret) },
  })
}

/** The link that was sent last; waits until nothing is on its way. */
export async function linkSentTo(stile: Stile, { email }: Reachable): Promise<string> {
  const [link] = /^http.*\/backchannel\?token=.*$/m.exec((await inboxOf(stile, email)).at(-1)?.body ?? '') ?? []
  assert.ok(link, 'no link was sent')
  return link
}

/** Follows the link, and returns the flow that begins. */
export async function follow(browser: Browser, who: Reachable): Promise<string> {
  return visit(browser, await linkSentTo(browser.stile, who))
}

/** Answers the question, and goes where the page goes on to by itself. */
export async function decideOn(browser: Browser, flowId: string, accept: boolean): Promise<Answer> {
  assert.equal((await press(browser, flowId, { action: 'oauth.consent', accept: String(accept) })).status, 303)
  const shown = await browser.send(pageOf(browser, flowId))
  assert.match(shown.text, new RegExp(`http-equiv="refresh" content="0;url=[^"]*/as/resume\\?flowId=${flowId}"`))
  return browser.resume(flowId)
}

/** A key pair of a client, and the set that it registers. */
export function newKeys(): { readonly privateKey: KeyObject; readonly jwks: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'key', alg: 'ES256', use: 'sig' }
  return { privateKey, jwks: JSON.stringify({ keys: [key] }) }
}

/** A JWT that a client signs by its private key, or by its secret. */
export function clientJwt(claims: object, key: KeyObject | string, header: object = {}): string {
  const alg = typeof key === 'string' ? 'HS256' : 'ES256'
  const parts = [{ alg, ...(alg === 'ES256' ? { kid: 'key' } : {}), ...header }, claims]
  const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const signature =
    typeof key === 'string'
      ? createHmac('sha256', key).update(input).digest()
      : sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

/** The claims that every JWT for this server has. @param now epoch milliseconds */
export function claimsFor(stile: Stile, { clientId }: Registered, now: number): Record<string, unknown> {
  const iat = Math.floor(now / 1000)
  return { iss: clientId, aud: stile.issuer, iat, nbf: iat, exp: iat + 60, jti: randomUUID() }
}
