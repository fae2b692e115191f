/** Redirect URIs at the authorization endpoint and at registration: rows A01-A18; decision D13. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { update } from '../../src/storage/operations.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { codeRequest, codeRequestWithPkce, expectErrorPage, flowOf } from './journeys.ts'
import { dangerousUris, refusedForNative, refusedForWeb } from './redirect-uri-corpus.ts'
import { nat, type Registered, register, rowsOf, spa, web } from './registrations.ts'

suite('redirect URIs over HTTP', () => {
  let stile: Stile
  let app: Registered
  before(async () => {
    stile = await startStile()
    app = await register(stile)
  })
  after(() => stile.close())

  /** What an authorization request could leave behind. */
  const made = async () => [await rowsOf(stile, 'flows'), await rowsOf(stile, 'authorization_codes')]
  const authorize = (parameters: Readonly<Record<string, string>>) => new Browser(stile).authorize(parameters)

  test('A01: the registered URI proceeds, by GET and by POST, with parameters in the query or in the body', async () => {
    flowOf(await authorize(codeRequest(app)))
    const body = new URLSearchParams(codeRequest(app))
    flowOf(await stile.send(`/${stile.environmentId}/as/authorize`, { body }))
    flowOf(await stile.send(`/${stile.environmentId}/as/authorize?${body}`, { method: 'POST' }))
    flowOf(await stile.send(`/${stile.environmentId}/as/authorization.oauth2`, { body }))
  })

  for (const { row, title, uris } of refusedForWeb) {
    test(`${row}: ${title}`, async () => {
      const earlier = await made()
      for (const uri of uris) expectErrorPage(await authorize({ ...codeRequest(app), redirect_uri: uri }))
      assert.deepEqual(await made(), earlier)
    })
  }

  test('A06: a registered query is needed, and answers are added to it', async () => {
    const webq = await register(stile, { ...web, redirectUris: ['https://app.test/cb?x=1'] })
    expectErrorPage(await authorize({ ...codeRequest(webq), redirect_uri: 'https://app.test/cb' }))
    const refused = await authorize(codeRequest(webq, { scope: '"' }))
    assert.match(refused.headers.get('location') ?? '', /^https:\/\/app\.test\/cb\?x=1&error=invalid_scope&/)
  })

  test('A11: no input becomes a header', async () => {
    const uri = 'https://app.test/cb\r\nset-cookie: ST=evil\r\nx-injected: 1'
    const answer = await authorize({ ...codeRequest(app), redirect_uri: uri, state: 'a\r\nx-injected: 1' })
    assert.equal(answer.headers.get('x-injected'), null)
    expectErrorPage(answer)
  })

  test('A12: no address that runs code can be registered, and a stored one is not used', async () => {
    const urls = ['initiateLoginUri', 'loginPageUrl', 'homePageUrl', 'targetLinkUri'] as const
    for (const uri of dangerousUris) {
      const changes = [
        { redirectUris: [uri] },
        { postLogoutRedirectUris: [uri] },
        ...urls.map((name) => ({ [name]: uri })),
      ]
      for (const members of changes) {
        const body = { ...web, name: 'Dangerous', ...members }
        assert.equal((await stile.api('POST', '/applications', body)).status, 400, JSON.stringify(members))
      }
    }
    const tampered = await register(stile)
    await storeDocument(tampered.clientId, { redirectUris: [...dangerousUris, tampered.redirectUri] })
    for (const uri of dangerousUris) expectErrorPage(await authorize({ ...codeRequest(tampered), redirect_uri: uri }))
    flowOf(await authorize(codeRequest(tampered)))
  })

  /** Writes members of an application past the API. */
  async function storeDocument(clientId: string, members: object): Promise<void> {
    const { kernel } = stile.node
    const application = await kernel.environments.application(stile.environmentId, clientId)
    const document = JSON.stringify({ ...application?.document, ...members })
    const key = { environment_id: stile.environmentId, id: clientId }
    await kernel.storage.commit({ name: 'test.tamper', run: () => update('applications', key, { document }) })
    kernel.environments.forget(stile.environmentId)
  }

  test(`${refusedForNative.row}: ${refusedForNative.title}`, async () => {
    const native = await register(stile, nat)
    const { request } = codeRequestWithPkce(native)
    flowOf(await authorize({ ...request, redirect_uri: 'http://127.0.0.1:51004/cb' }))
    flowOf(await authorize({ ...request, redirect_uri: 'com.example.app:/cb' }))
    for (const uri of refusedForNative.uris) expectErrorPage(await authorize({ ...request, redirect_uri: uri }))
  })

  test('A14: another port of a loopback address is only for native applications', async () => {
    const local = await register(stile, { ...web, redirectUris: ['http://127.0.0.1:3000/cb'] })
    flowOf(await authorize(codeRequest(local)))
    expectErrorPage(await authorize({ ...codeRequest(local), redirect_uri: 'http://127.0.0.1:3001/cb' }))
    const portless = await register(stile, { ...web, redirectUris: ['http://127.0.0.1/cb'] })
    flowOf(await authorize(codeRequest(portless)))
    expectErrorPage(await authorize({ ...codeRequest(portless), redirect_uri: 'http://127.0.0.1:3001/cb' }))
  })

  test('A16: a request without redirect_uri, or with an empty one, has nowhere to go', async () => {
    const several = await register(stile, { ...web, redirectUris: ['https://app.test/cb', 'https://app.test/other'] })
    for (const client of [app, several]) {
      const { redirect_uri: _, ...request } = codeRequest(client)
      expectErrorPage(await authorize(request))
      expectErrorPage(await authorize({ ...request, redirect_uri: '' }))
    }
  })

  test('A18, D13: wildcards need the switch, stand for one segment, and serve codes with PKCE alone', async () => {
    const refused = [
      '*',
      'https://*',
      'https://*.app.test/cb',
      'https://app.test/*',
      'https://app.test*',
      'https://app.test/../cb',
    ]
    for (const uri of refused) {
      const answer = await stile.api('POST', '/applications', { ...web, name: 'Wild', redirectUris: [uri] })
      assert.equal(answer.status, 400, uri)
    }
    for (const uri of ['*', 'https://*', 'https://*.app.test/cb', 'https://app.test*', 'https://app.test/a*']) {
      const body = { ...web, name: 'Wild', redirectUris: [uri], allowWildcardInRedirectUris: true }
      assert.equal((await stile.api('POST', '/applications', body)).status, 400, uri)
    }
    const switched = { ...spa, redirectUris: ['https://app.test/*/cb'], allowWildcardInRedirectUris: true }
    const wild = await register(stile, switched)
    const given = { ...wild, redirectUri: 'https://app.test/branch-1/cb' }
    flowOf(await authorize(codeRequestWithPkce(given).request))
    expectErrorPage(await authorize({ ...codeRequest(given), response_type: 'token id_token', nonce: 'n' }))
    for (const uri of ['https://app.test/../cb', 'https://app.test/%2e%2e/cb', 'https://app.test/a/b/cb']) {
      expectErrorPage(await authorize(codeRequestWithPkce({ ...wild, redirectUri: uri }).request))
    }
    const dotted = await register(stile, { ...web, redirectUris: ['https://app.te.t/cb'] })
    expectErrorPage(await authorize({ ...codeRequest(dotted), redirect_uri: 'https://appXteYt/cb' }))
  })
})
