/** Userinfo: authentication-api 2.10, OpenID Connect Core 5.3, RFC 6750; rows E11-E14; decisions D12, D22, D23. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Call, type Stile, startStile } from '../harness/stile.ts'
import { authorizeBySignOnPage, codeRequest, expectRefusal, isLive, obtainCode, redeemCode } from './journeys.ts'
import {
  change,
  expectStatus,
  otherEnvironment,
  type Person,
  person,
  type Registered,
  register,
} from './registrations.ts'

suite('userinfo', () => {
  let world: TestWorld
  let stile: Stile
  let app: Registered
  let tokens: { readonly access_token: string; readonly id_token: string }
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    app = await register(stile)
    tokens = await tokensFor(stile, app, stile.user)
  })
  after(() => stile.close())

  async function tokensFor(
    where: Stile,
    client: Registered,
    who: Omit<Person, 'id'>,
    scope = 'openid profile email',
    browser = new Browser(where),
  ) {
    const code = await obtainCode(browser, codeRequest(client, { scope }), who)
    return expectStatus(await redeemCode(where, client, code), 200)
  }

  const userinfo = (call: Call = {}, environmentId = stile.environmentId): Promise<Answer> =>
    stile.send(`/${environmentId}/as/userinfo`, call)

  /** Expects PingOne's error and the challenge of RFC 6750 section 3. */
  function expectChallenge(answer: Answer, status: number, detail: string | undefined, challenge: RegExp): void {
    assert.equal(answer.status, status, answer.text)
    assert.match(answer.headers.get('www-authenticate') ?? '', challenge)
    assert.equal(answer.json.details?.[0].code, detail)
    assert.equal(answer.json.id, answer.headers.get('correlation-id'))
    assert.equal(answer.headers.get('cache-control'), 'no-store')
  }
  const invalid = (answer: Answer) => expectChallenge(answer, 401, 'INVALID_TOKEN', /^Bearer error="invalid_token"/)

  test('GET, POST with the header, and POST with the form say the same of the same user', async () => {
    const { access_token: token, id_token } = tokens
    const body = new URLSearchParams({ access_token: token })
    const answers = [
      await userinfo({ token }),
      await userinfo({ token, method: 'POST' }),
      await userinfo({ token, body: new URLSearchParams() }),
      await userinfo({ body }),
      await userinfo({ headers: { authorization: `bearer ${token}` } }),
    ]
    const { updated_at, sub } = decodeJwt(id_token)
    for (const answer of answers) {
      assert.deepEqual(expectStatus(answer, 200), {
        sub,
        name: 'Dora Demo',
        given_name: 'Dora',
        family_name: 'Demo',
        preferred_username: stile.user.username,
        updated_at,
        email: 'demo@example.com',
        env: stile.environmentId,
        org: stile.organizationId,
        'p1.region': 'NA',
      })
      assert.equal(answer.headers.get('content-type'), 'application/json;charset=UTF-8')
    }
    assert.equal(sub, stile.user.id)
  })

  test('E21: only the claims of the granted scopes', async () => {
    const { access_token } = await tokensFor(stile, app, stile.user, 'openid email')
    const claims = Object.keys(expectStatus(await userinfo({ token: access_token }), 200))
    assert.deepEqual(claims, ['sub', 'email', 'env', 'org', 'p1.region'])
  })

  test('the user as they are now, not as they were when the token was issued', async () => {
    const someone = await person(stile)
    const { access_token: token } = await tokensFor(stile, app, someone)
    expectStatus(await stile.api('PATCH', `/users/${someone.id}`, { name: { given: 'Grace' } }), 200)
    assert.equal(expectStatus(await userinfo({ token }), 200).given_name, 'Grace')
  })

  suite('RFC 6750', () => {
    test('nothing sent: a bare challenge', async () => {
      expectChallenge(await userinfo(), 401, 'INVALID_TOKEN', /^Bearer$/)
      expectChallenge(await userinfo({ method: 'POST' }), 401, 'INVALID_TOKEN', /^Bearer$/)
      expectChallenge(
        await userinfo({ body: new URLSearchParams({ access_token: '' }) }),
        401,
        'INVALID_TOKEN',
        /^Bearer$/,
      )
    })

    test('E20: a token in the address is not read', async () => {
      const path = `/${stile.environmentId}/as/userinfo?access_token=${tokens.access_token}`
      assert.equal((await stile.send(path)).status, 401)
      const users = `/users?access_token=${await stile.workerToken()}`
      assert.equal((await stile.api('GET', users, undefined, { token: null })).status, 401)
    })

    test('E20: sent twice, in two ways or one', async () => {
      const { access_token: token } = tokens
      const once = new URLSearchParams({ access_token: token })
      const challenge = /^Bearer error="invalid_request"$/
      expectChallenge(await userinfo({ token, body: once }), 400, undefined, challenge)
      const twice = await userinfo({ body: `${once}&${once}`, mediaType: 'application/x-www-form-urlencoded' })
      expectChallenge(twice, 400, undefined, challenge)
    })

    test('E11: malformed, tampered with, unsigned, or a token of another kind', async () => {
      const [header = '', payload = '', signature = ''] = tokens.access_token.split('.')
      const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const wider = encode({ ...decodeJwt(tokens.access_token), sub: randomUUID() })
      const wrong = [
        'x',
        'a.b.c',
        tokens.id_token,
        `${header}.${wider}.${signature}`,
        `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
        `${header}.${payload}.`,
        `${header}.${payload}.${signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))}`,
        await obtainCode(new Browser(stile), codeRequest(app)),
      ]
      for (const token of wrong) {
        invalid(await userinfo({ token }))
        invalid(await userinfo({ body: new URLSearchParams({ access_token: token }) }))
      }
      for (const authorization of ['Bearer', 'Bearer a b', 'Basic x', tokens.access_token, 'Bearer \u00e4']) {
        invalid(await userinfo({ headers: { authorization } }))
      }
    })

    test('E21: an application token, or a user token without openid, has too little scope', async () => {
      const challenge = /^Bearer error="insufficient_scope", scope="openid"$/
      const withoutOpenid = await tokensFor(stile, app, stile.user, 'profile')
      for (const token of [await stile.workerToken(), withoutOpenid.access_token]) {
        expectChallenge(await userinfo({ token }), 403, 'INSUFFICIENT_PERMISSIONS', challenge)
      }
    })

    test('E13, E14: a token of one environment is worth nothing in another, or in none', async () => {
      const elsewhere = await otherEnvironment(stile)
      const theirs = await tokensFor(elsewhere, await register(elsewhere), await person(elsewhere))
      expectStatus(await userinfo({ token: theirs.access_token }, elsewhere.environmentId), 200)
      invalid(await userinfo({ token: theirs.access_token }))
      invalid(await userinfo({ token: tokens.access_token }, elsewhere.environmentId))
      assert.equal((await userinfo({ token: tokens.access_token }, randomUUID())).status, 404)
    })

    test('other methods', async () => {
      const answer = await userinfo({ token: tokens.access_token, method: 'PUT' })
      assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'GET, POST'])
      assert.equal((await userinfo({ body: { access_token: tokens.access_token } })).status, 415)
    })
  })

  suite('E21, D22, D23: a token ends at once with what it stands on', () => {
    const ok = async (answer: Promise<Answer>) => assert.ok((await answer).status < 300, (await answer).text)
    type Ending = (who: Person, client: Registered, browser: Browser) => Promise<unknown>
    const lock = { mediaType: 'application/vnd.pingidentity.account.lock+json' }
    const endings: readonly [what: string, end: Ending][] = [
      ['the user is disabled', ({ id }) => ok(stile.api('PUT', `/users/${id}/enabled`, { enabled: false }))],
      ['the user is locked', ({ id }) => ok(stile.api('POST', `/users/${id}`, {}, lock))],
      ['the user is deleted', ({ id }) => ok(stile.api('DELETE', `/users/${id}`))],
      ['the application is disabled', (_who, { clientId }) => change(stile, clientId, { enabled: false })],
      ['the application is deleted', (_who, { clientId }) => ok(stile.api('DELETE', `/applications/${clientId}`))],
      [
        'the session ends, as somebody else signs on in that browser',
        async (_who, client, browser) => {
          await authorizeBySignOnPage(browser, codeRequest(client, { prompt: 'login' }), await person(stile))
        },
      ],
    ]
    for (const [what, end] of endings) {
      test(what, async () => {
        const who = await person(stile)
        const client = await register(stile)
        const browser = new Browser(stile)
        const { access_token } = await tokensFor(stile, client, who, 'openid', browser)
        assert.equal(await isLive(stile, access_token), true)
        await end(who, client, browser)
        invalid(await userinfo({ token: access_token }))
      })
    }

    test('its code is presented once more; other tokens of the same user stay', async () => {
      const browser = new Browser(stile)
      const code = await obtainCode(browser, codeRequest(app))
      const { access_token } = expectStatus(await redeemCode(stile, app, code), 200)
      const other = await tokensFor(stile, app, stile.user, 'openid', browser)
      expectRefusal(await redeemCode(stile, app, code), 'invalid_grant')
      invalid(await userinfo({ token: access_token }))
      assert.equal(await isLive(stile, other.access_token), true)
    })
  })

  suite('D12: other origins', () => {
    test('the origin of the application reads with credentials, another is refused', async () => {
      const { access_token: token } = tokens
      const allowed = await userinfo({ token, headers: { origin: 'https://app.test' } })
      assert.equal(allowed.status, 200)
      assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.test')
      assert.equal(allowed.headers.get('access-control-allow-credentials'), 'true')
      assert.equal(
        allowed.headers.get('access-control-expose-headers'),
        'Correlation-Id, DPoP-Nonce, OAuth-Client-Attestation-Challenge, WWW-Authenticate',
      )
      assert.match(allowed.headers.get('vary') ?? '', /Origin/)
      for (const origin of ['https://evil.test', 'null', 'https://app.test.evil.test', 'http://app.test']) {
        const refused = await userinfo({ token, headers: { origin } })
        assert.equal(refused.status, 403)
        assert.equal(refused.json.sub, undefined)
        assert.equal(refused.headers.get('access-control-allow-origin'), null)
      }
    })

    test('a preflight is answered, for the header it needs', async () => {
      const headers = {
        origin: 'https://app.test',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      }
      const answer = await userinfo({ method: 'OPTIONS', headers })
      assert.equal(answer.status, 204)
      assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.test')
      assert.equal(answer.headers.get('access-control-allow-credentials'), 'true')
      assert.match(answer.headers.get('access-control-allow-headers') ?? '', /Authorization/)
    })
  })

  test('a token expires after its life', async () => {
    const { access_token: token } = await tokensFor(stile, app, stile.user)
    world.advance(3599_000)
    await stile.node.kernel.environments.poll()
    expectStatus(await userinfo({ token }), 200)
    world.advance(1000)
    invalid(await userinfo({ token }))
  })
})
