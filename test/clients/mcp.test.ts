/**
 * The authorization of the Model Context Protocol, editions 2025-11-25 and 2026-07-28, end to end over HTTP: a client that
 * nobody has registered, and a server that takes tokens meant for it alone. Both are written here from the specification:
 * RFC 9728 and RFC 8414 discovery, client id metadata documents (or registration, where there are none), PKCE by S256,
 * resource indicators (RFC 8707), `iss` (RFC 9207), step-up by scope.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'
import { after, before, beforeEach, suite, test } from 'node:test'
import { type DocumentServer, startDocumentServer } from '../harness/document-server.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { allowed, policy } from '../oauth/registering.ts'
import { customResource, expectStatus, type Person, person, type Resource } from '../oauth/registrations.ts'

/** An MCP server: a resource server whose tools need scopes. */
interface McpServer {
  readonly url: string
  readonly close: () => void
}

async function startMcpServer(issuer: string, metadataAt: () => string): Promise<McpServer> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`))
  let url = ''
  const scopeOf: Readonly<Record<string, string>> = { 'tools/list': 'tools:read', 'tools/call': 'tools:call' }
  const challenge = (parameters: Readonly<Record<string, string>>) =>
    `Bearer ${Object.entries(parameters)
      .map(([name, value]) => `${name}="${value}"`)
      .join(', ')}`

  async function claimsOf({ headers }: IncomingMessage): Promise<JWTPayload | undefined> {
    const [, token] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? []
    if (token === undefined) return undefined
    const options = { issuer, audience: url, typ: 'at+jwt' }
    return jwtVerify(token, keys, options).then(
      ({ payload }) => payload,
      () => undefined,
    )
  }

  const scopesOf = ({ scope }: JWTPayload) => (typeof scope === 'string' ? scope.split(' ') : [])

  const server: Server = createServer((request, response) => {
    void (async () => {
      const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
      // RFC 9728 section 3.1: its own address of the metadata, behind which the authorization server answers.
      if (request.url === '/.well-known/oauth-protected-resource/mcp') {
        const metadata = await fetch(metadataAt())
        answer(metadata.status, await metadata.json())
        return
      }
      let text = ''
      for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString()
      const { id, method } = JSON.parse(text) as { id: number; method: string }
      const claims = await claimsOf(request)
      const needed = scopeOf[method] ?? 'tools:read'
      const resource_metadata = new URL('/.well-known/oauth-protected-resource/mcp', url).href
      if (!claims) {
        answer(401, {}, { 'www-authenticate': challenge({ resource_metadata, scope: needed }) })
      } else if (!scopesOf(claims).includes(needed)) {
        const denied = challenge({ error: 'insufficient_scope', scope: needed, resource_metadata })
        answer(403, {}, { 'www-authenticate': denied })
      } else {
        answer(200, { jsonrpc: '2.0', id, result: { user: claims.sub, client: claims['client_id'] } })
      }
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  return { url, close: () => void server.close() }
}

/** What a client knows of an authorization server. */
interface ServerMetadata {
  readonly issuer: string
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly registration_endpoint?: string
  readonly client_id_metadata_document_supported?: boolean
  readonly code_challenge_methods_supported?: readonly string[]
  readonly authorization_response_iss_parameter_supported?: boolean
}

const redirectUri = 'http://127.0.0.1:49152/callback'

/** An MCP client, which knows the address of its server and of its own metadata document, and nothing else. */
class McpClient {
  token: string | undefined
  readonly #scopes = new Set<string>()
  readonly #server: string
  readonly #clientUri: string
  readonly #visit: (url: URL) => Promise<URL>
  #clientId: string | undefined

  /** @param visit opens an address in the browser of the user, and gives the address that leads back to the client */
  constructor(server: string, clientUri: string, visit: (url: URL) => Promise<URL>) {
    this.#server = server
    this.#clientUri = clientUri
    this.#visit = visit
  }

  get clientId(): string | undefined {
    return this.#clientId
  }

  /** Calls a method; authorizes itself when it is asked to, once. */
  async call(method: string): Promise<{ readonly user: string; readonly client: string }> {
    let response = await this.#send(method)
    if (response.status === 401 || response.status === 403) {
      await this.#authorize(response.headers.get('www-authenticate') ?? '')
      response = await this.#send(method)
    }
    assert.equal(response.status, 200)
    return ((await response.json()) as { result: { user: string; client: string } }).result
  }

  #send(method: string): Promise<Response> {
    const authorization = this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }
    const headers = { 'content-type': 'application/json', 'mcp-protocol-version': '2025-11-25', ...authorization }
    return fetch(this.#server, { method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method }) })
  }

  async #authorize(challenge: string): Promise<void> {
    const parameter = (name: string) => new RegExp(`${name}="([^"]+)"`).exec(challenge)?.[1]
    const resource = await this.#json<{ resource: string; authorization_servers: string[] }>(
      parameter('resource_metadata') ?? '',
    )
    assert.equal(resource.resource, this.#server, 'RFC 9728 section 3.3')
    const metadata = await this.#discover(resource.authorization_servers[0] ?? '')
    assert.ok(metadata.code_challenge_methods_supported?.includes('S256'), 'a client must not go on without')
    this.#clientId ??= await this.#register(metadata)
    for (const scope of (parameter('scope') ?? '').split(' ')) this.#scopes.add(scope)

    const verifier = randomBytes(32).toString('base64url')
    const state = randomUUID()
    const url = new URL(metadata.authorization_endpoint)
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: this.#clientId,
      redirect_uri: redirectUri,
      scope: [...this.#scopes].join(' '),
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      resource: this.#server,
    }).toString()
    const back = (await this.#visit(url)).searchParams
    assert.equal(metadata.authorization_response_iss_parameter_supported, true)
    assert.equal(back.get('iss'), metadata.issuer, 'RFC 9207 section 2.4')
    assert.equal(back.get('state'), state)

    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      code: back.get('code') ?? '',
      redirect_uri: redirectUri,
      client_id: this.#clientId,
      code_verifier: verifier,
      resource: this.#server,
    })
    const response = await fetch(metadata.token_endpoint, { method: 'POST', body })
    const tokens = (await response.json()) as { access_token?: string }
    assert.ok(tokens.access_token, JSON.stringify(tokens))
    this.token = tokens.access_token
  }

  /** RFC 8414 section 3.1, then OpenID Connect Discovery, in the order that the specification names. */
  async #discover(issuer: string): Promise<ServerMetadata> {
    const { origin, pathname } = new URL(issuer)
    const places = [
      `${origin}/.well-known/oauth-authorization-server${pathname}`,
      `${origin}/.well-known/openid-configuration${pathname}`,
      `${issuer}/.well-known/openid-configuration`,
    ]
    const found = await Promise.all(places.map((place) => this.#json<ServerMetadata>(place)))
    for (const metadata of found) assert.equal(metadata.issuer, issuer, 'RFC 8414 section 3.3')
    return found[0] ?? assert.fail()
  }

  async #register(metadata: ServerMetadata): Promise<string> {
    if (metadata.client_id_metadata_document_supported) return this.#clientUri
    const body = {
      client_name: 'MCP client',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    }
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(metadata.registration_endpoint ?? '', {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    assert.equal(response.status, 201)
    return ((await response.json()) as { client_id: string }).client_id
  }

  async #json<T>(url: string): Promise<T> {
    const response = await fetch(url, { headers: { 'mcp-protocol-version': '2025-11-25' } })
    assert.equal(response.status, 200, url)
    return (await response.json()) as T
  }
}

suite('a client of the Model Context Protocol', () => {
  let stile: Stile
  let documents: DocumentServer
  let mcp: McpServer
  let resource: Resource
  let who: Person
  let browser: Browser
  before(async () => {
    stile = await startStile()
    documents = await startDocumentServer()
    mcp = await startMcpServer(
      stile.issuer,
      () => `${stile.issuer}/.well-known/oauth-protected-resource/${resource.id}`,
    )
    resource = await customResource(stile, { name: 'Tools', audience: mcp.url }, ['tools:read', 'tools:call'])
    who = await person(stile)
    documents.documents.set('/client.json', {
      body: {
        client_id: `${documents.base}/client.json`,
        client_name: 'MCP client',
        redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      },
    })
  })
  after(async () => {
    mcp.close()
    documents.close()
    await stile.close()
  })
  beforeEach(() => {
    browser = new Browser(stile)
  })

  const tools = () => [
    {
      resource: { id: resource.id },
      scopes: [{ id: resource.scope('tools:read') }, { id: resource.scope('tools:call') }],
    },
  ]
  const limits = { perNetworkAddress: { count: 1000, seconds: 60 } }
  /** The user signs on where needed and allows what is asked. */
  const visit = async (url: URL): Promise<URL> => {
    const hasSession = browser.cookie !== undefined
    const answer = await allowed(browser, Object.fromEntries(url.searchParams), hasSession ? undefined : who)
    return new URL(answer.headers.get('location') ?? assert.fail(answer.text))
  }
  const client = () => new McpClient(mcp.url, `${documents.base}/client.json`, visit)

  test('that nobody has registered gets in by its metadata document', async () => {
    await policy(stile, { grants: tools(), ...limits, clientIdMetadataDocuments: { enabled: true } })
    const result = await client().call('tools/list')
    assert.deepEqual(result, { user: who.id, client: `${documents.base}/client.json` })
  })

  test('is told which scope it lacks, and asks for that as well', async () => {
    await policy(stile, { grants: tools(), ...limits, clientIdMetadataDocuments: { enabled: true } })
    const one = client()
    await one.call('tools/list')
    const before_ = one.token
    await one.call('tools/call')
    assert.notEqual(one.token, before_)
    await one.call('tools/list')
  })

  test('registers itself, where the server takes no documents', async () => {
    await policy(stile, { mode: 'OPEN', grants: tools(), ...limits })
    const one = client()
    const result = await one.call('tools/list')
    assert.deepEqual(result, { user: who.id, client: one.clientId })
    assert.match(one.clientId ?? '', /^[0-9a-f-]{36}$/)
    const read = expectStatus(await stile.api('GET', `/applications/${one.clientId}`), 200)
    assert.deepEqual([read.type, read.dynamicallyRegistered, read.requireConsent], ['NATIVE_APP', true, true])
  })

  test('gets tokens for one server alone: they open no other', async () => {
    const elsewhere = await startMcpServer(stile.issuer, () => '')
    try {
      await policy(stile, { grants: tools(), ...limits, clientIdMetadataDocuments: { enabled: true } })
      const one = client()
      await one.call('tools/list')
      const headers = { authorization: `Bearer ${one.token}` }
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
      assert.equal((await fetch(elsewhere.url, { method: 'POST', headers, body })).status, 401)
      assert.equal((await fetch(mcp.url, { method: 'POST', headers, body })).status, 200)
      // Nor what is Stile's own.
      assert.equal((await stile.api('GET', '/users', undefined, { token: one.token ?? null })).status, 401)
    } finally {
      elsewhere.close()
    }
  })

  test('RFC 9728: the metadata of a resource, for pages of any origin; none of what is no address', async () => {
    const path = `/${stile.environmentId}/as/.well-known/oauth-protected-resource`
    const headers = { origin: 'https://inspector.test', 'mcp-protocol-version': '2025-11-25' }
    const answer = await stile.send(`${path}/${resource.id}`, { headers })
    assert.deepEqual(expectStatus(answer, 200), {
      resource: mcp.url,
      resource_name: 'Tools',
      authorization_servers: [stile.issuer],
      scopes_supported: ['tools:call', 'tools:read'],
      bearer_methods_supported: ['header'],
    })
    assert.equal(answer.headers.get('access-control-allow-origin'), '*')
    const read = expectStatus(await stile.api('GET', `/resources/${resource.id}`), 200)
    assert.equal(
      read._links.protectedResourceMetadata.href,
      `${stile.issuer}/.well-known/oauth-protected-resource/${resource.id}`,
    )
    const named = await customResource(stile, { audience: 'orders' }, ['orders:read'])
    const plain = await customResource(stile, { audience: 'http://orders.test/' }, ['orders:list'])
    const { _embedded } = expectStatus(await stile.api('GET', '/resources'), 200)
    const builtIn = _embedded.resources.filter(({ type }: { type: string }) => type !== 'CUSTOM')
    for (const { id } of [named, plain, ...builtIn, { id: randomUUID() }]) {
      assert.equal((await stile.send(`${path}/${id}`)).status, 404)
    }
  })
})
