/**
 * Push messages to apps: credentials of applications (platform-api 3.14.1), Apple and Google on loopback, refusing and failing;
 * tokens that nobody knows any more. Rows W09, N25, L35.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { after, before, beforeEach, suite, test } from 'node:test'
import { forgetPushTarget, pushTarget } from '../../src/delivery/push-target.ts'
import { addMobileApp, mobileApplicationOf, newApplication, newPerson, rows } from '../flow-runtime/arrange.ts'
import { type ApnsServer, startApnsServer } from '../harness/apns-server.ts'
import type { MobileApp } from '../harness/mobile-app.ts'
import { type ProviderServer, startProviderServer } from '../harness/provider-server.ts'
import type { Answer } from '../harness/stile.ts'
import { failed, type Sending, sent, startSending, until } from './sending.ts'

const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()
const team = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const account = generateKeyPairSync('rsa', { modulusLength: 2048 })
const apnsToken = 'ab'.repeat(32)
const fcmToken = 'canary-registration:APA91b'

/** The parts of a JWT whose signature holds. */
function jwt(text: string, key: KeyObject, isEc: boolean) {
  const [header = '', claims = '', signature = ''] = text.split('.')
  const how = isEc ? ({ key, dsaEncoding: 'ieee-p1363' } as const) : key
  assert.ok(verify('sha256', Buffer.from(`${header}.${claims}`), how, Buffer.from(signature, 'base64url')))
  const read = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Readonly<Record<string, unknown>>
  return { header: read(header), claims: read(claims) }
}

suite('push messages', () => {
  let sending: Sending
  let apns: ApnsServer
  let fcm: ProviderServer
  let path: string
  const apple = { type: 'APNS', key: 'KEYID00001', teamId: 'TEAMID0001', token: pem(team.privateKey) }
  const serviceAccount = (more: object = {}) => ({
    type: 'service_account',
    project_id: 'lantern-books',
    client_email: 'push@lantern-books.iam.gserviceaccount.com',
    private_key: pem(account.privateKey),
    token_uri: `${fcm.url}/token`,
    ...more,
  })
  const google = (more: object = {}) => ({
    type: 'FCM_HTTP_V1',
    googleServiceAccountCredentials: JSON.stringify(serviceAccount(more)),
  })

  before(async () => {
    apns = await startApnsServer()
    fcm = await startProviderServer()
    sending = await startSending({ STILE_APNS_URL: apns.url, STILE_FCM_URL: fcm.url })
    const id = await mobileApplicationOf(sending.stile)
    const application = (await sending.stile.api('GET', `/applications/${id}`)).json
    const mobile = { bundleId: 'com.example.Lantern', packageName: 'com.example.lantern' }
    const named = await sending.stile.api('PUT', `/applications/${id}`, { ...application, mobile })
    assert.deepEqual([named.status, named.json.mobile], [200, mobile], named.text)
    path = `/applications/${id}/pushCredentials`
  })
  beforeEach(() => {
    apns.answer = { status: 200 }
    apns.received.length = 0
    fcm.answer = (request) =>
      request.target === '/token'
        ? { status: 200, body: { access_token: `at-${counted('/token')}`, token_type: 'Bearer', expires_in: 3600 } }
        : { status: 200, body: { name: 'projects/lantern-books/messages/1' } }
  })
  after(async () => {
    await sending.close()
    await apns.close()
    await fcm.close()
  })

  const counted = (target: string) => fcm.received.filter((each) => each.target === target).length
  const messages = () => fcm.received.filter(({ target }) => target !== '/token')

  /** Adds credentials for one test. */
  async function add(context: { after(run: () => Promise<void>): void }, credentials: object): Promise<string> {
    const answer = await sending.stile.api('POST', path, credentials)
    assert.equal(answer.status, 201, answer.text)
    const id = answer.json.id as string
    context.after(async () => {
      await sending.stile.api('DELETE', `${path}/${id}`)
    })
    return id
  }
  async function appWith(target: object): Promise<{ readonly userId: string; readonly app: MobileApp }> {
    const person = await newPerson(sending.stile)
    return { userId: person.id, app: await addMobileApp(sending.stile, person, target) }
  }
  const wake = ({ userId, app }: { readonly userId: string; readonly app: MobileApp }, more: object = {}) =>
    sending.promise({
      template: 'strong_authentication',
      deliveryMethod: 'Push',
      to: 'whatever it was',
      deviceId: app.deviceId,
      userId,
      usefulUntil: sending.world.now() + 60_000,
      variables: { 'application.name': 'Lantern Books' },
      ...more,
    })
  const hasToken = async ({ deviceId }: MobileApp) =>
    (await rows<{ sealed_push_token: string | null }>(sending.stile, 'mobile_devices', 'device_id = $2', deviceId))[0]
      ?.sealed_push_token !== null
  const forgotten = ({ deviceId }: MobileApp) =>
    rows(sending.stile, 'events', "action = 'DEVICE.PUSH_TOKEN_FORGOTTEN' AND subject_id = $2", deviceId)

  test('N25: credentials are made, listed, replaced and removed, and never answered', async (context) => {
    const id = await add(context, apple)
    const secrets = [apple.key, apple.teamId, 'PRIVATE KEY', 'gserviceaccount']
    const answers: Answer[] = [
      await sending.stile.api('GET', path),
      await sending.stile.api('GET', `${path}/${id}`),
      await sending.stile.api('PUT', `${path}/${id}`, { ...apple, key: 'KEYID00002' }),
      await sending.stile.api('POST', path, apple),
      await sending.stile.api('POST', path, { ...apple, token: 'PRIVATE KEY' }),
      await sending.stile.api('PUT', `${path}/${id}`, google()),
    ]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 400, 400, 400],
    )
    assert.equal(answers[3]?.json.details[0].code, 'UNIQUENESS_VIOLATION')
    const [read] = answers[0]?.json._embedded.pushCredentials ?? []
    assert.deepEqual([read.id, read.type], [id, 'APNS'])
    const stored = JSON.stringify([
      ...(await rows(sending.stile, 'push_credentials')),
      ...(await rows(sending.stile, 'events', "action LIKE 'PUSH_CREDENTIALS%'")),
    ])
    for (const text of [stored, ...answers.map((each) => each.text)]) {
      for (const secret of secrets) assert.ok(!text.includes(secret), secret)
    }
    assert.equal((await sending.stile.api('DELETE', `${path}/${id}`)).status, 204)
    assert.equal((await sending.stile.api('GET', `${path}/${id}`)).status, 404)
  })

  test('credentials that could not be used are refused', async () => {
    const weak = pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)
    const otherCurve = pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey)
    const bad: readonly (readonly [object, string])[] = [
      [{ ...apple, token: otherCurve }, 'token'],
      [{ ...apple, token: pem(account.privateKey) }, 'token'],
      [{ ...apple, teamId: undefined }, 'teamId'],
      [google({ private_key: weak }), 'googleServiceAccountCredentials'],
      [google({ project_id: '../../other' }), 'googleServiceAccountCredentials'],
      [google({ type: 'authorized_user' }), 'googleServiceAccountCredentials'],
      [google({ token_uri: 'https://10.0.0.1/token' }), 'googleServiceAccountCredentials'],
      [google({ token_uri: 'file:///etc/passwd' }), 'googleServiceAccountCredentials'],
      [{ type: 'FCM_HTTP_V1', googleServiceAccountCredentials: '{' }, 'googleServiceAccountCredentials'],
      [{ type: 'HMS', clientId: '1', clientSecret: '2' }, 'type'],
    ]
    for (const [credentials, target] of bad) {
      const { status, json, text } = await sending.stile.api('POST', path, credentials)
      assert.deepEqual([status, json.details?.[0].target], [400, target], text)
      assert.ok(!text.includes('PRIVATE KEY') && !text.includes('10.0.0.1'), text)
    }
    const nameless = `/applications/${await newApplication(sending.stile)}/pushCredentials`
    assert.equal((await sending.stile.api('POST', nameless, apple)).json.details[0].target, 'type')
    const web = { type: 'WEB_APP', tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC' }
    const page = `/applications/${await newApplication(sending.stile, web)}/pushCredentials`
    assert.equal((await sending.stile.api('POST', page, google())).json.details[0].target, 'type')
  })

  test('the names of an app stay as they are', async () => {
    const id = path.split('/')[2] ?? ''
    const application = (await sending.stile.api('GET', `/applications/${id}`)).json
    for (const mobile of [{ bundleId: 'com.example.Other' }, undefined]) {
      const answer = await sending.stile.api('PUT', `/applications/${id}`, { ...application, mobile })
      assert.deepEqual([answer.status, answer.json.details[0].target], [400, 'mobile.bundleId'])
    }
  })

  test('Apple is asked by a provider token that is kept for a while', async (context) => {
    await add(context, apple)
    const phone = await appWith({ pushToken: apnsToken, pushService: 'APNS' })
    const until = Math.floor(sending.world.now() / 1000) + 60
    assert.deepEqual(await sending.ending(await wake(phone)), sent)
    const [first] = apns.received
    assert.equal(first?.path, `/3/device/${apnsToken}`)
    const { 'apns-topic': topic, 'apns-push-type': kind, 'apns-priority': priority } = first.headers
    assert.deepEqual([topic, kind, priority], ['com.example.Lantern', 'alert', '10'])
    assert.equal(first.headers['apns-expiration'], String(until))
    assert.match(first.headers['apns-id'] ?? '', /^[0-9a-f-]{36}$/)
    const [scheme, provider = ''] = (first.headers['authorization'] ?? '').split(' ')
    assert.equal(scheme, 'bearer')
    const { header, claims } = jwt(provider, team.publicKey, true)
    assert.deepEqual([header['alg'], header['kid'], claims['iss']], ['ES256', apple.key, apple.teamId])
    assert.match(first.body.aps.alert.body, /Lantern Books/)

    const again = await appWith({ pushToken: apnsToken, pushService: 'APNS' })
    assert.deepEqual(await sending.ending(await wake(again)), sent)
    assert.equal(apns.received.at(-1)?.headers['authorization'], first.headers['authorization'])
    await sending.later(41 * 60_000)
    const later = await appWith({ pushToken: apnsToken, pushService: 'APNS' })
    assert.deepEqual(await sending.ending(await wake(later)), sent)
    assert.notEqual(apns.received.at(-1)?.headers['authorization'], first.headers['authorization'])
  })

  test('a token that Apple does not know any more is forgotten; what it says of the message alone is not', async (context) => {
    await add(context, apple)
    const refusals: readonly (readonly [status: number, reason: string, forgets: boolean])[] = [
      [410, 'Unregistered', true],
      [400, 'BadDeviceToken', true],
      [400, 'DeviceTokenNotForTopic', false],
      [413, 'PayloadTooLarge', false],
    ]
    for (const [status, reason, forgets] of refusals) {
      apns.answer = { status, reason }
      const phone = await appWith({ pushToken: apnsToken, pushService: 'APNS' })
      const ending = failed(forgets ? 'not-registered' : 'refused')
      assert.deepEqual(await sending.ending(await wake(phone)), ending, reason)
      assert.equal(await hasToken(phone.app), !forgets, reason)
      assert.equal((await forgotten(phone.app)).length, forgets ? 1 : 0)
    }
    const odd = await appWith({ pushToken: '../../other', pushService: 'APNS' })
    const before = apns.received.length
    assert.deepEqual(await sending.ending(await wake(odd)), failed('not-registered'))
    assert.equal(apns.received.length, before)
    assert.deepEqual(await sending.ending(await wake({ ...odd, userId: (await newPerson(sending.stile)).id })), {
      action: 'NOTIFICATION.FAILED',
      reason: 'not-registered',
    })
  })

  test('a token that the app has sent meanwhile is not forgotten in the place of the old one', async () => {
    const { kernel } = sending.stile.node
    const environment = await kernel.environments.get(sending.stile.environmentId)
    assert.ok(environment)
    const { app, userId } = await appWith({ pushToken: fcmToken })
    const old = await pushTarget(kernel.storage, environment, app.deviceId)
    assert.ok(old)
    const renewed = await app.call('PUT', '/pushToken', { pushToken: fcmToken, pushService: 'FCM_HTTP_V1' })
    assert.equal(renewed.status, 204)
    const about = { correlationId: 'test', userId }
    await forgetPushTarget(kernel, environment.id, old, about)
    assert.deepEqual([await hasToken(app), (await forgotten(app)).length], [true, 0])
    const present = await pushTarget(kernel.storage, environment, app.deviceId)
    assert.ok(present)
    await forgetPushTarget(kernel, environment.id, present, about)
    await forgetPushTarget(kernel, environment.id, present, about)
    assert.deepEqual([await hasToken(app), (await forgotten(app)).length], [false, 1])
  })

  test('what Apple cannot take now it is sent again, as the same message', async (context) => {
    await add(context, apple)
    for (const status of [403, 429, 500, 503]) {
      apns.answer = { status, reason: 'Shutdown' }
      const phone = await appWith({ pushToken: apnsToken, pushService: 'APNS' })
      const before = apns.received.length
      // Time is let pass more than once.
      await wake(phone, { usefulUntil: sending.world.now() + 3_600_000 })
      await until('it was asked', () => apns.received.length > before)
      apns.answer = { status: 200 }
      await until('it was put off', async () => {
        await sending.later(31_000)
        return (await rows(sending.stile, 'outbox')).length === 0
      })
      assert.deepEqual(await sending.ending(phone.userId), sent)
      const [first, second] = apns.received.slice(before)
      assert.equal(first?.headers['apns-id'], second?.headers['apns-id'])
    }
  })

  test('Google is asked by an access token of the service account, which is asked for once', async (context) => {
    await add(context, google())
    const before = counted('/token')
    for (const pushService of ['FCM_HTTP_V1', undefined]) {
      const phone = await appWith({ pushToken: fcmToken, pushService })
      assert.deepEqual(await sending.ending(await wake(phone)), sent)
    }
    // The token of an earlier test may still be good: it is the same account.
    assert.ok(counted('/token') - before <= 1)
    const grant = fcm.received.find(({ target }) => target === '/token')
    assert.equal(grant?.form['grant_type'], 'urn:ietf:params:oauth:grant-type:jwt-bearer')
    const { claims } = jwt(grant?.form['assertion'] ?? '', account.publicKey, false)
    assert.deepEqual(
      [claims['iss'], claims['aud'], claims['scope']],
      [serviceAccount().client_email, `${fcm.url}/token`, 'https://www.googleapis.com/auth/firebase.messaging'],
    )
    const message = messages().at(-1)
    assert.equal(message?.target, '/v1/projects/lantern-books/messages:send')
    assert.match(String(message?.headers.authorization), /^Bearer at-\d+$/)
    const { token, notification, android } = JSON.parse(message?.body ?? '').message
    assert.deepEqual([token, android], [fcmToken, { priority: 'HIGH', ttl: '60s' }])
    assert.match(notification.body, /Lantern Books/)
  })

  test('an access token that Google refuses is asked for anew, once', async (context) => {
    await add(context, google())
    const usual = fcm.answer
    const before = counted('/token')
    let refusals = 0
    fcm.answer = (request) =>
      request.target !== '/token' && refusals++ === 0 ? { status: 401, body: {} } : usual?.(request)
    assert.deepEqual(await sending.ending(await wake(await appWith({ pushToken: fcmToken }))), sent)
    assert.equal(refusals, 2)
    assert.ok(counted('/token') > before)
  })

  test('a token that Google does not know any more is forgotten; a project that does not exist forgets none', async (context) => {
    await add(context, google())
    const usual = fcm.answer
    const details = [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: 'UNREGISTERED' }]
    for (const [body, forgets] of [
      [{ error: { code: 404, status: 'NOT_FOUND', details } }, true],
      [{ error: { code: 404, status: 'NOT_FOUND' } }, false],
    ] as const) {
      fcm.answer = (request) => (request.target === '/token' ? usual?.(request) : { status: 404, body })
      const phone = await appWith({ pushToken: fcmToken })
      assert.deepEqual(await sending.ending(await wake(phone)), failed(forgets ? 'not-registered' : 'refused'))
      assert.equal(await hasToken(phone.app), !forgets)
      assert.equal((await forgotten(phone.app)).length, forgets ? 1 : 0)
    }
  })

  test('a token of one service is never shown to another, and none is guessed', async (context) => {
    await add(context, apple)
    const before = fcm.received.length
    const ofGoogle = await appWith({ pushToken: fcmToken, pushService: 'FCM_HTTP_V1' })
    await wake(ofGoogle)
    await sending.emptied()
    await add(context, google())
    const ofNobody = await appWith({ pushToken: apnsToken })
    await wake(ofNobody)
    await sending.emptied()
    assert.deepEqual([apns.received.length, fcm.received.length], [0, before])
    const kept = await rows<{ delivery_method: string }>(sending.stile, 'inbox', "delivery_method = 'Push'")
    assert.equal(kept.length, 2, 'dev keeps what no provider takes')
  })
})
