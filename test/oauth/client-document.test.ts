/**
 * Clients whose id is the address of their metadata document: draft-ietf-oauth-client-id-metadata-document; rows G04, G07,
 * G09, G13, H11-H14.
 */
import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import type { Context } from '../../src/contract/operation.ts'
import { documentClient } from '../../src/oauth/registration/document-client.ts'
import { testWorld } from '../../src/world.ts'
import { rows } from '../flow-runtime/arrange.ts'
import { type DocumentServer, startDocumentServer } from '../harness/document-server.ts'
import { Browser, pkce } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { assertion, assertionType, clientKey } from './assertions.ts'
import { codeOf, codeRequest, expectErrorPage, expectRefusal, flowOf, redeemCode, told } from './journeys.ts'
import { allowed, askedForConsent, openidGrant, policy, signOnPage } from './registering.ts'
import { builtInResource, expectStatus, type Person, person, type Registered } from './registrations.ts'

suite('client id metadata documents', () => {
  const world = testWorld()
  let stile: Stile
  let server: DocumentServer
  let who: Person
  let self: object
  before(async () => {
    server = await startDocumentServer()
    stile = await startStile({ world })
    who = await person(stile)
    const api = await builtInResource(stile, 'PINGONE_API')
    self = { resource: { id: api.id }, scopes: [{ id: api.scope('p1:read:user') }] }
  })
  after(async () => {
    await stile.close()
    server.close()
  })

  const on = async (more: { readonly clientIdMetadataDocuments?: object } & object = {}) =>
    policy(stile, {
      perNetworkAddress: { count: 100_000, seconds: 60 },
      grants: [await openidGrant(stile), self],
      ...more,
      clientIdMetadataDocuments: { enabled: true, ...more.clientIdMetadataDocuments },
    })
  beforeEach(() => on())

  let number = 0
  /** Publishes a document; what it says otherwise goes before the usual. */
  function published(members: object = {}, headers: Readonly<Record<string, string>> = {}): Registered {
    number += 1
    const path = `/clients/${number}.json`
    publish(path, members, headers)
    return { clientId: `${server.base}${path}`, clientSecret: '', redirectUri: `${server.base}/cb` }
  }
  function publish(path: string, members: object, headers: Readonly<Record<string, string>> = {}): void {
    const body = {
      client_id: `${server.base}${path}`,
      client_name: 'Lantern Reader',
      redirect_uris: [`${server.base}/cb`],
      ...members,
    }
    server.documents.set(path, { body, headers })
  }
  const pathOf = ({ clientId }: Registered) => new URL(clientId).pathname
  const request = (client: Registered, more: Readonly<Record<string, string>> = {}) => {
    const { verifier, challenge } = pkce()
    const parameters = { scope: 'openid email', code_challenge: challenge, code_challenge_method: 'S256', ...more }
    return { verifier, parameters: codeRequest(client, parameters) }
  }
  const authorize = (client: Registered, more: Readonly<Record<string, string>> = {}, browser = new Browser(stile)) =>
    browser.authorize(request(client, more).parameters)
  const applicationOf = async ({ clientId }: Registered) => {
    const [row] = await rows<{ application_id: string }>(stile, 'dynamic_clients', 'client_uri = $2', clientId)
    return row?.application_id ?? ''
  }

  test('H01: off by default: nothing is fetched, nothing is promised', async () => {
    expectStatus(await stile.api('DELETE', '/clientRegistrationPolicy'), 200)
    const client = published()
    const hits = server.hits()
    expectErrorPage(await authorize(client))
    assert.equal(server.hits(), hits)
    const path = `/${stile.environmentId}/as/.well-known/openid-configuration`
    assert.equal((await stile.send(path)).json.client_id_metadata_document_supported, undefined)
    await on()
    assert.equal((await stile.send(path)).json.client_id_metadata_document_supported, true)
  })

  test('a client that nobody has registered gets tokens, which name its address', async () => {
    const client = published({ grant_types: ['authorization_code', 'implicit', 'client_credentials'] })
    const { verifier, parameters } = request(client, { scope: 'openid email p1:read:user', nonce: 'n' })
    const browser = new Browser(stile)
    const { page } = await askedForConsent(browser, parameters, who)
    const { host } = new URL(server.base)
    assert.match(page, /Lantern Reader has registered itself, and nobody here has verified who it is/)
    assert.match(page, new RegExp(`It is described at ${host}\\. It sends you on to ${host}\\.</bdi>`))
    const code = codeOf(await allowed(browser, parameters, who))
    const tokens = expectStatus(await redeemCode(stile, client, code, { code_verifier: verifier }), 200)
    const access = decodeJwt(tokens.access_token)
    assert.deepEqual(
      [access['client_id'], access['sub'], access['scope']],
      [client.clientId, who.id, 'openid email p1:read:user'],
    )
    assert.equal(decodeJwt(tokens.id_token).aud, client.clientId)
    const userinfo = await stile.send(`/${stile.environmentId}/as/userinfo`, { token: tokens.access_token })
    assert.equal(expectStatus(userinfo, 200).sub, who.id)
    const users = `/v1/environments/${stile.environmentId}/users`
    expectStatus(await stile.send(`${users}/${who.id}`, { token: tokens.access_token }), 200)
    expectStatus(await stile.send(`${users}/${stile.user.id}`, { token: tokens.access_token }), 403)
    const hinted = await authorize(client, { id_token_hint: tokens.id_token, prompt: 'none' }, browser)
    assert.equal(hinted.status, 302, hinted.text)

    const id = await applicationOf(client)
    const application = expectStatus(await stile.api('GET', `/applications/${id}`), 200)
    assert.deepEqual(
      [application.dynamicallyRegistered, application.registration, application.grantTypes, application.requireConsent],
      [true, { clientUri: client.clientId, clientName: 'Lantern Reader' }, ['AUTHORIZATION_CODE'], true],
    )
    // What stands for it here is no client id.
    expectErrorPage(await authorize({ ...client, clientId: id }))
    expectRefusal(await redeemCode(stile, { ...client, clientId: id }, code), 'invalid_client')
    assert.equal((await stile.send(`/as/authorize?client_id=${id}&response_type=code`)).status, 400)
  })

  test('one that signs by a key of its document proves who it is, by its address', async () => {
    const [key, other] = [clientKey(), clientKey()]
    const client = published({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } })
    const { verifier, parameters } = request(client)
    const code = codeOf(await allowed(new Browser(stile), parameters, who))
    const redeeming = (jwt?: string) => {
      const by = jwt === undefined ? {} : { client_assertion_type: assertionType, client_assertion: jwt }
      return redeemCode(stile, client, code, { code_verifier: verifier, ...by })
    }
    const inside = await applicationOf(client)
    expectRefusal(await redeeming(), 'invalid_client')
    expectRefusal(await redeeming(await assertion(stile, client.clientId, other)), 'invalid_client')
    expectRefusal(await redeeming(await assertion(stile, inside, key)), 'invalid_client')
    const named = { iss: inside, sub: client.clientId }
    expectRefusal(await redeeming(await assertion(stile, client.clientId, key, named)), 'invalid_client')
    expectStatus(await redeeming(await assertion(stile, client.clientId, key)), 200)
    const keyless = published({ token_endpoint_auth_method: 'private_key_jwt' })
    expectErrorPage(await authorize(keyless))
  })

  test('H11: what may not be a client id is not asked', async () => {
    const hits = server.hits()
    const { base } = server
    const bad = [
      base.replace('https', 'http') + '/clients/1.json',
      base,
      `${base}/`,
      `${base}/clients/1.json#f`,
      base.replace('//', '//u:p@') + '/clients/1.json',
      `${base}/clients/../clients/1.json`,
      `${base}/clients/%2e%2e/clients/1.json`,
      `${stile.issuer}/jwks`,
      'https://10.0.0.1/client.json',
      'https://169.254.169.254/latest/meta-data',
    ]
    for (const clientId of bad)
      expectErrorPage(await authorize({ clientId, clientSecret: '', redirectUri: `${base}/cb` }))
    await on({ clientIdMetadataDocuments: { allowedHosts: ['client.test', '*.0.0.1.test'] } })
    expectErrorPage(await authorize(published()))
    assert.equal(server.hits(), hits)
    await on({ clientIdMetadataDocuments: { allowedHosts: ['127.0.0.1'] } })
    flowOf(await authorize(published()))
  })

  test('H12, G04, G07, G09: a document that does not count is refused, the same for every reason, and forgotten', async () => {
    const usual = (path: string) => ({
      client_id: `${server.base}${path}`,
      client_name: 'x',
      redirect_uris: [`${server.base}/cb`],
    })
    const bad: readonly ((path: string) => Parameters<DocumentServer['documents']['set']>[1])[] = [
      () => ({ status: 404 }),
      () => ({ status: 500 }),
      ...[301, 302, 307, 308].map((status) => () => ({
        status,
        headers: { location: `${server.base}/clients/1.json` },
      })),
      (path) => ({ body: { ...usual(path), client_id: `${server.base}/other.json` } }),
      (path) => ({ body: { ...usual(path), client_id: `${server.base}${path}/` } }),
      (path) => ({ body: { ...usual(path), client_id: undefined } }),
      (path) => ({ body: { ...usual(path), client_secret: 'secret' } }),
      (path) => ({ body: { ...usual(path), client_secret_expires_at: 0 } }),
      (path) => ({ body: { ...usual(path), token_endpoint_auth_method: 'client_secret_basic' } }),
      (path) => ({ body: { ...usual(path), token_endpoint_auth_method: 'client_secret_jwt' } }),
      (path) => ({ body: { ...usual(path), token_endpoint_auth_method: ['none'] } }),
      (path) => ({ body: { ...usual(path), redirect_uris: [] } }),
      (path) => ({ body: { ...usual(path), redirect_uris: ['javascript:alert(1)'] } }),
      (path) => ({ body: { ...usual(path), grant_types: ['client_credentials'] } }),
      (path) => ({ body: { ...usual(path), padding: 'x'.repeat(5120) } }),
      (path) => ({ body: usual(path), headers: { 'content-type': 'text/html' } }),
      () => ({ body: '<html></html>' }),
      () => ({ body: '[]' }),
      () => ({ body: 'null' }),
      (path) => ({ body: JSON.stringify(usual(path)).replace('{', '{"client_id":"x",') }),
    ]
    const answers = new Set<string>()
    for (const [at, document] of bad.entries()) {
      const path = `/bad/${at}.json`
      const client = { clientId: `${server.base}${path}`, clientSecret: '', redirectUri: `${server.base}/cb` }
      server.documents.set(path, document(path))
      const answer = await authorize(client)
      expectErrorPage(answer)
      answers.add(answer.text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID'))
      assert.equal(await applicationOf(client), '', String(at))
      publish(path, {})
      flowOf(await authorize(client))
    }
    assert.equal(answers.size, 1)
    await stile.node.kernel.volumeEvents.flush()
    const events = await rows<{ document: string }>(stile, 'events', "action = 'CLIENT_REGISTRATION.REFUSED'")
    assert.ok(
      events.some(({ document }) => document.includes('must not be a shared secret')),
      'operators are told why',
    )
  })

  test('G13: whoever comes at once causes one fetch, and one application', async () => {
    const client = published()
    const answers = await Promise.all(Array.from({ length: 30 }, () => authorize(client)))
    for (const answer of answers) flowOf(answer)
    assert.equal(server.hits(pathOf(client)), 1)
    assert.equal((await rows(stile, 'dynamic_clients', 'client_uri = $2', client.clientId)).length, 1)
    assert.equal((await rows(stile, 'applications', 'id = $2', await applicationOf(client))).length, 1)
  })

  test('H10: one network address causes so many fetches and no more; what is at hand costs nothing', async () => {
    const known = published()
    flowOf(await authorize(known))
    await stile.node.kernel.storage.commit({
      name: 'test.clear-limits',
      *run() {
        yield { text: "DELETE FROM limits WHERE kind = 'address-registration'", values: [] }
      },
    })
    await on({ perNetworkAddress: { count: 2, seconds: 60 } } as object)
    const answers = [await authorize(published()), await authorize(published()), await authorize(published())]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [302, 302, 429],
    )
    flowOf(await authorize(known))
  })

  suite('H13: a document that changes', () => {
    const changes: readonly (readonly [string, object])[] = [
      ['redirect_uris', { redirect_uris: ['https://elsewhere.test/cb', 'SAME'] }],
      ['client_name', { client_name: 'Lantern Reader 2' }],
      ['jwks_uri', { jwks_uri: 'https://client.test/jwks' }],
      ['scope', { scope: 'openid email' }],
    ]
    for (const [name, members] of changes) {
      test(`${name}: consent is asked again`, async () => {
        const client = published({}, { 'cache-control': 'max-age=400' })
        const browser = new Browser(stile)
        const { parameters } = request(client, { scope: 'openid email' })
        codeOf(await allowed(browser, parameters, who))
        codeOf(await browser.authorize(parameters))
        const text = JSON.stringify(members).replace('SAME', client.redirectUri)
        publish(pathOf(client), JSON.parse(text) as object, { 'cache-control': 'max-age=400' })
        codeOf(await browser.authorize(parameters))
        world.advance(400_000)
        await stile.node.kernel.environments.poll()
        await askedForConsent(browser, parameters)
        assert.equal(server.hits(pathOf(client)), 2)
      })
    }

    test('a node that is behind does not forget what users have consented to since', async () => {
      const client = published({}, { 'cache-control': 'max-age=400' })
      const browser = new Browser(stile)
      const { parameters } = request(client)
      codeOf(await allowed(browser, parameters, who))
      const { kernel } = stile.node
      const behind = await kernel.environments.client(stile.environmentId, client.clientId)
      publish(pathOf(client), { client_name: 'Another' })
      world.advance(400_000)
      await kernel.environments.poll()
      codeOf(await allowed(browser, parameters))
      const environment = (await kernel.environments.get(stile.environmentId)) ?? assert.fail()
      const environments = { ...kernel.environments, client: () => behind }
      const context = { kernel: { ...kernel, environments }, environment, now: world.now(), remoteAddress: '192.0.2.1' }
      await documentClient(context as unknown as Context, client.clientId)
      codeOf(await browser.authorize(parameters))
    })

    test('one that is gone is a client no more, and one that the policy no longer lets in neither', async () => {
      const client = published({}, { 'cache-control': 'max-age=400' })
      const browser = new Browser(stile)
      const { verifier, parameters } = request(client)
      const code = codeOf(await allowed(browser, parameters, who))
      await on({ clientIdMetadataDocuments: { enabled: false } })
      expectRefusal(await redeemCode(stile, client, code, { code_verifier: verifier }), 'invalid_client')
      await on()
      server.documents.delete(pathOf(client))
      world.advance(400_000)
      await stile.node.kernel.environments.poll()
      expectErrorPage(await browser.authorize(parameters))
      expectRefusal(await redeemCode(stile, client, code, { code_verifier: verifier }), 'invalid_client')
    })

    test('one that an administrator has switched off stays off, whatever it says', async () => {
      const client = published()
      flowOf(await authorize(client))
      const id = await applicationOf(client)
      const read = expectStatus(await stile.api('GET', `/applications/${id}`), 200)
      const put = await stile.api('PUT', `/applications/${id}`, { ...read, enabled: false })
      expectStatus(put, 200)
      const hits = server.hits()
      publish(pathOf(client), { client_name: 'Another' })
      expectErrorPage(await authorize(client))
      assert.equal(server.hits(), hits)
    })
  })

  test('H14: a redirect URI of another host than the document is told of', async () => {
    const client = published({ redirect_uris: ['https://elsewhere.test/cb', 'http://127.0.0.1/cb'] })
    const browser = new Browser(stile)
    const shown = async (redirectUri: string) => {
      const flowId = flowOf(await authorize({ ...client, redirectUri }, {}, browser))
      return (await browser.send(signOnPage(stile, flowId))).text
    }
    const { host } = new URL(server.base)
    const warning = `It is described at ${host}\\. It sends you on to elsewhere\\.test\\. Take care: that is not where it is described\\.`
    assert.match(await shown('https://elsewhere.test/cb'), new RegExp(warning))
    const local = await shown('http://127.0.0.1:4000/cb')
    assert.match(local, /It sends you on to an application on this device\.<\/bdi>/)
    expectErrorPage(await authorize({ ...client, redirectUri: `${server.base}/cb` }))
  })

  test('A22: it is kept from bouncing like every client that nobody has vouched for', async () => {
    const client = published()
    const answer = await authorize(client, { scope: 'orders:write' })
    assert.equal(answer.status, 400)
    assert.match(answer.text, /Lantern Reader has registered itself/)
    await on({ redirectHosts: ['127.0.0.1'] } as object)
    assert.equal(told(await authorize(client, { scope: 'orders:write' })).get('error'), 'invalid_scope')
  })

  test('G01, H08: its logo is not fetched', async () => {
    const client = published({ logo_uri: `${server.base}/logo.png` })
    const browser = new Browser(stile)
    const { text } = await browser.send(signOnPage(stile, flowOf(await authorize(client, {}, browser))))
    assert.doesNotMatch(text, /<img/)
    assert.equal((await stile.send(`/${stile.environmentId}/as/logo/${await applicationOf(client)}`)).status, 404)
    assert.equal(server.hits('/logo.png'), 0)
  })
})
