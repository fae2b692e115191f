/**
 * What an application token says, and which scopes, audience and life it gets: authentication-api 2.7, 2.9; rows D17, A28.
 * Claims are compared whole: one too many is a failure too.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { expectRefusal } from './journeys.ts'
import {
  builtInResource,
  customResource,
  expectStatus,
  grant,
  type Registered,
  register,
  type Resource,
  wrk,
} from './registrations.ts'
import { ordersResource, timeless, verifiedClaims } from './token-claims.ts'

suite('application tokens', () => {
  let stile: Stile
  let orders: Resource
  before(async () => {
    stile = await startStile()
    orders = await ordersResource(stile)
  })
  after(() => stile.close())

  const askToken = (client: Registered, scope?: string) =>
    stile.send(`/${stile.environmentId}/as/token`, {
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) }),
      headers: { authorization: basic(client.clientId, client.clientSecret) },
    })

  test('2.9: exactly its claims; no user, no session, no ID token, no refresh token', async () => {
    const worker = await register(stile, wrk, [])
    const answer = expectStatus(await askToken(worker), 200)
    assert.deepEqual(Object.keys(answer), ['access_token', 'token_type', 'expires_in'])
    const claims = await verifiedClaims(stile, answer.access_token)
    assert.deepEqual(timeless(claims, 3600), {
      client_id: worker.clientId,
      iss: stile.issuer,
      aud: [stile.apiUrl],
      env: stile.environmentId,
      org: stile.organizationId,
      'p1.rid': claims.jti,
    })
    const { kid, ...header } = decodeProtectedHeader(answer.access_token)
    assert.deepEqual(header, { alg: 'ES256', typ: 'at+jwt' })
    assert.match(kid ?? '', /^[0-9a-f-]{36}$/)
  })

  test('no two are alike', async () => {
    const worker = await register(stile, wrk, [])
    const answers = await Promise.all(Array.from({ length: 20 }, () => askToken(worker)))
    assert.equal(new Set(answers.map(({ json }) => decodeJwt(json.access_token).jti)).size, 20)
  })

  test('scopes of the platform', async () => {
    const worker = await register(stile, wrk, [])
    const platform = await builtInResource(stile, 'PINGONE_API')
    await grant(stile, worker.clientId, platform.id, [platform.scope('p1:read:user')])
    const asked = expectStatus(await askToken(worker, 'p1:read:user p1:update:user'), 200)
    assert.equal(asked.scope, 'p1:read:user')
    const { scope, aud } = await verifiedClaims(stile, asked.access_token)
    assert.deepEqual([scope, aud], ['p1:read:user', [stile.apiUrl]])
    assert.equal(expectStatus(await askToken(worker), 200).scope, undefined)
  })

  test('a custom resource: its audience, its life, and the granted scopes alone', async () => {
    const worker = await register(stile, wrk, [])
    await grant(stile, worker.clientId, orders.id, [orders.scope('orders:read')])
    for (const scope of ['orders:read', 'orders:read orders:write', undefined]) {
      const answer = expectStatus(await askToken(worker, scope), 200)
      assert.deepEqual([answer.expires_in, answer.scope], [900, 'orders:read'])
      const claims = timeless(await verifiedClaims(stile, answer.access_token), 900)
      assert.deepEqual([claims['aud'], claims['scope']], [['https://orders.test/api'], 'orders:read'])
    }
    expectRefusal(await askToken(worker, 'orders:write'), 'invalid_scope')
  })

  test('2.9: the audience of a resource without one is its name', async () => {
    const worker = await register(stile, wrk, [])
    const bills = await customResource(stile, { name: 'Bills API' }, ['bills:read'])
    await grant(stile, worker.clientId, bills.id, [bills.scope('bills:read')])
    const { access_token, expires_in } = expectStatus(await askToken(worker, 'bills:read'), 200)
    assert.deepEqual([(await verifiedClaims(stile, access_token)).aud, expires_in], [['Bills API'], 3600])
  })

  test('2.20: several resources in one request, and with the switch of the application', async () => {
    const stock = await customResource(stile, { audience: 'stock', accessTokenValiditySeconds: 600 }, ['stock:read'])
    const both = { ...wrk, requestScopesForMultipleResourcesEnabled: true }
    const worker = await register(stile, both, [])
    for (const resource of [orders, stock]) {
      await grant(stile, worker.clientId, resource.id, [
        resource.scope(resource === orders ? 'orders:read' : 'stock:read'),
      ])
    }
    const answer = expectStatus(await askToken(worker, 'orders:read stock:read'), 200)
    const claims = timeless(await verifiedClaims(stile, answer.access_token), 600)
    assert.deepEqual(claims['aud'], ['https://orders.test/api', 'stock'])
    const platform = await builtInResource(stile, 'PINGONE_API')
    const narrow = await register(stile, wrk, [])
    await grant(stile, narrow.clientId, orders.id, [orders.scope('orders:read')])
    await grant(stile, narrow.clientId, platform.id, [platform.scope('p1:read:user')])
    const refused = await askToken(narrow, 'orders:read p1:read:user')
    expectRefusal(refused, 'invalid_scope')
    assert.match(refused.json.error_description, /May not request scopes for multiple resources/)
  })

  test('D17: openid, offline_access and the scopes of OpenID Connect are not for applications', async () => {
    const worker = await register(stile, wrk)
    for (const scope of ['openid', 'profile email', 'offline_access', 'openid offline_access']) {
      expectRefusal(await askToken(worker, scope), 'invalid_scope')
    }
  })

  test('the life of platform tokens is a setting', async () => {
    const worker = await register(stile, wrk, [])
    const settings = { signingAlgorithm: 'ES256', accessTokenSeconds: 120 }
    expectStatus(await stile.api('PUT', '/settings', settings), 200)
    const { access_token, expires_in } = expectStatus(await askToken(worker), 200)
    timeless(await verifiedClaims(stile, access_token), 120)
    assert.equal(expires_in, 120)
    expectStatus(await stile.api('PUT', '/settings', { signingAlgorithm: 'ES256' }), 200)
  })
})
