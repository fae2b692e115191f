/**
 * Pushed authorization requests: RFC 9126, authentication-api 2.13; rows C09-C14, B22; the modules `par-*` of the FAPI 2.0
 * plan by their names. The race for one reference is in `pushed-authorization-request-race.test.ts`.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { testWorld } from '../../src/world.ts'
import { rows } from '../flow-runtime/arrange.ts'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
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
import { change, expectStatus, otherEnvironment, person, type Registered, register, spa, web } from './registrations.ts'

const reference = /^urn:ietf:params:oauth:request_uri:[A-Za-z0-9_-]{43}$/

suite('pushed authorization requests', () => {
  const world = testWorld()
  let stile: Stile
  let app: Registered
  let singlePage: Registered
  let browser: Browser
  before(async () => {
    stile = await startStile({ world })
    app = await register(stile)
    singlePage = await register(stile, { ...spa, redirectUris: ['https://spa.test/cb'] })
    browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(app))
  })
  after(() => stile.close())

  test('RFC 9126 2.2: a request that is taken is answered by a reference that is worth a minute', async () => {
    const answer = await push(stile, app, codeRequest(app))
    const { request_uri, expires_in, ...rest } = expectStatus(answer, 201)
    assert.match(request_uri, reference)
    assert.deepEqual([expires_in, rest], [60, {}])
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    assert.equal((await push(stile, singlePage, codeRequestWithPkce(singlePage).request)).status, 201)
  })

  test('from the reference to tokens, with a session and without one', async () => {
    const { request, verifier } = codeRequestWithPkce(app, { state: 's 1', nonce: 'n1' })
    for (const one of [browser, new Browser(stile)]) {
      const answer = await authorizeBySignOnPage(one, await pushed(stile, app, request))
      const parts = told(answer)
      assert.deepEqual([parts.get('state'), parts.get('iss')], ['s 1', stile.issuer])
      const tokens = expectStatus(await redeemCode(stile, app, codeOf(answer), { code_verifier: verifier }), 200)
      assert.equal(tokens.scope, 'openid profile email')
    }
  })

  test('C09, par-attempt-reuse-request_uri: it works once, whatever came of it', async () => {
    const outcomes: readonly (readonly [Browser, Record<string, string>, RegExp])[] = [
      [browser, {}, /\?code=/],
      [new Browser(stile), {}, /\/signon\/\?flowId=/],
      [new Browser(stile), { prompt: 'none' }, /\?error=login_required/],
      [browser, { acr_values: 'Nobody_Has_This' }, /\?error=access_denied/],
    ]
    for (const [one, more, location] of outcomes) {
      const slim = await pushed(stile, app, codeRequest(app, more))
      assert.match((await one.authorize(slim)).headers.get('location') ?? '', location)
      expectErrorPage(await browser.authorize(slim))
      expectErrorPage(await new Browser(stile).authorize(slim))
    }
    const stored = await rows(stile, 'pushed_requests', 'client_id = $2', app.clientId)
    assert.ok(stored.length <= 1, 'what was used is gone')
  })

  test('C10, par-attempt-to-use-request_uri-for-different-client: no other client, environment, time or guess', async () => {
    const slim = await pushed(stile, app, codeRequest(app))
    const twin = await register(stile)
    expectErrorPage(await browser.authorize({ ...slim, client_id: twin.clientId }))
    const other = await otherEnvironment(stile)
    const foreign = await register(other)
    expectErrorPage(await new Browser(other).authorize({ ...slim, client_id: foreign.clientId }))
    expectErrorPage(await new Browser(other).authorize(slim))
    const last = slim.request_uri.at(-1) === 'A' ? 'B' : 'A'
    for (const request_uri of [
      `${slim.request_uri.slice(0, -1)}${last}`,
      slim.request_uri.slice(0, -1),
      `${slim.request_uri}A`,
      'urn:ietf:params:oauth:request_uri:',
    ]) {
      expectErrorPage(await browser.authorize({ ...slim, request_uri }))
    }
    codeOf(await browser.authorize(slim))
  })

  test('C10, par-attempt-to-use-expired-request_uri: parTimeout, of the application', async () => {
    await change(stile, app.clientId, { parTimeout: 5 })
    assert.equal(expectStatus(await push(stile, app, codeRequest(app)), 201).expires_in, 5)
    const [late, timely] = [await pushed(stile, app, codeRequest(app)), await pushed(stile, app, codeRequest(app))]
    world.advance(4_999)
    codeOf(await browser.authorize(timely))
    world.advance(1)
    expectErrorPage(await browser.authorize(late))
    await change(stile, app.clientId, { parTimeout: 60 })
    for (const parTimeout of [0, 601]) {
      const { name } = expectStatus(await stile.api('GET', `/applications/${app.clientId}`), 200)
      expectStatus(await stile.api('PUT', `/applications/${app.clientId}`, { ...web, name, parTimeout }), 400)
    }
  })

  test('C11: the client authenticates by its method; a refusal is audited', async () => {
    const form = new URLSearchParams(codeRequest(app))
    const send = (headers: Record<string, string>) =>
      stile.send(`/${stile.environmentId}/as/par`, { body: form, headers })
    expectRefusal(await send({}), 'invalid_client')
    expectRefusal(await send({ authorization: basic(app.clientId, 'wrong') }), 'invalid_client')
    const mixed = await push(stile, { ...app, clientSecret: '' }, codeRequest(app))
    expectRefusal(mixed, 'invalid_client')
    expectRefusal(await push(stile, app, { ...codeRequest(app), client_id: singlePage.clientId }), 'invalid_request')
  })

  test('C11, par-authorization-request-containing-request_uri-form-param: no reference inside a request', async () => {
    const { request_uri } = await pushed(stile, app, codeRequest(app))
    for (const uri of [request_uri, 'https://app.test/request']) {
      expectRefusal(await push(stile, app, { ...codeRequest(app), request_uri: uri }), 'invalid_request')
    }
  })

  test('C12: of what the browser brings along nothing counts', async () => {
    const slim = await pushed(stile, app, codeRequest(app, { scope: 'openid', state: 'pushed' }))
    const injected = {
      redirect_uri: 'https://evil.test/cb',
      scope: 'openid email',
      acr_values: 'Multi_Factor',
      prompt: 'none',
      state: 'injected',
      response_mode: 'form_post',
      response_type: 'token',
      code_challenge: 'x',
      nonce: 'injected',
      login_hint: 'somebody',
    }
    const answer = await authorizeBySignOnPage(new Browser(stile), { ...slim, ...injected })
    assert.match(answer.headers.get('location') ?? '', /^https:\/\/app\.test\/cb\?code=/)
    assert.equal(told(answer).get('state'), 'pushed')
    const tokens = expectStatus(await redeemCode(stile, app, codeOf(answer)), 200)
    assert.equal(tokens.scope, 'openid')
  })

  test('C12: a prompt that is pushed counts, as js-sdk sends it in both places', async () => {
    const slim = await pushed(stile, app, codeRequest(app, { prompt: 'none' }))
    codeOf(await browser.authorize({ ...slim, prompt: 'none' }))
    flowOf(
      await browser.authorize({
        ...(await pushed(stile, app, codeRequest(app, { prompt: 'login' }))),
        prompt: 'login',
      }),
    )
  })

  test('C13: where requests have to be pushed, none is taken that was not', async () => {
    const strict = await register(stile, { ...web, parRequirement: 'REQUIRED' })
    assert.equal(told(await browser.authorize(codeRequest(strict))).get('error'), 'invalid_request')
    codeOf(await browser.authorize(await pushed(stile, strict, codeRequest(strict))))
    const { json } = await stile.api('GET', `/applications/${strict.clientId}`)
    assert.deepEqual([json.parRequirement, json.parTimeout], ['REQUIRED', 60])
  })

  test('C13: the environment may demand it of all, and discovery says so', async () => {
    const other = await otherEnvironment(stile)
    const client = await register(other)
    const metadata = async () =>
      expectStatus(await other.send(`/${other.environmentId}/as/.well-known/openid-configuration`), 200)
    assert.equal((await metadata()).require_pushed_authorization_requests, false)
    expectStatus(await other.api('PUT', '/settings', { requirePushedAuthorizationRequests: true }), 200)
    const { require_pushed_authorization_requests, pushed_authorization_request_endpoint } = await metadata()
    assert.equal(require_pushed_authorization_requests, true)
    assert.equal(pushed_authorization_request_endpoint, `${other.issuer}/par`)
    const fresh = new Browser(other)
    assert.equal(told(await fresh.authorize(codeRequest(client))).get('error'), 'invalid_request')
    codeOf(await authorizeBySignOnPage(fresh, await pushed(other, client, codeRequest(client)), await person(other)))
  })

  test('C14: a secret in the body is nowhere in what is kept', async () => {
    const client = await register(stile, { ...web, tokenEndpointAuthMethod: 'CLIENT_SECRET_POST' })
    const { clientId, clientSecret } = client
    const body = new URLSearchParams({ ...codeRequest(client), client_secret: clientSecret, unknown: clientSecret })
    const answer = await stile.send(`/${stile.environmentId}/as/par`, { body })
    const { request_uri } = expectStatus(answer, 201)
    const [row] = await rows<{ document: string }>(stile, 'pushed_requests', 'client_id = $2', clientId)
    assert.ok(row)
    assert.equal(JSON.stringify(row).includes(clientSecret), false)
    assert.equal(JSON.stringify(row).includes(request_uri.slice(-43)), false, 'nor the reference itself')
    const shown = await new Browser(stile).authorize({ client_id: clientId, request_uri })
    const flows = await rows<{ state: string }>(stile, 'flows', 'state LIKE $2', `%${clientId}%`)
    assert.equal(flows.length, 1)
    for (const text of [shown.text, ...[...shown.headers].flat(), flows[0]?.state ?? '']) {
      assert.equal(text.includes(clientSecret), false)
    }
  })

  test('RFC 9126 2.3: what the authorization endpoint would refuse is refused at once, in JSON', async () => {
    const table: readonly (readonly [string, Registered, Record<string, string>])[] = [
      ['invalid_request', app, { redirect_uri: 'https://evil.test/cb' }],
      ['invalid_request', app, { redirect_uri: '' }],
      ['invalid_request', app, { response_type: '' }],
      ['unsupported_response_type', app, { response_type: 'bogus' }],
      ['unauthorized_client', app, { response_type: 'token' }],
      ['invalid_scope', app, { scope: '"' }],
      ['invalid_request', app, { max_age: 'x' }],
      ['invalid_request', singlePage, {}],
      ['invalid_request', singlePage, { code_challenge: pkce().verifier, code_challenge_method: 'plain' }],
    ]
    for (const [error, client, more] of table) {
      const refused = await push(stile, client, { ...codeRequest(client), ...more })
      expectRefusal(refused, error)
      assert.equal(refused.headers.get('location'), null)
    }
    const twice = [...Object.entries(codeRequest(app)), ['scope', 'openid']] as const
    expectRefusal(await push(stile, app, twice as readonly (readonly [string, string])[]), 'invalid_request')
  })

  test('par-attempt-invalid-http-method: it is a POST', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const { status, headers } = await stile.send(`/${stile.environmentId}/as/par`, { method })
      assert.deepEqual([status, headers.get('allow')], [405, 'POST'])
    }
  })

  test('pi.flow: a pushed request is answered in JSON, to origins of the application alone', async () => {
    const native = { clientId: stile.nativeApp.clientId, clientSecret: '', redirectUri: '' }
    const asked = piFlowRequest(stile, pkce().challenge)
    const flow = expectStatus(await new Browser(stile).authorize(await pushed(stile, native, asked)), 200)
    assert.equal(flow.status, 'USERNAME_PASSWORD_REQUIRED')
    const { authorizeResponse } = expectStatus(await browser.authorize(await pushed(stile, native, asked)), 200)
    assert.deepEqual(Object.keys(authorizeResponse), ['code'])
    const slim = new URLSearchParams(await pushed(stile, native, asked))
    const address = `/${stile.environmentId}/as/authorize?${slim}`
    const cross = await browser.send(address, { headers: { origin: 'https://evil.test' } })
    assert.equal(cross.status, 403)
    assert.equal(cross.headers.get('access-control-allow-origin'), null)
  })

  test('what has changed since is judged as it is now', async () => {
    const client = await register(stile, { ...web, redirectUris: ['https://app.test/cb', 'https://app.test/old'] })
    const old = { ...client, redirectUri: 'https://app.test/old' }
    const slim = await pushed(stile, client, codeRequest(old))
    await change(stile, client.clientId, { redirectUris: ['https://app.test/cb'] })
    expectErrorPage(await browser.authorize(slim))
  })
})
