/**
 * Request objects: RFC 9101, OpenID Connect Core section 6, authentication-api 2.14; rows C15-C21, C12, G01. The
 * modules of the FAPI plan by name.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { testWorld } from '../../src/world.ts'
import { rows } from '../flow-runtime/arrange.ts'
import { type ProviderServer, startProviderServer } from '../harness/provider-server.ts'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { assertion, assertionType, byAssertion, type ClientKey, clientKey, keySet, registerPkj } from './assertions.ts'
import {
  authorizeBySignOnPage,
  codeOf,
  codeRequest,
  codeRequestWithPkce,
  expectErrorPage,
  expectRefusal,
  flowOf,
  push,
  pushed,
  redeemCode,
  told,
} from './journeys.ts'
import { change, expectStatus, type Person, person, type Registered, register, web } from './registrations.ts'
import { bySecret, requestObject, type Signer } from './request-objects.ts'

suite('request objects', () => {
  const world = testWorld()
  let stile: Stile
  let key: ClientKey
  /** May send what it likes. */
  let app: Registered
  /** Has to send signed objects. */
  let strict: Registered
  let browser: Browser
  let server: ProviderServer
  let document: string
  let ada: Person
  before(async () => {
    stile = await startStile({ world })
    key = clientKey('ES256', 'k1')
    server = await startProviderServer()
    server.answer = () => ({ status: 200, body: document })
    app = await register(stile, { ...web, jwks: keySet(key) })
    strict = await register(stile, { ...web, jwks: keySet(key), requireSignedRequestObject: true })
    browser = new Browser(stile)
    ada = await person(stile)
    await authorizeBySignOnPage(browser, codeRequest(app), ada)
  })
  after(async () => {
    await stile.close()
    await server.close()
  })

  const object = (client: Registered, claims: object = {}, signer: Signer = key, header: object = {}) =>
    requestObject(stile, client, signer, { ...codeRequest(client), ...claims }, header)
  const slim = (client: Registered, request: string) => ({ client_id: client.clientId, request })
  const sent = async (client: Registered, claims: object = {}, signer: Signer = key, header: object = {}) =>
    browser.authorize(slim(client, await object(client, claims, signer, header)))

  /** A refusal of an object that says where the answer may go, and of one that does not. */
  async function refused(client: Registered, request: string, error = 'invalid_request_object'): Promise<void> {
    expectErrorPage(await browser.authorize(slim(client, request)))
    const beside = await browser.authorize({ ...slim(client, request), redirect_uri: client.redirectUri })
    assert.equal(told(beside).get('error'), error)
    expectRefusal(await push(stile, client, slim(client, request)), error)
  }

  test('everything in the object, by a key and by the secret', async () => {
    for (const signer of [key, bySecret(app), bySecret(app, 'HS512')]) {
      const answer = await sent(app, { state: 'in the object', max_age: 3600, resource: [stile.apiUrl] }, signer)
      assert.equal(told(answer).get('state'), 'in the object')
      const tokens = expectStatus(await redeemCode(stile, app, codeOf(answer)), 200)
      assert.equal(tokens.scope, 'openid profile email')
    }
  })

  test('2.14: a part of it in the object, the rest beside it, as clients of PingOne do', async () => {
    const request = await requestObject(stile, app, bySecret(app), { login_hint: 'x', acr_values: 'Single_Factor' })
    const answer = await browser.authorize(codeRequest(app, { request, state: 'beside' }))
    assert.equal(told(answer).get('state'), 'beside')
    codeOf(answer)
  })

  test('C16: what is signed wins; another client_id is an error', async () => {
    const request = await object(app, { state: 'signed', scope: 'openid' })
    const injected = { state: 'injected', scope: 'openid email', redirect_uri: 'https://evil.test/cb', prompt: 'none' }
    const answer = await authorizeBySignOnPage(browser, { ...slim(app, request), ...injected })
    assert.match(answer.headers.get('location') ?? '', /^https:\/\/app\.test\/cb\?/)
    assert.equal(told(answer).get('state'), 'signed')
    assert.equal(expectStatus(await redeemCode(stile, app, codeOf(answer)), 200).scope, 'openid')
    await refused(app, await object(app, { client_id: strict.clientId }))
    await refused(app, await object(app, { iss: strict.clientId }))
    await refused(strict, await object(app))
  })

  test('C12, fapi2 state-only-outside-request-object-not-used: where objects are demanded nothing else counts', async () => {
    const { request, verifier } = codeRequestWithPkce(strict)
    const inside = await object(strict, { ...request, scope: 'openid' })
    const outside = { state: 'outside', nonce: 'outside', scope: 'openid email', acr_values: 'Nobody', resource: 'x' }
    const answer = await browser.authorize({ ...slim(strict, inside), ...outside })
    assert.equal(told(answer).get('state'), null)
    const tokens = expectStatus(await redeemCode(stile, strict, codeOf(answer), { code_verifier: verifier }), 200)
    assert.equal(tokens.scope, 'openid')
    expectErrorPage(
      await browser.authorize({
        ...slim(strict, await object(strict, { redirect_uri: undefined })),
        redirect_uri: strict.redirectUri,
      }),
    )
  })

  test('C15: an application that demands signed objects takes no others, and nothing without one', async () => {
    assert.equal(told(await browser.authorize(codeRequest(strict))).get('error'), 'invalid_request')
    expectRefusal(await push(stile, strict, codeRequest(strict)), 'invalid_request')
    await refused(strict, await object(strict, {}, 'none'))
    codeOf(await sent(strict))
    codeOf(await browser.authorize(await pushed(stile, strict, slim(strict, await object(strict)))))
    for (const lifeless of [{ exp: undefined }, { exp: Math.floor(world.now() / 1000) + 7200 }]) {
      await refused(strict, await object(strict, lifeless))
    }
    const body = { ...web, name: 'Both', requireSignedRequestObject: true, supportUnsignedRequestObject: true }
    const wrong = expectStatus(await stile.api('POST', '/applications', body), 400)
    assert.equal(wrong.details[0].target, 'supportUnsignedRequestObject')
  })

  test('C15: no key of the object, none of another kind, none of anybody else', async () => {
    const foreign = clientKey('ES256', 'k1')
    const pem = key.publicKey.export({ type: 'spki', format: 'pem' })
    for (const [signer, header] of [
      [foreign, { kid: 'k1' }],
      [foreign, { jwk: foreign.jwk }],
      [foreign, { jku: 'https://evil.test/keys' }],
      [{ algorithm: 'HS256', secret: pem as string }, { kid: 'k1' }],
      [{ algorithm: 'HS256', secret: key.publicKey.export({ type: 'spki', format: 'der' }) }, {}],
      [{ algorithm: 'HS256', secret: 'x'.repeat(64) }, {}],
      [bySecret(strict), {}],
    ] as const) {
      await refused(app, await object(app, {}, signer, header))
    }
    const [head = '', claims = '', signature = ''] = (await object(app)).split('.')
    const other = Buffer.from(JSON.stringify(codeRequest(app, { scope: 'openid' }))).toString('base64url')
    for (const forged of [
      `${head}.${other}.${signature}`,
      `${head}.${claims}.`,
      `${head}.${claims}`,
      'x',
      '..',
      'a.b.c',
    ]) {
      await refused(app, forged)
    }
  })

  test('unsigned ones, where the application may send them', async () => {
    const open = await register(stile, { ...web, supportUnsignedRequestObject: true })
    const answer = await sent(open, { state: 'unsigned', iss: undefined, aud: undefined }, 'none')
    assert.equal(told(answer).get('state'), 'unsigned')
    for (const [at, header] of [{}, { alg: 'None' }, { alg: 'NONE' }, { alg: 'nOnE' }].entries()) {
      const request = await object(open, {}, 'none', header)
      if (at === 0) codeOf(await browser.authorize(slim(open, request)))
      else await refused(open, request)
    }
    await refused(open, `${await object(open, {}, 'none')}AAAA`)
    await refused(open, await object(open, { 'pi.remoteIp': '198.51.100.7' }, 'none'))
    await refused(app, await object(app, {}, 'none'))
  })

  test('C17: audience, times, typ', async () => {
    const now = Math.floor(world.now() / 1000)
    for (const claims of [
      { aud: undefined },
      { aud: `${stile.issuer}/authorize` },
      { exp: now - 61 },
      { nbf: now + 62 },
      { iss: undefined },
      { sub: app.clientId },
    ]) {
      await refused(app, await object(app, claims))
    }
    for (const typ of ['oauth-authz-req+jwt', 'OAuth-Authz-Req+JWT', 'JWT', 'jwt']) {
      codeOf(await sent(app, {}, key, { typ }))
    }
    for (const typ of ['at+jwt', 'dpop+jwt', 'client-authentication+jwt', 'application/oauth-authz-req+jwt', '']) {
      await refused(app, await object(app, {}, key, { typ }))
    }
    codeOf(await sent(app, { aud: ['https://other.test', stile.issuer] }))
    codeOf(await sent(app, { nbf: now + 8 }))
  })

  test('C17: one with a jti counts once, whatever came of it, by all ways together', async () => {
    const jti = randomUUID()
    const once = await object(app, { jti })
    codeOf(await browser.authorize(slim(app, once)))
    await browserRefuses(once)
    expectRefusal(await push(stile, app, slim(app, once)), 'invalid_request_object')
    await browserRefuses(await object(app, { jti, state: 'another with the same' }))
    const atPar = await object(app, { jti: randomUUID() })
    const reference = await pushed(stile, app, slim(app, atPar))
    await browserRefuses(atPar)
    codeOf(await browser.authorize(reference))
    const toFlow = await object(app, { jti: randomUUID() })
    flowOf(await new Browser(stile).authorize(slim(app, toFlow)))
    await browserRefuses(toFlow)
    // Another client may use the same text.
    codeOf(await browser.authorize(slim(strict, await object(strict, { jti }))))
  })

  async function browserRefuses(request: string): Promise<void> {
    const answer = await browser.authorize(slim(app, request))
    assert.equal(told(answer).get('error'), 'invalid_request_object')
  }

  test('C18: an object is no assertion, an assertion no object, and an ID token neither', async () => {
    const pkj = await registerPkj(stile, key, {
      grantTypes: ['AUTHORIZATION_CODE', 'CLIENT_CREDENTIALS'],
      responseTypes: ['CODE'],
      redirectUris: ['https://app.test/cb'],
    })
    const jwt = await requestObject(stile, pkj, key, codeRequest(pkj))
    expectRefusal(await stile.send(`/${stile.environmentId}/as/token`, byAssertion(jwt)), 'invalid_client')
    const claimsOfBoth = await requestObject(stile, pkj, key, {
      ...codeRequest(pkj),
      sub: pkj.clientId,
      jti: randomUUID(),
    })
    const asObject = { ...slim(pkj, claimsOfBoth), redirect_uri: pkj.redirectUri }
    assert.equal(told(await browser.authorize(asObject)).get('error'), 'invalid_request_object')
    const assertive = await assertion(stile, pkj.clientId, key)
    const asRequest = { ...slim(pkj, assertive), redirect_uri: pkj.redirectUri }
    assert.equal(told(await browser.authorize(asRequest)).get('error'), 'invalid_request_object')
    const { id_token } = expectStatus(
      await redeemCode(stile, app, codeOf(await browser.authorize(codeRequest(app)))),
      200,
    )
    await refused(app, id_token)
    const form = { ...codeRequest(pkj), client_assertion_type: assertionType, client_assertion: id_token as string }
    const answer = await stile.send(`/${stile.environmentId}/as/par`, { body: new URLSearchParams(form) })
    expectRefusal(answer, 'invalid_client')
  })

  test('C19: an object and a reference do not go together', async () => {
    const request = await object(app)
    const { request_uri } = await pushed(stile, app, codeRequest(app))
    for (const uri of [request_uri, 'https://app.test/request']) {
      const answer = await browser.authorize(codeRequest(app, { request, request_uri: uri }))
      assert.equal(told(answer).get('error'), 'invalid_request')
    }
    expectRefusal(await push(stile, app, codeRequest(app, { request, request_uri })), 'invalid_request')
    await refused(app, await object(app, { request_uri }))
    await refused(app, await object(app, { request }))
    const twice = new URLSearchParams([...Object.entries(codeRequest(app)), ['request', request], ['request', request]])
    const answer = await browser.send(`/${stile.environmentId}/as/authorize?${twice}`)
    assert.equal(told(answer).get('error'), 'invalid_request')
  })

  test('C20: an address that is not registered is never asked', async (context) => {
    const attacker = await startProviderServer()
    context.after(() => attacker.close())
    const client = await register(stile, { ...web, requestUris: [`${server.url}/request`] })
    for (const uri of [
      `${attacker.url}/request`,
      `${server.url}/request/..`,
      `${server.url}/other`,
      'file:///etc/passwd',
    ]) {
      const answer = await browser.authorize(codeRequest(client, { request_uri: uri }))
      assert.equal(told(answer).get('error'), 'request_uri_not_supported', uri)
    }
    assert.equal(attacker.received.length, 0)
    assert.equal(server.received.length, 0)
    await attacker.close()
    for (const uri of ['http://10.0.0.1/request', 'ftp://app.test/x', 'https://user@app.test/']) {
      const body = { ...web, name: `Application ${randomUUID()}`, requestUris: [uri] }
      const refusal = expectStatus(await stile.api('POST', '/applications', body), 400)
      assert.equal(refusal.details[0].target, 'requestUris.0', uri)
    }
  })

  test('a registered address is asked, once for each request', async () => {
    const rsa = clientKey('RS256')
    const requestUris = [`${server.url}/signed`]
    const client = await register(stile, { ...web, jwks: keySet(rsa), requestUris })
    const [request_uri = ''] = requestUris
    document = await requestObject(stile, client, rsa, codeRequest(client, { state: 'fetched' }))
    const answer = await browser.authorize({ client_id: client.clientId, request_uri })
    assert.equal(told(answer).get('state'), 'fetched')
    codeOf(answer)
    assert.equal(server.received.length, 1)
    const beside = codeRequest(client, { request_uri })
    document = 'not a request object'
    assert.equal(told(await browser.authorize(beside)).get('error'), 'invalid_request_object')
    server.answer = () => ({ status: 404, body: '' })
    assert.equal(told(await browser.authorize(beside)).get('error'), 'invalid_request_uri')
    server.answer = () => ({ status: 200, body: 'x'.repeat(70_000) })
    assert.equal(told(await browser.authorize(beside)).get('error'), 'invalid_request_uri')
    server.answer = () => ({ status: 200, body: document })
    const other = await register(stile)
    assert.equal(
      told(await browser.authorize(codeRequest(other, { request_uri }))).get('error'),
      'request_uri_not_supported',
    )
  })

  test('a hash behind a registered address names the same address, and is never sent (Core 6.2)', async () => {
    const requestUris = [`${server.url}/hashed#first`]
    const client = await register(stile, { ...web, jwks: keySet(key), requestUris })
    server.answer = () => ({ status: 200, body: document })
    document = await object(client, { state: 'hashed' })
    for (const hash of ['#first', '#second', '']) {
      const asked = codeRequest(client, { request_uri: `${server.url}/hashed${hash}` })
      assert.equal(told(await browser.authorize(asked)).get('state'), 'hashed', hash)
      assert.equal(server.received.at(-1)?.target, '/hashed')
    }
    for (const other of [`${server.url}/other#${server.url}/hashed`, `${server.url}/hashed?x#first`]) {
      const answer = await browser.authorize(codeRequest(client, { request_uri: other }))
      assert.equal(told(answer).get('error'), 'request_uri_not_supported', other)
    }
  })

  test('an application that has settled on one algorithm takes no other', async () => {
    const other = clientKey('ES384', 'k2')
    const settled = await register(stile, {
      ...web,
      jwks: keySet(key, other),
      supportUnsignedRequestObject: true,
      requestObjectSigningAlg: 'ES256',
    })
    codeOf(await sent(settled))
    for (const signer of [other, bySecret(settled), 'none' as const]) {
      await refused(settled, await object(settled, {}, signer))
    }
    const none = { ...web, supportUnsignedRequestObject: true, requestObjectSigningAlg: 'none', jwks: keySet(key) }
    const unsigned = await register(stile, none)
    codeOf(await sent(unsigned, {}, 'none'))
    await refused(unsigned, await object(unsigned))
    const body = { ...web, name: 'None', requestObjectSigningAlg: 'none' }
    const wrong = expectStatus(await stile.api('POST', '/applications', body), 400)
    assert.equal(wrong.details[0].target, 'requestObjectSigningAlg')
  })

  test('C21: what is encrypted or compressed is refused, at once', async () => {
    const bomb = deflateRawSync(Buffer.alloc(20_000_000)).toString('base64url')
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const header = encode({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' })
    for (const request of [
      `${header}..${'A'.repeat(16)}.${bomb}.${'A'.repeat(22)}`,
      `${encode({ alg: 'ES256', zip: 'DEF', crit: ['zip'] })}.${bomb}.AAAA`,
      `${'A'.repeat(40_000)}.A.A`,
    ]) {
      const started = performance.now()
      const form = new URLSearchParams({ ...slim(app, request), redirect_uri: app.redirectUri })
      const answer = await stile.send(`/${stile.environmentId}/as/authorize`, { body: form })
      assert.equal(told(answer).get('error'), 'invalid_request_object')
      assert.ok(performance.now() - started < 1000)
    }
  })

  test('what the object says is checked as ever', async () => {
    expectErrorPage(await sent(app, { redirect_uri: 'https://evil.test/cb' }))
    expectErrorPage(
      await browser.authorize({
        ...slim(app, await object(app, { redirect_uri: 'https://evil.test/cb' })),
        redirect_uri: app.redirectUri,
      }),
    )
    for (const [claims, error] of [
      [{ scope: '"' }, 'invalid_scope'],
      [{ response_type: 'token' }, 'unauthorized_client'],
      [{ max_age: -1 }, 'invalid_request'],
      [{ resource: ['https://nobody.test'] }, 'invalid_target'],
      [{ claims: { id_token: [] } }, 'invalid_request'],
    ] as const) {
      assert.equal(told(await sent(app, claims)).get('error'), error)
    }
  })

  test('pi.flow: by an object, as a server of one’s own does', async () => {
    const asked = piFlowRequest(stile, pkce().challenge, { client_id: app.clientId })
    const request = await requestObject(stile, app, bySecret(app), asked)
    const flow = expectStatus(
      await new Browser(stile).authorize({ ...slim(app, request), response_mode: 'pi.flow' }),
      200,
    )
    assert.equal(flow.status, 'USERNAME_PASSWORD_REQUIRED')
    const bad = await requestObject(stile, app, bySecret(app), { ...asked, iss: 'x' })
    const refusal = await new Browser(stile).authorize({ ...slim(app, bad), response_mode: 'pi.flow' })
    assert.equal(expectStatus(refusal, 400).code, 'INVALID_REQUEST')
  })

  test('2.14: pi.remoteIp says from where the user comes, to the conditions of the policy', async () => {
    const { id } = expectStatus(await stile.api('POST', '/signOnPolicies', { name: `By-network-${randomUUID()}` }), 201)
    const condition = { ipRange: ['198.51.100.0/24'], contains: '${flow.request.http.remoteIp}' }
    for (const action of [
      { type: 'LOGIN', priority: 1 },
      { type: 'MULTI_FACTOR_AUTHENTICATION', priority: 2, condition, noDevicesMode: 'BLOCK' },
    ]) {
      expectStatus(await stile.api('POST', `/signOnPolicies/${id}/actions`, action), 201)
    }
    const client = await register(stile, { ...web, jwks: keySet(key) })
    const assigned = { priority: 1, signOnPolicy: { id } }
    expectStatus(await stile.api('POST', `/applications/${client.clientId}/signOnPolicyAssignments`, assigned), 201)
    const outcome = async (claims: object) => {
      const asked = piFlowRequest(stile, pkce().challenge, { client_id: client.clientId })
      const request = await requestObject(stile, client, key, { ...asked, ...claims })
      const fresh = new Browser(stile)
      const flow = expectStatus(await fresh.authorize({ ...slim(client, request), response_mode: 'pi.flow' }), 200)
      const { username, password } = ada
      return (await fresh.act(flow.id, 'usernamePassword.check', { username, password })).json.status
    }
    assert.equal(await outcome({}), 'COMPLETED')
    assert.equal(await outcome({ 'pi.remoteIp': '203.0.113.9' }), 'COMPLETED')
    assert.equal(await outcome({ 'pi.remoteIp': '198.51.100.7' }), 'FAILED')
  })

  test('nothing of an object that was refused is kept', async () => {
    const count = async () => (await rows(stile, 'used_jwts', "kind = 'request-object'")).length
    const earlier = await count()
    await refused(app, await object(app, { jti: randomUUID(), aud: 'https://other.test' }))
    await browser.authorize(slim(app, await object(app, { jti: randomUUID(), scope: '"' })))
    assert.equal(await count(), earlier)
  })

  test('an application that changes its mind', async () => {
    const client = await register(stile, { ...web, jwks: keySet(key) })
    const reference = await pushed(stile, client, codeRequest(client))
    await change(stile, client.clientId, { requireSignedRequestObject: true })
    const answer: Answer = await browser.authorize(reference)
    assert.equal(told(answer).get('error'), 'invalid_request')
  })
})
