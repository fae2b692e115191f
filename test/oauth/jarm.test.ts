/**
 * Signed authorization responses: JARM sections 2.1-2.4; rows C03, C04, C06, C07, C12;
 * `fapi2-security-profile-final-discovery-end-point-verification`, `-happy-flow`, `-user-rejects-authentication`.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { createLocalJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import { testWorld } from '../../src/world.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  authorizeBySignOnPage,
  codeRequest,
  codeRequestWithPkce,
  expectErrorPage,
  postedForm,
  pushed,
  redeemCode,
  told,
} from './journeys.ts'
import { expectStatus, otherEnvironment, person, type Registered, register, web } from './registrations.ts'

const hybrid = {
  ...web,
  grantTypes: ['AUTHORIZATION_CODE', 'IMPLICIT'],
  responseTypes: ['CODE', 'TOKEN', 'ID_TOKEN'],
}

suite('signed authorization responses', () => {
  const world = testWorld()
  let stile: Stile
  let app: Registered
  let browser: Browser
  before(async () => {
    stile = await startStile({ world })
    app = await register(stile, hybrid)
    browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(app))
  })
  after(() => stile.close())

  /** What a client makes of a signed response: nothing stands beside it, and it is for this client. */
  async function opened(parts: URLSearchParams, client = app, where = stile): Promise<JWTPayload> {
    assert.deepEqual([...parts.keys()], ['response'])
    const { json } = await where.send(`/${where.environmentId}/as/jwks`)
    const { payload } = await jwtVerify(parts.get('response') ?? '', createLocalJWKSet(json), {
      issuer: where.issuer,
      audience: client.clientId,
      currentDate: new Date(world.now()),
    })
    return payload
  }
  const inQuery = (answer: Answer) => new URL(answer.headers.get('location') ?? '').searchParams
  const inFragment = (answer: Answer) =>
    new URLSearchParams(new URL(answer.headers.get('location') ?? '').hash.slice(1))

  test('2.1: everything of the response, who it is from and for, and an end', async () => {
    const { request, verifier } = codeRequestWithPkce(app, { response_mode: 'jwt', state: 's 1' })
    const answer = await browser.authorize(request)
    const { code, ...rest } = await opened(inQuery(answer))
    const exp = Math.floor(world.now() / 1000) + 600
    assert.deepEqual(rest, { state: 's 1', iss: stile.issuer, aud: app.clientId, exp })
    assert.equal(decodeProtectedHeader(inQuery(answer).get('response') ?? '').typ, undefined)
    expectStatus(await redeemCode(stile, app, String(code), { code_verifier: verifier }), 200)
  })

  test('2.3: each mode travels in its way; jwt as the type does', async () => {
    const tokens = { response_type: 'code token id_token', nonce: 'n' }
    const ask = (response_mode: string, more: object = {}) =>
      browser.authorize(codeRequest(app, { response_mode, ...more }))
    for (const mode of ['jwt', 'query.jwt']) assert.ok((await opened(inQuery(await ask(mode))))['code'])
    for (const mode of ['fragment.jwt']) assert.ok((await opened(inFragment(await ask(mode))))['code'])
    for (const mode of ['jwt', 'fragment.jwt']) {
      const claims = await opened(inFragment(await ask(mode, tokens)))
      for (const name of ['code', 'access_token', 'id_token']) assert.equal(typeof claims[name], 'string')
      assert.deepEqual([claims['token_type'], claims['expires_in']], ['Bearer', 3600])
    }
    const { action, parameters } = postedForm(await ask('form_post.jwt', tokens))
    assert.equal(action, app.redirectUri)
    assert.ok((await opened(parameters))['access_token'])
  })

  test('C03: tokens never travel in a query, signed or not', async () => {
    for (const response_type of ['token', 'id_token', 'code token', 'code id_token']) {
      const answer = await browser.authorize(
        codeRequest(app, { response_type, nonce: 'n', response_mode: 'query.jwt' }),
      )
      assert.equal(new URL(answer.headers.get('location') ?? '').search, '')
      assert.equal(told(answer).get('error'), 'invalid_request')
    }
  })

  test('fapi2 user-rejects-authentication: errors are signed as well, at once and after signing on', async () => {
    for (const [more, error] of [
      [{ scope: '"' }, 'invalid_scope'],
      [{ max_age: 'x' }, 'invalid_request'],
      [{ prompt: 'none', max_age: '0' }, 'login_required'],
      [{ acr_values: 'Nobody' }, 'access_denied'],
    ] as const) {
      const answer = await browser.authorize(codeRequest(app, { response_mode: 'jwt', state: 's', ...more }))
      const claims = await opened(inQuery(answer))
      assert.deepEqual([claims['error'], claims['state']], [error, 's'])
      assert.equal(claims['code'], undefined)
    }
    const asking = await register(stile, { ...web, requireConsent: true })
    const fresh = new Browser(stile)
    const started = await fresh.authorize(codeRequest(asking, { response_mode: 'jwt' }))
    const flowId = new URL(started.headers.get('location') ?? '').searchParams.get('flowId') ?? ''
    const { username, password } = await person(stile)
    expectStatus(await fresh.act(flowId, 'usernamePassword.check', { username, password }), 200)
    expectStatus(await fresh.act(flowId, 'oauth.consent', { accept: false }), 200)
    const claims = await opened(inQuery(await fresh.resume(flowId)), asking)
    assert.equal(claims['error'], 'access_denied')
  })

  test('after signing on, and pushed', async () => {
    const slim = await pushed(stile, app, codeRequest(app, { response_mode: 'query.jwt' }))
    const answer = await authorizeBySignOnPage(new Browser(stile), slim)
    assert.ok((await opened(inQuery(answer)))['code'])
  })

  test('C07: one client’s response is not another’s, nor another environment’s', async () => {
    const twin = await register(stile, hybrid)
    const parts = inQuery(await browser.authorize(codeRequest(app, { response_mode: 'jwt' })))
    await assert.rejects(opened(parts, twin))
    await assert.rejects(opened(parts, app, await otherEnvironment(stile)))
  })

  test('a response is no ID token hint, no access token and no request object', async () => {
    const response = inQuery(await browser.authorize(codeRequest(app, { response_mode: 'jwt' }))).get('response') ?? ''
    const hinted = await browser.authorize(codeRequest(app, { id_token_hint: response }))
    assert.equal(told(hinted).get('error'), 'invalid_request')
    assert.equal((await stile.send(`/${stile.environmentId}/as/userinfo`, { token: response })).status, 401)
    const asRequest = await browser.authorize(codeRequest(app, { request: response }))
    assert.equal(told(asRequest).get('error'), 'invalid_request_object')
  })

  test('D10: nothing is signed for an address that is not known', async () => {
    const evil = codeRequest(app, { redirect_uri: 'https://evil.test/cb', response_mode: 'jwt' })
    expectErrorPage(await browser.authorize(evil))
  })
})
