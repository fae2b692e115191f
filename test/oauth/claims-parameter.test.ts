/**
 * Claims asked for one by one: OpenID Connect Core sections 5.5 and 5.5.1; rows A28, A35, A36;
 * `fapi2-security-profile-final-test-claims-parameter-identity-claims`.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  authorizeBySignOnPage,
  codeOf,
  codeRequest,
  flowOf,
  push,
  pushed,
  redeemCode,
  submitSignOnPage,
  told,
} from './journeys.ts'
import {
  assignPolicy,
  expectStatus,
  type Person,
  person,
  type Registered,
  register,
  spa,
  web,
} from './registrations.ts'

suite('claims asked for one by one', () => {
  let stile: Stile
  let app: Registered
  let ada: Person
  let browser: Browser
  before(async () => {
    stile = await startStile()
    app = await register(stile)
    ada = await person(stile, {
      email: 'ada@example.com',
      name: { given: 'Ada', family: 'Lovelace' },
      nickname: 'countess',
      primaryPhone: '+44.2012345678',
    })
    browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(app), ada)
  })
  after(() => stile.close())

  const authorize = (claims: unknown, more: Readonly<Record<string, string>> = {}, client = app): Promise<Answer> => {
    const text = typeof claims === 'string' ? claims : JSON.stringify(claims)
    return browser.authorize(codeRequest(client, { scope: 'openid', claims: text, ...more }))
  }
  const identity = ['sub', 'env', 'org', 'p1.region']

  /** The claims that a request brings: those of the ID token that are about the person, and those of userinfo. */
  async function brought(answer: Answer, client = app) {
    const tokens = expectStatus(await redeemCode(stile, client, codeOf(answer)), 200)
    const userinfo = expectStatus(
      await stile.send(`/${stile.environmentId}/as/userinfo`, { token: tokens.access_token }),
      200,
    )
    const about = ['email', 'given_name', 'family_name', 'name', 'nickname', 'phone_number', 'address', 'picture']
    const idToken = Object.fromEntries(
      Object.entries(decodeJwt(tokens.id_token)).filter(([name]) => about.includes(name)),
    )
    return { idToken, userinfo, access: decodeJwt(tokens.access_token) }
  }
  const nothing = (userinfo: object) => assert.deepEqual(Object.keys(userinfo), identity)

  test('in the place that was asked, and there alone', async () => {
    const inUserinfo = await brought(await authorize({ userinfo: { name: { essential: true }, email: null } }))
    assert.deepEqual([inUserinfo.userinfo.name, inUserinfo.userinfo.email], ['Ada Lovelace', 'ada@example.com'])
    assert.deepEqual(Object.keys(inUserinfo.userinfo).length, identity.length + 2)
    assert.deepEqual(inUserinfo.idToken, {})
    assert.equal(inUserinfo.access['scope'], 'openid', 'no scope comes with it')
    const inIdToken = await brought(await authorize({ id_token: { name: { essential: true }, phone_number: null } }))
    assert.deepEqual(inIdToken.idToken, { name: 'Ada Lovelace', phone_number: '+44.2012345678' })
    nothing(inIdToken.userinfo)
  })

  test('what the user does not have, or what no scope brings, is left out, however essential', async () => {
    const names = ['picture', 'groups', 'password', 'env', '__proto__', 'constructor', 'hasOwnProperty', 'aud', 'iss']
    const claims = `{${names.map((name) => `"${name}":{"essential":true}`).join()}}`
    const { idToken, userinfo } = await brought(await authorize(`{"userinfo":${claims},"id_token":${claims}}`))
    assert.deepEqual(idToken, {})
    nothing(userinfo)
  })

  test('A28: a claim of a scope that the application was not granted is left out', async () => {
    const modest = await register(stile, web, ['profile'])
    const claims = { email: { essential: true }, phone_number: null, nickname: null }
    const { idToken, userinfo } = await brought(
      await authorize({ id_token: claims, userinfo: claims }, {}, modest),
      modest,
    )
    assert.deepEqual(idToken, { nickname: 'countess' })
    assert.deepEqual(Object.keys(userinfo).toSorted(), [...identity, 'nickname'].toSorted())
  })

  test('a value that the claim does not have leaves it out', async () => {
    const { idToken } = await brought(
      await authorize({
        id_token: {
          email: { value: 'bob@example.com' },
          nickname: { values: ['duchess', 'countess'] },
          given_name: { value: 'Ada' },
          family_name: { values: ['Byron', 7, true] },
        },
      }),
    )
    assert.deepEqual(idToken, { nickname: 'countess', given_name: 'Ada' })
  })

  test('in the front channel and by pi.flow too', async () => {
    const singlePage = await register(stile, { ...spa, pkceEnforcement: 'OPTIONAL' })
    const claims = { id_token: { email: null }, userinfo: { nickname: null } }
    const answer = await authorize(claims, { response_type: 'token id_token', nonce: 'n' }, singlePage)
    assert.equal(decodeJwt(told(answer).get('id_token') ?? '')['email'], 'ada@example.com')
    const token = told(answer).get('access_token') ?? ''
    const userinfo = expectStatus(await stile.send(`/${stile.environmentId}/as/userinfo`, { token }), 200)
    assert.equal(userinfo.nickname, 'countess')
    const asked = piFlowRequest(stile, pkce().challenge, {
      client_id: singlePage.clientId,
      response_type: 'id_token',
      claims: JSON.stringify(claims),
      scope: 'openid',
    })
    const fresh = new Browser(stile)
    const { id } = expectStatus(await fresh.authorize(asked), 200)
    const { username, password } = ada
    expectStatus(await fresh.act(id, 'usernamePassword.check', { username, password }), 200)
    const { authorizeResponse } = expectStatus(await fresh.resume(id), 200)
    assert.equal(decodeJwt(authorizeResponse.id_token)['email'], 'ada@example.com')
  })

  test('pushed, it is read at once, and kept', async () => {
    const request = codeRequest(app, { scope: 'openid', claims: '{"id_token":{"nickname":null}}' })
    const { idToken } = await brought(await browser.authorize(await pushed(stile, app, request)))
    assert.deepEqual(idToken, { nickname: 'countess' })
    assert.equal((await push(stile, app, { ...request, claims: '[]' })).json.error, 'invalid_request')
  })

  test('A36: what is malformed or too much is refused, at once', async () => {
    const deep = `${'{"userinfo":'.repeat(1000)}{}${'}'.repeat(1000)}`
    for (const claims of ['[]', 'x', '{"userinfo":[]}', '{"id_token":{"email":[]}}', deep, '[[[[']) {
      const started = performance.now()
      const body = new URLSearchParams(codeRequest(app, { claims }))
      const answer = await stile.send(`/${stile.environmentId}/as/authorize`, { body })
      assert.equal(told(answer).get('error'), 'invalid_request', claims.slice(0, 30))
      assert.ok(performance.now() - started < 1000)
    }
  })

  test('where the user is asked for consent, a claim is granted as the scope that brings it', async () => {
    const client = await register(stile, { ...web, requireConsent: true })
    const own = { origin: stile.authUrl, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }
    const page = (flowId: string) => `/${stile.environmentId}/signon/?flowId=${flowId}`
    const allow = async (request: Record<string, string>, shows: RegExp) => {
      const flowId = flowOf(await browser.authorize(request))
      assert.match((await browser.send(page(flowId))).text, shows)
      const body = new URLSearchParams({ action: 'oauth.consent', accept: 'true' })
      assert.equal((await browser.send(page(flowId), { body, headers: own })).status, 303)
      return browser.resume(flowId)
    }
    const plain = codeRequest(client, { scope: 'openid' })
    codeOf(await allow(plain, /recognise you/))
    codeOf(await browser.authorize(plain))
    const asking = { ...plain, claims: '{"userinfo":{"email":null}}' }
    assert.equal(told(await browser.authorize({ ...asking, prompt: 'none' })).get('error'), 'consent_required')
    const { userinfo } = await brought(await allow(asking, /See your e-mail address/), client)
    assert.equal(userinfo.email, 'ada@example.com')
    codeOf(await browser.authorize(asking))
  })

  suite('acr', () => {
    const names = {
      password: `Password-${randomUUID()}`,
      strong: `Strong-${randomUUID()}`,
      absent: `Absent-${randomUUID()}`,
    }
    let client: Registered
    before(async () => {
      client = await register(stile)
      await assignPolicy(stile, client.clientId, names.password, 1)
      await assignPolicy(stile, client.clientId, names.strong, 2)
    })
    const acrOf = async (acr: object, more: Readonly<Record<string, string>> = {}) => {
      const claims = JSON.stringify({ id_token: { acr } })
      const request = codeRequest(client, { scope: 'openid', claims, ...more })
      const answer = await authorizeBySignOnPage(new Browser(stile), request, ada)
      if (told(answer).has('error')) return told(answer).get('error')
      return decodeJwt(expectStatus(await redeemCode(stile, client, codeOf(answer)), 200).id_token)['acr']
    }

    test('an essential one is met or the request is refused', async () => {
      assert.equal(await acrOf({ essential: true, value: names.strong }), names.strong)
      assert.equal(await acrOf({ essential: true, values: [names.absent, names.strong] }), names.strong)
      const refused = 'unmet_authentication_requirements'
      assert.equal(await acrOf({ essential: true, value: names.absent }), refused)
      assert.equal(await acrOf({ essential: true, values: [7] }), refused)
      assert.equal(await acrOf({ essential: true, value: names.strong }, { acr_values: names.password }), refused)
      const both = `${names.password} ${names.strong}`
      assert.equal(await acrOf({ essential: true, value: names.strong }, { acr_values: both }), names.strong)
    })

    test('any other is a wish, and acr_values says more', async () => {
      assert.equal(await acrOf({ value: names.strong }), names.strong)
      assert.equal(await acrOf({ value: names.absent }), names.password)
      assert.equal(await acrOf({ essential: true }), names.password)
      assert.equal(await acrOf({ value: names.strong }, { acr_values: names.password }), names.password)
    })

    test('A35: a policy that is not assigned does not run for being essential', async () => {
      assert.equal(await acrOf({ essential: true, value: 'Single_Factor' }), 'unmet_authentication_requirements')
    })
  })

  suite('sub', () => {
    test('it names the only user that may be signed on', async () => {
      const [other, sub] = [await person(stile), (value: string) => ({ id_token: { sub: { value } } })]
      codeOf(await authorize(sub(ada.id), { prompt: 'none' }))
      assert.equal(told(await authorize(sub(other.id), { prompt: 'none' })).get('error'), 'login_required')
      const flowId = flowOf(await authorize(sub(other.id)))
      const wrong = Object.assign(new Browser(stile), { cookie: browser.cookie })
      const refused = await submitSignOnPage(wrong, flowId, ada)
      assert.notEqual(refused.status, 303, 'somebody else is not let in')
    })

    test('it has to leave one user, the one of id_token_hint too', async () => {
      const { id_token } = expectStatus(await redeemCode(stile, app, codeOf(await authorize({ id_token: {} }))), 200)
      for (const claims of [
        { id_token: { sub: { values: [ada.id, randomUUID()] } } },
        { id_token: { sub: { value: ada.id } }, userinfo: { sub: { value: randomUUID() } } },
        { id_token: { sub: { value: 7 } } },
      ]) {
        assert.equal(told(await authorize(claims)).get('error'), 'invalid_request')
      }
      const hint = { id_token_hint: id_token as string }
      codeOf(await authorize({ id_token: { sub: { values: [randomUUID(), ada.id] } } }, hint))
      assert.equal(
        told(await authorize({ id_token: { sub: { value: randomUUID() } } }, hint)).get('error'),
        'invalid_request',
      )
    })
  })
})
