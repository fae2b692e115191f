/**
 * OpenID CIBA in poll mode: authentication-api 2.16, OpenID CIBA Core, FAPI-CIBA; rows Q05, Q06, Q08, D7 and K07. One node,
 * whose clock the tests move.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { type TestWorld, testWorld } from '../../src/world.ts'
import {
  addMobileApp,
  assign,
  enableMfa,
  inboxOf,
  mobileApplicationOf,
  mobilePolicy,
  newDevicePolicy,
  newPolicy,
  type Policy,
  rows,
} from '../flow-runtime/arrange.ts'
import { watchStorage } from '../flow-runtime/watch-storage.ts'
import type { MobileApp } from '../harness/mobile-app.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { startWebhookEndpoint } from '../harness/webhook-endpoint.ts'
import {
  ask,
  askFor,
  bank,
  claimsFor,
  clientJwt,
  decideOn,
  follow,
  linkSentTo,
  newKeys,
  pollFor,
  type Reachable,
} from './backchannel-journeys.ts'
import { pageOf, poll, press, visit } from './device-journeys.ts'
import { expectRefusal, isLive, obtainCode, codeRequest, redeemCode, submitSignOnPage } from './journeys.ts'
import { change, expectStatus, type Person, person, type Registered, register } from './registrations.ts'

const endpoint = await startWebhookEndpoint()
after(() => endpoint.close())

suite('backchannel authentication', () => {
  let world: TestWorld
  let stile: Stile
  let client: Registered
  let byApp: Registered
  let appPolicy: Policy
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    client = await register(stile, { ...bank, name: 'Lantern Bank' })
    byApp = await register(stile, bank)
    appPolicy = await newPolicy(stile, await secondFactor(false))
    await assign(stile, byApp.clientId, appPolicy)
  })
  after(() => stile.close())

  /** MFA by an app. @param numberMatching whether it asks for a number that a page would show */
  async function secondFactor(numberMatching: boolean) {
    const push = { enabled: true, numberMatching: { enabled: numberMatching } }
    const id = await newDevicePolicy(stile, { mobile: mobilePolicy({ id: await mobileApplicationOf(stile), push }) })
    return { type: 'MULTI_FACTOR_AUTHENTICATION', deviceAuthenticationPolicy: { id } } as const
  }

  const pass = async (seconds: number) => {
    world.advance(seconds * 1000)
    await stile.node.kernel.environments.poll()
  }
  async function reachable(properties: object = {}): Promise<Reachable> {
    const email = `${randomUUID()}@example.com`
    return { ...(await person(stile, { email, ...properties })), email }
  }
  async function withApp(): Promise<{ readonly who: Reachable; readonly app: MobileApp }> {
    const who = await reachable()
    await enableMfa(stile, who)
    return { who, app: await addMobileApp(stile, who) }
  }
  /** The one request that the app may answer, once the user was reached. */
  async function requestOf(app: MobileApp, { email }: Reachable) {
    await inboxOf(stile, email)
    const requests = await app.requests()
    assert.equal(requests.length, 1)
    return requests[0] ?? assert.fail()
  }
  const consentsOf = async ({ id }: Person) =>
    expectStatus(await stile.api('GET', `/users/${id}/oauthConsents`), 200)._embedded.oauthConsents
  const grantsOf = (userId: string) =>
    rows<{ id: string; status: string }>(stile, 'polled_grants', 'user_id = $2', userId)
  const eventsOf = async (subjectId: string) =>
    (await rows<{ action: string }>(stile, 'events', 'subject_id = $2', subjectId)).map(({ action }) => action)

  suite('by the link', () => {
    test('the user signs on by the policy of the application, sees what it is about, and approves', async () => {
      const who = await reachable()
      const asked = await ask(stile, client, { login_hint: who.username, binding_message: 'Order 42 – 30.00 €' })
      assert.match(asked.auth_req_id, /^[A-Za-z0-9_-]{43}$/)
      assert.deepEqual([asked.expires_in, asked.interval], [120, 2])
      expectRefusal(await pollFor(stile, client, asked.auth_req_id), 'authorization_pending')

      const [message] = await inboxOf(stile, who.email)
      assert.match(message?.body ?? '', /Lantern Bank/)
      assert.ok(!message?.body.includes('Order 42'), 'no words of the client in a message of the environment')
      const browser = new Browser(stile)
      const flowId = await follow(browser, who)
      assert.ok((await browser.send(pageOf(browser, flowId))).text.includes(`value="${who.username}"`))
      assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
      const flow = expectStatus(await browser.flow(flowId), 200)
      assert.deepEqual([flow.status, flow.bindingMessage], ['CONSENT_REQUIRED', 'Order 42 – 30.00 €'])
      const page = (await browser.send(pageOf(browser, flowId))).text
      for (const shown of ['Lantern Bank', 'Order 42 – 30.00 €', 'See your name'])
        assert.ok(page.includes(shown), shown)

      const end = await decideOn(browser, flowId, true)
      assert.match(end.text, /Lantern Bank goes on\. You can close this page/)
      assert.equal(end.headers.get('location'), null)
      const tokens = expectStatus(await pollFor(stile, client, asked.auth_req_id), 200)
      assert.ok(await isLive(stile, tokens.access_token))
      const claims = decodeJwt(tokens.id_token)
      assert.deepEqual([claims.sub, claims['acr'], claims['amr']], [who.id, 'Single_Factor', ['pwd']])
      // CIBA Core 10.3.1: the push mode alone has it.
      assert.equal(claims['urn:openid:params:jwt:claim:auth_req_id'], undefined)
      expectRefusal(await pollFor(stile, client, asked.auth_req_id), 'invalid_grant')
      assert.equal((await consentsOf(who))[0].application.id, client.clientId)
      const [grant] = await grantsOf(who.id)
      assert.deepEqual((await eventsOf(grant?.id ?? '')).toSorted(), [
        'BACKCHANNEL_AUTHENTICATION.APPROVED',
        'BACKCHANNEL_AUTHENTICATION.STARTED',
        'TOKEN.ISSUED',
      ])
    })

    test('denied: the client is told, and nothing is remembered', async () => {
      const who = await reachable()
      const asked = await ask(stile, client, { login_hint: who.username })
      const browser = new Browser(stile)
      const flowId = await follow(browser, who)
      assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
      assert.match((await decideOn(browser, flowId, false)).text, /Nothing was allowed/)
      expectRefusal(await pollFor(stile, client, asked.auth_req_id), 'access_denied')
      assert.deepEqual(await consentsOf(who), [])
    })

    test('Q06: following it decides nothing, and nobody but the user it was sent to gets further', async () => {
      const [who, other] = [await reachable(), await reachable()]
      const asked = await ask(stile, client, { login_hint: who.username })
      const link = await linkSentTo(stile, who)
      for (let at = 0; at < 3; at++) await visit(new Browser(stile), link)
      const browser = new Browser(stile)
      await obtainCode(browser, codeRequest(await register(stile)), other)
      const flowId = await visit(browser, link)
      const { status } = expectStatus(await browser.flow(flowId), 200)
      assert.equal(status, 'USERNAME_PASSWORD_REQUIRED', 'the session of somebody else does not count')
      const { username, password } = other
      const refused = await browser.act(flowId, 'usernamePassword.check', { username, password })
      assert.notEqual(refused.status, 200)
      expectRefusal(await pollFor(stile, client, asked.auth_req_id), 'authorization_pending')
      const mine = new Browser(stile)
      const right = await visit(mine, link)
      assert.equal((await submitSignOnPage(mine, right, who)).status, 303)
      assert.equal((await decideOn(mine, right, true)).status, 200)
      assert.equal((await pollFor(stile, client, asked.auth_req_id)).status, 200)
      const over = await browser.send(new URL(link).pathname + new URL(link).search)
      assert.equal(over.status, 404)
      assert.match(over.text, /This came too late/)
      assert.equal((await browser.send(`/${stile.environmentId}/backchannel?token=v1.x`)).status, 404)
    })

    test('a session of the user spares the sign-on, not the question', async () => {
      const who = await reachable()
      const browser = new Browser(stile)
      await obtainCode(browser, codeRequest(await register(stile)), who)
      const asked = await ask(stile, client, { login_hint: who.username })
      const flowId = await follow(browser, who)
      assert.equal(expectStatus(await browser.flow(flowId), 200).status, 'CONSENT_REQUIRED')
      assert.equal((await decideOn(browser, flowId, true)).status, 200)
      assert.equal((await pollFor(stile, client, asked.auth_req_id)).status, 200)
    })

    test('too late: the link, the answer and the client', async () => {
      const who = await reachable()
      const asked = await ask(stile, client, { login_hint: who.username, requested_expiry: '60' })
      assert.equal(asked.expires_in, 60)
      const link = await linkSentTo(stile, who)
      const browser = new Browser(stile)
      const flowId = await visit(browser, link)
      assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
      await pass(60)
      assert.equal((await press(browser, flowId, { action: 'oauth.consent', accept: 'true' })).status, 303)
      assert.match((await browser.resume(flowId)).text, /The request is over/)
      assert.equal((await browser.send(new URL(link).pathname + new URL(link).search)).status, 404)
      expectRefusal(await pollFor(stile, client, asked.auth_req_id), 'expired_token')
    })

    test('K07: nobody is written to more than five times in a quarter of an hour; the client is told the same', async () => {
      const who = await reachable()
      for (let at = 0; at < 7; at++) await ask(stile, client, { login_hint: who.username })
      assert.equal((await inboxOf(stile, who.email)).length, 5)
      assert.equal((await grantsOf(who.id)).filter(({ status }) => status === 'PENDING').length, 7)
    })
  })

  suite('by the app', () => {
    test('a policy that an app satisfies: the app shows what it is about, and what it approves is enough', async () => {
      const { who, app } = await withApp()
      const asked = await ask(stile, byApp, { login_hint: who.username, binding_message: 'PIN 77' })
      const request = await requestOf(app, who)
      assert.deepEqual([request.bindingMessage, request.numberMatching], ['PIN 77', false])
      assert.deepEqual(
        request.scopes?.map(({ name }) => name),
        ['openid', 'profile'],
      )
      assert.deepEqual(await inboxOf(stile, who.email), [], 'no link beside it')
      const approved = await app.answer(request, 'APPROVE')
      assert.equal(approved.status, 204, approved.text)
      assert.deepEqual(approved.headers.getSetCookie(), [])
      const tokens = expectStatus(await pollFor(stile, byApp, asked.auth_req_id), 200)
      const claims = decodeJwt(tokens.id_token)
      assert.deepEqual([claims.sub, claims['acr'], claims['amr']], [who.id, appPolicy.name, ['pop', 'mfa']])
      assert.ok(await isLive(stile, tokens.access_token))
      assert.equal((await app.answer(request, 'APPROVE')).status, 404)
      const sessions = await rows<{ id: string }>(stile, 'sessions', 'user_id = $2', who.id)
      assert.deepEqual(
        sessions.map(({ id }) => id),
        [claims['sid']],
      )
    })

    test('denied in the app: the client is told at once', async () => {
      const { who, app } = await withApp()
      const asked = await ask(stile, byApp, { login_hint: who.username })
      assert.equal((await app.answer(await requestOf(app, who), 'DENY')).status, 204)
      expectRefusal(await pollFor(stile, byApp, asked.auth_req_id), 'access_denied')
      assert.deepEqual(await rows(stile, 'sessions', 'user_id = $2', who.id), [])
    })

    test('the app may answer as long as the client waits, and no longer', async () => {
      const { who, app } = await withApp()
      const asked = await ask(stile, byApp, { login_hint: who.username, requested_expiry: '200' })
      const request = await requestOf(app, who)
      await pass(190)
      assert.equal((await app.requests()).length, 1)
      await pass(10)
      assert.equal((await app.answer(request, 'APPROVE')).status, 404)
      expectRefusal(await pollFor(stile, byApp, asked.auth_req_id), 'expired_token')
    })

    test('where numbers are matched the message takes their place; without one the user is sent the link', async () => {
      const matched = await register(stile, bank)
      await assign(stile, matched.clientId, await newPolicy(stile, await secondFactor(true)))
      const { who, app } = await withApp()
      const asked = await ask(stile, matched, { login_hint: who.username, binding_message: 'Compare me' })
      const request = await requestOf(app, who)
      assert.equal(request.numberMatching, false)
      assert.equal((await app.answer(request, 'APPROVE')).status, 204)
      assert.equal((await pollFor(stile, matched, asked.auth_req_id)).status, 200)
      await ask(stile, matched, { login_hint: who.username })
      assert.ok(await linkSentTo(stile, who))
      assert.deepEqual(await app.requests(), [])
    })

    test('whoever has no app, or a policy that wants more, is sent the link', async () => {
      const without = await reachable()
      await enableMfa(stile, without)
      await ask(stile, byApp, { login_hint: without.username })
      assert.ok(await linkSentTo(stile, without))
      const { who, app } = await withApp()
      await ask(stile, client, { login_hint: who.username })
      assert.ok(await linkSentTo(stile, who))
      assert.deepEqual(await app.requests(), [])
    })

    test('J23: the network of the client is not that of the user: a condition on it spares nothing', async () => {
      const asking = await register(stile, bank)
      const webhook = { url: endpoint.url, timeoutMilliseconds: 2000, onError: 'DENY' } as const
      const contains = '${flow.request.http.remoteIp}' as const
      const condition = { not: { contains, ipRange: ['127.0.0.0/8'] } }
      await assign(
        stile,
        asking.clientId,
        await newPolicy(stile, await secondFactor(false), { type: 'WEBHOOK', webhook, condition }),
      )
      const { who, app } = await withApp()
      const asked = await ask(stile, asking, { login_hint: who.username })
      endpoint.asked.length = 0
      assert.equal((await app.answer(await requestOf(app, who), 'APPROVE')).status, 204)
      assert.equal(endpoint.asked.length, 1)
      assert.equal((await pollFor(stile, asking, asked.auth_req_id)).status, 200)
    })

    test('the flow of the app is reached by nothing else', async () => {
      const { who, app } = await withApp()
      await ask(stile, byApp, { login_hint: who.username })
      const { flow } = await requestOf(app, who)
      const browser = new Browser(stile)
      assert.equal((await browser.flow(flow.id)).status, 404)
      assert.equal((await browser.act(flow.id, 'otp.check', { otp: app.passcode() })).status, 404)
      assert.equal((await browser.send(pageOf(browser, flow.id))).status, 404)
      assert.equal((await browser.resume(flow.id)).status, 404)
    })
  })

  suite('Q08, D7: who is not reached', () => {
    const changes: Readonly<Record<string, (who: Person) => Promise<unknown>>> = {
      disabled: ({ id }) => stile.api('PUT', `/users/${id}/enabled`, { enabled: false }),
      locked: ({ id }) =>
        stile.api('POST', `/users/${id}`, {}, { mediaType: 'application/vnd.pingidentity.account.lock+json' }),
      deleted: ({ id }) => stile.api('DELETE', `/users/${id}`),
    }

    test('nobody has the name, or they may not sign on: the same answer, by as many statements, and nobody is told', async () => {
      const known = await reachable()
      const names = [known.username, `nobody-${randomUUID()}`]
      const others: Reachable[] = []
      for (const apply of Object.values(changes)) {
        const who = await reachable()
        others.push(who)
        names.push(who.username)
        await apply(who)
      }
      const watch = watchStorage(stile.node.kernel)
      const seen: unknown[] = []
      for (const name of names) {
        watch.clear()
        const answer = await askFor(stile, client, { login_hint: name })
        const { auth_req_id: id, ...rest } = expectStatus(answer, 200)
        assert.equal(id.length, 43)
        // Reaching the user comes after the answer, and looks for them by their id.
        const reads = watch.reads.filter((text) => text.includes('username_key ='))
        const commits = watch.commits.filter((commit) => commit === 'store-backchannel-request')
        seen.push({ rest, headers: [...answer.headers.keys()], reads, commits })
        expectRefusal(await pollFor(stile, client, id), 'authorization_pending')
      }
      watch.stop()
      for (const each of seen) assert.deepEqual(each, seen[0])
      for (const who of others) assert.deepEqual(await inboxOf(stile, who.email), [])
      assert.equal((await inboxOf(stile, known.email)).length, 1)
    })

    for (const [change_, apply] of Object.entries(changes)) {
      test(`${change_} after they were asked: neither the app nor the page goes on`, async () => {
        const { who, app } = await withApp()
        const asked = await ask(stile, byApp, { login_hint: who.username })
        const request = await requestOf(app, who)
        await apply(who)
        await app.answer(request, 'APPROVE')
        const { json } = await pollFor(stile, byApp, asked.auth_req_id)
        assert.ok(
          ['access_denied', 'invalid_grant', 'authorization_pending'].includes(json.error),
          JSON.stringify(json),
        )
        const linked = await reachable()
        const second = await ask(stile, client, { login_hint: linked.username })
        const browser = new Browser(stile)
        const flowId = await follow(browser, linked)
        await apply(linked)
        const { username, password } = linked
        await browser.act(flowId, 'usernamePassword.check', { username, password })
        await browser.act(flowId, 'oauth.consent', { accept: true })
        await browser.resume(flowId)
        assert.notEqual((await pollFor(stile, client, second.auth_req_id)).status, 200)
      })

      test(`${change_} after they approved: the client gets nothing`, async () => {
        const { who, app } = await withApp()
        const asked = await ask(stile, byApp, { login_hint: who.username })
        assert.equal((await app.answer(await requestOf(app, who), 'APPROVE')).status, 204)
        await apply(who)
        expectRefusal(await pollFor(stile, byApp, asked.auth_req_id), 'invalid_grant')
        assert.deepEqual(await rows(stile, 'token_families', 'user_id = $2', who.id), [])
      })
    }

    test('an address that was not verified is sent nothing', async () => {
      const who = await reachable()
      await stile.node.kernel.storage.commit({
        name: 'test.unverified',
        *run() {
          const [row] = (yield {
            text: 'SELECT document FROM users WHERE environment_id = $1 AND id = $2',
            values: [stile.environmentId, who.id],
          }) as { document: string }[]
          const document = JSON.stringify({ ...JSON.parse(row?.document ?? '{}'), emailVerified: false })
          yield {
            text: 'UPDATE users SET document = $3 WHERE environment_id = $1 AND id = $2',
            values: [stile.environmentId, who.id, document],
          }
        },
      })
      await ask(stile, client, { login_hint: who.username })
      assert.deepEqual(await inboxOf(stile, who.email), [])
    })
  })

  suite('polling', () => {
    test('Q05: too fast, by another client, with another kind of code', async () => {
      const who = await reachable()
      const { auth_req_id: id } = await ask(stile, client, { login_hint: who.username })
      expectRefusal(await pollFor(stile, client, id), 'authorization_pending')
      await pass(1)
      expectRefusal(await pollFor(stile, client, id), 'slow_down')
      await pass(6)
      expectRefusal(await pollFor(stile, client, id), 'slow_down')
      await pass(12)
      expectRefusal(await pollFor(stile, client, id), 'authorization_pending')
      expectRefusal(await pollFor(stile, byApp, id), 'invalid_grant')
      expectRefusal(await pollFor(stile, client, randomUUID()), 'invalid_grant')
      const both = await register(stile, { ...bank, grantTypes: ['CIBA', 'DEVICE_CODE'] })
      const asked = await ask(stile, both, { login_hint: who.username })
      expectRefusal(await poll(stile, both, asked.auth_req_id), 'invalid_grant')
    })

    test('a client without the grant type neither asks nor polls, and none of them is public', async () => {
      const without = await register(stile)
      expectRefusal(await askFor(stile, without, { login_hint: 'x' }), 'unauthorized_client')
      expectRefusal(await pollFor(stile, without, 'x'), 'unauthorized_client')
      const refused = await stile.api('POST', '/applications', {
        ...bank,
        name: `Application ${randomUUID()}`,
        tokenEndpointAuthMethod: 'NONE',
      })
      assert.equal(expectStatus(refused, 400).details[0].target, 'tokenEndpointAuthMethod')
      expectRefusal(await askFor(stile, { ...client, clientSecret: 'wrong' }, { login_hint: 'x' }), 'invalid_client')
      const anonymous = await stile.send(`/${stile.environmentId}/as/bc-authorize`, {
        body: new URLSearchParams({ client_id: client.clientId, scope: 'openid', login_hint: 'x' }),
      })
      expectRefusal(anonymous, 'invalid_client')
    })
  })

  suite('what a request may say', () => {
    test('exactly one hint', async () => {
      expectRefusal(await askFor(stile, client, {}), 'invalid_request')
      expectRefusal(await askFor(stile, client, { login_hint: 'x', id_token_hint: 'y' }), 'invalid_request')
      assert.equal((await askFor(stile, client, { login_hint: 'x' }, 'bc-authorize')).status, 200)
    })

    test('an ID token of this client names its user; one of another client, or a broken one, is no hint', async () => {
      const who = await reachable()
      const both = await register(stile, {
        ...bank,
        grantTypes: ['CIBA', 'AUTHORIZATION_CODE'],
        responseTypes: ['CODE'],
        redirectUris: ['https://app.test/cb'],
      })
      const code = await obtainCode(new Browser(stile), codeRequest(both), who)
      const { id_token: hint } = expectStatus(await redeemCode(stile, both, code), 200)
      await ask(stile, both, { id_token_hint: hint })
      assert.ok(await linkSentTo(stile, who))
      expectRefusal(await askFor(stile, client, { id_token_hint: hint }), 'invalid_request')
      expectRefusal(await askFor(stile, both, { id_token_hint: `${hint.slice(0, -4)}AAAA` }), 'invalid_request')
    })

    test('a login_hint_token is the word of the client: by its secret or its key, once where it has a jti', async () => {
      const keys = newKeys()
      await change(stile, client.clientId, { jwks: keys.jwks })
      const who = await reachable()
      const claims = () => claimsFor(stile, client, world.now())
      const hint = (more: object, key = client.clientSecret as string | typeof keys.privateKey) =>
        askFor(stile, client, { login_hint_token: clientJwt({ ...claims(), ...more }, key) })
      expectStatus(await hint({ sub: who.id }), 200)
      expectStatus(await hint({ sub: who.username }, keys.privateKey), 200)
      expectStatus(await hint({ sub: randomUUID() }), 200)
      assert.equal((await inboxOf(stile, who.email)).length, 2)
      const jti = randomUUID()
      expectStatus(await hint({ sub: who.id, jti }), 200)
      expectRefusal(await hint({ sub: who.id, jti }), 'invalid_request')
      expectStatus(await hint({ sub: who.id, jti: undefined }), 200)
      expectRefusal(await hint({ sub: who.id, exp: 1, iat: 0, nbf: 0 }), 'expired_login_hint_token')
      for (const wrong of [
        { sub: '' },
        { sub: who.id, iss: byApp.clientId },
        { sub: who.id, aud: 'https://x.test' },
        {},
      ]) {
        expectRefusal(await hint(wrong), 'invalid_request')
      }
      expectRefusal(await hint({ sub: who.id }, byApp.clientSecret), 'invalid_request')
    })

    test('a message that every device shows in the same way', async () => {
      const say = (binding_message: string) => askFor(stile, client, { login_hint: 'x', binding_message })
      for (const fine of ['W4SCT', 'Überweisung: 30,00 € an Ada – №7', '承認 42', 'x'.repeat(100)]) {
        expectStatus(await say(fine), 200)
      }
      for (const wrong of ['x'.repeat(101), 'one\ntwo', ' x', 'x  y', 'a\u202eb', 'a\u200bb', '\u0007', 'a\tb']) {
        expectRefusal(await say(wrong), 'invalid_binding_message')
      }
    })

    test('how long, by which policies, for what', async () => {
      const request = (more: Readonly<Record<string, string>>) => askFor(stile, client, { login_hint: 'x', ...more })
      assert.equal(expectStatus(await request({ requested_expiry: '9999' }), 200).expires_in, 600)
      for (const requested_expiry of ['0', '-1', '1.5', 'soon', '00']) {
        expectRefusal(await request({ requested_expiry }), 'invalid_request')
      }
      expectRefusal(await request({ user_code: '1234' }), 'invalid_request')
      expectRefusal(await request({ acr_values: appPolicy.name }), 'access_denied', 403)
      expectStatus(await request({ acr_values: `${appPolicy.name} Single_Factor` }), 200)
      expectRefusal(await request({ scope: 'profile' }), 'invalid_scope')
      expectRefusal(await request({ scope: '' }), 'invalid_scope')
      const twice = await stile.send(`/${stile.environmentId}/as/cibaAuthorization`, {
        body: `scope=openid&login_hint=a&login_hint=b`,
        mediaType: 'application/x-www-form-urlencoded',
        headers: {
          authorization: `Basic ${Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64')}`,
        },
      })
      expectRefusal(twice, 'invalid_request')
    })

    test('signed: everything in one JWT by a private key, which counts once', async () => {
      const keys = newKeys()
      const signing = await register(stile, { ...bank, jwks: keys.jwks })
      const who = await reachable()
      const parameters = { scope: 'openid', login_hint: who.username, binding_message: 'Signed', requested_expiry: 90 }
      const claims = (more: object = {}) => ({ ...claimsFor(stile, signing, world.now()), ...parameters, ...more })
      const send = (jwt: string, more: Readonly<Record<string, string>> = {}) =>
        askFor(stile, signing, { request: jwt, ...more })
      const jwt = clientJwt(claims(), keys.privateKey)
      assert.equal(expectStatus(await send(jwt), 200).expires_in, 90)
      const browser = new Browser(stile)
      const flowId = await follow(browser, who)
      assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
      assert.equal(expectStatus(await browser.flow(flowId), 200).bindingMessage, 'Signed')
      expectRefusal(await send(jwt), 'invalid_request')
      const fresh = () => clientJwt(claims(), keys.privateKey)
      expectRefusal(await send(fresh(), { scope: 'openid' }), 'invalid_request')
      expectRefusal(await send(fresh(), { binding_message: 'Other' }), 'invalid_request')
      expectRefusal(await send(clientJwt(claims(), signing.clientSecret)), 'invalid_request')
      expectRefusal(await send(clientJwt(claims(), newKeys().privateKey)), 'invalid_request')
      const now = Math.floor(world.now() / 1000)
      const wrong = [
        { jti: undefined },
        { nbf: undefined },
        { iat: undefined },
        { exp: undefined },
        { exp: now - 61 },
        { exp: now + 7200 },
        { nbf: now - 3601 },
        { iss: client.clientId },
        { aud: [stile.issuer, 'https://x.test'] },
        { login_hint: ['x'] },
        { login_hint: undefined },
      ]
      for (const claim of wrong) {
        expectRefusal(await send(clientJwt(claims(claim), keys.privateKey)), 'invalid_request')
      }
      const unsecured = [{ alg: 'none' }, claims()].map((part) =>
        Buffer.from(JSON.stringify(part)).toString('base64url'),
      )
      expectRefusal(await send(`${unsecured.join('.')}.`), 'invalid_request')
      expectStatus(await send(fresh()), 200)
    })

    test('the metadata says so', async () => {
      const metadata = expectStatus(
        await stile.send(`/${stile.environmentId}/as/.well-known/openid-configuration`),
        200,
      )
      assert.equal(metadata.backchannel_authentication_endpoint, `${stile.issuer}/cibaAuthorization`)
      assert.deepEqual(metadata.backchannel_token_delivery_modes_supported, ['poll'])
      assert.equal(metadata.backchannel_user_code_parameter_supported, false)
      assert.ok(metadata.backchannel_authentication_request_signing_alg_values_supported.includes('ES256'))
      assert.ok(metadata.grant_types_supported.includes('urn:openid:params:grant-type:ciba'))
    })
  })
})
