/** What a browser goes through at the redirect door, and what an answer of the authorization endpoint says. */
import assert from 'node:assert/strict'
import { type Browser, pkce } from '../harness/sign-on.ts'
import { type Answer, basic, type Stile } from '../harness/stile.ts'
import type { Person, Registered } from './registrations.ts'

/** The parameters of a request for a code, to an application without PKCE. */
export function codeRequest(client: Registered, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    client_id: client.clientId,
    response_type: 'code',
    redirect_uri: client.redirectUri,
    scope: 'openid profile email',
    ...more,
  }
}

/** The parameters of a request for a code with PKCE. */
export function codeRequestWithPkce(
  client: Registered,
  more: Readonly<Record<string, string>> = {},
): { readonly request: Record<string, string>; readonly verifier: string } {
  const { verifier, challenge } = pkce()
  return {
    verifier,
    request: codeRequest(client, { code_challenge: challenge, code_challenge_method: 'S256', ...more }),
  }
}

/** The flow of an answer that sent the browser to the sign-on page. */
export function flowOf(answer: Answer): string {
  assert.equal(answer.status, 302, answer.text)
  const location = answer.headers.get('location') ?? ''
  assert.match(location, /\/signon\/\?flowId=/, 'the browser is sent to the sign-on page')
  return new URL(location).searchParams.get('flowId') ?? ''
}

/** Fills in and submits the sign-on page of a flow, as a browser does. */
export async function submitSignOnPage(browser: Browser, flowId: string, person: Omit<Person, 'id'>): Promise<Answer> {
  const page = `/${browser.stile.environmentId}/signon/?flowId=${flowId}`
  const shown = await browser.send(page)
  assert.equal(shown.status, 200, shown.text)
  assert.match(shown.text, /name="action" value="usernamePassword.check"/)
  const { username, password } = person
  return browser.send(page, {
    body: new URLSearchParams({ action: 'usernamePassword.check', username, password }),
    headers: { origin: browser.stile.authUrl, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' },
  })
}

/** From the authorization request to the answer for the application, by the sign-on page where one is needed. */
export async function authorizeBySignOnPage(
  browser: Browser,
  request: Readonly<Record<string, string>>,
  person: Omit<Person, 'id'> = browser.stile.user,
): Promise<Answer> {
  const started = await browser.authorize(request)
  const location = started.headers.get('location') ?? ''
  if (started.status !== 302 || !location.includes('/signon/?flowId=')) return started
  const flowId = flowOf(started)
  const submitted = await submitSignOnPage(browser, flowId, person)
  assert.equal(submitted.status, 303, submitted.text)
  const finished = await browser.send(new URL(submitted.headers.get('location') ?? '').pathname + `?flowId=${flowId}`)
  assert.match(finished.text, new RegExp(`/as/resume\\?flowId=${flowId}`), 'the page leads on to the application')
  return browser.resume(flowId)
}

/** What the application is told: parameters of the query or the fragment of the redirect. */
export function told(answer: Answer): URLSearchParams {
  assert.equal(answer.status, 302, answer.text)
  const { search, hash } = new URL(answer.headers.get('location') ?? '')
  return new URLSearchParams(hash === '' ? search : hash.slice(1))
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

function unescape(text: string): string {
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] ?? '')
}

/** The form of a `form_post` answer: where it goes, and what a browser would post there. */
export function postedForm(answer: Answer): { readonly action: string; readonly parameters: URLSearchParams } {
  assert.equal(answer.status, 200, answer.text)
  const action = unescape(/<form method="post" action="([^"]*)">/.exec(answer.text)?.[1] ?? '')
  const inputs = answer.text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)
  const fields = [...inputs].map(([, name = '', value = '']) => [unescape(name), unescape(value)] as [string, string])
  return { action, parameters: new URLSearchParams(fields) }
}

/** The code that an answer brought. */
export function codeOf(answer: Answer): string {
  const code = told(answer).get('code')
  assert.ok(code, `no code: ${answer.headers.get('location')}`)
  return code
}

/** A code of an application, for a browser that signs on where it has to. */
export async function obtainCode(
  browser: Browser,
  request: Readonly<Record<string, string>>,
  person?: Omit<Person, 'id'>,
): Promise<string> {
  return codeOf(await authorizeBySignOnPage(browser, request, person))
}

/** Sends a form as an application does that authenticates by Basic, or not at all. */
export function sendForm(
  stile: Stile,
  endpoint: 'token' | 'revoke' | 'introspect',
  { clientId, clientSecret }: Pick<Registered, 'clientId' | 'clientSecret'>,
  form: Readonly<Record<string, string>>,
  environmentId: string = stile.environmentId,
): Promise<Answer> {
  return stile.send(`/${environmentId}/as/${endpoint}`, {
    body: new URLSearchParams(clientSecret === '' ? { ...form, client_id: clientId } : form),
    ...(clientSecret === '' ? {} : { headers: { authorization: basic(clientId, clientSecret) } }),
  })
}

/** Redeems a code. */
export function redeemCode(
  stile: Stile,
  client: Registered,
  code: string,
  more: Readonly<Record<string, string>> = {},
  environmentId?: string,
): Promise<Answer> {
  const form = { grant_type: 'authorization_code', code, redirect_uri: client.redirectUri, ...more }
  return sendForm(stile, 'token', client, form, environmentId)
}

/** Refreshes tokens. */
export function refreshTokens(
  stile: Stile,
  client: Registered,
  refreshToken: string,
  more: Readonly<Record<string, string>> = {},
  environmentId?: string,
): Promise<Answer> {
  const form = { grant_type: 'refresh_token', refresh_token: refreshToken, ...more }
  return sendForm(stile, 'token', client, form, environmentId)
}

/** Whether an access token still works. */
export async function isLive(stile: Stile, accessToken: string): Promise<boolean> {
  const { status } = await stile.send(`/${stile.environmentId}/as/userinfo`, { token: accessToken })
  assert.ok(status === 200 || status === 401, `userinfo answers ${status}`)
  return status === 200
}

/** Expects an OAuth error in JSON. */
export function expectRefusal(answer: Answer, error: string, status = error === 'invalid_client' ? 401 : 400): void {
  assert.equal(answer.json?.error, error, answer.text)
  assert.equal(answer.status, status)
  assert.equal(answer.json.access_token, undefined)
}

/** Expects that an authorization request was refused here: a page, and nowhere to go (decision D10). */
export function expectErrorPage(answer: Answer): void {
  assert.equal(
    answer.status,
    400,
    `${answer.status} ${answer.headers.get('location') ?? ''} ${answer.text.slice(0, 200)}`,
  )
  assert.equal(answer.headers.get('location'), null)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/html/)
  assert.deepEqual(answer.headers.getSetCookie(), [])
  assert.match(answer.headers.get('content-security-policy') ?? '', /form-action 'none'/)
}

/** Pushes an authorization request as an application does that authenticates by Basic, or not at all (RFC 9126). */
export function push(
  stile: Stile,
  client: Registered,
  request: Readonly<Record<string, string>> | readonly (readonly [string, string])[],
  environmentId: string = stile.environmentId,
): Promise<Answer> {
  const { clientId, clientSecret } = client
  const body = new URLSearchParams(request as Record<string, string>)
  const headers = clientSecret === '' ? {} : { authorization: basic(clientId, clientSecret) }
  return stile.send(`/${environmentId}/as/par`, { body, headers })
}

/** Pushes a request that is taken, and gives the parameters with which a browser refers to it. */
export async function pushed(
  stile: Stile,
  client: Registered,
  request: Readonly<Record<string, string>> | readonly (readonly [string, string])[],
): Promise<{ readonly client_id: string; readonly request_uri: string }> {
  const answer = await push(stile, client, request)
  assert.equal(answer.status, 201, answer.text)
  return { client_id: client.clientId, request_uri: answer.json.request_uri }
}
