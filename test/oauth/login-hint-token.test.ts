/**
 * `login_hint_token`: a flow that begins with whom the application means. authentication-api 2.5, 2.14, 5.4; rows A33, C12,
 * C18, L41.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { testWorld } from '../../src/world.ts'
import {
  addEmailDevice,
  addressOf,
  assign,
  codeSentTo,
  enable,
  enableMfa,
  inboxOf,
  newPerson,
  newPersonWithDevices,
  newPolicy,
  type Person,
  type Policy,
  removeRows,
} from '../flow-runtime/arrange.ts'
import { Browser, pkce } from '../harness/sign-on.ts'
import { type Answer, basic, type Stile, startStile } from '../harness/stile.ts'
import { clientKey, keySet } from './assertions.ts'
import { codeOf, codeRequest, expectRefusal, flowOf, isLive, push, pushed, redeemCode, told } from './journeys.ts'
import { change, expectStatus, type Registered, register, web } from './registrations.ts'
import { bySecret, requestObject, type Signer } from './request-objects.ts'

const mfa = { type: 'MULTI_FACTOR_AUTHENTICATION' } as const

suite('login_hint_token', () => {
  const world = testWorld()
  const key = clientKey('ES256', 'k1')
  let stile: Stile
  let withDevice: Person
  let withoutDevice: Person
  let mfaOnly: Policy
  let magic: Policy
  let passwordToo: Policy
  let passwordThenMagic: Policy
  let app: Registered
  before(async () => {
    stile = await startStile({ world })
    withDevice = await owner()
    withoutDevice = await newPerson(stile)
    mfaOnly = await newPolicy(stile, mfa)
    magic = await newPolicy(stile, { ...mfa, noDevicesMode: 'BYPASS' })
    passwordToo = await newPolicy(stile, { type: 'LOGIN' }, mfa)
    passwordThenMagic = await newPolicy(stile, { type: 'LOGIN' }, { ...mfa, noDevicesMode: 'BYPASS' })
    app = await register(stile, { ...web, jwks: keySet(key) })
    await assign(stile, app.clientId, mfaOnly, magic, passwordToo, passwordThenMagic)
  })
  after(() => stile.close())

  /** Somebody with a device; codes that are sent to one are limited. */
  async function owner(): Promise<Person> {
    const person = await newPerson(stile)
    await enableMfa(stile, person)
    await addEmailDevice(stile, person)
    return person
  }

  const token = (sub: string, claims: object = {}, signer: Signer = bySecret(app), header: object = {}) =>
    requestObject(stile, app, signer, { sub, jti: randomUUID(), ...claims }, header)
  const asking = async (sub: string, policy: Policy, more: Readonly<Record<string, string>> = {}) =>
    codeRequest(app, { scope: 'openid', acr_values: policy.name, login_hint_token: await token(sub), ...more })
  const inJson = async (sub: string, policy: Policy, more: Readonly<Record<string, string>> = {}) => {
    const { redirect_uri: _, ...request } = await asking(sub, policy, more)
    return { ...request, response_mode: 'pi.flow' } as Record<string, string>
  }

  /** Follows a browser that is signed on without having to do anything. */
  async function followed(browser: Browser, request: Readonly<Record<string, string>>): Promise<Answer> {
    const answer = await browser.authorize(request)
    const [, flowId] = /\/as\/resume\?flowId=([0-9a-f-]{36})$/.exec(answer.headers.get('location') ?? '') ?? []
    assert.ok(flowId, answer.headers.get('location') ?? answer.text)
    return browser.resume(flowId)
  }

  test('2.5: with an MFA-only policy the second factor comes first, by pi.flow and on the page', async () => {
    const browser = new Browser(stile)
    const flow = expectStatus(await browser.authorize(await inJson(withDevice.id, mfaOnly)), 200)
    assert.equal(flow.status, 'OTP_REQUIRED')
    assert.deepEqual([flow._embedded.devices.length, flow.bypassAllowed], [1, false])
    assert.equal(flow.selectedDevice.id, flow._embedded.devices[0].id)
    assert.ok(flow._links['otp.check'] && flow._links['device.select'])
    assert.notEqual(flow._embedded.devices[0].email, addressOf(withDevice), 'masked')
    const otp = await codeSentTo(stile, addressOf(withDevice))
    expectStatus(await browser.act(flow.id, 'otp.check', { otp }), 200)
    const { authorizeResponse } = expectStatus(await browser.resume(flow.id), 200)
    const { id_token } = expectStatus(await redeemCode(stile, { ...app, redirectUri: '' }, authorizeResponse.code), 200)
    const { sub, acr, amr } = decodeJwt(id_token)
    assert.deepEqual([sub, acr, amr], [withDevice.id, mfaOnly.name, ['otp', 'mfa']])

    const fresh = new Browser(stile)
    const flowId = flowOf(await fresh.authorize(await asking(withDevice.username, mfaOnly)))
    const { text } = await fresh.send(`/${stile.environmentId}/signon/?flowId=${flowId}`)
    assert.match(text, /name="action" value="otp\.check"/)
  })

  test('by the secret, by a key, and by a user name', async () => {
    const withDevice = await owner()
    for (const [sub, signer] of [
      [withDevice.id, key],
      [withDevice.username, key],
      [withDevice.username, bySecret(app, 'HS512')],
    ] as const) {
      const login_hint_token = await token(sub, {}, signer)
      const answer = await new Browser(stile).authorize(await inJson('x', mfaOnly, { login_hint_token }))
      assert.equal(expectStatus(answer, 200).status, 'OTP_REQUIRED')
    }
  })

  test('at the authorization challenge endpoint: for whom the token names, once', async () => {
    await change(stile, app.clientId, { isFirstParty: true })
    const post = (parameters: Readonly<Record<string, string>>) =>
      stile.send(`/${stile.environmentId}/as/authorization_challenge`, {
        body: new URLSearchParams(parameters),
        headers: { authorization: basic(app.clientId, app.clientSecret) },
      })
    const withDevice = await owner()
    const login_hint_token = await token(withDevice.id)
    const request = { scope: 'openid', acr_values: mfaOnly.name, login_hint_token }
    const begun = await post(request)
    assert.deepEqual([begun.status, begun.json.status], [400, 'OTP_REQUIRED'], begun.text)
    expectRefusal(await post({ ...request, acr_values: passwordToo.name }), 'invalid_request')
    const forged = await token(withDevice.id, {}, clientKey('ES256', 'k1'))
    expectRefusal(await post({ ...request, login_hint_token: forged }), 'invalid_request')
    const otp = await codeSentTo(stile, addressOf(withDevice))
    const done = expectStatus(await post({ auth_session: begun.json.auth_session, otp }), 200)
    const redeemed = await redeemCode(stile, { ...app, redirectUri: '' }, done.authorization_code)
    assert.equal(decodeJwt(expectStatus(redeemed, 200).id_token).sub, withDevice.id)

    const magicLink = await token(withoutDevice.id)
    const atOnce = expectStatus(await post({ ...request, acr_values: magic.name, login_hint_token: magicLink }), 200)
    assert.ok(atOnce.authorization_code)
  })

  test('several devices: the one is chosen that would be for somebody who is known', async () => {
    const person = await newPersonWithDevices(stile)
    const flow = expectStatus(await new Browser(stile).authorize(await inJson(person.id, mfaOnly)), 200)
    assert.equal(flow._embedded.devices.length, 2)
  })

  test('with a LOGIN the password is asked for, and only that user’s will do', async () => {
    const withDevice = await owner()
    const browser = new Browser(stile)
    const flow = expectStatus(await browser.authorize(await inJson(withDevice.id, passwordToo)), 200)
    assert.equal(flow.status, 'PASSWORD_REQUIRED')
    assert.equal(flow._embedded.user.username, withDevice.username)
    const wrong = { username: withoutDevice.username, password: withoutDevice.password }
    expectStatus(await browser.act(flow.id, 'usernamePassword.check', wrong), 400)
    const right = { password: withDevice.password }
    assert.equal(expectStatus(await browser.act(flow.id, 'usernamePassword.check', right), 200).status, 'OTP_REQUIRED')
  })

  test('5.4: BYPASS lets a user without a device pass at once: a magic link', async () => {
    const browser = new Browser(stile)
    const { challenge } = pkce()
    const answer = await followed(browser, await asking(withoutDevice.id, magic, { state: 's', nonce: 'n' }))
    assert.equal(told(answer).get('state'), 's')
    const tokens = expectStatus(await redeemCode(stile, app, codeOf(answer)), 200)
    const { sub, acr, amr, auth_time } = decodeJwt(tokens.id_token)
    assert.deepEqual([sub, acr, amr], [withoutDevice.id, magic.name, undefined])
    assert.equal(auth_time, Math.floor(world.now() / 1000))
    assert.ok(await isLive(stile, tokens.access_token))
    const silent = codeRequest(app, {
      prompt: 'none',
      acr_values: passwordToo.name,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    })
    assert.equal(told(await browser.authorize(silent)).get('error'), 'login_required', 'it proves no password')

    const fresh = new Browser(stile)
    const flow = expectStatus(await fresh.authorize(await inJson(withoutDevice.id, magic)), 200)
    assert.equal(flow.status, 'COMPLETED')
    assert.ok(expectStatus(await fresh.resume(flow.id), 200).authorizeResponse.code)
    codeOf(await followed(new Browser(stile), await asking(withoutDevice.id, magic, { prompt: 'none' })))
  })

  test('5.4: BYPASS asks whoever has a device; without it, or without a token, nobody passes', async () => {
    const withDevice = await owner()
    const has = expectStatus(await new Browser(stile).authorize(await inJson(withDevice.id, magic)), 200)
    assert.equal(has.status, 'OTP_REQUIRED')
    const blocked = await new Browser(stile).authorize(await asking(withoutDevice.id, mfaOnly))
    assert.equal(told(blocked).get('error'), 'access_denied')
    const { login_hint_token: _, ...named } = await asking(withoutDevice.id, magic, {
      login_hint: withoutDevice.username,
    })
    assert.equal(told(await new Browser(stile).authorize(named)).get('error'), 'access_denied')
    const elsewhere = new Browser(stile)
    const { id_token } = expectStatus(
      await redeemCode(stile, app, codeOf(await followed(elsewhere, await asking(withoutDevice.id, magic)))),
      200,
    )
    const hinted = { ...named, id_token_hint: id_token as string }
    assert.equal(told(await new Browser(stile).authorize(hinted)).get('error'), 'access_denied', 'a hint is no token')
    assert.equal(told(await elsewhere.authorize({ ...named, prompt: 'login' })).get('error'), 'access_denied')
  })

  test('2.14: pi.template says what is approved, in the words of the environment; what is ours it cannot change', async () => {
    const content = {
      locale: 'en',
      deliveryMethod: 'Email',
      variant: 'variant_B',
      subject: 'Pay',
      body: 'Pay ${sum} ${currency} to ${recipient}, ${user.username}?\n\n${code}\n',
      emailContentType: 'text/plain',
    }
    expectStatus(await stile.api('POST', '/templates/transaction/contents', content), 201)
    const person = await owner()
    const variables = {
      sum: '1,000,000',
      currency: 'USD',
      recipient: 'Charlie Parker',
      code: '000000',
      'user.username': 'x',
    }
    const claims = {
      ...(await inJson(person.id, mfaOnly)),
      'pi.template': { name: 'transaction', variant: 'variant_B', variables },
    }
    const request = await requestObject(stile, app, bySecret(app), claims)
    const browser = new Browser(stile)
    const started = await browser.authorize({ client_id: app.clientId, response_mode: 'pi.flow', request })
    const flow = expectStatus(started, 200)
    const [message] = await inboxOf(stile, addressOf(person))
    assert.match(message?.body ?? '', new RegExp(`Pay 1,000,000 USD to Charlie Parker, ${person.username}\\?`))
    const otp = await codeSentTo(stile, addressOf(person))
    assert.notEqual(otp, '000000')
    assert.equal(expectStatus(await browser.act(flow.id, 'otp.check', { otp }), 200).status, 'COMPLETED')
  })

  test('the limit of codes holds here too, and says so in JSON', async () => {
    const person = await owner()
    let answer = await new Browser(stile).authorize(await inJson(person.id, mfaOnly))
    for (let sent = 1; answer.status === 200 && sent < 20; sent++) {
      answer = await new Browser(stile).authorize(await inJson(person.id, mfaOnly))
    }
    assert.equal(expectStatus(answer, 429).code, 'REQUEST_LIMITED')
    const redirected = await new Browser(stile).authorize(await asking(person.id, mfaOnly))
    assert.equal(told(redirected).get('error'), 'temporarily_unavailable')
  })

  test('5.4: BYPASS is for the word of the application: a password alone does not bring it', async () => {
    const { username, password } = withoutDevice
    const after = async (request: Record<string, string>) => {
      const browser = new Browser(stile)
      const { id } = expectStatus(await browser.authorize(request), 200)
      return (await browser.act(id, 'usernamePassword.check', { username, password })).json.status
    }
    const { login_hint_token: _, ...plain } = await inJson(withoutDevice.id, passwordThenMagic)
    assert.equal(await after(plain as Record<string, string>), 'FAILED')
    assert.equal(await after(await inJson(withoutDevice.id, passwordThenMagic)), 'COMPLETED')
  })

  test('L41: another browser cannot come back for it, and the link works once', async () => {
    const request = await asking(withoutDevice.id, magic)
    const browser = new Browser(stile)
    const { headers } = await browser.authorize(request)
    const flowId = new URL(headers.get('location') ?? '').searchParams.get('flowId') ?? ''
    assert.equal((await new Browser(stile).resume(flowId)).status, 404)
    codeOf(await browser.resume(flowId))
    assert.equal((await browser.resume(flowId)).status, 404)
    assert.equal(told(await new Browser(stile).authorize(request)).get('error'), 'invalid_request')
    const withoutJti = { ...request, login_hint_token: await token(withoutDevice.id, { jti: undefined }) }
    codeOf(await followed(new Browser(stile), withoutJti))
    assert.equal(told(await new Browser(stile).authorize(withoutJti)).get('error'), 'invalid_request')
  })

  test('L41: of ten browsers that come with one link at once, one is signed on', async () => {
    const request = await asking(withoutDevice.id, magic)
    const answers = await Promise.all(Array.from({ length: 10 }, () => new Browser(stile).authorize(request)))
    const won = answers.filter(({ headers }) => /\/as\/resume/.test(headers.get('location') ?? ''))
    assert.equal(won.length, 1)
  })

  test('C17, C18: what is not signed by the client, for this server, and now, is nothing', async () => {
    const now = Math.floor(world.now() / 1000)
    const { sub } = { sub: withoutDevice.id }
    const other = await register(stile)
    const idToken = expectStatus(
      await redeemCode(stile, app, codeOf(await followed(new Browser(stile), await asking(sub, magic)))),
      200,
    ).id_token
    const bad = [
      token(sub, { aud: 'https://other.test' }),
      token(sub, { aud: undefined }),
      token(sub, { iss: other.clientId }),
      token(sub, { exp: now - 61 }),
      token(sub, { exp: undefined }),
      token(sub, { exp: now + 3600 }),
      token(sub, { nbf: now + 120 }),
      token(sub, {}, bySecret(other)),
      token(sub, {}, clientKey('ES256', 'k1')),
      token(sub, {}, 'none'),
      token(sub, {}, key, { typ: 'oauth-authz-req+jwt' }),
      token('', {}),
      token(`nobody-${randomUUID()}`),
      Promise.resolve(idToken as string),
      Promise.resolve('x'),
    ]
    for (const [at, login_hint_token] of (await Promise.all(bad)).entries()) {
      const answer = await new Browser(stile).authorize(await asking(sub, magic, { login_hint_token }))
      assert.equal(told(answer).get('error'), 'invalid_request', String(at))
    }
  })

  test('a user who is not there, or may not sign on, is nobody', async () => {
    const disabled = await newPerson(stile)
    await enable(stile, disabled, false)
    for (const sub of [disabled.id, randomUUID()]) {
      const answer = await new Browser(stile).authorize(await asking(sub, magic))
      assert.equal(told(answer).get('error'), 'access_denied')
    }
  })

  test('A33: a session of somebody else does not count; that of the user does', async () => {
    const withDevice = await owner()
    const browser = new Browser(stile)
    codeOf(await followed(browser, await asking(withoutDevice.id, magic)))
    const flow = expectStatus(await browser.authorize(await inJson(withDevice.id, mfaOnly)), 200)
    assert.equal(flow.status, 'OTP_REQUIRED')
    const third = await newPerson(stile)
    const answer = await followed(browser, await asking(third.id, magic))
    const { id_token } = expectStatus(await redeemCode(stile, app, codeOf(answer)), 200)
    assert.equal(decodeJwt(id_token).sub, third.id)
    const two = await asking(third.id, magic, {
      claims: JSON.stringify({ id_token: { sub: { value: withDevice.id } } }),
    })
    assert.equal(told(await browser.authorize(two)).get('error'), 'invalid_request')
    const hint = { id_token_hint: id_token as string }
    assert.equal(
      told(await browser.authorize(await asking(withDevice.id, magic, hint))).get('error'),
      'invalid_request',
    )
    codeOf(await browser.authorize(await asking(third.id, magic, hint)).then((at) => followedFrom(browser, at)))
  })

  test('L41: a browser with the session of a user who is gone begins with whom the token names', async () => {
    const gone = await newPerson(stile)
    const browser = new Browser(stile)
    codeOf(await followed(browser, await asking(gone.id, magic)))
    // As it is while the deletion is on its way: their sessions end with them.
    await removeRows(stile, 'users', 'id = $2', gone.id)
    const { id_token } = expectStatus(
      await redeemCode(stile, app, codeOf(await followed(browser, await asking(withoutDevice.id, magic)))),
      200,
    )
    assert.equal(decodeJwt(id_token).sub, withoutDevice.id)
    const nobody = await browser.authorize(await asking(gone.id, magic))
    assert.equal(told(nobody).get('error'), 'access_denied')
  })

  async function followedFrom(browser: Browser, answer: Answer): Promise<Answer> {
    const flowId = new URL(answer.headers.get('location') ?? '').searchParams.get('flowId')
    return flowId === null ? answer : browser.resume(flowId)
  }

  test('C12: pushed, it is read and used up at once; none can be added on the way', async () => {
    const request = await asking(withoutDevice.id, magic)
    const slim = await pushed(stile, app, request)
    expectRefusal(await push(stile, app, request), 'invalid_request')
    const injected = { ...slim, login_hint_token: await token(withDevice.id) }
    const { id_token } = expectStatus(
      await redeemCode(stile, app, codeOf(await followed(new Browser(stile), injected))),
      200,
    )
    assert.equal(decodeJwt(id_token).sub, withoutDevice.id)
    const inside = await requestObject(stile, app, key, await asking(withoutDevice.id, magic))
    codeOf(await followed(new Browser(stile), { client_id: app.clientId, request: inside }))
  })
})
