/**
 * An artifact of one kind never works as another: rows L13, F19, E10, E11, C17, D25. Everything that the server signs,
 * seals or remembers for a client or a browser, and what clients sign for it, at everything that takes one of them.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { signLogoutToken } from '../../src/delivery/logout-token.ts'
import type { Environment } from '../../src/environment/snapshot.ts'
import { readRefreshToken, writeRefreshToken } from '../../src/oauth/tokens/refresh-token.ts'
import { resolveSite } from '../../src/site.ts'
import { Browser } from '../harness/sign-on.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { assertion, assertionType, clientKey, keySet } from './assertions.ts'
import { codeRequest, obtainCode, pushed, redeemCode, sendForm, told } from './journeys.ts'
import { proofOf } from './proofs.ts'
import { expectStatus, grant, type Registered, register, type Resource, web } from './registrations.ts'
import { ordersResource } from './token-claims.ts'

const kinds = [
  'access token',
  'access token for a resource',
  'application token',
  'worker token',
  'ID token',
  'refresh token',
  'refresh token (JWT)',
  'code',
  'logout token',
  'introspection response',
  'client assertion',
  'authorization grant',
  'DPoP proof',
  'pushed request',
  'session cookie',
] as const
type Kind = (typeof kinds)[number]

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const idTokenType = 'urn:ietf:params:oauth:token-type:id_token'
const key = clientKey('ES256', 'own')

suite('L13, F19: an artifact of one kind never works as another', () => {
  let stile: Stile
  let environment: Environment
  let orders: Resource
  let server: Pick<Registered, 'clientId' | 'clientSecret'>
  /** Knows itself by a secret, and may do all that applications may. */
  let app: Registered
  /** Knows itself by a key. */
  let byKey: Registered
  let shared: ReadonlyMap<Kind, string>

  before(async () => {
    stile = await startStile()
    const settings = expectStatus(await stile.api('GET', '/settings'), 200)
    expectStatus(await stile.api('PUT', '/settings', { ...settings, authorizationCodeSeconds: 600 }), 200)
    orders = await ordersResource(stile)
    const { secret } = expectStatus(await stile.api('GET', `/resources/${orders.id}/secret`), 200)
    server = { clientId: orders.id, clientSecret: secret }
    const grantTypes = ['AUTHORIZATION_CODE', 'REFRESH_TOKEN', 'CLIENT_CREDENTIALS', 'TOKEN_EXCHANGE']
    // The newest refresh token of a session counts alone: an offline one lets each of those that are made live.
    app = await register(stile, { ...web, grantTypes, idpSignoff: true, parTimeout: 600 }, [
      'profile',
      'offline_access',
    ])
    const jwks = keySet(key)
    byKey = await register(
      stile,
      {
        ...web,
        grantTypes: ['JWT_BEARER', 'CLIENT_CREDENTIALS'],
        responseTypes: [],
        tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT',
        jwks,
      },
      [],
    )
    for (const { clientId } of [app, byKey]) await grant(stile, clientId, orders.id, [orders.scope('orders:read')])
    environment = (await stile.node.kernel.environments.get(stile.environmentId)) ?? assert.fail()
    const made: [Kind, string][] = []
    for (const kind of kinds) made.push([kind, await make(kind)])
    shared = new Map(made)
  })
  after(() => stile.close())

  const site = () => resolveSite(stile.node.kernel.origins, environment)
  const now = () => Date.now()
  const path = (endpoint: string) => `/${stile.environmentId}/as/${endpoint}`
  const offline = 'openid profile offline_access'

  async function tokensOf(scope: string, browser = new Browser(stile)) {
    const code = await obtainCode(browser, codeRequest(app, { scope }))
    return expectStatus(await redeemCode(stile, app, code), 200)
  }

  /** Makes an artifact that works as what it is. */
  async function make(kind: Kind): Promise<string> {
    switch (kind) {
      case 'access token':
        return (await tokensOf('openid profile')).access_token
      case 'access token for a resource':
        return (await tokensOf('openid orders:read')).access_token
      case 'application token': {
        const form = { grant_type: 'client_credentials', scope: 'orders:read' }
        return expectStatus(await sendForm(stile, 'token', app, form), 200).access_token
      }
      case 'worker token':
        return stile.workerToken()
      case 'ID token':
        return (await tokensOf(offline)).id_token
      case 'refresh token':
        return (await tokensOf(offline)).refresh_token
      case 'refresh token (JWT)': {
        const { refresh_token, id_token } = await tokensOf(offline)
        const name = readRefreshToken(environment, site(), refresh_token, now()) ?? assert.fail()
        const { sub: id = '', sid, auth_time } = decodeJwt(id_token)
        const user = { id, sessionId: String(sid), acr: 'Single_Factor', amr: [], authTime: Number(auth_time) }
        const times = { issuedAt: now(), expiresAt: now() + 60_000 }
        const client = {
          clientId: app.clientId,
          document: { refreshTokenType: 'JSON_WEB_TOKEN', redirectUris: [] },
        } as const
        return writeRefreshToken(environment, site(), client, {
          kind: 'refresh-token',
          ...name,
          user,
          scopes: offline.split(' '),
          ...times,
        })
      }
      case 'code':
        return obtainCode(new Browser(stile), codeRequest(app))
      case 'logout token': {
        const { sub: userId = '', sid } = decodeJwt((await tokensOf(offline)).id_token)
        const notice = { clientId: app.clientId, userId, sessionId: String(sid) }
        const { environments, world } = stile.node.kernel
        const application = (await environments.application(environment.id, app.clientId)) ?? assert.fail()
        return signLogoutToken(environment, site(), application, notice, world.uuid(), now())
      }
      case 'introspection response': {
        const { access_token: token } = await tokensOf('openid profile')
        const headers = {
          authorization: basic(app.clientId, app.clientSecret),
          accept: 'application/token-introspection+jwt',
        }
        return (await stile.send(path('introspect'), { body: new URLSearchParams({ token }), headers })).text
      }
      case 'client assertion':
        return assertion(stile, byKey.clientId, key, {}, { typ: 'client-authentication+jwt' })
      case 'authorization grant':
        return assertion(stile, byKey.clientId, key, {}, { typ: 'authorization-grant+jwt' })
      case 'DPoP proof':
        return proofOf(stile, key)
      case 'pushed request':
        return (await pushed(stile, app, codeRequest(app))).request_uri
      case 'session cookie': {
        const browser = new Browser(stile)
        await tokensOf('openid', browser)
        return browser.cookie?.replace('ST=', '') ?? assert.fail()
      }
    }
  }

  const asClient = (form: Readonly<Record<string, string>>) => sendForm(stile, 'token', app, form)
  const isIssued = async (form: Readonly<Record<string, string>>) => (await asClient(form)).status === 200
  const isActive = async (caller: Pick<Registered, 'clientId' | 'clientSecret'>, token: string) =>
    expectStatus(await sendForm(stile, 'introspect', caller, { token }), 200).active as boolean
  const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
  const exchanges = (members: Readonly<Record<string, string>>) =>
    isIssued({ grant_type: exchange, scope: 'orders:read', ...members })
  /** What the authorization endpoint answers somebody who is signed on. */
  async function isAuthorized(request: Readonly<Record<string, string>>, cookie?: string): Promise<boolean> {
    const browser = new Browser(stile)
    if (cookie === undefined) await tokensOf('openid', browser)
    else browser.cookie = `ST=${cookie}`
    const answer = await browser.authorize(request)
    return answer.status === 302 && told(answer).get('code') !== null
  }

  /** Who takes artifacts: which kinds, and how it is told whether one was taken. */
  const takers: Readonly<Record<string, readonly [readonly Kind[], (text: string) => Promise<boolean>]>> = {
    'bearer token at userinfo': [
      ['access token', 'access token for a resource'],
      async (token) => (await stile.send(path('userinfo'), { token })).status === 200,
    ],
    'bearer token at the management API': [
      ['access token', 'worker token'],
      async (token) => (await stile.api('GET', '/populations', undefined, { token })).status !== 401,
    ],
    'introspection by the application': [
      [
        'access token',
        'access token for a resource',
        'application token',
        'ID token',
        'refresh token',
        'refresh token (JWT)',
      ],
      (token) => isActive(app, token),
    ],
    'introspection by the resource server': [
      ['access token for a resource', 'application token'],
      (token) => isActive(server, token),
    ],
    revocation: [
      ['access token for a resource', 'refresh token', 'refresh token (JWT)'],
      async (token) => {
        const wasActive = await isActive(app, token)
        await sendForm(stile, 'revoke', app, { token })
        return wasActive && !(await isActive(app, token))
      },
    ],
    refresh_token: [
      ['refresh token', 'refresh token (JWT)'],
      (refresh_token) => isIssued({ grant_type: 'refresh_token', refresh_token }),
    ],
    code: [['code'], async (code) => (await redeemCode(stile, app, code)).status === 200],
    'subject_token, said to be an access token': [
      ['access token', 'access token for a resource'],
      (subject_token) => exchanges({ subject_token, subject_token_type: accessTokenType }),
    ],
    'subject_token, said to be an ID token': [
      ['ID token'],
      (subject_token) => exchanges({ subject_token, subject_token_type: idTokenType }),
    ],
    'actor_token, said to be an access token': [
      ['access token', 'access token for a resource', 'application token'],
      async (actor_token) => {
        const subject = { subject_token: await make('access token'), subject_token_type: accessTokenType }
        return exchanges({ ...subject, actor_token, actor_token_type: accessTokenType })
      },
    ],
    'actor_token, said to be an ID token': [
      ['ID token'],
      async (actor_token) => {
        const subject = { subject_token: await make('access token'), subject_token_type: accessTokenType }
        return exchanges({ ...subject, actor_token, actor_token_type: idTokenType })
      },
    ],
    client_assertion: [
      ['client assertion'],
      async (client_assertion) => {
        const form = { grant_type: 'client_credentials', client_id: byKey.clientId }
        const proof = { client_assertion, client_assertion_type: assertionType }
        return (await stile.send(path('token'), { body: new URLSearchParams({ ...form, ...proof }) })).status === 200
      },
    ],
    assertion: [
      ['authorization grant'],
      async (jwt) => {
        const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: jwt, scope: 'orders:read' }
        const proof = { client_assertion: await make('client assertion'), client_assertion_type: assertionType }
        return (await stile.send(path('token'), { body: new URLSearchParams({ ...form, ...proof }) })).status === 200
      },
    ],
    'DPoP header': [
      ['DPoP proof'],
      async (dpop) => {
        const authorization = basic(app.clientId, app.clientSecret)
        const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'orders:read' })
        const { json } = await stile.send(path('token'), { body, headers: { authorization, dpop } })
        return json.token_type === 'DPoP'
      },
    ],
    'id_token_hint of an authorization request': [
      ['ID token'],
      (id_token_hint) => isAuthorized(codeRequest(app, { id_token_hint, prompt: 'none' })),
    ],
    'id_token_hint of a sign-off': [
      ['ID token'],
      async (hint) =>
        (await stile.send(`${path('idpSignoff')}?id_token_hint=${encodeURIComponent(hint)}`)).status === 204,
    ],
    request_uri: [['pushed request'], (request_uri) => isAuthorized({ client_id: app.clientId, request_uri })],
    'session cookie': [['session cookie'], (cookie) => isAuthorized(codeRequest(app, { prompt: 'none' }), cookie)],
  }
  for (const [taker, [accepted, takes]] of Object.entries(takers)) {
    test(`${taker}: ${accepted.join(', ')}, and nothing else`, async () => {
      for (const kind of kinds) {
        const isOfKind = accepted.includes(kind)
        const artifact = isOfKind ? await make(kind) : (shared.get(kind) ?? assert.fail())
        assert.equal(await takes(artifact), isOfKind, kind)
      }
    })
  }

  /** These are good for a minute alone. */
  const brief: readonly Kind[] = ['client assertion', 'authorization grant', 'DPoP proof']

  test('whatever was refused everywhere still works as what it is', async () => {
    for (const kind of kinds.filter((each) => !brief.includes(each))) {
      const own = Object.values(takers).find(([accepted]) => accepted.includes(kind))
      if (!own) continue
      assert.equal(await own[1](shared.get(kind) ?? assert.fail()), true, kind)
    }
  })
})
