/**
 * An upstream OpenID provider on loopback that can lie in every field: issuer, audience, nonce, algorithm, key, times,
 * subject; that can be slow, endless, redirecting or gone; that rotates its keys. Honest unless told otherwise. It also
 * answers like an OAuth 2 provider that counts its accounts (`/user`).
 */
import { createHash, createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Claims = Record<string, unknown>

/** Where it lies. */
export interface Lies {
  /** Changes the claims of the ID token. */
  readonly claims?: (claims: Claims) => Claims
  /** Changes the header of the ID token. */
  readonly header?: (header: Claims) => Claims
  /** Replaces the finished ID token; null sends none. */
  readonly token?: (token: string) => string | null
  /** Changes the user information. */
  readonly userinfo?: (claims: Claims) => unknown
  readonly discovery?: (document: Claims) => Claims
  readonly jwks?: (document: Claims) => unknown
  /** Signs with a key that it does not publish. */
  readonly signsWithOtherKey?: boolean
  /** Which endpoint misbehaves, and how. */
  readonly endpoint?: string
  readonly behaviour?: 'slow' | 'endless' | 'redirect' | 'error' | 'garbage' | 'silent'
  /** What comes back with the browser. */
  readonly returned?: Readonly<Record<string, string>>
}

/** A running provider. */
export interface OpenIdProvider {
  readonly issuer: string
  readonly clientSecret: string
  /** Who signs on next. */
  user: Claims
  lies: Lies
  /** Requests by path. */
  readonly hits: Map<string, number>
  /** The last form that was sent to the token endpoint, and its Authorization header. */
  readonly exchanges: { readonly form: URLSearchParams; readonly authorization: string | undefined }[]
  /** Takes a new key; the old one is published no more. */
  rotate(): void
  /** Its present key. */
  readonly signingKey: KeyObject
  /** Signs claims with its present key; `header` says what is otherwise. */
  sign(claims: Claims, header?: Claims): string
  /** Follows an authorization request and gives the address the browser is sent back to. */
  signOn(authorizationUrl: string): Promise<string>
  close(): Promise<void>
}

interface Issued {
  readonly parameters: URLSearchParams
  readonly user: Claims
}

interface Key {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: object
}

function newKey(): Key {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const kid = randomUUID()
  return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' } }
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A JWT of any header and claims, with an ES256 signature whatever the header says. */
export function signedJwt(header: Claims, claims: Claims, key: KeyObject): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

/** A JWT with a symmetric signature. */
export function hmacJwt(claims: Claims, secret: string, alg = 'HS256'): string {
  const input = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`
  return `${input}.${createHmac(alg.replace('HS', 'sha'), secret).update(input).digest('base64url')}`
}

/** Starts a provider whose client is `stile` with the secret it names. */
export async function startOpenIdProvider(): Promise<OpenIdProvider> {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A test that forgets to close it must not wait for it.
  server.unref()
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let key = newKey()
  const other = newKey()
  const codes = new Map<string, Issued>()
  const tokens = new Map<string, Claims>()

  const provider: OpenIdProvider = {
    issuer,
    clientSecret: 'CANARY-upstream secret/+&=',
    user: { sub: 'alice' },
    lies: {},
    hits: new Map(),
    exchanges: [],
    rotate() {
      key = newKey()
    },
    get signingKey() {
      return key.privateKey
    },
    sign: (claims, header = {}) => signedJwt({ alg: 'ES256', kid: key.kid, ...header }, claims, key.privateKey),
    async signOn(authorizationUrl) {
      const answer = await fetch(authorizationUrl, { redirect: 'manual' })
      return answer.headers.get('location') ?? ''
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', issuer)
    const path = url.pathname
    provider.hits.set(path, (provider.hits.get(path) ?? 0) + 1)
    if (provider.lies.endpoint === path && misbehave(response)) return
    const form = new URLSearchParams(request.method === 'POST' ? await bodyOf(request) : '')
    const json = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    switch (path) {
      case '/.well-known/openid-configuration':
        return json(200, (provider.lies.discovery ?? same)({ issuer }))
      case '/jwks':
        return json(200, (provider.lies.jwks ?? same)({ keys: [key.jwk] }))
      case '/authorize': {
        const code = randomUUID()
        codes.set(code, { parameters: url.searchParams, user: provider.user })
        const back = new URL(url.searchParams.get('redirect_uri') ?? '')
        const returned = { code, state: url.searchParams.get('state') ?? '', ...provider.lies.returned }
        for (const [name, value] of Object.entries(returned)) back.searchParams.set(name, value)
        response.writeHead(302, { location: back.href }).end()
        return
      }
      case '/token': {
        provider.exchanges.push({ form, authorization: request.headers.authorization })
        return json(...redeem(form))
      }
      case '/userinfo':
      case '/user': {
        const claims = tokens.get(request.headers.authorization?.replace('Bearer ', '') ?? '')
        return claims ? json(200, (provider.lies.userinfo ?? same)(claims)) : json(401, {})
      }
      default:
        json(404, {})
    }
  }

  function redeem(form: URLSearchParams): [number, unknown] {
    const code = form.get('code') ?? ''
    const issued = codes.get(code)
    codes.delete(code)
    if (!issued) return [400, { error: 'invalid_grant' }]
    const { parameters, user } = issued
    const challenge = parameters.get('code_challenge')
    const verifier = form.get('code_verifier') ?? ''
    const isProved = challenge === null || createHash('sha256').update(verifier).digest('base64url') === challenge
    if (!isProved || form.get('redirect_uri') !== parameters.get('redirect_uri')) {
      return [400, { error: 'invalid_grant' }]
    }
    const accessToken = randomUUID()
    tokens.set(accessToken, user)
    return [200, { access_token: accessToken, token_type: 'Bearer', ...idToken(parameters, user, accessToken) }]
  }

  function idToken(parameters: URLSearchParams, user: Claims, accessToken: string): object {
    const { lies } = provider
    const now = Math.floor(Date.now() / 1000)
    const digest = createHash('sha256').update(accessToken).digest()
    const nonce = parameters.get('nonce')
    const claims: Claims = {
      iss: issuer,
      aud: parameters.get('client_id'),
      iat: now,
      exp: now + 300,
      at_hash: digest.subarray(0, 16).toString('base64url'),
      ...(nonce === null ? {} : { nonce }),
      ...user,
    }
    const header = (lies.header ?? same)({ alg: 'ES256', kid: key.kid, typ: 'JWT' })
    const signing = lies.signsWithOtherKey ? other : key
    const honest = signedJwt(header, (lies.claims ?? same)(claims), signing.privateKey)
    const token = lies.token ? lies.token(honest) : honest
    return token === null ? {} : { id_token: token }
  }

  /** Whether the answer has been taken care of. */
  function misbehave(response: ServerResponse): boolean {
    switch (provider.lies.behaviour) {
      case 'silent':
        return true
      case 'slow': {
        const timer = setInterval(() => response.write(' '), 50)
        response.on('close', () => clearInterval(timer))
        return true
      }
      case 'endless': {
        const more = () => {
          if (response.destroyed) return
          response.write(Buffer.alloc(65536, 0x20))
          setImmediate(more)
        }
        more()
        return true
      }
      case 'redirect':
        response.writeHead(302, { location: `${issuer}/elsewhere` }).end()
        return true
      case 'error':
        response.writeHead(500).end()
        return true
      case 'garbage':
        response.writeHead(200).end('<html>')
        return true
      default:
        return false
    }
  }

  return provider
}

const same = (value: Claims) => value

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
