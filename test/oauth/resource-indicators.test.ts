/** Resource indicators at the endpoints: RFC 8707 sections 2.1 and 2.2; decision D11; row C23. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, basic, type Stile, startStile } from '../harness/stile.ts'
import {
  authorizeBySignOnPage,
  codeOf,
  codeRequest,
  expectRefusal,
  flowOf,
  isLive,
  push,
  pushed,
  told,
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
} from './registrations.ts'

const ordersUri = 'https://orders.test/api'
const billsUri = 'https://bills.test/api'
/** Only such an application may be granted several resources of one's own. */
const many = { ...web, requestScopesForMultipleResourcesEnabled: true }
const strangersUri = 'https://strangers.test/api'

suite('resource indicators', () => {
  let stile: Stile
  let orders: Resource
  let bills: Resource
  let app: Registered
  let browser: Browser
  before(async () => {
    stile = await startStile()
    orders = await customResource(stile, { audience: ordersUri, accessTokenValiditySeconds: 900 }, [
      'orders:read',
      'read',
    ])
    bills = await customResource(stile, { audience: billsUri }, ['bills:read', 'read'])
    await customResource(stile, { audience: strangersUri }, ['read'])
    app = await granted(many)
    browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(app))
  })
  after(() => stile.close())

  async function granted(properties: object): Promise<Registered> {
    const client = await register(stile, properties)
    await grant(stile, client.clientId, orders.id, [orders.scope('orders:read'), orders.scope('read')])
    await grant(stile, client.clientId, bills.id, [bills.scope('bills:read'), bills.scope('read')])
    return client
  }

  type Form = readonly (readonly [string, string])[]
  const named = (...resources: string[]): Form => resources.map((resource) => ['resource', resource] as const)
  const request = (client: Registered, scope: string, resources: Form, more: Record<string, string> = {}): Form => [
    ...Object.entries(codeRequest(client, { scope, ...more })),
    ...resources,
  ]
  const form = (pairs: Form) => new URLSearchParams(pairs as [string, string][])
  const authorize = (pairs: Form): Promise<Answer> =>
    browser.send(`/${stile.environmentId}/as/authorize?${form(pairs)}`)
  const redeem = (client: Registered, code: string, resources: Form = []): Promise<Answer> =>
    stile.send(`/${stile.environmentId}/as/token`, {
      body: form([
        ...Object.entries({ grant_type: 'authorization_code', code, redirect_uri: client.redirectUri }),
        ...resources,
      ]),
      headers: { authorization: basic(client.clientId, client.clientSecret) },
    })
  const content = (token: string) => {
    const { aud, scope = '', exp = 0, iat = 0 } = decodeJwt(token)
    return { aud, scope, life: exp - iat }
  }

  test('2.1: the resource that is named is the audience, and its life counts', async () => {
    const scope = 'openid orders:read bills:read read'
    for (const [uri, scopes, life] of [
      [ordersUri, 'openid orders:read read', 900],
      [billsUri, 'openid bills:read read', 3600],
    ] as const) {
      const tokens = expectStatus(await redeem(app, codeOf(await authorize(request(app, scope, named(uri))))), 200)
      assert.deepEqual(content(tokens.access_token), { aud: [uri], scope: scopes, life })
      assert.equal(tokens.scope, scopes)
      assert.ok(tokens.id_token)
    }
    const platform = await authorize(request(app, scope, named(stile.apiUrl)))
    const tokens = expectStatus(await redeem(app, codeOf(platform)), 200)
    assert.deepEqual(content(tokens.access_token), { aud: [stile.apiUrl], scope: 'openid', life: 3600 })
    assert.ok(await isLive(stile, tokens.access_token))
  })

  test('2.2: a code for several gives a token for one of them, and none for anything else', async () => {
    const several = request(app, 'openid orders:read bills:read', named(ordersUri, billsUri, stile.apiUrl))
    const code = codeOf(await authorize(several))
    for (const resources of [named(), named(billsUri, stile.apiUrl), named(strangersUri), named('x')]) {
      expectRefusal(await redeem(app, code, resources), 'invalid_target')
    }
    const tokens = expectStatus(await redeem(app, code, named(billsUri)), 200)
    assert.deepEqual(content(tokens.access_token), { aud: [billsUri], scope: 'openid bills:read', life: 3600 })
  })

  test('2.2: a code that names none is narrowed to what its scopes say, at the most', async () => {
    const code = async () => codeOf(await authorize(request(app, 'openid orders:read', [])))
    expectRefusal(await redeem(app, await code(), named(billsUri)), 'invalid_target')
    const tokens = expectStatus(await redeem(app, await code(), named(ordersUri)), 200)
    assert.deepEqual(content(tokens.access_token).aud, [ordersUri])
  })

  test('several in one token, where the application may have such tokens', async () => {
    const several = request(app, 'openid orders:read bills:read', named(ordersUri, billsUri))
    const tokens = expectStatus(await redeem(app, codeOf(await authorize(several))), 200)
    assert.deepEqual(content(tokens.access_token), {
      aud: [ordersUri, billsUri],
      scope: 'openid orders:read bills:read',
      life: 900,
    })
    const modest = await register(stile)
    await grant(stile, modest.clientId, orders.id, [orders.scope('orders:read')])
    for (const resources of [named(ordersUri, billsUri), named(billsUri)]) {
      const answer = await authorize(request(modest, 'openid orders:read', resources))
      assert.equal(told(answer).get('error'), 'invalid_target')
    }
  })

  test('C23: what is unknown, of another environment, not granted or malformed is refused', async () => {
    const other = await otherEnvironment(stile)
    await customResource(other, { audience: 'https://theirs.test/api' }, ['read'])
    const byName = await customResource(stile, { name: `named-${randomUUID()}` }, ['named:read'])
    await grant(stile, app.clientId, byName.id, [byName.scope('named:read')])
    const { audience } = expectStatus(await stile.api('GET', `/resources/${byName.id}`), 200)
    for (const uri of [
      'https://nobody.test',
      'https://theirs.test/api',
      strangersUri,
      `${ordersUri}#f`,
      'orders',
      audience,
    ]) {
      const answer = await authorize(request(app, 'openid', named(uri)))
      assert.equal(told(answer).get('error'), 'invalid_target', uri)
      expectRefusal(await push(stile, app, request(app, 'openid', named(uri))), 'invalid_target')
    }
    assert.equal(
      told(await authorize(request(app, 'openid orders:read', named(ordersUri, strangersUri)))).get('error'),
      'invalid_target',
    )
  })

  test('in the front channel one token is given, for what one token may serve', async () => {
    const singlePage = await granted({ ...many, ...spa, pkceEnforcement: 'OPTIONAL' })
    const more = { response_type: 'token' }
    const token = told(await authorize(request(singlePage, 'openid bills:read', named(billsUri), more))).get(
      'access_token',
    )
    assert.deepEqual(content(token ?? '').aud, [billsUri])
    for (const response_type of ['token', 'code token']) {
      const asked = request(singlePage, 'openid', named(billsUri, stile.apiUrl), { response_type })
      assert.equal(told(await authorize(asked)).get('error'), 'invalid_target')
    }
  })

  test('D11: in query and body they are all meant; pushed, all are kept', async () => {
    const body = form(request(app, 'openid orders:read bills:read', named(ordersUri)))
    const path = `/${stile.environmentId}/as/authorize?${form(named(billsUri))}`
    const code = codeOf(await browser.send(path, { body }))
    const tokens = expectStatus(await redeem(app, code, named(billsUri)), 200)
    assert.deepEqual(content(tokens.access_token).aud, [billsUri])
    const slim = await pushed(stile, app, request(app, 'openid orders:read bills:read', named(ordersUri, billsUri)))
    const again = codeOf(await browser.authorize(slim))
    const both = expectStatus(await redeem(app, again), 200)
    assert.deepEqual(content(both.access_token).aud, [ordersUri, billsUri])
  })

  test('an application of its own names one too', async () => {
    const worker = await granted({
      ...many,
      type: 'WORKER',
      grantTypes: ['CLIENT_CREDENTIALS'],
      responseTypes: [],
      redirectUris: [],
    })
    const token = (pairs: Form) =>
      stile.send(`/${stile.environmentId}/as/token`, {
        body: form([['grant_type', 'client_credentials'], ...pairs]),
        headers: { authorization: basic(worker.clientId, worker.clientSecret) },
      })
    const all = expectStatus(await token(named(billsUri)), 200)
    assert.deepEqual(content(all.access_token), { aud: [billsUri], scope: 'bills:read read', life: 3600 })
    const some = expectStatus(await token([['scope', 'read'], ...named(ordersUri)]), 200)
    assert.deepEqual(content(some.access_token), { aud: [ordersUri], scope: 'read', life: 900 })
    for (const pairs of [named(strangersUri), named(ordersUri, stile.apiUrl), named('orders')]) {
      expectRefusal(await token(pairs), 'invalid_target')
    }
    expectRefusal(await token([['scope', 'orders:read'], ...named(billsUri)]), 'invalid_scope')
  })

  test('consent: what is asked for is the scope of the resource that is named, not its namesake', async () => {
    const client = await granted({ ...many, requireConsent: true })
    const flowId = flowOf(await authorize(request(client, 'openid read', named(billsUri))))
    const { _embedded } = expectStatus(await browser.flow(flowId), 200)
    const { name } = expectStatus(await stile.api('GET', `/resources/${bills.id}`), 200)
    assert.deepEqual(
      _embedded.scopes.map((scope: { name: string; resource: { name: string } }) => [scope.name, scope.resource.name]),
      [
        ['openid', 'openid'],
        ['read', name],
      ],
    )
  })
})
