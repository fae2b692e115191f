/**
 * What is measured: the requests of each scenario, the same for every server. Each answer is judged, so that a server
 * that refuses quickly is not counted as a quick server.
 */
import { createHash } from 'node:crypto'
import { type Connection, header } from './http-connection.ts'

export const scenarios = ['client credentials', 'code + PKCE'] as const
export type Scenario = (typeof scenarios)[number]

/** Signature algorithms of the tokens. */
export const algorithms = ['ES256', 'RS256'] as const
export type Algorithm = (typeof algorithms)[number]

/** A server as the load generator sees it. */
export interface Target {
  readonly origin: string
  readonly tokenPath: string
  readonly algorithm: Algorithm
  /** A confidential client that may use client_credentials with client_secret_basic. */
  readonly confidential: { readonly clientId: string; readonly clientSecret: string }
  /** A public client with PKCE, and where its codes come from; absent where a server has no such flow. */
  readonly code?: {
    readonly authorizePath: string
    readonly clientId: string
    readonly redirectUri: string
    /** Cookie header fields, one per existing session; connections share them out. */
    readonly cookies: readonly string[]
  }
}

const verifier = 'the-same-verifier-for-all-since-only-the-server-is-measured'
const challenge = createHash('sha256').update(verifier).digest('base64url')

/** The most steps a server may take from the authorization request to the code. */
const maximumRedirects = 5

function post(target: Target, form: Record<string, string>, fields = ''): string {
  const body = new URLSearchParams(form).toString()
  return (
    `POST ${target.tokenPath} HTTP/1.1\r\nHost: ${new URL(target.origin).host}\r\n${fields}` +
    `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  )
}

/** Fails unless the answer holds a JWT in `member`, signed with the algorithm that is being measured. */
function expectToken(target: Target, body: string, member: string): void {
  const token = new RegExp(`"${member}": ?"([\\w-]+)\\.[\\w-]+\\.[\\w-]+"`).exec(body)?.[1]
  const { alg } = JSON.parse(Buffer.from(token ?? 'e30', 'base64url').toString()) as { readonly alg?: string }
  if (alg !== target.algorithm)
    throw new Error(`No ${member} signed with ${target.algorithm} in: ${body.slice(0, 300)}`)
}

/** client_credentials with client_secret_basic (RFC 6749 section 4.4): one request, one signed access token. */
function clientCredentials(target: Target): (connection: Connection) => Promise<void> {
  const { clientId, clientSecret } = target.confidential
  const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')
  const request = post(target, { grant_type: 'client_credentials' }, `Authorization: Basic ${basic}\r\n`)
  return async (connection) => {
    const answer = await connection.send(request)
    if (answer.status !== 200) throw new Error(`Token endpoint answered ${answer.status}: ${answer.body.slice(0, 300)}`)
    expectToken(target, answer.body, 'access_token')
  }
}

/** authorization_code with PKCE (RFC 7636) and an existing session: authorize, then redeem; two signed tokens. */
function codeWithPkce(target: Target, session: number): (connection: Connection) => Promise<void> {
  if (!target.code) throw new Error(`${target.origin} has no authorization endpoint`)
  const { authorizePath, clientId, redirectUri, cookies } = target.code
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: 'openid',
    state: 'state',
    nonce: 'nonce',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  })
  const host = new URL(target.origin).host
  const get = (path: string): string =>
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookies[session % cookies.length]}\r\n\r\n`
  const first = get(`${authorizePath}?${query.toString()}`)
  return async (connection) => {
    let answer = await connection.send(first)
    for (let redirects = 0; redirects < maximumRedirects; redirects += 1) {
      const location = header(answer, 'location') ?? ''
      if (location.startsWith(redirectUri)) break
      if (!location) throw new Error(`No redirect from authorize but ${answer.status}: ${answer.body.slice(0, 300)}`)
      const { pathname, search } = new URL(location, target.origin)
      answer = await connection.send(get(pathname + search))
    }
    const location = header(answer, 'location') ?? ''
    const code = URL.canParse(location) ? new URL(location).searchParams.get('code') : null
    if (!code) throw new Error(`No code in the redirect to ${location}`)
    const form = { grant_type: 'authorization_code', code, client_id: clientId, redirect_uri: redirectUri }
    const tokens = await connection.send(post(target, { ...form, code_verifier: verifier }))
    if (tokens.status !== 200) throw new Error(`Token endpoint answered ${tokens.status}: ${tokens.body.slice(0, 300)}`)
    expectToken(target, tokens.body, 'id_token')
    expectToken(target, tokens.body, 'access_token')
  }
}

/**
 * One run of a scenario, to be repeated on one connection.
 * @param worker the number of the connection; it chooses the session
 */
export function scenarioRun(
  scenario: Scenario,
  target: Target,
  worker: number,
): (connection: Connection) => Promise<void> {
  switch (scenario) {
    case 'client credentials':
      return clientCredentials(target)
    case 'code + PKCE':
      return codeWithPkce(target, worker)
  }
}
