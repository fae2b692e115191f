/** Clients that register themselves, and users who let them in, for tests. */
import assert from 'node:assert/strict'
import type { Browser } from '../harness/sign-on.ts'
import type { Answer, Call, Stile } from '../harness/stile.ts'
import { flowOf, submitSignOnPage } from './journeys.ts'
import { builtInResource, expectStatus, type Person } from './registrations.ts'

/** Says what clients may do that register themselves; what is left out goes back to its default. */
export async function policy(stile: Stile, members: object): Promise<Answer['json']> {
  return expectStatus(await stile.api('PUT', '/clientRegistrationPolicy', members), 200)
}

/** The OpenID Connect scopes, as a policy grants them. */
export async function openidGrant(stile: Stile, names: readonly string[] = ['profile', 'email']): Promise<object> {
  const openid = await builtInResource(stile, 'OPENID_CONNECT')
  return { resource: { id: openid.id }, scopes: names.map((name) => ({ id: openid.scope(name) })) }
}

/** What a web client says of itself. */
export const webClient = {
  client_name: 'Lantern Books',
  redirect_uris: ['https://books.test/cb'],
}

/** Asks the registration endpoint. */
export function registering(stile: Stile, metadata: unknown, call: Call = {}): Promise<Answer> {
  return stile.send(`/${stile.environmentId}/as/register`, { body: metadata, ...call })
}

/** Registers a client that is taken. */
export async function registered(stile: Stile, metadata: object = webClient): Promise<Answer['json']> {
  return expectStatus(await registering(stile, metadata), 201)
}

/** Expects that a client is refused, and what for. */
export function expectMetadataError(answer: Answer, error: string, about?: string): void {
  assert.equal(answer.json?.error, error, answer.text)
  assert.equal(answer.status, 400)
  if (about !== undefined) assert.match(answer.json.error_description, new RegExp(about))
}

/** The page of a flow. */
export function signOnPage(stile: Stile, flowId: string): string {
  return `/${stile.environmentId}/signon/?flowId=${flowId}`
}

/** Presses a button of the page that asks for consent. */
export function answerConsent(browser: Browser, flowId: string, accept: boolean): Promise<Answer> {
  return browser.send(signOnPage(browser.stile, flowId), {
    body: new URLSearchParams({ action: 'oauth.consent', accept: String(accept) }),
    headers: { origin: browser.stile.authUrl, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' },
  })
}

/** A flow that has come to the question, and its page. */
export async function askedForConsent(
  browser: Browser,
  request: Readonly<Record<string, string>>,
  who?: Person,
): Promise<{ readonly flowId: string; readonly page: string }> {
  const flowId = flowOf(await browser.authorize(request))
  if (who) assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
  const { text } = await browser.send(signOnPage(browser.stile, flowId))
  assert.match(text, /Do you allow this\?/)
  return { flowId, page: text }
}

/** A user signs on where needed, allows what is asked, and is sent back. */
export async function allowed(
  browser: Browser,
  request: Readonly<Record<string, string>>,
  who?: Person,
): Promise<Answer> {
  const { flowId } = await askedForConsent(browser, request, who)
  assert.equal((await answerConsent(browser, flowId, true)).status, 303)
  return browser.resume(flowId)
}
