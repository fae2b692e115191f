/** Revocation over HTTP: RFC 7009, authentication-api 2.12 and what PingOne's SDKs send (8.3, 8.4); rows E17, E18, D01, D12. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { type Storage, StorageUnavailable } from '../../src/storage/port.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  codeRequest,
  codeRequestWithPkce,
  expectRefusal,
  isLive,
  obtainCode,
  redeemCode,
  refreshTokens,
  sendForm,
} from './journeys.ts'
import {
  customResource,
  expectStatus,
  grant,
  otherEnvironment,
  type Registered,
  register,
  type Resource,
  spa,
  web,
  wrk,
} from './registrations.ts'

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
}

suite('revocation', () => {
  let stile: Stile
  let orders: Resource
  let app: Registered
  let singlePage: Registered
  before(async () => {
    stile = await startStile()
    orders = await customResource(stile, { audience: 'https://orders.test/api' }, ['orders:read'])
    app = await withOrders({ ...web, grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'] })
    const publicly = { responseTypes: ['CODE'], grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'] }
    singlePage = await withOrders({ ...spa, ...publicly, redirectUris: ['https://spa.test/cb'] })
  })
  after(() => stile.close())

  async function withOrders(properties: object): Promise<Registered> {
    const client = await register(stile, properties, ['profile', 'offline_access'])
    await grant(stile, client.clientId, orders.id, [orders.scope('orders:read')])
    return client
  }
  const ofOrders = 'openid orders:read offline_access'
  async function granted(client: Registered, scope = ofOrders, browser = new Browser(stile)): Promise<Tokens> {
    const isPublic = client.clientSecret === ''
    const { request, verifier } = codeRequestWithPkce(client, { scope })
    const code = await obtainCode(browser, isPublic ? request : codeRequest(client, { scope }))
    return expectStatus(await redeemCode(stile, client, code, isPublic ? { code_verifier: verifier } : {}), 200)
  }
  const revoke = (client: Registered, token: string, more: Readonly<Record<string, string>> = {}) =>
    sendForm(stile, 'revoke', client, { token, ...more })
  /** Whether an application is told that a token of its own is active. */
  const isActive = async (client: Registered, token: string): Promise<boolean> =>
    expectStatus(await sendForm(stile, 'introspect', client, { token }), 200).active
  const expectDone = (answer: Answer): void => assert.deepEqual([answer.status, answer.text], [200, ''])

  suite('E17', () => {
    test('an access token ends with its grant', async () => {
      for (const client of [app, singlePage]) {
        const { access_token, refresh_token } = await granted(client)
        assert.equal(await isActive(client, access_token), true)
        expectDone(await revoke(client, access_token))
        assert.equal(await isActive(client, access_token), false)
        expectRefusal(await refreshTokens(stile, client, refresh_token), 'invalid_grant')
        expectDone(await revoke(client, access_token))
        const text = 'SELECT actor_user_id FROM events WHERE environment_id = $1 AND action = $2 AND subject_id = $3'
        const values = [stile.environmentId, 'TOKEN.REVOKED', decodeJwt(access_token)['p1.gid'] as string]
        assert.deepEqual(await stile.node.kernel.storage.read({ text, values }), [{ actor_user_id: stile.user.id }])
      }
    })

    test('a refresh token ends with its grant, whatever the audience of the tokens beside it', async () => {
      for (const scope of [ofOrders, 'openid profile offline_access']) {
        const { access_token, refresh_token } = await granted(app, scope)
        expectDone(await revoke(app, refresh_token))
        assert.equal(await isActive(app, access_token), false)
        assert.equal(await isActive(app, refresh_token), false)
        expectRefusal(await refreshTokens(stile, app, refresh_token), 'invalid_grant')
      }
    })

    test('a refresh token that was rotated ends the grant too: its holder has lost the successor', async () => {
      const { refresh_token } = await granted(app)
      const next = expectStatus(await refreshTokens(stile, app, refresh_token), 200)
      expectDone(await revoke(app, refresh_token))
      expectRefusal(await refreshTokens(stile, app, next.refresh_token), 'invalid_grant')
    })

    test('all tokens of that application in that session (2.12), and no others', async () => {
      const client = await withOrders({ ...web, grantTypes: ['AUTHORIZATION_CODE'] })
      const browser = new Browser(stile)
      const [first, second] = [await granted(client, ofOrders, browser), await granted(client, ofOrders, browser)]
      const others = await granted(await withOrders(web), 'openid', browser)
      const elsewhere = await granted(client)
      const offline = await granted(app, ofOrders, browser)
      expectDone(await revoke(client, second.access_token))
      for (const { access_token } of [first, second]) assert.equal(await isActive(client, access_token), false)
      assert.equal(await isActive(client, elsewhere.access_token), true)
      assert.equal(await isLive(stile, others.access_token), true)
      expectStatus(await refreshTokens(stile, app, offline.refresh_token), 200)
    })

    test('an offline grant ends alone', async () => {
      const browser = new Browser(stile)
      const [first, second] = [await granted(app, ofOrders, browser), await granted(app, ofOrders, browser)]
      expectDone(await revoke(app, first.access_token))
      assert.equal(await isActive(app, second.access_token), true)
      expectStatus(await refreshTokens(stile, app, second.refresh_token), 200)
    })

    test('what is unknown is 200: nothing, forged, cut off, of another environment', async () => {
      const { access_token, refresh_token } = await granted(app)
      const [head, body, signature = ''] = access_token.split('.')
      const forged = `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
      const other = await otherEnvironment(stile)
      const there = await register(other, wrk, [])
      const form = { grant_type: 'client_credentials' }
      const elsewhere = expectStatus(await sendForm(stile, 'token', there, form, other.environmentId), 200)
      for (const token of ['x', forged, refresh_token.slice(1), `${refresh_token}A`, elsewhere.access_token]) {
        expectDone(await revoke(app, token))
      }
      assert.equal(await isActive(app, access_token), true)
    })

    test('another client’s token is 200 and changes nothing, whatever it is', async () => {
      const evil = await withOrders({ ...web, grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'] })
      const { access_token, refresh_token, id_token } = await granted(app)
      const platform = await granted(app, 'openid profile')
      for (const token of [access_token, refresh_token, id_token, platform.access_token, await stile.workerToken()]) {
        for (const client of [evil, singlePage]) expectDone(await revoke(client, token))
      }
      assert.equal(await isActive(app, access_token), true)
      expectStatus(await refreshTokens(stile, app, refresh_token), 200)
    })

    test('a wrong hint does no harm', async () => {
      for (const hint of ['refresh_token', 'id_token', 'access_token', 'nonsense', '']) {
        const { access_token } = await granted(app)
        expectDone(await revoke(app, access_token, { token_type_hint: hint }))
        assert.equal(await isActive(app, access_token), false)
        const { refresh_token } = await granted(app)
        expectDone(await revoke(app, refresh_token, { token_type_hint: hint }))
        assert.equal(await isActive(app, refresh_token), false)
      }
    })

    test('D01: without the credentials of the application nothing is revoked', async () => {
      const { access_token: token } = await granted(app)
      const path = `/${stile.environmentId}/as/revoke`
      for (const form of [{ token }, { token, client_id: app.clientId }, { token, client_id: randomUUID() }]) {
        expectRefusal(await stile.send(path, { body: new URLSearchParams(form) }), 'invalid_client')
      }
      expectRefusal(await revoke({ ...app, clientSecret: 'wrong' }, token), 'invalid_client')
      assert.equal(await isActive(app, token), true)
    })
  })

  test('2.12: for the platform, of no user, and ID tokens are not of a kind that is revoked', async () => {
    const worker = await register(stile, wrk, [])
    await grant(stile, worker.clientId, orders.id, [orders.scope('orders:read')])
    const own = expectStatus(
      await sendForm(stile, 'token', worker, { grant_type: 'client_credentials', scope: 'orders:read' }),
      200,
    )
    assert.deepEqual(decodeJwt(own.access_token).aud, ['https://orders.test/api'])
    expectRefusal(await revoke(worker, own.access_token), 'unsupported_token_type')
    const platform = await granted(app, 'openid profile')
    for (const token of [platform.access_token, platform.id_token]) {
      expectRefusal(await revoke(app, token), 'unsupported_token_type')
    }
    assert.equal(await isLive(stile, platform.access_token), true)
  })

  test('requests: the token is needed, and nothing may come twice; POST and a form, and nothing else', async () => {
    expectRefusal(await sendForm(stile, 'revoke', app, {}), 'invalid_request')
    expectRefusal(await sendForm(stile, 'revoke', app, { token: '' }), 'invalid_request')
    const path = `/${stile.environmentId}/as/revoke`
    const body = new URLSearchParams({ client_id: singlePage.clientId, token: 'x' })
    body.append('token', 'y')
    expectRefusal(await stile.send(path, { body }), 'invalid_request')
    assert.equal((await stile.send(path)).status, 405)
    assert.equal((await stile.send(path, { body: { token: 'x' } })).status, 415)
  })

  suite('PingOne’s SDKs (8.3, 8.4)', () => {
    const path = () => `/${stile.environmentId}/as/revoke`

    test('p14c-js-sdk-auth: the id of a public client in Basic, without a colon', async () => {
      const { access_token: token } = await granted(singlePage)
      const headers = { authorization: `Basic ${btoa(singlePage.clientId)}`, origin: 'https://spa.test' }
      const confidential = { ...headers, authorization: `Basic ${btoa(app.clientId)}` }
      expectRefusal(
        await stile.send(path(), { body: new URLSearchParams({ token }), headers: confidential }),
        'invalid_client',
      )
      const answer = await stile.send(path(), { body: new URLSearchParams({ token }), headers })
      expectDone(answer)
      assert.equal(answer.headers.get('access-control-allow-origin'), 'https://spa.test')
      assert.equal(await isActive(singlePage, token), false)
      const atToken = { grant_type: 'refresh_token', refresh_token: 'x' }
      const refused = await stile.send(`/${stile.environmentId}/as/token`, {
        body: new URLSearchParams(atToken),
        headers,
      })
      expectRefusal(refused, 'invalid_client')
    })

    test('js-sdk: client_id and token in a form, with cookies, from an origin of the application (D12)', async () => {
      const browser = new Browser(stile)
      const { access_token: token } = await granted(singlePage, ofOrders, browser)
      const body = new URLSearchParams({ client_id: singlePage.clientId, token })
      const preflight = await stile.send(path(), {
        method: 'OPTIONS',
        headers: { origin: 'https://spa.test', 'access-control-request-method': 'POST' },
      })
      assert.equal(preflight.headers.get('access-control-allow-credentials'), 'true')
      for (const origin of ['https://evil.test', 'https://spa.test.evil.test', 'null']) {
        assert.equal((await browser.send(path(), { body, headers: { origin } })).status, 403)
      }
      assert.equal(await isActive(singlePage, token), true)
      const answer = await browser.send(path(), { body, headers: { origin: 'https://spa.test' } })
      expectDone(answer)
      assert.equal(answer.headers.get('access-control-allow-credentials'), 'true')
      assert.equal(await isActive(singlePage, token), false)
    })
  })

  test('E18: while the store is away the answer is 503, and the token lives', async () => {
    const { access_token, refresh_token } = await granted(app)
    const own = stile.node.kernel.storage as { -readonly [K in keyof Storage]: Storage[K] }
    const { commit } = own
    own.commit = () => Promise.reject(new StorageUnavailable('away'))
    try {
      for (const token of [access_token, refresh_token]) {
        const answer = await revoke(app, token)
        assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '1'])
      }
    } finally {
      own.commit = commit
    }
    assert.equal(await isActive(app, access_token), true)
    expectDone(await revoke(app, access_token))
    assert.equal(await isActive(app, access_token), false)
  })

  test('twenty revocations and refreshes at once: nothing lives on, and one event tells of it', async () => {
    for (let round = 0; round < 5; round++) {
      const { access_token, refresh_token } = await granted(app)
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, at) =>
          at % 2 === 0
            ? revoke(app, at % 4 === 0 ? access_token : refresh_token)
            : refreshTokens(stile, app, refresh_token),
        ),
      )
      for (const { json } of answers) {
        for (const token of [json?.access_token, json?.refresh_token]) {
          if (token) assert.equal(await isActive(app, token), false)
        }
      }
      const text = 'SELECT id FROM events WHERE environment_id = $1 AND action = $2 AND subject_id = $3'
      const values = [stile.environmentId, 'TOKEN.REVOKED', decodeJwt(access_token)['p1.gid'] as string]
      assert.equal((await stile.node.kernel.storage.read({ text, values })).length, 1)
    }
  })
})
