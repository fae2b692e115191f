/** What an environment allows clients that register themselves: decision D24, rows H01, N02. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { coversHost } from '../../src/environment/client-registration-policy.ts'
import { rows } from '../flow-runtime/arrange.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { policy, registered, registering, webClient } from '../oauth/registering.ts'
import { builtInResource, customResource, expectStatus } from '../oauth/registrations.ts'
import { workerWith } from './worker.ts'

const path = '/clientRegistrationPolicy'

suite('the policy of client registration', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  test('H01: nobody has said anything: nothing is allowed', async () => {
    const { _links, environment, updatedAt, ...read } = expectStatus(await stile.api('GET', path), 200)
    assert.equal(updatedAt, undefined)
    assert.deepEqual(read, {
      mode: 'OFF',
      grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'],
      tokenEndpointAuthMethods: read.tokenEndpointAuthMethods,
      acceptTokenEndpointAudience: false,
      grants: [],
      softwareStatements: { required: false, trustedIssuers: [] },
      maximumClients: 1000,
      perNetworkAddress: { count: 10, seconds: 60 },
      unusedClientDays: 90,
      clientIdMetadataDocuments: { enabled: false },
    })
    assert.deepEqual(Object.keys(_links).toSorted(), ['environment', 'initialAccessTokens', 'self'])
    assert.equal(environment.id, stile.environmentId)
  })

  test('is replaced as a whole, and put back; both are told of', async () => {
    const openid = await builtInResource(stile, 'OPENID_CONNECT')
    const sent = {
      mode: 'OPEN',
      grantTypes: ['AUTHORIZATION_CODE', 'IMPLICIT'],
      tokenEndpointAuthMethods: ['NONE'],
      acceptTokenEndpointAudience: true,
      grants: [{ resource: { id: openid.id }, scopes: [{ id: openid.scope('email') }] }],
      redirectHosts: ['app.test', '*.app.test', 'localhost', '[::1]', 'com.example.app:'],
      maximumClients: 5,
      perNetworkAddress: { count: 3, seconds: 10 },
      unusedClientDays: 7,
      clientIdMetadataDocuments: { enabled: true, allowedHosts: ['*.client.test'] },
    }
    const written = await policy(stile, sent)
    assert.deepEqual({ ...written, ...sent }, written)
    assert.deepEqual(expectStatus(await stile.api('GET', path), 200), written)
    const next = await policy(stile, { mode: 'OPEN' })
    assert.deepEqual([next.redirectHosts, next.grants, next.unusedClientDays], [undefined, [], 90])
    assert.equal(expectStatus(await stile.api('DELETE', path), 200).mode, 'OFF')
    assert.equal((await registering(stile, webClient)).status, 404)
    const events = await rows<{ document: string }>(stile, 'events', "action = 'CLIENT_REGISTRATION_POLICY.UPDATED'")
    const told = events.map(({ document }) => (JSON.parse(document) as { mode: string }).mode)
    assert.deepEqual(told.toSorted(), ['OFF', 'OPEN', 'OPEN'])
  })

  test('names only what is there, and only forms that mean something', async () => {
    const openid = await builtInResource(stile, 'OPENID_CONNECT')
    const api = await builtInResource(stile, 'PINGONE_API')
    const email = { id: openid.scope('email') }
    const refused: readonly (readonly [object, string])[] = [
      [{ mode: 'on' }, 'mode'],
      [{ grantTypes: [] }, 'grantTypes'],
      [{ grantTypes: ['PASSWORD'] }, 'grantTypes.0'],
      [{ tokenEndpointAuthMethods: ['none'] }, 'tokenEndpointAuthMethods.0'],
      [{ grants: [{ resource: { id: randomUUID() }, scopes: [email] }] }, 'grants.0.resource.id'],
      [{ grants: [{ resource: { id: api.id }, scopes: [email] }] }, 'grants.0.scopes.0.id'],
      [{ grants: [{ resource: { id: openid.id }, scopes: [{ id: openid.scope('openid') }] }] }, 'grants.0.scopes.0.id'],
      [{ grants: [0, 1].map(() => ({ resource: { id: openid.id }, scopes: [email] })) }, 'grants.1.resource.id'],
      ...[
        '',
        '*',
        '*.',
        'a b',
        'https://app.test',
        'app.test/',
        'APP.test',
        '.app.test',
        'a.*.test',
        'javascript:',
        'app:',
      ].map((host) => [{ redirectHosts: [host] }, 'redirectHosts.0'] as const),
      [{ redirectHosts: [] }, 'redirectHosts'],
      [
        { clientIdMetadataDocuments: { allowedHosts: ['com.example.app:'] } },
        'clientIdMetadataDocuments.allowedHosts.0',
      ],
      [{ maximumClients: 0 }, 'maximumClients'],
      [{ unusedClientDays: 0 }, 'unusedClientDays'],
      [{ perNetworkAddress: { count: 0, seconds: 1 } }, 'perNetworkAddress.count'],
    ]
    for (const [body, target] of refused) {
      assert.equal(
        expectStatus(await stile.api('PUT', path, body), 400).details[0].target,
        target,
        JSON.stringify(body),
      )
    }
  })

  test('a scope or a resource that was deleted since is left out', async () => {
    const orders = await customResource(stile, {}, ['orders:read', 'orders:write'])
    const gone = await customResource(stile, {}, ['gone'])
    const grants = [
      {
        resource: { id: orders.id },
        scopes: [{ id: orders.scope('orders:read') }, { id: orders.scope('orders:write') }],
      },
      { resource: { id: gone.id }, scopes: [{ id: gone.scope('gone') }] },
    ]
    await policy(stile, { mode: 'OPEN', grants })
    assert.equal((await registered(stile)).scope, 'openid orders:read orders:write gone')
    assert.equal(
      (await stile.api('DELETE', `/resources/${orders.id}/scopes/${orders.scope('orders:write')}`)).status,
      204,
    )
    assert.equal((await stile.api('DELETE', `/resources/${gone.id}`)).status, 204)
    const client = await registered(stile)
    assert.equal(client.scope, 'openid orders:read')
    // One that was made of several resources stays one that administrators can change.
    const several = await customResource(stile, {}, ['several'])
    await policy(stile, {
      mode: 'OPEN',
      grants: [grants[0], { resource: { id: several.id }, scopes: [{ id: several.scope('several') }] }].map((each) => ({
        ...each,
        scopes: each?.scopes.slice(0, 1),
      })),
    })
    const { client_id } = await registered(stile)
    const read = expectStatus(await stile.api('GET', `/applications/${client_id}`), 200)
    expectStatus(await stile.api('PUT', `/applications/${client_id}`, { ...read, description: 'Known' }), 200)
  })

  test('N02: it takes who may change the environment; tokens take who may make applications', async () => {
    const [developer, data] = [
      await workerWith(stile, 'Developer', 'Client Application Developer'),
      await workerWith(stile, 'Data', 'Identity Data Admin'),
    ]
    const as = ({ token }: { readonly token: string }) => ({ token })
    expectStatus(await stile.api('PUT', path, {}, as(developer)), 403)
    expectStatus(await stile.api('PUT', path, {}, as(data)), 403)
    expectStatus(await stile.api('POST', '/initialAccessTokens', {}, as(developer)), 201)
    expectStatus(await stile.api('POST', '/initialAccessTokens', {}, as(data)), 403)
  })

  test('initial access tokens are listed in pages, without those that have expired', async () => {
    const { _embedded: before_ } = expectStatus(await stile.api('GET', '/initialAccessTokens'), 200)
    const made: string[] = []
    for (const description of ['one', 'two']) {
      made.push(expectStatus(await stile.api('POST', '/initialAccessTokens', { description }), 201).id)
    }
    await stile.node.kernel.storage.commit({
      name: 'test.expire',
      *run() {
        yield { text: 'UPDATE initial_access_tokens SET expires_at = 1 WHERE id = $1', values: [made[0] ?? ''] }
      },
    })
    const first = expectStatus(await stile.api('GET', '/initialAccessTokens?limit=1'), 200)
    assert.equal(first._embedded.initialAccessTokens.length, 1)
    const { _embedded } = expectStatus(await stile.api('GET', '/initialAccessTokens'), 200)
    assert.equal(_embedded.initialAccessTokens.length, before_.initialAccessTokens.length + 1)
    assert.equal((await stile.api('GET', `/initialAccessTokens/${made[0]}`)).status, 404)
    assert.equal(expectStatus(await stile.api('GET', `/initialAccessTokens/${made[1]}`), 200).description, 'two')
  })
})

test('hosts are covered by their names, or by what is above them', () => {
  const patterns = ['app.test', '*.books.test', '[::1]', 'com.example.app:']
  for (const host of ['app.test', 'a.books.test', 'a.b.books.test', '[::1]', 'com.example.app:']) {
    assert.equal(coversHost(patterns, host), true, host)
  }
  for (const host of [
    'a.app.test',
    'books.test',
    'evilbooks.test',
    'books.test.evil.test',
    'app.test.',
    '',
    'com.example:',
  ]) {
    assert.equal(coversHost(patterns, host), false, host)
  }
})
