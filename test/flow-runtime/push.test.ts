/**
 * Signing on by the app on a MOBILE device, over HTTP. authentication-api 3.3, 4.2 `cancel.push.authentication`, 6.3,
 * docs/reference/mobile-devices.md; decisions D1-D3; rows J26, L02, L07, L08, L10, L35. How a device is paired is in pairing.test.ts.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { testWorld, type TestWorld } from '../../src/world.ts'
import type { MobileApp, ShownRequest } from '../harness/mobile-app.ts'
import { Browser, piFlowRequest, pkce, redeem } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { startWebhookEndpoint } from '../harness/webhook-endpoint.ts'
import { codeRequest } from '../oauth/journeys.ts'
import { register, web } from '../oauth/registrations.ts'
import { bySecret, requestObject } from '../oauth/request-objects.ts'
import {
  addEmailDevice,
  addMobileApp,
  addressOf,
  assign,
  begin,
  bodyOf,
  codeSentTo,
  enableMfa,
  inboxOf,
  mobileApplicationOf,
  mobilePolicy,
  newApplication,
  newDevicePolicy,
  newPerson,
  newPolicy,
  type Person,
  putDefaultDevicePolicy,
  rows,
  stateOf,
} from './arrange.ts'
import { watchStorage } from './watch-storage.ts'

const mfa = { type: 'MULTI_FACTOR_AUTHENTICATION' } as const
const redirect = 'https://app.example.com/callback'

const endpoint = await startWebhookEndpoint()
after(() => endpoint.close())

suite('an app approves', () => {
  let stile: Stile
  let world: TestWorld
  let client: string
  let mobileApplication: string
  before(async () => {
    world = testWorld()
    stile = await startStile({ world, environment: { STILE_TRUSTED_PROXIES: '127.0.0.1' } })
    mobileApplication = await mobileApplicationOf(stile)
    client = await newApplication(stile)
    await assign(stile, client, await newPolicy(stile, { type: 'LOGIN' }, mfa))
  })
  after(() => stile.close())

  async function personWithApp(more: object = {}): Promise<{ readonly person: Person; readonly app: MobileApp }> {
    const person = await newPerson(stile)
    await enableMfa(stile, person)
    return { person, app: await addMobileApp(stile, person, more) }
  }

  async function wait(milliseconds: number): Promise<void> {
    world.advance(milliseconds)
    await stile.node.kernel.environments.poll()
  }

  /** Signs a person on with their password. */
  async function pass(person: Person, more: Readonly<Record<string, string>> = {}, browser = new Browser(stile)) {
    const flowId = await begin(browser, 'pi.flow', { client_id: client, ...more })
    const answer = await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    assert.equal(answer.status, 200, answer.text)
    return { browser, flowId, answer, number: answer.json.numberMatching?.number as string }
  }

  const select = (browser: Browser, flowId: string, id: string) =>
    browser.act(flowId, 'device.select', { device: { id } })
  const only = async (app: MobileApp): Promise<ShownRequest> => {
    const requests = await app.requests()
    assert.equal(requests.length, 1)
    return requests[0] as ShownRequest
  }
  const statusOf = async (browser: Browser, flowId: string) => (await browser.flow(flowId)).json.status
  const sessionsOf = ({ id }: Person) => rows<{ id: string; document: string }>(stile, 'sessions', 'user_id = $2', id)

  test('2.14: what the application has signed for its app (pi.clientContext) comes with the request, as it is', async () => {
    const { person, app } = await personWithApp()
    const signer = await register(stile, web)
    await assign(stile, signer.clientId, await newPolicy(stile, { type: 'LOGIN' }, mfa))
    const clientContext = { header: 'Pay', body: '30 € to <b>Charlie</b>', order: { id: 42, lines: [true, null] } }
    const asked = { ...codeRequest(signer, { response_mode: 'pi.flow' }), 'pi.clientContext': clientContext }
    const request = await requestObject(stile, signer, bySecret(signer), asked)
    const browser = new Browser(stile)
    const started = await browser.authorize({ client_id: signer.clientId, response_mode: 'pi.flow', request })
    const flowId: string = started.json.id
    await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    const shown = await only(app)
    assert.equal(shown.flow.id, flowId)
    assert.deepEqual(shown.clientContext, clientContext)
    assert.ok(!(await browser.flow(flowId)).text.includes('Charlie'), 'it is for the app alone')
  })

  test('a client that only reads the flow until it is completed, and resumes it, signs on', async () => {
    const { person, app } = await personWithApp()
    const { verifier, challenge } = pkce()
    const { browser, flowId, answer, number } = await pass(person, {
      ...piFlowRequest(stile, challenge, { client_id: client, redirect_uri: redirect }),
    })
    assert.deepEqual(
      [answer.json.status, answer.json.selectedDevice.id, answer.json._embedded.devices[0].type],
      ['PUSH_CONFIRMATION_REQUIRED', app.deviceId, 'MOBILE'],
    )
    assert.match(number, /^[0-9]{2}$/)
    const bound = browser.cookie
    const request = await only(app)
    assert.deepEqual(
      [request.flow.id, request.application.id, request.numberMatching, request.remoteAddress],
      [flowId, client, true, '127.0.0.1'],
    )
    assert.deepEqual((await app.call('GET', `/authenticationRequests/${request.id}`)).json, request)
    const members = ['id', 'flow', 'application', 'numberMatching', 'remoteAddress', 'createdAt', 'expiresAt']
    assert.deepEqual(Object.keys(request), members, 'the number is on the page alone')

    const approved = await app.answer(request, 'APPROVE', number)
    assert.equal(approved.status, 204, approved.text)
    assert.deepEqual(approved.headers.getSetCookie(), [], 'the app gets nothing of the browser')
    assert.deepEqual(await sessionsOf(person), [])
    assert.deepEqual(await app.requests(), [])

    const watch = watchStorage(stile.node.kernel)
    const read = await browser.flow(flowId)
    assert.deepEqual([read.json.status, watch.commits, browser.cookie], ['COMPLETED', [], bound])
    watch.stop()
    const resumed = await browser.resume(flowId)
    assert.notEqual(browser.cookie, bound, 'D1: the value is replaced at sign-on')
    const [session] = await sessionsOf(person)
    assert.equal(resumed.json.session.id, session?.id)
    assert.deepEqual(Object.keys(JSON.parse(session?.document ?? '{}').lastSignOn.withAuthenticator), ['pwd', 'mfa'])
    const tokens = await redeem(stile, resumed.json.authorizeResponse.code, verifier, client, redirect)
    assert.deepEqual(decodeJwt(tokens.json.id_token).amr, ['pwd', 'pop', 'mfa'])
    assert.equal(decodeJwt(tokens.json.id_token)['sid'] ?? session?.id, session?.id)
    assert.equal((await browser.resume(flowId)).status, 404, 'once')

    const again = await browser.authorize(piFlowRequest(stile, pkce().challenge, { prompt: 'none' }))
    assert.ok(again.json.authorizeResponse, again.text)
  })

  test('by redirect as well, and not for a browser that is not the one', async () => {
    const { person, app } = await personWithApp()
    const web = await newApplication(stile, { type: 'SINGLE_PAGE_APP', redirectUris: [stile.webApp.redirectUri] })
    await assign(stile, web, await newPolicy(stile, { type: 'LOGIN' }, mfa))
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'redirect', {
      client_id: web,
      code_challenge: pkce().challenge,
      code_challenge_method: 'S256',
    })
    await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    const { number } = (await browser.flow(flowId)).json.numberMatching
    await app.answer(await only(app), 'APPROVE', number)
    const stranger = new Browser(stile)
    assert.equal((await stranger.resume(flowId)).status, 404)
    const back = await browser.resume(flowId)
    assert.equal(back.status, 302)
    assert.ok(new URL(back.headers.get('location') ?? '').searchParams.get('code'))
    assert.equal((await sessionsOf(person)).length, 1)
  })

  test('what the policy asks for next is asked for, by the address of the browser', async () => {
    const asking = await newApplication(stile)
    const policy = await newPolicy(
      stile,
      { type: 'LOGIN' },
      mfa,
      {
        type: 'WEBHOOK',
        webhook: { url: endpoint.url, timeoutMilliseconds: 2000, onError: 'DENY' },
        condition: { contains: '${flow.request.http.remoteIp}', ipRange: ['203.0.113.0/24'] },
      },
      {
        type: 'PROGRESSIVE_PROFILING',
        attributes: [{ name: 'nickname', required: true }],
        preventMultiplePromptsPerFlow: false,
        promptIntervalSeconds: 0,
        promptText: '',
      },
    )
    await assign(stile, asking, policy)
    for (const [address, asked] of [
      ['203.0.113.7', 1],
      ['192.0.2.7', 0],
    ] as const) {
      endpoint.asked.length = 0
      const { person, app } = await personWithApp()
      const send: Stile['send'] = (path, call = {}) =>
        stile.send(path, { ...call, headers: { ...call.headers, 'x-forwarded-for': address } })
      const { browser, flowId, number } = await pass(person, { client_id: asking }, new Browser({ ...stile, send }))
      const request = await only(app)
      assert.equal(request.remoteAddress, address)
      assert.equal((await app.answer(request, 'APPROVE', number)).status, 204)
      assert.equal(endpoint.asked.length, asked, address)
      assert.equal(await statusOf(browser, flowId), 'PROFILE_DATA_REQUIRED')
      assert.deepEqual(await sessionsOf(person), [])
      const done = await browser.act(flowId, 'user.update', { nickname: 'Ada' })
      assert.equal(done.json.status, 'COMPLETED')
      assert.equal((await sessionsOf(person)).length, 1, 'the browser completed it, and has its session')
      assert.ok((await browser.resume(flowId)).json.authorizeResponse)
    }
  })

  test('a denial is the last word', async () => {
    const { person, app } = await personWithApp()
    const lenient = await newApplication(stile)
    const strict = await newPolicy(stile, { type: 'LOGIN' }, mfa)
    await assign(stile, lenient, strict, await newPolicy(stile, { type: 'LOGIN' }))
    const { browser, flowId, number } = await pass(person, { client_id: lenient })
    const request = await only(app)
    assert.equal((await app.answer(request, 'DENY')).status, 204)
    const { json } = await browser.flow(flowId)
    assert.deepEqual([json.status, json.error.code], ['FAILED', 'PUSH_DENIED'])
    assert.equal((await app.answer(request, 'APPROVE', number)).status, 404)
    assert.equal((await browser.resume(flowId)).json.code, 'ACCESS_FAILED')
    assert.deepEqual(await sessionsOf(person), [])
  })

  test('D3: without an answer it times out by itself; reading that writes nothing', async () => {
    const { person, app } = await personWithApp()
    const { browser, flowId, number } = await pass(person)
    const request = await only(app)
    await wait(39_999)
    assert.equal(await statusOf(browser, flowId), 'PUSH_CONFIRMATION_REQUIRED')
    await wait(1)
    const watch = watchStorage(stile.node.kernel)
    const { json } = await browser.flow(flowId)
    watch.stop()
    assert.deepEqual([json.status, watch.commits], ['PUSH_CONFIRMATION_TIMED_OUT', []])
    assert.deepEqual(Object.keys(json._links).toSorted(), [
      'device.select',
      'otp.check',
      'requiredStep',
      'self',
      'session.reset',
      'signOnPage',
    ])
    assert.deepEqual(await app.requests(), [])
    assert.equal((await app.answer(request, 'APPROVE', number)).status, 404, 'too late')
    const again = await select(browser, flowId, app.deviceId)
    assert.equal(again.json.status, 'PUSH_CONFIRMATION_REQUIRED')
    const reasons = (await stateOf(stile, flowId)).trace.map(({ event, reason }) => [event, reason])
    assert.ok(reasons.some(([event, reason]) => event === 'lapse' && reason === 'push-timed-out'))
    assert.equal((await app.answer(request, 'APPROVE', number)).status, 404, 'the first one is not the second')
    await app.answer(await only(app), 'APPROVE', again.json.numberMatching.number)
    assert.equal(await statusOf(browser, flowId), 'COMPLETED')
  })

  test('L35: another number than the page shows ends the request', async () => {
    const { person, app } = await personWithApp()
    const { browser, flowId, number } = await pass(person)
    const request = await only(app)
    const missing = await app.answer(request, 'APPROVE')
    assert.deepEqual([missing.status, missing.json.details[0].code], [400, 'REQUIRED_VALUE'])
    assert.equal(await statusOf(browser, flowId), 'PUSH_CONFIRMATION_REQUIRED')
    const wrong = number === '11' ? '12' : '11'
    const mismatched = await app.answer(request, 'APPROVE', wrong)
    assert.deepEqual([mismatched.status, mismatched.json.details[0].target], [400, 'answer.number'])
    assert.equal(await statusOf(browser, flowId), 'PUSH_CONFIRMATION_TIMED_OUT')
    assert.equal((await app.answer(request, 'APPROVE', number)).status, 404)
    assert.deepEqual(await sessionsOf(person), [])
  })

  test('L35: an answer is good for its own request, flow and device, once', async () => {
    const { person, app } = await personWithApp()
    const one = await pass(person)
    const first = await only(app)
    const other = await pass(person)
    const second = (await app.requests()).find(({ id }) => id !== first.id) as ShownRequest
    const crossed = { id: first.id, flow: second.flow }
    assert.equal((await app.answer(crossed, 'APPROVE', one.number)).status, 404)
    const elsewhere = {
      answer: { request: { id: first.id }, flow: first.flow, decision: 'APPROVE', number: one.number },
    }
    assert.equal((await app.call('POST', `/authenticationRequests/${second.id}`, undefined, elsewhere)).status, 404)
    const stranger = await personWithApp()
    assert.equal((await stranger.app.answer(first, 'APPROVE', one.number)).status, 404)

    assert.equal((await app.answer(first, 'APPROVE', one.number)).status, 204)
    assert.equal((await app.answer(first, 'APPROVE', one.number)).status, 404, 'replayed')
    assert.equal(await statusOf(one.browser, one.flowId), 'COMPLETED')
    assert.equal(await statusOf(other.browser, other.flowId), 'PUSH_CONFIRMATION_REQUIRED')
  })

  test('L35: nothing is answered but by a token of the key, for this call, and now', async () => {
    const { person, app } = await personWithApp()
    const { browser, flowId, number } = await pass(person)
    const request = await only(app)
    const now = Math.floor(world.now() / 1000)
    const stranger = await personWithApp()
    const lies = [
      { key: stranger.app.privateKey },
      { header: { alg: 'none' } },
      { header: { alg: 'HS256' } },
      { header: { typ: 'dpop+jwt' } },
      { claims: { iss: stranger.app.deviceId } },
      { claims: { htm: 'GET' } },
      { claims: { aud: `${stile.authUrl}/${stile.environmentId}` } },
      { claims: { iat: now - 120, exp: now + 60 } },
      { claims: { exp: undefined } },
    ]
    for (const lie of lies) {
      const { status } = await app.answer(request, 'APPROVE', number, lie)
      assert.equal(status, 401, JSON.stringify(lie.claims ?? lie.header ?? 'key'))
    }
    for (const answer of [undefined, {}, { request: { id: request.id }, flow: request.flow, decision: 'MAYBE' }]) {
      const { status } = await app.call('POST', `/authenticationRequests/${request.id}`, undefined, { answer })
      assert.equal(status, 400)
    }
    assert.equal(await statusOf(browser, flowId), 'PUSH_CONFIRMATION_REQUIRED')
    assert.equal((await app.answer(request, 'APPROVE', number)).status, 204)
  })

  test('L02: a device that was blocked or removed meanwhile proves nothing', async () => {
    const { person, app } = await personWithApp()
    const { browser, flowId, number } = await pass(person)
    const request = await only(app)
    const device = `/users/${person.id}/devices/${app.deviceId}`
    await stile.api('POST', device, {}, { mediaType: 'application/vnd.pingidentity.device.block+json' })
    assert.equal((await app.answer(request, 'APPROVE', number)).status, 401)
    await stile.api('POST', device, {}, { mediaType: 'application/vnd.pingidentity.device.unblock+json' })
    await stile.api('DELETE', device)
    assert.equal((await app.answer(request, 'APPROVE', number)).status, 401)
    assert.equal(await statusOf(browser, flowId), 'PUSH_CONFIRMATION_REQUIRED')
    assert.deepEqual(await rows(stile, 'push_requests', 'user_id = $2', person.id), [])
  })

  test('L35: three requests in ten minutes, whatever the flow, and then none for half an hour', async () => {
    const { person, app } = await personWithApp()
    const statuses: string[] = []
    for (let at = 0; at < 20; at++) {
      const { answer, browser, flowId } = await pass(person)
      statuses.push(answer.json.status)
      statuses.push((await select(browser, flowId, app.deviceId)).json.status)
    }
    assert.equal(statuses.filter((status) => status === 'PUSH_CONFIRMATION_REQUIRED').length, 3)
    assert.ok(statuses.slice(3).every((status) => status === 'PUSH_CONFIRMATION_TIMED_OUT'))
    assert.ok((await rows(stile, 'push_requests', 'user_id = $2', person.id)).length <= 3)
    await wait(1_799_999)
    assert.equal((await pass(person)).answer.json.status, 'PUSH_CONFIRMATION_TIMED_OUT')
    await wait(1)
    assert.equal((await pass(person)).answer.json.status, 'PUSH_CONFIRMATION_REQUIRED')
  })

  test('what was approved is not held against anybody; the policy may say another limit', async () => {
    const { person, app } = await personWithApp()
    for (let at = 0; at < 5; at++) {
      const { number } = await pass(person)
      assert.equal((await app.answer(await only(app), 'APPROVE', number)).status, 204)
    }
    const second = { timeUnit: 'SECONDS', duration: 60 }
    const limited = mobilePolicy({
      id: mobileApplication,
      pushLimit: { count: 1, timePeriod: second, lockDuration: second },
      pushTimeout: { duration: 150, timeUnit: 'SECONDS' },
    })
    const application = await newApplication(stile)
    const id = await newDevicePolicy(stile, { mobile: limited })
    const policy = await newPolicy(stile, { type: 'LOGIN' }, { ...mfa, deviceAuthenticationPolicy: { id } })
    await assign(stile, application, policy)
    const { browser, flowId } = await pass(person, { client_id: application })
    assert.equal((await select(browser, flowId, app.deviceId)).json.status, 'PUSH_CONFIRMATION_TIMED_OUT')
    await wait(60_000)
    assert.equal((await select(browser, flowId, app.deviceId)).json.status, 'PUSH_CONFIRMATION_REQUIRED')
    await wait(149_999)
    assert.equal(await statusOf(browser, flowId), 'PUSH_CONFIRMATION_REQUIRED')
  })

  test('L08, L10: a passcode of the app will do, where the policy takes it; that is what the token says', async () => {
    const { person, app } = await personWithApp()
    const { verifier, challenge } = pkce()
    const request = piFlowRequest(stile, challenge, { client_id: client, redirect_uri: redirect })
    const { browser, flowId } = await pass(person, request)
    assert.equal((await browser.act(flowId, 'otp.check', { otp: '000000' })).json.details[0].code, 'INVALID_OTP')
    const done = await browser.act(flowId, 'otp.check', { otp: app.passcode() })
    assert.equal(done.json.status, 'COMPLETED', done.text)
    assert.deepEqual(await app.requests(), [], 'nothing is left to approve')
    const { code } = (await browser.resume(flowId)).json.authorizeResponse
    const tokens = await redeem(stile, code, verifier, client, redirect)
    assert.deepEqual(decodeJwt(tokens.json.id_token).amr, ['pwd', 'otp', 'mfa'])
    const again = await pass(person)
    assert.equal((await again.browser.act(again.flowId, 'otp.check', { otp: app.passcode() })).status, 400, 'used')
  })

  test('where the policy takes requests alone, or passcodes alone, nothing else is offered', async () => {
    const { person, app } = await personWithApp()
    const under = async (more: object) => {
      const application = await newApplication(stile)
      const id = await newDevicePolicy(stile, { mobile: mobilePolicy({ id: mobileApplication, ...more }) })
      const policy = await newPolicy(stile, { type: 'LOGIN' }, { ...mfa, deviceAuthenticationPolicy: { id } })
      await assign(stile, application, policy)
      return pass(person, { client_id: application })
    }
    const pushOnly = await under({
      otp: { enabled: false },
      push: { enabled: true, numberMatching: { enabled: false } },
    })
    assert.deepEqual([pushOnly.answer.json._links['otp.check'], pushOnly.number], [undefined, undefined])
    const refused = await pushOnly.browser.act(pushOnly.flowId, 'otp.check', { otp: app.passcode() })
    assert.deepEqual([refused.status, refused.json.code], [400, 'INVALID_REQUEST'])
    assert.equal((await app.answer(await only(app), 'APPROVE')).status, 204)
    const passcodeOnly = await under({ push: { enabled: false } })
    assert.equal(passcodeOnly.answer.json.status, 'OTP_REQUIRED')
    const done = await passcodeOnly.browser.act(passcodeOnly.flowId, 'otp.check', { otp: app.passcode() })
    assert.equal(done.json.status, 'COMPLETED', done.text)
    const neither = await under({ push: { enabled: false }, otp: { enabled: false } })
    assert.deepEqual([neither.answer.json.status, neither.answer.json.error.code], ['FAILED', 'NO_USABLE_DEVICES'])
  })

  test('the request is taken back for another device, or for none', async () => {
    const { person, app } = await personWithApp()
    const email = await addEmailDevice(stile, person)
    const { browser, flowId, number } = await pass(person)
    const request = await only(app)
    const refused = await browser.act(flowId, 'cancel.push.authentication', { reason: 'OTHER' })
    assert.equal(refused.status, 400)
    const cancelled = await browser.act(flowId, 'cancel.push.authentication', { reason: 'CHANGE_DEVICE' })
    assert.equal(cancelled.json.status, 'DEVICE_SELECTION_REQUIRED')
    assert.deepEqual(await app.requests(), [])
    assert.equal((await app.answer(request, 'APPROVE', number)).status, 404)
    await select(browser, flowId, app.deviceId)
    await only(app)
    assert.equal((await select(browser, flowId, email)).json.status, 'OTP_REQUIRED')
    assert.deepEqual(await app.requests(), [])
    const done = await browser.act(flowId, 'otp.check', { otp: await codeSentTo(stile, addressOf(person)) })
    assert.equal(done.json.status, 'COMPLETED')
  })

  test('D1: a step-up keeps the session, whose browser gets another token when it comes back', async () => {
    const { person, app } = await personWithApp()
    const plain = await newApplication(stile)
    const [login, stepUp] = [await newPolicy(stile, { type: 'LOGIN' }), await newPolicy(stile, mfa)]
    await assign(stile, plain, login, stepUp)
    const { browser, flowId } = await pass(person, { client_id: plain, acr_values: login.name })
    await browser.resume(flowId)
    const [session] = await sessionsOf(person)
    const before = browser.cookie
    const again = async () => {
      const started = await browser.authorize(
        piFlowRequest(stile, pkce().challenge, { client_id: plain, acr_values: stepUp.name }),
      )
      assert.equal(started.json.status, 'PUSH_CONFIRMATION_REQUIRED', started.text)
      const { number } = started.json.numberMatching
      await app.answer(await only(app), 'APPROVE', number)
      return started.json.id as string
    }
    const first = await again()
    assert.equal(browser.cookie, before)
    const resumed = await browser.resume(first)
    assert.ok(resumed.json.authorizeResponse.code, resumed.text)
    assert.notEqual(browser.cookie, before)
    const sessions = await sessionsOf(person)
    assert.deepEqual(
      sessions.map(({ id }) => id),
      [session?.id],
    )
    assert.deepEqual(Object.keys(JSON.parse(sessions[0]?.document ?? '{}').lastSignOn.withAuthenticator), [
      'pwd',
      'mfa',
    ])

    const second = await again()
    await stile.api('DELETE', `/users/${person.id}/sessions/${session?.id}`)
    const refused = await browser.resume(second)
    assert.deepEqual([refused.status, refused.json.authorizeResponse], [404, undefined], refused.text)
    assert.deepEqual(await sessionsOf(person), [])
  })

  test('J17: whoever is disabled after they approved is not signed on', async () => {
    const { person, app } = await personWithApp()
    const { browser, flowId, number } = await pass(person)
    await app.answer(await only(app), 'APPROVE', number)
    await stile.api('PUT', `/users/${person.id}/enabled`, { enabled: false })
    const refused = await browser.resume(flowId)
    assert.deepEqual([refused.status, refused.json.authorizeResponse], [403, undefined])
    assert.deepEqual(await sessionsOf(person), [])
  })

  test('J26: nobody is asked because of a name alone', async () => {
    const { person, app } = await personWithApp()
    const named = await newApplication(stile)
    await assign(stile, named, await newPolicy(stile, { type: 'IDENTIFIER_FIRST' }, mfa))
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', { client_id: named })
    const { json } = await browser.act(flowId, 'user.lookup', { username: person.username })
    assert.deepEqual([json.status, json.numberMatching], ['OTP_REQUIRED', undefined])
    assert.deepEqual(await app.requests(), [])
  })

  test('a silent request asks nobody', async () => {
    const { person, app } = await personWithApp()
    const { browser, flowId, number } = await pass(person)
    await app.answer(await only(app), 'APPROVE', number)
    await browser.resume(flowId)
    const silent = await newApplication(stile)
    await assign(stile, silent, await newPolicy(stile, mfa))
    for (let at = 0; at < 4; at++) {
      const request = piFlowRequest(stile, pkce().challenge, { client_id: silent, prompt: 'none' })
      const answer = await browser.authorize(request)
      assert.equal(answer.json.details?.[0]?.code ?? answer.text, 'LOGIN_REQUIRED')
    }
    assert.deepEqual(await app.requests(), [])
    assert.deepEqual(await rows(stile, 'limits', 'kind = $2 AND subject = $3', 'push', person.id), [])
  })

  test('an application of one’s own waits by asking again', async () => {
    const { person, app } = await personWithApp()
    const own = await newApplication(stile, { isFirstParty: true })
    await assign(stile, own, await newPolicy(stile, { type: 'LOGIN' }, mfa))
    const post = (parameters: Readonly<Record<string, string>>) =>
      stile.send(`/${stile.environmentId}/as/authorization_challenge`, { body: new URLSearchParams(parameters) })
    const { challenge } = pkce()
    const begun = await post({
      client_id: own,
      scope: 'openid',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      username: person.username,
      password: person.password,
    })
    const { auth_session: session, numberMatching } = begun.json
    assert.equal(begun.json.status, 'PUSH_CONFIRMATION_REQUIRED', begun.text)
    const waiting = await post({ auth_session: session })
    assert.equal(waiting.json.status, 'PUSH_CONFIRMATION_REQUIRED')
    await app.answer(await only(app), 'APPROVE', numberMatching.number)
    const done = await post({ auth_session: waiting.json.auth_session })
    assert.ok(done.json.authorization_code, done.text)
    assert.deepEqual(done.headers.getSetCookie(), [], 'no browser is there for a session')
  })

  test('a message wakes the app, and says nothing of the request; dev keeps it in its inbox', async () => {
    const { person, app } = await personWithApp()
    const token = `token-of-${person.id}`
    assert.equal((await app.call('PUT', '/pushToken', { pushToken: token })).status, 204)
    const { flowId } = await pass(person)
    const [message, ...others] = await inboxOf(stile, token)
    assert.equal(others.length, 0)
    assert.deepEqual([message?.delivery_method, message?.template], ['Push', 'strong_authentication'])
    const { id } = await only(app)
    for (const secret of [id, flowId]) assert.ok(!message?.body.includes(secret))
    assert.equal((await app.call('PUT', '/pushToken', { pushToken: null })).status, 204)
    await pass(person)
    assert.equal((await inboxOf(stile, token)).length, 1)
    const stranger = await personWithApp()
    stranger.app.deviceId = app.deviceId
    assert.equal((await stranger.app.call('PUT', '/pushToken', { pushToken: 'mine' })).status, 401)
  })

  test('the default policy may stop taking the application', async () => {
    const { person, app } = await personWithApp()
    const { browser, flowId, number } = await pass(person)
    const request = await only(app)
    await putDefaultDevicePolicy(stile, { mobile: { ...mobilePolicy({ id: mobileApplication }), enabled: false } })
    assert.equal((await app.answer(request, 'APPROVE', number)).status, 404)
    assert.equal(await statusOf(browser, flowId), 'PUSH_CONFIRMATION_REQUIRED')
    await putDefaultDevicePolicy(stile, { mobile: mobilePolicy({ id: mobileApplication }) })
    assert.equal((await app.answer(request, 'APPROVE', number)).status, 204)
  })
})
