/**
 * Authorization requests of browsers that have a session, or whose application goes away: rows A27, A29, A31-A33. One
 * node, whose clock the tests move. A27 at the password step, since there is no OTP yet.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt, type JWTPayload } from 'jose'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  authorizeBySignOnPage,
  codeOf,
  codeRequest,
  flowOf,
  isLive,
  obtainCode,
  redeemCode,
  submitSignOnPage,
  told,
} from './journeys.ts'
import {
  assignPolicy,
  change,
  expectStatus,
  otherEnvironment,
  type Person,
  person,
  type Registered,
  register,
  rowsOf,
} from './registrations.ts'

suite('authorization requests and sessions', () => {
  let world: TestWorld
  let stile: Stile
  let app: Registered
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    app = await register(stile)
  })
  after(() => stile.close())

  /** Moves the clock; the node reads its configuration feed at once, as it would have meanwhile. */
  async function pass(seconds: number): Promise<void> {
    world.advance(seconds * 1000)
    await stile.node.kernel.environments.poll()
  }

  const nowInSeconds = () => Math.floor(world.now() / 1000)
  const signedOn = async (who: Omit<Person, 'id'> = stile.user, client = app) => {
    const browser = new Browser(stile)
    return { browser, claims: await claimsOf(await authorizeBySignOnPage(browser, codeRequest(client), who), client) }
  }

  /** The ID token that the code of an answer brings. */
  async function claimsOf(answer: Answer, client = app): Promise<JWTPayload> {
    return decodeJwt(expectStatus(await redeemCode(stile, client, codeOf(answer)), 200).id_token)
  }

  test('a session that satisfies the policy answers at once, for every application and response mode', async () => {
    const { browser, claims } = await signedOn()
    const other = await register(stile)
    const again = await claimsOf(await browser.authorize(codeRequest(other)), other)
    assert.deepEqual([again.sub, again['sid'], again['auth_time']], [claims.sub, claims['sid'], claims['auth_time']])
    const { challenge } = pkce()
    const inJson = expectStatus(
      await browser.authorize(piFlowRequest(stile, challenge, { state: 's', prompt: 'none' })),
      200,
    )
    assert.deepEqual(Object.keys(inJson), ['environment', 'session', 'status', 'authorizeResponse'])
    assert.deepEqual([inJson.session.id, inJson.status], [claims['sid'], 'COMPLETED'])
    assert.deepEqual(Object.keys(inJson.authorizeResponse), ['code', 'state'])
  })

  suite('A27: an application that goes away under a flow', () => {
    test('at the password step: disabled, then deleted; no code and no session', async () => {
      for (const end of [(id: string) => change(stile, id, { enabled: false }), remove]) {
        const leaving = await register(stile)
        const browser = new Browser(stile)
        const flowId = flowOf(await browser.authorize(codeRequest(leaving)))
        await end(leaving.clientId)
        const sessions = await rowsOf(stile, 'sessions')
        await nothingWorks(browser, flowId)
        assert.equal(await rowsOf(stile, 'sessions'), sessions)
      }
    })

    test('with pi.flow', async () => {
      const leaving = await register(stile)
      const browser = new Browser(stile)
      const started = await browser.authorize(codeRequest(leaving, { response_mode: 'pi.flow' }))
      await change(stile, leaving.clientId, { enabled: false })
      await nothingWorks(browser, expectStatus(started, 200).id)
    })

    test('between the password and the way back', async () => {
      const leaving = await register(stile)
      const browser = new Browser(stile)
      const flowId = flowOf(await browser.authorize(codeRequest(leaving)))
      assert.equal((await submitSignOnPage(browser, flowId, stile.user)).status, 303)
      const codes = await rowsOf(stile, 'authorization_codes')
      await change(stile, leaving.clientId, { enabled: false })
      assert.equal((await browser.resume(flowId)).status, 404)
      assert.equal(await rowsOf(stile, 'authorization_codes'), codes)
    })

    test('its whole environment', async () => {
      const elsewhere = await otherEnvironment(stile)
      const someone = await person(elsewhere)
      const leaving = await register(elsewhere)
      const browser = new Browser(elsewhere)
      const flowId = flowOf(await browser.authorize(codeRequest(leaving)))
      expectStatus(await stile.api('DELETE', `/v1/environments/${elsewhere.environmentId}`), 204)
      await nothingWorks(browser, flowId, someone)
      assert.equal((await browser.authorize(codeRequest(leaving))).status, 404)
    })

    async function remove(id: string): Promise<void> {
      expectStatus(await stile.api('DELETE', `/applications/${id}`), 204)
    }

    async function nothingWorks(browser: Browser, flowId: string, who: Omit<Person, 'id'> = stile.user): Promise<void> {
      const { username, password } = who
      assert.equal((await browser.act(flowId, 'usernamePassword.check', { username, password })).status, 404)
      const page = `/${browser.stile.environmentId}/signon/?flowId=${flowId}`
      const form = new URLSearchParams({ action: 'usernamePassword.check', username, password })
      assert.equal((await browser.send(page, { body: form })).status, 404)
      assert.equal((await browser.resume(flowId)).status, 404)
    }
  })

  suite('A29: prompt=none with a session that is not enough', () => {
    const silent = { prompt: 'none' }

    test('too old for the policy of this application', async () => {
      const strict = await register(stile)
      const condition = { secondsSince: '${session.lastSignOn.withAuthenticator.pwd.at}', greater: 300 }
      await assignPolicy(stile, strict.clientId, 'Strict', 1, condition)
      const { browser } = await signedOn()
      assert.ok(codeOf(await browser.authorize(codeRequest(strict, silent))))
      await pass(301)
      assert.equal(told(await browser.authorize(codeRequest(strict, silent))).get('error'), 'login_required')
      assert.ok(codeOf(await browser.authorize(codeRequest(app, silent))))
    })

    test('the password has to be changed; the user is disabled, or locked', async () => {
      const vendor = (operation: string) => ({ mediaType: `application/vnd.pingidentity.${operation}+json` })
      const endings: readonly ((id: string) => Promise<Answer>)[] = [
        (id) => stile.api('POST', `/users/${id}/password`, {}, vendor('password.forceChange')),
        (id) => stile.api('PUT', `/users/${id}/enabled`, { enabled: false }),
        (id) => stile.api('POST', `/users/${id}`, {}, vendor('account.lock')),
        (id) => stile.api('DELETE', `/users/${id}`),
      ]
      for (const end of endings) {
        const someone = await person(stile)
        const { browser } = await signedOn(someone)
        assert.ok(codeOf(await browser.authorize(codeRequest(app, silent))))
        const answer = await end(someone.id)
        assert.ok(answer.status < 300, answer.text)
        assert.equal(told(await browser.authorize(codeRequest(app, silent))).get('error'), 'login_required')
      }
    })

    test('prompt=none together with max_age=0', async () => {
      const { browser } = await signedOn()
      const answer = await browser.authorize(codeRequest(app, { prompt: 'none', max_age: '0' }))
      assert.equal(told(answer).get('error'), 'login_required')
    })
  })

  suite('A31: max_age with a session ten minutes old', () => {
    test('0 and 1 authenticate again, and auth_time is fresh; a longer one does not', async () => {
      const sessions = await Promise.all(
        ['0', '1', '599', '600', '601'].map(async (max_age) => ({ max_age, ...(await signedOn()) })),
      )
      await pass(600)
      for (const { max_age, browser, claims } of sessions.slice(0, 4)) {
        const answer = await authorizeBySignOnPage(browser, codeRequest(app, { max_age }))
        const again = await claimsOf(answer)
        assert.equal(again['auth_time'], nowInSeconds(), max_age)
        assert.equal(again['sid'], claims['sid'], 'the same user keeps the session')
      }
      const { max_age, browser, claims } = sessions[4] ?? assert.fail()
      const again = await claimsOf(await browser.authorize(codeRequest(app, { max_age })))
      assert.equal(again['auth_time'], claims['auth_time'])
    })

    test('it begins at the password step, for the user of the session', async () => {
      const { browser, claims } = await signedOn()
      await pass(2)
      const flowId = flowOf(await browser.authorize(codeRequest(app, { max_age: '1' })))
      const flow = expectStatus(await browser.send(`/${stile.environmentId}/flows/${flowId}`), 200)
      assert.deepEqual([flow.status, flow._embedded.user.id], ['PASSWORD_REQUIRED', claims.sub])
    })

    test('anything but a number of seconds is refused', async () => {
      for (const max_age of ['-1', 'abc', '1.5', '1e3', ' 1', '9999999999']) {
        const answer = await new Browser(stile).authorize(codeRequest(app, { max_age }))
        assert.equal(told(answer).get('error'), 'invalid_request', max_age)
      }
    })
  })

  suite('A32: prompt=login', () => {
    const again = { prompt: 'login' }

    test('resume without authenticating, back, and cancel give no code', async () => {
      const { browser } = await signedOn()
      const codes = await rowsOf(stile, 'authorization_codes')
      const flowId = flowOf(await browser.authorize(codeRequest(app, again)))
      assert.equal(flowOf(await browser.resume(flowId)), flowId)
      assert.equal(flowOf(await browser.resume(flowId)), flowId)
      const wrong = await browser.act(flowId, 'usernamePassword.check', {
        username: stile.user.username,
        password: 'wrong',
      })
      assert.equal(wrong.status, 400)
      assert.equal(flowOf(await browser.resume(flowId)), flowId)
      const reset = await browser.act(flowId, 'session.reset', {})
      assert.equal(reset.status, 400, 'nobody is known yet, so there is nothing to reset')
      assert.equal(await rowsOf(stile, 'authorization_codes'), codes)
      assert.ok(codeOf(await browser.authorize(codeRequest(app))), 'an abandoned flow does not disturb the session')
    })

    test('finished as the same user: a fresh auth_time, the same session under a new token', async () => {
      const { browser, claims } = await signedOn()
      const token = browser.cookie
      await pass(30)
      const fresh = await claimsOf(await authorizeBySignOnPage(browser, codeRequest(app, again)))
      assert.equal(fresh['auth_time'], nowInSeconds())
      assert.equal(fresh['sid'], claims['sid'])
      assert.notEqual(browser.cookie, token)
    })

    test("finished as somebody else: they get a session of their own, and the first user's ends", async () => {
      const { browser, claims } = await signedOn()
      const access = expectStatus(
        await redeemCode(stile, app, codeOf(await browser.authorize(codeRequest(app)))),
        200,
      ).access_token
      const first = browser.cookie
      const other = await person(stile)
      const theirs = await claimsOf(await authorizeBySignOnPage(browser, codeRequest(app, again), other))
      assert.equal(theirs.sub, other.id)
      assert.notEqual(theirs['sid'], claims['sid'])
      assert.equal(await isLive(stile, access), false)
      const back = new Browser(stile)
      back.cookie = first
      assert.equal(told(await back.authorize(codeRequest(app, { prompt: 'none' }))).get('error'), 'login_required')
    })

    test('select_account asks as well', async () => {
      const { browser } = await signedOn()
      flowOf(await browser.authorize(codeRequest(app, { prompt: 'select_account' })))
    })
  })

  test('A33: with a hint, nobody but the user it names can sign on, at either door', async () => {
    const [expected, other] = [await person(stile), await person(stile)]
    const code = await obtainCode(new Browser(stile), codeRequest(app), expected)
    const id_token_hint = expectStatus(await redeemCode(stile, app, code), 200).id_token as string
    for (const response_mode of ['query', 'pi.flow']) {
      const { browser } = await signedOn()
      const asked = await browser.authorize(codeRequest(app, { id_token_hint, response_mode }))
      const flowId: string = response_mode === 'pi.flow' ? asked.json.id : flowOf(asked)
      const at = `/${stile.environmentId}/flows/${flowId}`
      const begun = await browser.send(at)
      assert.equal(begun.json.status, 'USERNAME_PASSWORD_REQUIRED', begun.text)
      const check = ({ username, password }: { username: string; password: string }) =>
        browser.act(flowId, 'usernamePassword.check', { username, password })
      const refused = await check(other)
      assert.deepEqual([refused.status, refused.json.details[0].target], [400, 'username'])
      assert.equal((await check(expected)).json.status, 'COMPLETED')
    }
  })

  test('A33: id_token_hint signs nobody on, whatever it holds', async () => {
    const other = await person(stile)
    const hintOf = async (browser: Browser, client = app) =>
      expectStatus(await redeemCode(stile, client, await obtainCode(browser, codeRequest(client), other)), 200)
        .id_token as string
    const valid = await hintOf(new Browser(stile))
    const [header, payload, signature] = valid.split('.')
    const elsewhere = await otherEnvironment(stile)
    const stranger = await person(elsewhere)
    const foreignApp = await register(elsewhere)
    const foreignCode = await obtainCode(new Browser(elsewhere), codeRequest(foreignApp), stranger)
    const forged = [
      await hintOf(new Browser(stile), await register(stile)),
      expectStatus(await redeemCode(elsewhere, foreignApp, foreignCode), 200).id_token,
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`,
      `${header}.${payload}.${signature?.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))}`,
      'not.a.token',
    ]
    const mine = await signedOn()
    for (const id_token_hint of forged) {
      for (const browser of [new Browser(stile), mine.browser]) {
        for (const more of [{}, { prompt: 'none' }] as readonly Record<string, string>[]) {
          const answer = await browser.authorize(codeRequest(app, { id_token_hint, ...more }))
          assert.equal(told(answer).get('error'), 'invalid_request')
        }
      }
    }

    flowOf(await new Browser(stile).authorize(codeRequest(app, { id_token_hint: valid })))
    for (const browser of [new Browser(stile), mine.browser]) {
      const silent = await browser.authorize(codeRequest(app, { id_token_hint: valid, prompt: 'none' }))
      assert.equal(told(silent).get('error'), 'login_required', 'nobody, or somebody else, is signed on')
    }
    const own = expectStatus(await redeemCode(stile, app, codeOf(await mine.browser.authorize(codeRequest(app)))), 200)
    const confirmed = await mine.browser.authorize(codeRequest(app, { id_token_hint: own.id_token, prompt: 'none' }))
    assert.equal((await claimsOf(confirmed)).sub, mine.claims.sub)
    await pass(3601)
    const expired = await new Browser(stile).authorize(codeRequest(app, { id_token_hint: valid, prompt: 'none' }))
    assert.equal(told(expired).get('error'), 'login_required')
    const kept = await mine.browser.authorize(codeRequest(app, { id_token_hint: own.id_token, prompt: 'none' }))
    assert.equal((await claimsOf(kept)).sub, mine.claims.sub, 'an expired hint is one all the same')
  })
})
