/**
 * The device authorization grant: RFC 8628, authentication-api 2.15; rows Q04-Q07, Q11, B20. One node, whose clock the tests
 * move.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { takeGuess } from '../../src/limits/guesses.ts'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { addTotpDevice, assign, enableMfa, newPolicy, rows } from '../flow-runtime/arrange.ts'
import { passcodeShown } from '../harness/authenticator-app.ts'
import { Browser, pkce } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import {
  answer,
  approve,
  askForCodes,
  comeToTheQuestion,
  decide,
  enter,
  newDevice,
  pageOf,
  poll,
  press,
  tv,
  visit,
} from './device-journeys.ts'
import { expectRefusal, isLive, submitSignOnPage } from './journeys.ts'
import {
  change,
  expectStatus,
  otherEnvironment,
  type Person,
  person,
  type Registered,
  register,
  web,
} from './registrations.ts'

const verifyType = 'application/vnd.pingidentity.deviceAuthGrant.userCode.verify+json'
const consentType = 'application/vnd.pingidentity.deviceAuthGrant.consent+json'

suite('device authorization grant', () => {
  let world: TestWorld
  let stile: Stile
  let app: Registered
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    app = await register(stile, { ...tv, name: 'Lantern TV' })
  })
  after(() => stile.close())

  const pass = async (seconds: number) => {
    world.advance(seconds * 1000)
    await stile.node.kernel.environments.poll()
  }
  const flowPath = (flowId: string) => `/${stile.environmentId}/flows/${flowId}`
  const statusOf = async (browser: Browser, flowId: string) =>
    expectStatus(await browser.send(flowPath(flowId)), 200).status as string
  const consentsOf = async ({ id }: Person) =>
    expectStatus(await stile.api('GET', `/users/${id}/oauthConsents`), 200)._embedded.oauthConsents
  const eventsOf = async (subjectId: string) =>
    (await rows<{ action: string }>(stile, 'events', 'subject_id = $2', subjectId)).map(({ action }) => action)
  const grantOf = async ({ userId }: { readonly userId: string }) => {
    const [grant] = await rows<{ id: string; status: string }>(stile, 'polled_grants', 'user_id = $2', userId)
    return grant ?? assert.fail('nobody has entered a code')
  }

  test('a device gets tokens once its user has entered its code in a browser and allowed it', async () => {
    const who = await person(stile)
    const device = await newDevice(stile, app)
    assert.match(device.user_code, /^[2-9B-DF-HJKMNP-TV-Z]{4}-[2-9B-DF-HJKMNP-TV-Z]{4}$/)
    assert.equal(device.verification_uri, `${stile.authUrl}/${stile.environmentId}/device/${app.clientId}`)
    assert.equal(device.verification_uri_complete, `${device.verification_uri}?user_code=${device.user_code}`)
    assert.deepEqual([device.expires_in, device.interval], [600, 5])
    expectRefusal(await poll(stile, app, device.device_code), 'authorization_pending')

    const browser = new Browser(stile)
    const flowId = await visit(browser, device.verification_uri)
    assert.equal(await statusOf(browser, flowId), 'USERNAME_PASSWORD_REQUIRED')
    assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
    assert.equal(await statusOf(browser, flowId), 'DAG_USER_CODE_REQUIRED')
    assert.match((await browser.send(pageOf(browser, flowId))).text, /Enter the code that your device shows/)
    // Case, the hyphen and spaces do not matter (RFC 8628 section 6.1).
    assert.equal((await enter(browser, flowId, ` ${device.user_code.toLowerCase().replace('-', ' ')}`)).status, 303)

    const flow = expectStatus(await browser.send(flowPath(flowId)), 200)
    assert.equal(flow.status, 'DAG_CONSENT_REQUIRED')
    assert.deepEqual(Object.keys(flow._links).toSorted(), [
      'deviceAuthGrant.consent',
      'requiredStep',
      'self',
      'session.reset',
      'signOnPage',
    ])
    const { scopes, deviceAuthorization } = flow._embedded
    assert.deepEqual(
      scopes.map(({ name }: { name: string }) => name),
      ['openid', 'profile'],
    )
    assert.equal(deviceAuthorization.userCode, device.user_code)
    assert.equal(deviceAuthorization.remoteAddress, '127.0.0.1')
    const page = (await browser.send(pageOf(browser, flowId))).text
    // Q06, Q11: who asks, for what, from where, and by which code.
    for (const shown of [
      'Lantern TV',
      device.user_code,
      '127.0.0.1',
      'See your name',
      'only if it is in front of you',
    ]) {
      assert.ok(page.includes(shown), `the page shows ${shown}`)
    }

    const end = await decide(browser, flowId, true)
    assert.equal(end.status, 200)
    assert.match(end.text, /Lantern TV goes on on your device\. You can close this page/)
    assert.equal(end.headers.get('location'), null)
    for (const secret of [device.device_code, 'access_token', 'code=']) assert.ok(!end.text.includes(secret))
    assert.match((await browser.resume(flowId)).text, /You can close this page/, 'loading it again says the same')
    assert.match((await browser.send(pageOf(browser, flowId))).text, /You can close this page/)

    const tokens = expectStatus(await poll(stile, app, device.device_code), 200)
    assert.equal(tokens.scope, 'openid profile')
    assert.ok(await isLive(stile, tokens.access_token))
    const claims = decodeJwt(tokens.id_token)
    assert.deepEqual([claims.sub, claims.aud, claims.acr, claims.amr], [who.id, app.clientId, 'Single_Factor', ['pwd']])
    assert.equal(typeof claims.auth_time, 'number')
    assert.equal(claims['urn:openid:params:jwt:claim:auth_req_id'], undefined)
    expectRefusal(await poll(stile, app, device.device_code), 'invalid_grant')
    assert.ok(await isLive(stile, tokens.access_token), 'polling once more takes nothing back')

    const [consent] = await consentsOf(who)
    assert.equal(consent.application.id, app.clientId)
    assert.ok(consent.usedAt)
    const grant = await grantOf({ userId: who.id })
    assert.deepEqual((await eventsOf(grant.id)).toSorted(), ['DEVICE_AUTHORIZATION.APPROVED', 'TOKEN.ISSUED'])
    const stored = JSON.stringify(await rows(stile, 'polled_grants'))
    assert.ok(!stored.includes(device.device_code) && !stored.includes(device.user_code.replace('-', '')))
  })

  test('by the flows API, with the media types of the documentation', async () => {
    const who = await person(stile)
    const device = await newDevice(stile, app)
    const browser = new Browser(stile)
    const flowId = await visit(browser, device.verification_uri_complete)
    const { username, password } = who
    expectStatus(await browser.act(flowId, 'usernamePassword.check', { username, password }), 200)
    const waits = expectStatus(await browser.flow(flowId), 200)
    assert.deepEqual(waits._embedded.deviceAuthorization, { userCode: device.user_code })
    const verified = expectStatus(
      await browser.act(flowId, 'deviceAuthGrant.userCode.verify', { userCode: device.user_code }),
      200,
    )
    assert.equal(verified.status, 'DAG_CONSENT_REQUIRED')
    const completed = expectStatus(await browser.act(flowId, 'deviceAuthGrant.consent', { accept: true }), 200)
    assert.equal(completed.status, 'COMPLETED')
    expectRefusal(await poll(stile, app, device.device_code), 'authorization_pending')
    assert.equal((await browser.resume(flowId)).status, 200)
    assert.ok(expectStatus(await poll(stile, app, device.device_code), 200).access_token)
    const steps = expectStatus(await browser.send(`${flowPath(flowId)}/steps`), 200)._embedded.steps
    assert.deepEqual(
      steps.map(({ type, status }: { type: string; status: string }) => [type, status]),
      [
        ['LOGIN', 'COMPLETED'],
        ['DEVICE_USER_CODE', 'COMPLETED'],
        ['DEVICE_CONSENT', 'COMPLETED'],
      ],
    )
  })

  test('a session spares the sign-on, and never the code or the question', async () => {
    const who = await person(stile)
    const browser = new Browser(stile)
    await approve(browser, await newDevice(stile, app), who)
    const second = await newDevice(stile, app)
    const flowId = await visit(browser, second.verification_uri_complete)
    assert.equal(await statusOf(browser, flowId), 'DAG_USER_CODE_REQUIRED')
    const page = (await browser.send(pageOf(browser, flowId))).text
    assert.match(page, /Does your device show exactly this code\?/)
    assert.ok(page.includes(`value="${second.user_code}"`))
    assert.equal((await enter(browser, flowId, second.user_code)).status, 303)
    assert.equal(await statusOf(browser, flowId), 'DAG_CONSENT_REQUIRED', 'what was granted before does not count')
    assert.equal((await decide(browser, flowId, true)).status, 200)
    assert.equal((await consentsOf(who)).length, 1)
    assert.equal((await poll(stile, app, second.device_code)).status, 200)
  })

  test('somebody else may take over in the same browser, and nothing of the one before counts', async () => {
    const [alice, bob] = [await person(stile), await person(stile)]
    const device = await newDevice(stile, app)
    const browser = new Browser(stile)
    const flowId = await comeToTheQuestion(browser, device, alice)
    assert.equal((await press(browser, flowId, { action: 'session.reset' })).status, 303)
    assert.equal((await submitSignOnPage(browser, flowId, bob)).status, 303)
    assert.equal(await statusOf(browser, flowId), 'DAG_USER_CODE_REQUIRED')
    assert.equal((await enter(browser, flowId, device.user_code)).status, 303)
    assert.equal((await decide(browser, flowId, true)).status, 200)
    const { id_token: idToken } = expectStatus(await poll(stile, app, device.device_code), 200)
    assert.equal(decodeJwt(idToken).sub, bob.id)
  })

  suite('what the user does not allow', () => {
    test('denied: the page says so, the device is told at once, and nothing is remembered', async () => {
      const who = await person(stile)
      const device = await newDevice(stile, app)
      const browser = new Browser(stile)
      const end = await decide(browser, await comeToTheQuestion(browser, device, who), false)
      assert.equal(end.status, 200)
      assert.match(end.text, /Nothing was allowed/)
      expectRefusal(await poll(stile, app, device.device_code), 'access_denied')
      expectRefusal(await poll(stile, app, device.device_code), 'access_denied')
      assert.deepEqual(await consentsOf(who), [])
      const { id } = await grantOf({ userId: who.id })
      assert.deepEqual(await eventsOf(id), ['DEVICE_AUTHORIZATION.DENIED'])
    })

    test('too late: at the code, at the question, at the end, and for the device', async () => {
      const who = await person(stile)
      const browser = new Browser(stile)
      const late = await newDevice(stile, app)
      const flowId = await visit(browser, late.verification_uri)
      assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
      await pass(600)
      assert.match((await enter(browser, flowId, late.user_code)).text, /not right, or no longer good/)
      expectRefusal(await poll(stile, app, late.device_code), 'expired_token')

      const device = await newDevice(stile, app)
      assert.equal((await enter(browser, flowId, device.user_code)).status, 303)
      await pass(600)
      assert.equal((await answer(browser, flowId, true)).status, 303)
      assert.match((await browser.resume(flowId)).text, /The code of the device is too old/)
      assert.deepEqual(await consentsOf(who), [])

      const third = await newDevice(stile, app)
      const again = await comeToTheQuestion(browser, third, who)
      assert.equal((await answer(browser, again, true)).status, 303)
      await pass(600)
      assert.match((await browser.resume(again)).text, /This came too late/)
      expectRefusal(await poll(stile, app, third.device_code), 'expired_token')
    })
  })

  suite('Q05: polling', () => {
    test('too fast: the interval is five seconds longer from then on', async () => {
      const { device_code: code } = await newDevice(stile, app)
      expectRefusal(await poll(stile, app, code), 'authorization_pending')
      await pass(4)
      expectRefusal(await poll(stile, app, code), 'slow_down')
      await pass(9)
      expectRefusal(await poll(stile, app, code), 'slow_down')
      await pass(14)
      expectRefusal(await poll(stile, app, code), 'slow_down')
      await pass(20)
      expectRefusal(await poll(stile, app, code), 'authorization_pending')
      await pass(19)
      expectRefusal(await poll(stile, app, code), 'slow_down')
      await pass(25)
      expectRefusal(await poll(stile, app, code), 'authorization_pending')
    })

    test('the interval and the life are those of the application', async () => {
      const own = await register(stile, { ...tv, deviceTimeout: 60, devicePollingInterval: 2 })
      const device = await newDevice(stile, own)
      assert.deepEqual([device.expires_in, device.interval], [60, 2])
      expectRefusal(await poll(stile, own, device.device_code), 'authorization_pending')
      await pass(2)
      expectRefusal(await poll(stile, own, device.device_code), 'authorization_pending')
      await pass(58)
      expectRefusal(await poll(stile, own, device.device_code), 'expired_token')
    })

    test('by another client, in another environment, with another kind of code: invalid_grant, and the grant stands', async () => {
      const other = await register(stile, tv)
      const device = await newDevice(stile, app)
      await approve(new Browser(stile), device, await person(stile))
      expectRefusal(await poll(stile, other, device.device_code), 'invalid_grant')
      const elsewhere = await otherEnvironment(stile)
      expectRefusal(await poll(elsewhere, await register(elsewhere, tv), device.device_code), 'invalid_grant')
      for (const code of [device.user_code, randomUUID(), 'x', device.device_code.toUpperCase()]) {
        expectRefusal(await poll(stile, app, code), 'invalid_grant')
      }
      assert.equal((await poll(stile, app, device.device_code)).status, 200)
    })

    test('a client without the grant type neither asks nor polls; a confidential one has to authenticate', async () => {
      const without = await register(stile, {
        ...web,
        tokenEndpointAuthMethod: 'NONE',
        pkceEnforcement: 'S256_REQUIRED',
      })
      expectRefusal(await askForCodes(stile, without), 'unauthorized_client')
      expectRefusal(await poll(stile, without, 'x'), 'unauthorized_client')
      const confidential = await register(stile, { ...tv, tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC' })
      const device = await newDevice(stile, confidential)
      const { clientId } = confidential
      expectRefusal(await askForCodes(stile, { ...confidential, clientSecret: '' }), 'invalid_client')
      expectRefusal(
        await poll(stile, { clientId, clientSecret: '', redirectUri: '' }, device.device_code),
        'invalid_client',
      )
      expectRefusal(await askForCodes(stile, { ...app, clientId: randomUUID() }), 'invalid_client')
      await approve(new Browser(stile), device, await person(stile))
      assert.equal((await poll(stile, confidential, device.device_code)).status, 200)
    })

    test('what is malformed is refused', async () => {
      const twice = await stile.send(`/${stile.environmentId}/as/device_authorization`, {
        body: new URLSearchParams([
          ['client_id', app.clientId],
          ['scope', 'openid'],
          ['scope', 'email'],
        ]),
      })
      expectRefusal(twice, 'invalid_request')
      expectRefusal(await askForCodes(stile, app, { scope: 'unheard-of' }), 'invalid_scope')
      // go-client sends what it sends to the authorization endpoint as well.
      const device = await newDevice(stile, app, {
        access_type: 'offline',
        prompt: 'none',
        redirect_uri: 'https://x.test',
      })
      assert.ok(device.user_code)
      assert.equal((await stile.send(`/${stile.environmentId}/as/device_authorization`)).status, 405)
    })
  })

  suite('Q04: user codes are guessed seldom', () => {
    test('five tries of one user in ten minutes, whatever the flow; then not even the right one', async () => {
      const who = await person(stile)
      const device = await newDevice(stile, app)
      const browser = new Browser(stile)
      const flowId = await visit(browser, device.verification_uri)
      assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
      for (let at = 0; at < 5; at++) {
        const wrong = await browser.act(flowId, 'deviceAuthGrant.userCode.verify', { userCode: `BBBB-BBB${at + 2}` })
        const [detail] = expectStatus(wrong, 400).details
        assert.deepEqual([detail.code, detail.target], ['INVALID_VALUE', 'userCode'])
      }
      const other = await visit(browser, device.verification_uri)
      assert.equal((await submitSignOnPage(browser, other, who)).status, 303)
      for (const flow of [flowId, other]) {
        const locked = await browser.act(flow, 'deviceAuthGrant.userCode.verify', { userCode: device.user_code })
        const [detail] = expectStatus(locked, 400).details
        assert.equal(detail.code, 'LIMIT_EXCEEDED')
        assert.ok(detail.innerError.secondsUntilUnlock > 500)
      }
      await pass(600)
      const fresh = await newDevice(stile, app)
      const again = await visit(browser, fresh.verification_uri)
      assert.equal((await submitSignOnPage(browser, again, who)).status, 303)
      assert.equal((await enter(browser, again, fresh.user_code)).status, 303)
    })

    test('a right code is not held against its user', async () => {
      const who = await person(stile)
      const browser = new Browser(stile)
      await approve(browser, await newDevice(stile, app), who)
      for (let at = 0; at < 6; at++) await approve(browser, await newDevice(stile, app))
    })

    test('a hundred tries a minute in an environment, whoever they are', async () => {
      await pass(60)
      const key = { environmentId: stile.environmentId, kind: 'user-code', subject: '' } as const
      await stile.node.kernel.storage.commit({
        name: 'test.use-tries-up',
        *run() {
          for (let at = 0; at < 100; at++) yield* takeGuess(key, { guesses: 100, seconds: 60 }, world.now()).run()
        },
      })
      const device = await newDevice(stile, app)
      const browser = new Browser(stile)
      const flowId = await visit(browser, device.verification_uri)
      assert.equal((await submitSignOnPage(browser, flowId, await person(stile))).status, 303)
      assert.match((await enter(browser, flowId, device.user_code)).text, /Too many tries/)
      await pass(60)
      assert.equal((await enter(browser, flowId, device.user_code)).status, 303)
    })
  })

  suite('Q06: who decides', () => {
    test('coming by the address with the code decides nothing', async () => {
      const who = await person(stile)
      const device = await newDevice(stile, app)
      const browser = new Browser(stile)
      await approve(browser, await newDevice(stile, app), who)
      const flowId = await visit(browser, device.verification_uri_complete)
      assert.match((await browser.resume(flowId)).headers.get('location') ?? '', /\/signon\/\?flowId=/)
      for (const accept of [true, false]) {
        const early = await browser.act(flowId, 'deviceAuthGrant.consent', { accept })
        assert.equal(expectStatus(early, 400).code, 'INVALID_REQUEST')
      }
      assert.equal(await statusOf(browser, flowId), 'DAG_USER_CODE_REQUIRED')
      expectRefusal(await poll(stile, app, device.device_code), 'authorization_pending')
    })

    test('a code that somebody entered is theirs: nobody else enters, approves or denies it', async () => {
      const [victim, attacker] = [await person(stile), await person(stile)]
      const device = await newDevice(stile, app)
      const browser = new Browser(stile)
      const flowId = await comeToTheQuestion(browser, device, victim)
      const foreign = new Browser(stile)
      const theirs = await visit(foreign, device.verification_uri)
      assert.equal((await submitSignOnPage(foreign, theirs, attacker)).status, 303)
      assert.match((await enter(foreign, theirs, device.user_code)).text, /not right, or no longer good/)
      for (const act of [() => answer(foreign, flowId, false), () => answer(foreign, flowId, true)]) {
        assert.equal((await act()).status, 404)
      }
      assert.equal((await foreign.resume(flowId)).status, 404)
      // They may begin again themselves, in another browser.
      const mine = await comeToTheQuestion(new Browser(stile), device, victim)
      assert.ok(mine)
      assert.equal((await decide(browser, flowId, true)).status, 200)
      const { id_token: idToken } = expectStatus(await poll(stile, app, device.device_code), 200)
      assert.equal(decodeJwt(idToken).sub, victim.id)
    })

    test('a code is used once, and of two flows of its user the first decides', async () => {
      const who = await person(stile)
      const device = await newDevice(stile, app)
      const [one, two] = [new Browser(stile), new Browser(stile)]
      const first = await comeToTheQuestion(one, device, who)
      const second = await comeToTheQuestion(two, device, who)
      assert.equal((await decide(one, first, false)).status, 200)
      assert.match((await decide(two, second, true)).text, /This came too late/)
      expectRefusal(await poll(stile, app, device.device_code), 'access_denied')
      const again = await visit(one, device.verification_uri)
      assert.equal((await submitSignOnPage(one, again, who)).status, 303)
      assert.match((await enter(one, again, device.user_code)).text, /not right, or no longer good/)
    })

    test('no page of the application or of anybody else may do it in the place of the user', async () => {
      // The origin of its redirect URI is one that the application may call the flows API from.
      const withPages = await register(stile, {
        ...tv,
        grantTypes: ['DEVICE_CODE', 'AUTHORIZATION_CODE'],
        responseTypes: ['CODE'],
        redirectUris: ['https://app.test/cb'],
      })
      const device = await newDevice(stile, withPages)
      const browser = new Browser(stile)
      const flowId = await visit(browser, device.verification_uri)
      assert.equal((await submitSignOnPage(browser, flowId, await person(stile))).status, 303)
      const foreign = [{ origin: 'https://app.test' }, { 'sec-fetch-site': 'cross-site' }, { origin: 'null' }]
      const forms = [
        { type: verifyType, body: { userCode: device.user_code } },
        { type: consentType, body: { accept: true } },
      ]
      for (const { type, body } of forms) {
        for (const headers of foreign) {
          expectStatus(await browser.send(flowPath(flowId), { mediaType: type, body, headers }), 403)
          const fields = new URLSearchParams({ action: 'deviceAuthGrant.consent', accept: 'true' })
          assert.equal((await browser.send(pageOf(browser, flowId), { body: fields, headers })).status, 403)
        }
        expectStatus(await browser.send(flowPath(flowId), { mediaType: type, body }), 200)
      }
    })

    test('a sign-on page of one’s own asks as well, from its own origin', async () => {
      const custom = await register(stile, { ...tv, loginPageUrl: 'https://login.test/' })
      const device = await newDevice(stile, custom)
      const who = await person(stile)
      const browser = new Browser(stile)
      const { pathname } = new URL(device.verification_uri)
      const sent = await browser.send(pathname)
      const location = new URL(sent.headers.get('location') ?? '')
      assert.equal(location.origin, 'https://login.test')
      const flowId = location.searchParams.get('flowId') ?? ''
      const origin = { origin: 'https://login.test', 'sec-fetch-site': 'cross-site' }
      const { username, password } = who
      expectStatus(await browser.act(flowId, 'usernamePassword.check', { username, password }, origin), 200)
      const code = { userCode: device.user_code }
      expectStatus(
        await browser.act(flowId, 'deviceAuthGrant.userCode.verify', code, { origin: 'https://x.test' }),
        403,
      )
      expectStatus(await browser.act(flowId, 'deviceAuthGrant.userCode.verify', code, origin), 200)
      expectStatus(await browser.act(flowId, 'deviceAuthGrant.consent', { accept: true }, origin), 200)
      assert.equal((await browser.resume(flowId)).status, 200)
      assert.equal((await poll(stile, custom, device.device_code)).status, 200)
    })
  })

  suite('Q07: what the application demands holds', () => {
    /** The page of no application, as somebody would come there by hand. */
    const nowhere = () => `${stile.authUrl}/${stile.environmentId}/device`

    test('the page of an application takes its own codes alone; the page of none takes all', async () => {
      const other = await register(stile, { ...tv, name: `Other TV ${randomUUID()}` })
      const device = await newDevice(stile, other)
      const browser = new Browser(stile)
      const wrong = await visit(browser, (await newDevice(stile, app)).verification_uri)
      assert.equal((await submitSignOnPage(browser, wrong, await person(stile))).status, 303)
      assert.match((await enter(browser, wrong, device.user_code)).text, /not right, or no longer good/)

      const flowId = await visit(browser, nowhere())
      assert.equal((await submitSignOnPage(browser, flowId, await person(stile))).status, 303)
      assert.equal((await enter(browser, flowId, device.user_code)).status, 303)
      const shown = await browser.send(pageOf(browser, flowId))
      assert.match(shown.text, /Other TV/)
      assert.equal((await decide(browser, flowId, true)).status, 200)
      const { access_token: token } = expectStatus(await poll(stile, other, device.device_code), 200)
      assert.equal(decodeJwt(token).client_id, other.clientId)
      for (const path of [randomUUID(), 'nobody', stile.webApp.clientId, stile.environmentId]) {
        assert.equal((await browser.send(`/${stile.environmentId}/device/${path}`)).status, 404, path)
      }
    })

    test('its policies are not spared by the page of no application: a second factor is asked for', async () => {
      const strict = await register(stile, tv)
      const policy = await newPolicy(stile, { type: 'LOGIN' }, { type: 'MULTI_FACTOR_AUTHENTICATION' })
      await assign(stile, strict.clientId, policy)
      const who = await person(stile)
      await enableMfa(stile, who)
      const { secret } = await addTotpDevice(stile, who)
      const device = await newDevice(stile, strict)
      const browser = new Browser(stile)
      const flowId = await visit(browser, nowhere())
      assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
      assert.equal((await enter(browser, flowId, device.user_code)).status, 303)
      assert.equal(await statusOf(browser, flowId), 'OTP_REQUIRED')
      const early = await browser.act(flowId, 'deviceAuthGrant.consent', { accept: true })
      assert.equal(expectStatus(early, 400).code, 'INVALID_REQUEST')
      const otp = passcodeShown(secret, 0, world.now())
      assert.equal((await press(browser, flowId, { action: 'otp.check', otp })).status, 303)
      assert.equal(await statusOf(browser, flowId), 'DAG_CONSENT_REQUIRED')
      assert.equal((await decide(browser, flowId, true)).status, 200)
      const { id_token: idToken } = expectStatus(await poll(stile, strict, device.device_code), 200)
      const { acr, amr } = decodeJwt(idToken)
      assert.deepEqual([acr, amr], [policy.name, ['pwd', 'otp', 'mfa']])
    })

    test('whoever has no access to it has none by a device', async () => {
      const population = { population: { id: stile.populationId } }
      const { id: groupId } = expectStatus(
        await stile.api('POST', '/groups', { name: randomUUID(), ...population }),
        201,
      )
      const closed = await register(stile, {
        ...tv,
        accessControl: { group: { type: 'ANY_GROUP', groups: [{ id: groupId }] } },
      })
      const [outsider, member] = [await person(stile), await person(stile)]
      expectStatus(await stile.api('POST', `/users/${member.id}/memberOfGroups`, { id: groupId }), 201)
      for (const page of [nowhere(), `${nowhere()}/${closed.clientId}`]) {
        const device = await newDevice(stile, closed)
        const browser = new Browser(stile)
        const flowId = await comeToTheQuestion(browser, { ...device, verification_uri: page }, outsider)
        assert.match((await decide(browser, flowId, true)).text, /You have no access to this application/)
        expectRefusal(await poll(stile, closed, device.device_code), 'access_denied')
      }
      const device = await newDevice(stile, closed)
      await approve(new Browser(stile), device, member)
      assert.equal((await poll(stile, closed, device.device_code)).status, 200)
    })

    const changes: Readonly<Record<string, (who: Person, browser: Browser) => Promise<unknown>>> = {
      'the user is disabled': ({ id }) => stile.api('PUT', `/users/${id}/enabled`, { enabled: false }),
      'the user is locked': ({ id }) =>
        stile.api('POST', `/users/${id}`, {}, { mediaType: 'application/vnd.pingidentity.account.lock+json' }),
      'the user is deleted': ({ id }) => stile.api('DELETE', `/users/${id}`),
      'the password is changed': async ({ id }) => {
        await pass(1)
        const mediaType = 'application/vnd.pingidentity.password.set+json'
        return stile.api('PUT', `/users/${id}/password`, { value: 'Eight-Green-Boats-42' }, { mediaType })
      },
      'the session is ended': (_, browser) =>
        browser.send(`/v1/environments/${stile.environmentId}/sessions/me`, {
          method: 'POST',
          mediaType: 'application/vnd.pingidentity.sso.session.logout',
        }),
      'the consent is withdrawn': async (who) => {
        const [{ id }] = await consentsOf(who)
        return stile.api('DELETE', `/users/${who.id}/oauthConsents/${id}`)
      },
    }
    for (const [what, happens] of Object.entries(changes)) {
      test(`B20: ${what} before the device polls: it gets nothing`, async () => {
        const who = await person(stile)
        const device = await newDevice(stile, app)
        const browser = new Browser(stile)
        await approve(browser, device, who)
        const { status, text } = (await happens(who, browser)) as { status: number; text: string }
        assert.ok(status < 300, text)
        expectRefusal(await poll(stile, app, device.device_code), 'invalid_grant')
        assert.deepEqual(await rows(stile, 'token_families', 'user_id = $2', who.id), [])
      })
    }

    test('PKCE, where it was sent', async () => {
      const { verifier, challenge } = pkce()
      const sent = { code_challenge: challenge, code_challenge_method: 'S256' }
      expectRefusal(await askForCodes(stile, app, { code_challenge: challenge }), 'invalid_request')
      expectRefusal(await askForCodes(stile, app, { ...sent, code_challenge: 'short' }), 'invalid_request')
      const device = await newDevice(stile, app, sent)
      await approve(new Browser(stile), device, await person(stile))
      for (const more of [{}, { code_verifier: pkce().verifier }] as Record<string, string>[]) {
        expectRefusal(await poll(stile, app, device.device_code, more), 'invalid_grant')
      }
      assert.equal((await poll(stile, app, device.device_code, { code_verifier: verifier })).status, 200)
      const plain = await newDevice(stile, app)
      await approve(new Browser(stile), plain, await person(stile))
      expectRefusal(await poll(stile, app, plain.device_code, { code_verifier: verifier }), 'invalid_grant')
    })
  })

  test('the application says how its page is called, or names one of its own', async () => {
    const pathId = `tv_${randomUUID().slice(0, 8)}`
    const named = await register(stile, { ...tv, devicePathId: pathId })
    const device = await newDevice(stile, named)
    assert.equal(device.verification_uri, `${stile.authUrl}/${stile.environmentId}/device/${pathId}`)
    await approve(new Browser(stile), device, await person(stile))
    assert.equal((await poll(stile, named, device.device_code)).status, 200)
    await change(stile, named.clientId, { devicePathId: null, deviceCustomVerificationUri: 'https://tv.test/go?x=1' })
    const moved = await newDevice(stile, named)
    assert.equal(moved.verification_uri, 'https://tv.test/go?x=1')
    assert.equal(moved.verification_uri_complete, `https://tv.test/go?x=1&user_code=${moved.user_code}`)
    assert.equal((await stile.send(`/${stile.environmentId}/device/${pathId}`)).status, 404)
    const metadata = expectStatus(await stile.send(`/${stile.environmentId}/as/.well-known/openid-configuration`), 200)
    assert.equal(metadata.device_authorization_endpoint, `${stile.issuer}/device_authorization`)
    assert.ok(metadata.grant_types_supported.includes('urn:ietf:params:oauth:grant-type:device_code'))
  })
})
