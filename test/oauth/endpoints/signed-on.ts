/** Somebody signed on at an application, with the tokens it got, and requests to sign off. */
import { once } from 'node:events'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import { decodeJwt } from 'jose'
import { Browser } from '../../harness/sign-on.ts'
import type { Answer, Stile } from '../../harness/stile.ts'
import { authorizeBySignOnPage, codeOf, codeRequest, redeemCode, told } from '../journeys.ts'
import { expectStatus, type Person, type Registered, register, web } from '../registrations.ts'

/** Where the applications of these tests are returned to after sign-off. */
export const afterSignOff = 'https://app.test/signed-off'

/** Registers an application that may sign off. */
export function registerForSignOff(
  stile: Stile,
  more: object = {},
  scopes: readonly string[] = ['profile', 'email'],
): Promise<Registered> {
  return register(stile, { ...web, postLogoutRedirectUris: [afterSignOff], ...more }, scopes)
}

/** What an application holds of a user who is signed on. */
export interface SignedOn {
  readonly browser: Browser
  readonly idToken: string
  readonly accessToken: string
  /** Empty where the application gets none. */
  readonly refreshToken: string
  readonly userId: string
  readonly sessionId: string
}

/** Signs somebody on at an application; in a browser that is signed on already, silently. */
export async function signedOn(
  stile: Stile,
  client: Registered,
  who: Omit<Person, 'id'> = stile.user,
  browser = new Browser(stile),
  scope = 'openid profile email',
): Promise<SignedOn> {
  const code = codeOf(await authorizeBySignOnPage(browser, codeRequest(client, { scope }), who))
  const tokens = expectStatus(await redeemCode(stile, client, code), 200)
  const { id_token: idToken, access_token: accessToken, refresh_token: refreshToken = '' } = tokens
  const { sub: userId = '', sid } = decodeJwt(idToken)
  return { browser, idToken, accessToken, refreshToken, userId, sessionId: sid as string }
}

/** How a browser marks a link or a redirect from another site. */
const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' }

/** Signs off as a link or a redirect does. */
export function signOff(
  browser: Browser,
  parameters: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = navigation,
): Promise<Answer> {
  const query = new URLSearchParams(parameters).toString()
  return request(browser, 'GET', `as/signoff${query === '' ? '' : `?${query}`}`, headers)
}

/** Signs off by a form. */
export function postSignOff(
  browser: Browser,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  return request(browser, 'POST', 'as/signoff', headers, new URLSearchParams(fields).toString())
}

/** A request with exactly these headers: `fetch` writes `Sec-Fetch-Mode` itself. */
async function request(
  browser: Browser,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body = '',
): Promise<Answer> {
  const { stile } = browser
  const outgoing = httpRequest({
    host: '127.0.0.1',
    port: stile.node.port,
    method,
    path: `/${stile.environmentId}/${path}`,
    headers: {
      accept: 'text/html',
      ...(browser.cookie ? { cookie: browser.cookie } : {}),
      ...(body === '' ? {} : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length }),
      ...headers,
    },
  })
  outgoing.end(body)
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  const received = new Headers()
  for (const [name, values = []] of Object.entries(incoming.headersDistinct)) {
    for (const value of values) received.append(name, value)
  }
  const [set] = received.getSetCookie().filter((line) => line.startsWith('ST='))
  if (set) browser.cookie = set.startsWith('ST=;') ? undefined : set.split(';')[0]
  const content = await text(incoming)
  const isJson = (received.get('content-type') ?? '').startsWith('application/json')
  return {
    status: incoming.statusCode ?? 0,
    headers: received,
    text: content,
    json: isJson ? JSON.parse(content) : undefined,
  }
}

/** The hidden fields of the form of a page. */
export function fieldsOf({ text }: Answer): Record<string, string> {
  const inputs = text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)
  return Object.fromEntries([...inputs].map(([, name = '', value = '']) => [name, value.replaceAll('&amp;', '&')]))
}

/** Says yes on the page that asks, as a browser does. */
export function confirm(browser: Browser, page: Answer): Promise<Answer> {
  const own = { origin: browser.stile.authUrl, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }
  return postSignOff(browser, fieldsOf(page), own)
}

/** Whether a browser is still signed on: a silent request tells. */
export async function isSignedOn(browser: Browser, client: Registered): Promise<boolean> {
  const answer = told(await browser.authorize(codeRequest(client, { prompt: 'none' })))
  return answer.get('error') !== 'login_required'
}

/** Whether an answer is the page that asks. */
export function isQuestion({ status, text, headers }: Answer): boolean {
  return status === 200 && headers.get('location') === null && /name="confirmation"/.test(text)
}
