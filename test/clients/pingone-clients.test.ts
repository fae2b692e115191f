/**
 * What clients written for PingOne put on the wire, request by request (authentication-api section 8): custom-signon,
 * js-sdk, the Postman collection, p14c-js-sdk-auth, go-client. They read answers as those clients do.
 */
import assert from 'node:assert/strict'
import { randomUUID, X509Certificate } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { jwtVerify } from 'jose'
import { Browser, pkce } from '../harness/sign-on.ts'
import { type Answer, basic, type Stile, startStile } from '../harness/stile.ts'
import { expectStatus, type Person, person, type Registered, register, spa, web } from '../oauth/registrations.ts'

let stile: Stile
before(async () => {
  stile = await startStile()
})
after(() => stile.close())

suite('custom-signon: a sign-on page of its own (8.1)', () => {
  /** The ids of the start address must look like this to the client. */
  const clientUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i
  const origin = 'https://login.app.test'
  let app: Registered
  before(async () => {
    app = await register(stile, { ...spa, loginPageUrl: `${origin}/` })
  })

  const vendor = (action: string) => `application/vnd.pingidentity.${action}+json`

  /** Row 1: the page is opened with both ids, and reads the flow. */
  async function open(browser: Browser, more: Readonly<Record<string, string>> = {}): Promise<Answer['json']> {
    const started = await browser.authorize({
      client_id: app.clientId,
      redirect_uri: app.redirectUri,
      response_type: 'token id_token',
      scope: 'openid profile',
      state: 'client-state',
      nonce: 'client-nonce',
      ...more,
    })
    assert.equal(started.status, 302, started.text)
    const page = new URL(started.headers.get('location') ?? '')
    assert.equal(page.origin, origin)
    const environmentId = page.searchParams.get('environmentId') ?? ''
    const flowId = page.searchParams.get('flowId') ?? ''
    for (const id of [environmentId, flowId]) assert.match(id, clientUuid)
    const answer = await browser.send(`/${environmentId}/flows/${flowId}`, {
      headers: { origin, 'content-type': 'application/json' },
    })
    assert.equal(answer.headers.get('access-control-allow-origin'), origin)
    assert.equal(answer.headers.get('access-control-allow-credentials'), 'true')
    const flow = expectStatus(answer, 200)
    for (const member of ['id', 'status', '_links', '_embedded', 'resumeUrl']) assert.ok(flow[member], member)
    return flow
  }

  /** Posts to the address that a link of the flow names. */
  function follow(browser: Browser, flow: Answer['json'], action: string, body: object): Promise<Answer> {
    const href = flow._links[action]?.href ?? assert.fail(`the flow has no link ${action}`)
    return browser.send(new URL(href).pathname, { body, mediaType: vendor(action), headers: { origin } })
  }

  const check = (browser: Browser, flow: Answer['json'], { username, password }: Omit<Person, 'id'>) =>
    follow(browser, flow, 'usernamePassword.check', { username, password })

  /** Row 12 and 8.2: the browser goes to `resumeUrl`; the client splits `location.hash` by `&` and `=`. */
  async function finish(browser: Browser, flow: Answer['json']): Promise<Map<string, string>> {
    const { pathname, search } = new URL(flow.resumeUrl)
    const resumed = await browser.send(pathname + search)
    assert.equal(resumed.status, 302, resumed.text)
    const [address, hash = ''] = (resumed.headers.get('location') ?? '').split('#')
    assert.equal(address, app.redirectUri)
    return new Map(
      hash.split('&').map((part) => [part.split('=')[0] ?? '', decodeURIComponent(part.split('=')[1] ?? '')]),
    )
  }

  test('rows 1, 2 and 12: read, check, resume; the ID token verifies by x5c[0]', async () => {
    const browser = new Browser(stile)
    const flow = await open(browser)
    assert.equal(flow.status, 'USERNAME_PASSWORD_REQUIRED')
    const completed = expectStatus(await check(browser, flow, stile.user), 200)
    assert.equal(completed.status, 'COMPLETED')
    const parts = await finish(browser, completed)
    assert.deepEqual(
      [parts.get('state'), parts.get('token_type'), parts.get('expires_in')],
      ['client-state', 'Bearer', '3600'],
    )
    const { keys } = expectStatus(await stile.send(`/${stile.environmentId}/as/jwks`), 200)
    const verdicts = await Promise.allSettled(
      keys.map(({ x5c: [certificate] }: { x5c: string[] }) => {
        const pem = `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----`
        return jwtVerify(parts.get('id_token') ?? '', new X509Certificate(pem).publicKey, {
          issuer: stile.issuer,
          audience: app.clientId,
        })
      }),
    )
    const verified = verdicts.filter((verdict) => verdict.status === 'fulfilled')
    assert.equal(verified.length, 1, 'the client tries every key, and one fits')
    assert.equal(verified[0]?.value.payload['nonce'], 'client-nonce')
  })

  test('row 1: links that are not allowed are absent, and _embedded is always an object', async () => {
    const flow = await open(new Browser(stile))
    for (const relation of ['password.forgot', 'user.register', 'session.reset', 'password.reset']) {
      assert.equal(flow._links[relation], undefined, relation)
    }
    assert.equal(typeof flow._embedded, 'object')
    assert.equal(flow._embedded.application.name.length > 0, true)
  })

  test('row 2: a wrong password is details[0].code INVALID_CREDENTIALS; a locked one says for how long', async () => {
    const someone = await person(stile)
    const browser = new Browser(stile)
    const flow = await open(browser)
    const codes: string[] = []
    let last: Answer | undefined
    for (let attempt = 0; attempt < 20 && codes.at(-1) !== 'PASSWORD_LOCKED_OUT'; attempt++) {
      last = await check(browser, flow, { ...someone, password: 'wrong' })
      assert.deepEqual([last.status, last.json.code], [400, 'INVALID_DATA'])
      assert.equal(last.headers.get('access-control-allow-origin'), origin, 'the page can read why')
      codes.push(last.json.details[0].code)
    }
    assert.equal(codes[0], 'INVALID_CREDENTIALS')
    assert.equal(codes.at(-1), 'PASSWORD_LOCKED_OUT')
    assert.ok(last?.json.details[0].innerError.secondsUntilUnlock > 0)
    const right = await check(browser, flow, someone)
    assert.equal(right.json.details[0].code, 'PASSWORD_LOCKED_OUT')
  })

  test('row 6: a password that must be changed; the first unsatisfied requirement is shown', async () => {
    const someone = await person(stile)
    const forceChange = vendor('password.forceChange')
    expectStatus(await stile.api('POST', `/users/${someone.id}/password`, {}, { mediaType: forceChange }), 200)
    const browser = new Browser(stile)
    const flow = expectStatus(await check(browser, await open(browser), someone), 200)
    assert.equal(flow.status, 'MUST_CHANGE_PASSWORD')
    assert.equal(typeof flow._embedded.passwordPolicy, 'object')
    const reset = (currentPassword: string, newPassword: string) =>
      follow(browser, flow, 'password.reset', { currentPassword, newPassword })

    const weak = await reset(someone.password, 'aaaa')
    const [detail] = expectStatus(weak, 400).details
    assert.deepEqual([weak.json.code, detail.code, detail.target], ['INVALID_DATA', 'INVALID_VALUE', 'newPassword'])
    const [first] = detail.innerError.unsatisfiedRequirements
    assert.equal(typeof detail.innerError[first], 'string')
    const wrong = await reset('wrong', 'Nine-Purple-Tigers-88')
    assert.deepEqual([expectStatus(wrong, 400).details[0].target], ['currentPassword'])

    const completed = expectStatus(await reset(someone.password, 'Nine-Purple-Tigers-88'), 200)
    assert.equal(completed.status, 'COMPLETED')
    assert.ok((await finish(browser, completed)).get('id_token'))
  })

  test('row 10: "Switch accounts" goes back to the beginning', async () => {
    const browser = new Browser(stile)
    const first = expectStatus(await check(browser, await open(browser), stile.user), 200)
    await finish(browser, first)
    const flow = await open(browser, { max_age: '0' })
    assert.equal(flow.status, 'PASSWORD_REQUIRED')
    assert.equal(flow._embedded.user.username, stile.user.username)
    const again = expectStatus(await follow(browser, flow, 'session.reset', {}), 200)
    assert.equal(again.status, 'USERNAME_PASSWORD_REQUIRED')
    assert.equal(again._embedded.user, undefined)
    const other = await person(stile)
    const completed = expectStatus(await check(browser, again, other), 200)
    assert.equal(completed._embedded.user.id, other.id)
    assert.ok((await finish(browser, completed)).get('access_token'))
  })

  test('row 12: the browser goes to resumeUrl on FAILED too', async () => {
    const browser = new Browser(stile)
    const leaving = await person(stile)
    await finish(browser, expectStatus(await check(browser, await open(browser), leaving), 200))
    const flow = await open(browser, { max_age: '0' })
    expectStatus(await stile.api('DELETE', `/users/${leaving.id}`), 204)
    const { username, password } = leaving
    const failed = expectStatus(await check(browser, flow, { username, password }), 200)
    assert.equal(failed.status, 'FAILED')
    const parts = await finish(browser, failed)
    assert.deepEqual([parts.get('error'), parts.get('state')], ['access_denied', 'client-state'])
  })
})

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
