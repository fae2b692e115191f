/**
 * node-oidc-provider with its in-memory adapter, set up for the same work as the others: JWT access tokens (its default
 * for a resource server, where plain ones are opaque), the same algorithm everywhere, and an account that is signed on
 * and consented without a page, so that the code flow measures the protocol alone.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Context, type Grant, Provider } from 'oidc-provider'
import type { Algorithm } from './scenarios.ts'

const algorithm: Algorithm = process.argv[2] === 'RS256' ? 'RS256' : 'ES256'
const { privateKey } =
  algorithm === 'RS256'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })

const resource = 'urn:bench:api'
const confidential = { clientId: randomUUID(), clientSecret: randomUUID() }
const spa = { clientId: randomUUID(), redirectUri: 'https://app.example/callback' }

const server = createServer()
await new Promise<void>((resolve) => {
  server.listen(0, '127.0.0.1', resolve)
})
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const provider = new Provider(origin, {
  clients: [
    {
      client_id: confidential.clientId,
      client_secret: confidential.clientSecret,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: algorithm,
    },
    {
      client_id: spa.clientId,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      redirect_uris: [spa.redirectUri],
      id_token_signed_response_alg: algorithm,
    },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: algorithm, kid: 'bench' }] },
  cookies: { keys: [randomUUID()] },
  findAccount: (_: Context, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: '',
        accessTokenTTL: 3600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: algorithm } },
      }),
    },
  },
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
console.log(
  JSON.stringify({ origin, tokenPath: '/token', confidential, code: { authorizePath: '/auth', ...spa, cookies: [] } }),
)
