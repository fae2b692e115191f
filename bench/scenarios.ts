/**
 * What is measured: the requests of each scenario, the same for every server. Each answer is judged, so that a server
 * that refuses quickly is not counted as a quick server.
 */
import { createHash } from 'node:crypto'
import { type Connection, header } from './http-connection.ts'

export const scenarios = [
  'client credentials',
  'code + PKCE',
  'PAR + code',
  'refresh',
  'userinfo',
  'introspection',
] as const
export type Scenario = (typeof scenarios)[number]

/** Signature algorithms of the tokens. */
export const algorithms = ['ES256', 'RS256'] as const
export type Algorithm = (typeof algorithms)[number]

/** An application whose codes the generator redeems: a public client with PKCE. */
export interface CodeSource {
  readonly authorizePath: string
  readonly clientId: string
  readonly redirectUri: string
  readonly scope: string
}

/** Credentials for client_secret_basic. */
export interface Credentials {
  readonly clientId: string
  readonly clientSecret: string
}

/** A server as the load generator sees it. What it lacks is not measured. */
export interface Target {
  readonly origin: string
  readonly tokenPath: string
  readonly algorithm: Algorithm
  /** A confidential client that may use client_credentials. */
  readonly confidential: Credentials
  /** Cookie header fields, one per existing session; connections share them out. */
  readonly cookies?: readonly string[]
  /** For codes. */
  readonly code?: CodeSource
  /** Where the requests of that application may be pushed. */
  readonly pushPath?: string
  /** For refresh tokens. */
  readonly refresh?: CodeSource
  /** For access tokens that userinfo and introspection take. */
  readonly bearer?: CodeSource & {
    readonly userinfoPath: string
    readonly introspectionPath: string
    /** Who may ask about these tokens. */
    readonly introspector: Credentials
  }
}

const verifier = 'the-same-verifier-for-all-since-only-the-server-is-measured'
const challenge = createHash('sha256').update(verifier).digest('base64url')

/** The most steps a server may take from the authorization request to the code. */
const maximumRedirects = 5

function post(
  { origin, tokenPath }: Target,
  form: Record<string, string>,
  { fields = '', path = tokenPath }: { readonly fields?: string; readonly path?: string } = {},
): string {
  const body = new URLSearchParams(form).toString()
  return (
    `POST ${path} HTTP/1.1\r\nHost: ${new URL(origin).host}\r\n${fields}` +
    `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  )
}

function authorization({ clientId, clientSecret }: Credentials): string {
  const text = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`
  return `Authorization: Basic ${Buffer.from(text).toString('base64')}\r\n`
}

/** Fails unless the answer holds a JWT in `name`, signed with the algorithm that is being measured. */
function expectToken(target: Target, body: string, name: string): void {
  const token = new RegExp(`"${name}": ?"([\\w-]+)\\.[\\w-]+\\.[\\w-]+"`).exec(body)?.[1]
  const { alg } = JSON.parse(Buffer.from(token ?? 'e30', 'base64url').toString()) as { readonly alg?: string }
  if (alg !== target.algorithm) throw new Error(`No ${name} signed with ${target.algorithm} in: ${body.slice(0, 300)}`)
}

type Run = (connection: Connection) => Promise<void>

/** client_credentials with client_secret_basic (RFC 6749 section 4.4): one request, one signed access token. */
function clientCredentials(target: Target): Run {
  const fields = authorization(target.confidential)
  const request = post(target, { grant_type: 'client_credentials' }, { fields })
  return async (connection) => expectToken(target, await bodyOf(connection, request), 'access_token')
}

/** The body of an answer that has to be 200. */
async function bodyOf(connection: Connection, request: string): Promise<string> {
  const { status, body } = await connection.send(request)
  if (status !== 200) throw new Error(`${request.slice(0, request.indexOf(' HTTP'))}: ${status} ${body.slice(0, 300)}`)
  return body
}

/**
 * authorization_code with PKCE (RFC 7636) and an existing session: authorize, then redeem; gives the token response.
 * @param pushPath where the request is pushed first (RFC 9126); by default it is not
 */
function redeemed(
  target: Target,
  source: CodeSource,
  session: number,
  pushPath?: string,
): (connection: Connection) => Promise<string> {
  const { authorizePath, clientId, redirectUri, scope } = source
  const { cookies = [] } = target
  const request = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    state: 'state',
    nonce: 'nonce',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  }
  const host = new URL(target.origin).host
  const get = (path: string): string =>
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookies[session % cookies.length]}\r\n\r\n`
  const authorize = (parameters: Record<string, string>): string =>
    get(`${authorizePath}?${new URLSearchParams(parameters).toString()}`)
  const direct = authorize(request)
  const push = pushPath === undefined ? undefined : post(target, request, { path: pushPath })
  const pushed = async (connection: Connection, text: string): Promise<string> => {
    const { status, body } = await connection.send(text)
    if (status !== 201) throw new Error(`Not pushed: ${status} ${body.slice(0, 300)}`)
    return authorize({ client_id: clientId, request_uri: member(body, 'request_uri') })
  }
  return async (connection) => {
    let answer = await connection.send(push === undefined ? direct : await pushed(connection, push))
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
    return bodyOf(connection, post(target, { ...form, code_verifier: verifier }))
  }
}

/** A code and its redemption: two signed tokens. */
function codeWithPkce(target: Target, source: CodeSource, session: number, pushPath?: string): Run {
  const redeem = redeemed(target, source, session, pushPath)
  return async (connection) => {
    const tokens = await redeem(connection)
    expectToken(target, tokens, 'id_token')
    expectToken(target, tokens, 'access_token')
  }
}

/** refresh_token (RFC 6749 section 6), each with the token that came of the last: two signed tokens, and a new one. */
function refresh(target: Target, source: CodeSource, session: number): Run {
  const redeem = redeemed(target, source, session)
  let last: string | undefined
  return async (connection) => {
    last ??= member(await redeem(connection), 'refresh_token')
    const form = { grant_type: 'refresh_token', refresh_token: last, client_id: source.clientId }
    const tokens = await bodyOf(connection, post(target, form))
    expectToken(target, tokens, 'id_token')
    expectToken(target, tokens, 'access_token')
    const next = member(tokens, 'refresh_token')
    if (next === last) throw new Error('The refresh token was not rotated')
    last = next
  }
}

/** One access token, read over and over by `request`; `expected` is in every answer. */
function reading(
  target: Target,
  source: CodeSource,
  session: number,
  { request, expected }: { readonly request: (accessToken: string) => string; readonly expected: RegExp },
): Run {
  const redeem = redeemed(target, source, session)
  let prepared: string | undefined
  return async (connection) => {
    prepared ??= request(member(await redeem(connection), 'access_token'))
    const body = await bodyOf(connection, prepared)
    if (!expected.test(body)) throw new Error(`Not what was asked for: ${body.slice(0, 300)}`)
  }
}

/** A text member of a JSON body. */
function member(body: string, name: string): string {
  const value = (JSON.parse(body) as Readonly<Record<string, unknown>>)[name]
  if (typeof value !== 'string') throw new Error(`No ${name} in: ${body.slice(0, 300)}`)
  return value
}

/** The scenarios that a server has an answer for. */
export function scenariosOf({ code, pushPath, refresh: chain, bearer }: Target): readonly Scenario[] {
  const needs: Readonly<Record<Scenario, unknown>> = {
    'client credentials': true,
    'code + PKCE': code,
    'PAR + code': code && pushPath,
    refresh: chain,
    userinfo: bearer,
    introspection: bearer,
  }
  return scenarios.filter((scenario) => needs[scenario] !== undefined)
}

/**
 * One run of a scenario, to be repeated on one connection.
 * @param worker the number of the connection; it chooses the session
 */
export function scenarioRun(scenario: Scenario, target: Target, worker: number): Run {
  const present = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error(`${target.origin} has nothing for ${scenario}`)
    return part
  }
  switch (scenario) {
    case 'client credentials':
      return clientCredentials(target)
    case 'code + PKCE':
      return codeWithPkce(target, present(target.code), worker)
    case 'PAR + code':
      return codeWithPkce(target, present(target.code), worker, present(target.pushPath))
    case 'refresh':
      return refresh(target, present(target.refresh), worker)
    case 'userinfo': {
      const source = present(target.bearer)
      const { host } = new URL(target.origin)
      const request = (token: string) =>
        `GET ${source.userinfoPath} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`
      return reading(target, source, worker, { request, expected: /"sub":/ })
    }
    case 'introspection': {
      const source = present(target.bearer)
      const call = { fields: authorization(source.introspector), path: source.introspectionPath }
      const request = (token: string) => post(target, { token }, call)
      return reading(target, source, worker, { request, expected: /"active": ?true/ })
    }
  }
}
