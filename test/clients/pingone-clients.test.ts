/**
 * What clients written for PingOne put on the wire, request by request (authentication-api 8.3-8.6): js-sdk, the Postman
 * collection, p14c-js-sdk-auth, go-client. They read answers as those clients do.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { Browser, pkce } from '../harness/sign-on.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { expectStatus, type Registered, register, spa, web } from '../oauth/registrations.ts'

let stile: Stile
before(async () => {
  stile = await startStile()
})
after(() => stile.close())

suite('js-sdk: authorization in the background (8.4)', () => {
  const origin = 'https://spa.test'
  let app: Registered
  before(async () => {
    app = await register(stile, { ...spa, redirectUris: ['https://spa.test/callback'] })
  })

  /** POST with everything in the address, no body, no content type. */
  async function background(browser: Browser, more: Readonly<Record<string, string>> = {}) {
    const { verifier, challenge } = pkce()
    const { authorization_endpoint, response_modes_supported } = expectStatus(await stile.send(stile.discoveryUrl), 200)
    assert.ok(response_modes_supported.includes('pi.flow'), 'this makes the client choose the way of PingOne')
    const query = new URLSearchParams({
      client_id: app.clientId,
      response_type: 'code',
      scope: 'openid profile email',
      redirect_uri: app.redirectUri,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      state: 'MTU4Nj',
      response_mode: 'pi.flow',
      prompt: 'none',
      ...more,
    })
    const { pathname } = new URL(authorization_endpoint)
    const headers = { origin, accept: 'application/json' }
    return { verifier, answer: await browser.send(`${pathname}?${query}`, { method: 'POST', headers }) }
  }

  /** The full-page redirect that the client falls back to. */
  async function signOnInPage(browser: Browser): Promise<void> {
    const { challenge } = pkce()
    const started = await browser.authorize({
      client_id: app.clientId,
      response_type: 'code',
      scope: 'openid profile email',
      redirect_uri: app.redirectUri,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      state: 's',
    })
    const flowId = new URL(started.headers.get('location') ?? '').searchParams.get('flowId') ?? ''
    const { username, password } = stile.user
    expectStatus(await browser.act(flowId, 'usernamePassword.check', { username, password }), 200)
    assert.equal((await browser.resume(flowId)).status, 302)
  }

  test('without a session: details[0].code LOGIN_REQUIRED, readable from its origin', async () => {
    const { answer } = await background(new Browser(stile))
    const { details } = expectStatus(answer, 400)
    assert.equal(details[0].code, 'LOGIN_REQUIRED')
    assert.match(details[0].message, /User authentication is required/)
    assert.equal(answer.headers.get('access-control-allow-origin'), origin)
    assert.equal(answer.headers.get('access-control-allow-credentials'), 'true')
  })

  test('with a session: authorizeResponse, then tokens without Authorization, userinfo, and a second time', async () => {
    const browser = new Browser(stile)
    await signOnInPage(browser)
    for (let time = 0; time < 2; time++) {
      const { answer, verifier } = await background(browser)
      const { authorizeResponse } = expectStatus(answer, 200)
      assert.deepEqual(Object.keys(authorizeResponse), ['code', 'state'])
      assert.equal(authorizeResponse.state, 'MTU4Nj')
      assert.equal(answer.headers.get('access-control-allow-origin'), origin)
      const body = new URLSearchParams({
        grant_type: 'authorization_code',
        code: authorizeResponse.code,
        client_id: app.clientId,
        redirect_uri: app.redirectUri,
        code_verifier: verifier,
      })
      const tokens = await browser.send(`/${stile.environmentId}/as/token`, { body, headers: { origin } })
      const { access_token, id_token, expires_in } = expectStatus(tokens, 200)
      assert.ok(id_token && expires_in > 0)
      assert.equal(tokens.headers.get('access-control-allow-origin'), '*')
      const userinfo = await browser.send(`/${stile.environmentId}/as/userinfo`, {
        token: access_token,
        headers: { origin },
      })
      assert.equal(expectStatus(userinfo, 200).sub, stile.user.id)
    }
  })

  test('a wrong client id is an error without details, which the client takes for a wrong configuration', async () => {
    const { answer } = await background(new Browser(stile), { client_id: randomUUID() })
    assert.equal(expectStatus(answer, 400).details, undefined)
  })
})

suite('others', () => {
  test('Postman (8.5): pi.flow without redirect_uri, a confidential client, and a token request without it', async () => {
    const app = await register(stile, { ...web, redirectUris: [] })
    const browser = new Browser(stile)
    const started = await browser.authorize({
      response_mode: 'pi.flow',
      response_type: 'code',
      client_id: app.clientId,
      scope: 'openid profile email',
    })
    const { id, status } = expectStatus(started, 200)
    assert.equal(status, 'USERNAME_PASSWORD_REQUIRED')
    const { username, password } = stile.user
    expectStatus(await browser.act(id, 'usernamePassword.check', { username, password }), 200)
    const { authorizeResponse, session, _embedded } = expectStatus(await browser.resume(id), 200)
    assert.deepEqual(Object.keys(authorizeResponse), ['code'])
    assert.ok(session.id)
    assert.equal(_embedded.user.username, username)
    const tokens = await stile.send(`/${stile.environmentId}/as/token`, {
      body: new URLSearchParams({ grant_type: 'authorization_code', code: authorizeResponse.code }),
      headers: { authorization: basic(app.clientId, app.clientSecret) },
    })
    assert.ok(expectStatus(tokens, 200).id_token)
    assert.equal((await browser.resume(id)).status, 404, 'a flow is resumed once')
  })

  test('p14c-js-sdk-auth (8.3): PKCE by plain, which it does not name, where the application allows it', async () => {
    const app = await register(stile, { ...spa, pkceEnforcement: 'REQUIRED' })
    const { verifier } = pkce()
    const browser = new Browser(stile)
    const started = await browser.authorize({
      client_id: app.clientId,
      redirect_uri: app.redirectUri,
      response_type: 'code',
      scope: 'openid profile',
      code_challenge: verifier,
      code_challenge_method: 'plain',
      state: 's',
      nonce: 'n',
    })
    const flowId = new URL(started.headers.get('location') ?? '').searchParams.get('flowId') ?? ''
    const { username, password } = stile.user
    expectStatus(await browser.act(flowId, 'usernamePassword.check', { username, password }), 200)
    const back = new URL((await browser.resume(flowId)).headers.get('location') ?? '')
    const body = new URLSearchParams({
      client_id: app.clientId,
      redirect_uri: app.redirectUri,
      grant_type: 'authorization_code',
      code: back.searchParams.get('code') ?? '',
      code_verifier: verifier,
    })
    assert.ok(expectStatus(await stile.send(`/${stile.environmentId}/as/token`, { body }), 200).access_token)
  })

  test('go-client (8.6): access_type=offline is ignored, as is whatever else is unknown', async () => {
    const { clientId, redirectUri } = stile.nativeApp
    const { challenge } = pkce()
    const answer = await new Browser(stile).authorize({
      client_id: clientId,
      redirect_uri: redirectUri.replace('127.0.0.1', '127.0.0.1:7464'),
      response_type: 'code',
      scope: 'openid',
      state: 's',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      access_type: 'offline',
      display: 'page',
      mobilePayload: 'x',
    })
    assert.equal(answer.status, 302)
    assert.match(answer.headers.get('location') ?? '', /\/signon\/\?flowId=/)
  })
})
