/**
 * node-oidc-provider with its data in memory, set up for the same work as the others: JWT access tokens (its default
 * for a resource server, where plain ones are opaque), the same algorithm everywhere, and an account that is signed on
 * and consented without a page, so that the code flow measures the protocol alone. Its userinfo and introspection take
 * opaque tokens only: those are of a client without a resource.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Context, type Grant, Provider } from 'oidc-provider'
import type { Algorithm, Target } from './scenarios.ts'

const algorithm: Algorithm = process.argv[2] === 'RS256' ? 'RS256' : 'ES256'
const { privateKey } =
  algorithm === 'RS256'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })

const resource = 'urn:bench:api'
const confidential = { clientId: randomUUID(), clientSecret: randomUUID() }
const redirectUri = 'https://app.example/callback'
const spa = { clientId: randomUUID(), redirectUri }
const opaque = { clientId: randomUUID(), redirectUri }

/** Of each kind but sessions and grants only the youngest stay, as they would if what has expired were swept. */
const keptOfEach = 10_000

/**
 * What node-oidc-provider stores of one kind. Its own adapter for memory keeps a thousand entries of all kinds together,
 * so that refreshing pushes the sessions out, and walks through all tokens of a grant for each new one.
 */
class Entries {
  private readonly entries = new Map<string, { readonly uid?: string; consumed?: number }>()
  private readonly limit: number
  private readonly byUid = new Map<string, string>()

  constructor(model: string) {
    this.limit = model === 'Session' || model === 'Grant' ? Infinity : keptOfEach
  }

  async upsert(id: string, payload: { readonly uid?: string }): Promise<void> {
    this.entries.set(id, payload)
    if (payload.uid) this.byUid.set(payload.uid, id)
    if (this.entries.size > this.limit) this.delete(this.entries.keys().next().value ?? '')
  }

  async find(id: string): Promise<object | undefined> {
    return this.entries.get(id)
  }

  async findByUid(uid: string): Promise<object | undefined> {
    return this.find(this.byUid.get(uid) ?? '')
  }

  async consume(id: string): Promise<void> {
    const entry = this.entries.get(id)
    if (entry) entry.consumed = Math.floor(Date.now() / 1000)
  }

  async destroy(id: string): Promise<void> {
    this.delete(id)
  }

  private delete(id: string): void {
    this.byUid.delete(this.entries.get(id)?.uid ?? '')
    this.entries.delete(id)
  }
}

const server = createServer()
await new Promise<void>((resolve) => {
  server.listen(0, '127.0.0.1', resolve)
})
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const provider = new Provider(origin, {
  adapter: Entries,
  clients: [
    {
      client_id: confidential.clientId,
      client_secret: confidential.clientSecret,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: algorithm,
    },
    ...[spa, opaque].map(({ clientId }) => ({
      client_id: clientId,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: [redirectUri],
      id_token_signed_response_alg: algorithm,
    })),
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: algorithm, kid: 'bench' }] },
  cookies: { keys: [randomUUID()] },
  findAccount: (_: Context, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      defaultResource: ({ oidc }: Context) => (oidc.client.clientId === opaque.clientId ? undefined : resource),
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: '',
        accessTokenTTL: 3600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: algorithm } },
      }),
    },
  },
  issueRefreshToken: (_: Context, { clientId }: { readonly clientId: string }) => clientId === spa.clientId,
  interactions: { url: () => '/sign-on' },
  loadExistingGrant,
})

/** The grant of the session, made on its first use: what a consent page would have done. */
async function loadExistingGrant({ oidc }: Context): Promise<Grant | undefined> {
  const { clientId } = oidc.client
  const existing = oidc.session.grantIdFor(clientId)
  if (existing) return provider.Grant.find(existing)
  const grant = new provider.Grant({ clientId, accountId: oidc.session.accountId })
  grant.addOIDCScope('openid')
  grant.addResourceScope(resource, '')
  await grant.save()
  return grant
}

const handle = provider.callback()
server.on('request', (request, response) => {
  if (!request.url?.startsWith('/sign-on')) return handle(request, response)
  void provider.interactionFinished(request, response, { login: { accountId: randomUUID() } })
})
const source = { authorizePath: '/auth', redirectUri, scope: 'openid' }
const ready: Omit<Target, 'algorithm'> = {
  origin,
  tokenPath: '/token',
  confidential,
  code: { ...source, ...spa },
  pushPath: '/request',
  refresh: { ...source, ...spa },
  bearer: {
    ...source,
    ...opaque,
    userinfoPath: '/me',
    introspectionPath: '/token/introspection',
    introspector: confidential,
  },
}
console.log(JSON.stringify(ready))
