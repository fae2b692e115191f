/**
 * ID tokens that are signed by the secret of their client (HS256 to HS512), and come back: OpenID Connect Core sections 3.1.2.1
 * and 10.1, RP-Initiated Logout 1.0 section 2, Back-Channel Logout 1.0 section 2.4; rows D06, F01, F02, F09, I11, I14.
 *
 * The client knows the secret as well. What it could have written itself names somebody; it proves nothing.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { after, before, suite, test } from 'node:test'
import { createLocalJWKSet, decodeJwt, type JWTHeaderParameters, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { inboxOf } from '../flow-runtime/arrange.ts'
import { type ProviderServer, startProviderServer } from '../harness/provider-server.ts'
import { Browser } from '../harness/sign-on.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { ask } from './backchannel-journeys.ts'
import { afterSignOff, isQuestion, isSignedOn, signOff } from './endpoints/signed-on.ts'
import { codeRequest, expectRefusal, isLive, obtainCode, redeemCode, sendForm, told } from './journeys.ts'
import { change, expectStatus, type Person, person, type Registered, register, web } from './registrations.ts'

const body = {
  ...web,
  grantTypes: ['AUTHORIZATION_CODE', 'TOKEN_EXCHANGE', 'CIBA'],
  postLogoutRedirectUris: [afterSignOff],
  idTokenSignedResponseAlg: 'HS256',
  idpSignoff: true,
}

suite('ID tokens signed by the secret of the client', () => {
  let world: TestWorld
  let stile: Stile
  let receiver: ProviderServer
  let app: Registered
  let twin: Registered
  let who: Person
  const email = `${randomUUID()}@example.com`
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    receiver = await startProviderServer()
    receiver.status = 200
    app = await register(stile, body)
    twin = await register(stile, body)
    who = await person(stile, { email })
  })
  after(async () => {
    await stile.close()
    await receiver.close()
  })

  async function signedOn(client = app, browser = new Browser(stile), own = who) {
    const code = await obtainCode(browser, codeRequest(client, { scope: 'openid' }), own)
    return { browser, ...expectStatus(await redeemCode(stile, client, code), 200) }
  }
  const silently = (browser: Browser, client: Registered, id_token_hint: string) =>
    browser.authorize(codeRequest(client, { scope: 'openid', prompt: 'none', id_token_hint }))
  const sign = (claims: JWTPayload, secret: string, header: JWTHeaderParameters = { alg: 'HS256' }) =>
    new SignJWT(claims).setProtectedHeader(header).sign(Buffer.from(secret))
  async function wait(milliseconds: number): Promise<void> {
    world.advance(milliseconds)
    await stile.node.kernel.environments.poll()
  }

  for (const algorithm of ['HS256', 'HS384', 'HS512']) {
    test(`${algorithm}: signed by it, and taken for a hint of this client`, async () => {
      const client = await register(stile, { ...body, idTokenSignedResponseAlg: algorithm })
      const { browser, id_token } = await signedOn(client)
      const options = { algorithms: [algorithm], audience: client.clientId, currentDate: new Date(world.now()) }
      const { protectedHeader } = await jwtVerify(id_token, Buffer.from(client.clientSecret), options)
      assert.deepEqual(protectedHeader, { alg: algorithm })
      assert.ok(told(await silently(browser, client, id_token)).get('code'))
      const elsewhere = await signedOn(client, new Browser(stile), await person(stile))
      assert.equal(told(await silently(elsewhere.browser, client, id_token)).get('error'), 'login_required')
    })
  }

  test('F09: it is a hint of its client alone, by its own secret alone', async () => {
    const { browser, id_token } = await signedOn()
    assert.equal(told(await silently(browser, twin, id_token)).get('error'), 'invalid_request')
    const claims = decodeJwt(id_token)
    const wrong = [
      await sign(claims, twin.clientSecret),
      await sign({ ...claims, aud: twin.clientId }, app.clientSecret),
      await sign({ ...claims, iss: 'https://evil.test' }, app.clientSecret),
      await sign(claims, app.clientSecret, { alg: 'HS512' }),
      await sign(claims, app.clientSecret, { alg: 'HS256', typ: 'at+jwt' }),
      await sign(claims, app.clientSecret, { alg: 'HS256', kid: 'x' }),
      await sign({ ...claims, events: {} }, app.clientSecret),
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${id_token.split('.')[1]}.`,
    ]
    for (const [at, hint] of wrong.entries()) {
      assert.equal(told(await silently(browser, app, hint)).get('error'), 'invalid_request', String(at))
    }
    assert.ok(told(await silently(browser, app, await sign(claims, app.clientSecret))).get('code'))
  })

  test('F02: the public keys of the environment are no secret of a client', async () => {
    const { browser, id_token } = await signedOn()
    const { json } = await stile.send(`/${stile.environmentId}/as/jwks`)
    const claims = decodeJwt(id_token)
    const own = await register(stile)
    const { id_token: rsa } = await signedOn(own)
    for (const key of json.keys) {
      for (const text of [JSON.stringify(key), key.n ?? key.x]) {
        const header = { alg: 'HS256', kid: key.kid }
        assert.equal(
          told(await silently(browser, app, await sign(claims, text, header))).get('error'),
          'invalid_request',
        )
        const ofOwn = await sign(decodeJwt(rsa), text, header)
        assert.equal(told(await silently(browser, own, ofOwn)).get('error'), 'invalid_request')
      }
    }
    // Nor does the secret of a client sign for one that is answered by keys.
    const bySecret = await sign(decodeJwt(rsa), own.clientSecret)
    assert.equal(told(await silently(browser, own, bySecret)).get('error'), 'invalid_request')
  })

  test('what the client could have written is exchanged for nothing', async () => {
    const { id_token } = await signedOn()
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: id_token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    }
    expectRefusal(await sendForm(stile, 'token', app, form), 'invalid_request')
    assert.equal((await stile.send(`/${stile.environmentId}/as/userinfo`, { token: id_token })).status, 401)
  })

  test('F09: it is no assertion of its client, and an assertion is no hint', async () => {
    const byJwt = await register(stile, { ...body, tokenEndpointAuthMethod: 'CLIENT_SECRET_JWT' })
    const now = Math.floor(world.now() / 1000)
    const whole = {
      iss: byJwt.clientId,
      sub: byJwt.clientId,
      aud: stile.issuer,
      iat: now,
      exp: now + 60,
      jti: randomUUID(),
    }
    const assertion = await sign(whole, byJwt.clientSecret)
    assert.equal(told(await silently(new Browser(stile), byJwt, assertion)).get('error'), 'invalid_request')
    const idToken = await sign(
      { ...whole, iss: stile.issuer, sub: who.id, aud: byJwt.clientId, auth_time: now, sid: randomUUID() },
      byJwt.clientSecret,
    )
    const asClient = await stile.send(`/${stile.environmentId}/as/token`, {
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: 'x',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: idToken,
      }),
    })
    expectRefusal(asClient, 'invalid_client')
  })

  test('CIBA: a hint of this client', async () => {
    const { id_token } = await signedOn()
    await ask(stile, app, { id_token_hint: id_token })
    assert.equal((await inboxOf(stile, email)).length, 1)
    const answer = await stile.send(`/${stile.environmentId}/as/cibaAuthorization`, {
      body: new URLSearchParams({ scope: 'openid', id_token_hint: id_token }),
      headers: { authorization: basic(twin.clientId, twin.clientSecret) },
    })
    expectRefusal(answer, 'invalid_request')
  })

  test('introspection tells its client, while the session lives', async () => {
    const { browser, id_token } = await signedOn()
    const introspect = async (client: Registered) =>
      expectStatus(await sendForm(stile, 'introspect', client, { token: id_token }), 200)
    assert.equal((await introspect(app)).sub, who.id)
    assert.deepEqual(await introspect(twin), { active: false })
    await signOff(browser, { id_token_hint: id_token })
    assert.deepEqual(await introspect(app), { active: false })
  })

  suite('sign-off', () => {
    test('I11: it ends the session that it was of, without a question, and leads back', async () => {
      const { browser, id_token, access_token } = await signedOn()
      const answer = await signOff(browser, { id_token_hint: id_token, post_logout_redirect_uri: afterSignOff })
      assert.equal(answer.headers.get('location'), afterSignOff)
      assert.equal(await isLive(stile, access_token), false)
    })

    test('expired, it does so as well', async () => {
      const { browser, id_token } = await signedOn()
      await wait(3_700_000)
      await signOff(browser, { id_token_hint: id_token, post_logout_redirect_uri: afterSignOff })
      assert.equal(await isSignedOn(browser, app), false)
    })

    test('what another client has signed ends nothing', async () => {
      const { browser, id_token } = await signedOn()
      const forged = await sign(decodeJwt(id_token), twin.clientSecret)
      assert.equal((await signOff(browser, { id_token_hint: forged })).status, 400)
      const asTwin = await sign({ ...decodeJwt(id_token), aud: twin.clientId, sid: randomUUID() }, twin.clientSecret)
      assert.ok(
        isQuestion(await signOff(browser, { id_token_hint: asTwin })),
        'a session that is not the one of the browser',
      )
      assert.equal(await isSignedOn(browser, app), true)
      const path = `/${stile.environmentId}/as/idpSignoff?id_token_hint=`
      expectRefusal(await stile.send(path + forged), 'invalid_request')
      expectStatus(await stile.send(path + id_token), 204)
      assert.equal(await isSignedOn(browser, app), false)
    })
  })

  test('Back-Channel Logout 2.4: the logout token is signed as its ID tokens are, and is none', async () => {
    const target = `/${randomUUID()}`
    const logout = { backchannelLogoutUri: `${receiver.url}${target}`, backchannelLogoutSessionRequired: true }
    const told: string[] = []
    for (const algorithm of ['HS512', 'ES384']) {
      const client = await register(stile, { ...body, ...logout, idTokenSignedResponseAlg: algorithm })
      const { browser, id_token } = await signedOn(client)
      await signOff(browser, { id_token_hint: id_token })
      const arrived = () => receiver.received.filter((request) => request.target === target)
      for (let waited = 0; waited < 10_000 && arrived().length <= told.length; waited += 10) {
        stile.node.kernel.wakeOutbox()
        await pause(10)
      }
      const token = arrived().at(-1)?.form['logout_token'] ?? ''
      told.push(token)
      const { json } = await stile.send(`/${stile.environmentId}/as/jwks`)
      const options = {
        algorithms: [algorithm],
        typ: 'logout+jwt',
        currentDate: new Date(world.now()),
        audience: client.clientId,
      }
      const { payload } =
        algorithm === 'HS512'
          ? await jwtVerify(token, Buffer.from(client.clientSecret), options)
          : await jwtVerify(token, createLocalJWKSet(json), options)
      assert.deepEqual([payload.sub, payload['sid']], [who.id, decodeJwt(id_token)['sid']])
      assert.equal((await signOff(browser, { id_token_hint: token })).status, 400, 'F09')
    }
  })

  test('D06: after a rotation by the new secret; hints by the old one count as long as that does', async () => {
    const client = await register(stile, body)
    const { browser, id_token: old } = await signedOn(client)
    const expiresAt = new Date(world.now() + 60_000).toISOString()
    const rotated = await stile.api('POST', `/applications/${client.clientId}/secret`, { previous: { expiresAt } })
    const renewed = { ...client, clientSecret: expectStatus(rotated, 200).secret }
    const { id_token: present } = await signedOn(renewed, browser)
    const options = { currentDate: new Date(world.now()) }
    await jwtVerify(present, Buffer.from(renewed.clientSecret), options)
    for (const hint of [old, present]) assert.ok(told(await silently(browser, renewed, hint)).get('code'))
    await wait(61_000)
    assert.equal(told(await silently(browser, renewed, old)).get('error'), 'invalid_request')
    assert.ok(told(await silently(browser, renewed, present)).get('code'))
  })

  test('another algorithm from now on: what was signed by the secret counts no more', async () => {
    const client = await register(stile, body)
    const { browser, id_token } = await signedOn(client)
    await change(stile, client.clientId, { idTokenSignedResponseAlg: 'RS256' })
    assert.equal(told(await silently(browser, client, id_token)).get('error'), 'invalid_request')
  })

  test('an application without a secret cannot have it', async () => {
    for (const tokenEndpointAuthMethod of ['NONE', 'PRIVATE_KEY_JWT']) {
      const application = {
        ...body,
        name: `A ${randomUUID()}`,
        tokenEndpointAuthMethod,
        jwksUrl: 'https://app.test/keys',
      }
      const { details } = expectStatus(await stile.api('POST', '/applications', application), 400)
      assert.ok(details.some(({ target }: { target: string }) => target === 'idTokenSignedResponseAlg'))
    }
  })
})
