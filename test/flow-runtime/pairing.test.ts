/**
 * MOBILE devices over HTTP: pairing keys, and the apps that claim them. authentication-api 6.1, platform-api 3.14.3, 3.14.5,
 * docs/reference/mobile-devices.md; rows L03, L16, L29. How they sign on is in push.test.ts.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { MobileApp } from '../harness/mobile-app.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { userToken } from '../platform/people.ts'
import { testWorld, type TestWorld } from '../../src/world.ts'
import {
  addMobileApp,
  addressOf,
  inboxOf,
  mobileApplicationOf,
  mobilePolicy,
  newApplication,
  newDevicePolicy,
  newPairingKey,
  newPerson,
  type Person,
  putDefaultDevicePolicy,
  rows,
} from './arrange.ts'

suite('pairing', () => {
  let stile: Stile
  let world: TestWorld
  let applicationId: string
  before(async () => {
    world = testWorld()
    stile = await startStile({ world, environment: { STILE_TRUSTED_PROXIES: '127.0.0.1' } })
    applicationId = await mobileApplicationOf(stile)
  })
  after(() => stile.close())

  let addresses = 0
  /** An app that calls from an address of its own, since tries are counted by that. */
  function newApp(): MobileApp {
    addresses += 1
    const headers = { 'x-forwarded-for': `198.51.100.${addresses}` }
    const send: Stile['send'] = (path, call = {}) =>
      stile.send(path, { ...call, headers: { ...call.headers, ...headers } })
    return new MobileApp({ ...stile, send }, () => world.now())
  }

  const keys = ({ id }: Person, method = 'GET', rest = '', body?: object) =>
    stile.api(method, `/users/${id}/pairingKeys${rest}`, body)
  const make = (person: Person, ...ids: string[]) =>
    keys(person, 'POST', '', { applications: ids.map((id) => ({ id })) })
  const devices = async ({ id }: Person) => (await stile.api('GET', `/users/${id}/devices`)).json._embedded.devices
  const refusal = ({ status, json }: Answer) => [status, json.details[0].code, json.details[0].target]

  async function wait(milliseconds: number): Promise<void> {
    world.advance(milliseconds)
    await stile.node.kernel.environments.poll()
  }

  test('L38: a key is made, told once, claimed once, and the app is a device of the user', async () => {
    const person = await newPerson(stile)
    const made = await make(person, applicationId)
    assert.deepEqual(
      [made.status, made.json.status, made.json.applications, made.json.user.id],
      [201, 'UNCLAIMED', [{ id: applicationId }], person.id],
    )
    assert.match(made.json.code, /^[0-9]{14}$/)
    assert.equal(Date.parse(made.json.expiresAt) - Date.parse(made.json.createdAt), 600_000)
    const read = await keys(person, 'GET', `/${made.json.id}`)
    assert.deepEqual([read.json.status, read.json.code], ['UNCLAIMED', undefined])

    const app = newApp()
    const typed = made.json.code.replace(/^(.{7})/, '$1 - ')
    const paired = await app.pair(typed, applicationId, { os: 'Android 17', model: 'Phone 9', nickname: 'My phone' })
    assert.equal(paired.status, 201, paired.text)
    assert.deepEqual([paired.json.application.id, paired.json.otp.digits], [applicationId, 6])
    const [device] = await devices(person)
    assert.deepEqual(
      [device.id, device.type, device.status, device.nickname, device.application.id, device.os, device.model],
      [app.deviceId, 'MOBILE', 'ACTIVE', 'My phone', applicationId, 'Android 17', 'Phone 9'],
    )
    assert.deepEqual([device.pushEnabled, device.otpEnabled, device.secret], [false, true, undefined])
    assert.equal((await keys(person, 'GET', `/${made.json.id}`)).json.status, 'CLAIMED')
    assert.deepEqual(refusal(await newApp().pair(made.json.code, applicationId)), [400, 'INVALID_VALUE', 'pairingKey'])
    assert.equal((await devices(person)).length, 1)
    const actions = (await rows<{ action: string }>(stile, 'events', 'subject_id = $2', app.deviceId)).map(
      ({ action }) => action,
    )
    assert.deepEqual(actions, ['DEVICE.CREATED'])
  })

  test('L16: storage holds no code, and no push token in clear', async () => {
    const person = await newPerson(stile)
    const app = newApp()
    const code = await newPairingKey(stile, person, applicationId)
    const { json } = await app.pair(code, applicationId, { pushToken: 'CANARY-token' })
    for (const table of ['pairing_keys', 'mobile_devices', 'devices', 'events', 'limits']) {
      const text = JSON.stringify(await rows(stile, table))
      for (const secret of [code, 'CANARY-token', json.otp.secret]) assert.ok(!text.includes(secret), table)
    }
    assert.equal((await devices(person))[0].pushEnabled, true)
  })

  test('the settings say what a code looks like', async () => {
    const { json } = await stile.api('GET', '/mfaSettings')
    const put = (pairingKeyFormat: string) =>
      stile.api('PUT', '/mfaSettings', { ...json, pairing: { ...json.pairing, pairingKeyFormat } })
    assert.equal((await put('ALPHANUMERIC')).status, 200)
    const person = await newPerson(stile)
    const code = await newPairingKey(stile, person, applicationId)
    assert.match(code, /^[2-9BCDFGHJKMNPQRSTVWXYZ]{12}$/)
    assert.equal((await newApp().pair(code.toLowerCase(), applicationId)).status, 201)
    await put('NUMERIC')
  })

  test('L38: a key that is over, removed, or for another application pairs nothing', async () => {
    const person = await newPerson(stile)
    const late = await newPairingKey(stile, person, applicationId)
    await wait(600_000)
    assert.deepEqual(refusal(await newApp().pair(late, applicationId)), [400, 'INVALID_VALUE', 'pairingKey'])
    const { json } = await make(person, applicationId)
    assert.equal((await keys(person, 'DELETE', `/${json.id}`)).status, 204)
    assert.deepEqual(refusal(await newApp().pair(json.code, applicationId)), [400, 'INVALID_VALUE', 'pairingKey'])
    assert.deepEqual((await keys(person)).json._embedded.pairingKeys, [])
    const code = await newPairingKey(stile, person, applicationId)
    assert.deepEqual(refusal(await newApp().pair(code, randomUUID())), [400, 'INVALID_VALUE', 'application.id'])
    assert.equal((await newApp().pair(code, applicationId)).status, 201, 'it is not used up by that')
    const other = await newPerson(stile)
    const foreign = await make(other, applicationId)
    assert.equal((await keys(person, 'DELETE', `/${foreign.json.id}`)).status, 404)
    assert.equal((await keys(person, 'GET', `/${foreign.json.id}`)).status, 404)
  })

  test('the app has to sign for its key, this call, and now', async () => {
    const person = await newPerson(stile)
    const code = await newPairingKey(stile, person, applicationId)
    const now = Math.floor(world.now() / 1000)
    const lies = [
      { key: newApp().privateKey },
      { header: { alg: 'none' } },
      { header: { alg: 'HS256' } },
      { header: { typ: 'JWT' } },
      { claims: { iss: 'somebody' } },
      { claims: { aud: stile.authUrl } },
      { claims: { aud: [`${stile.authUrl}/${stile.environmentId}/mobileDevices`] } },
      { claims: { htm: 'GET' } },
      { claims: { iat: now - 3600, exp: now + 60 } },
      { claims: { iat: now + 3600, exp: now + 3660 } },
      { claims: { exp: now - 60 } },
      { claims: { exp: undefined } },
      { claims: { iat: undefined } },
    ]
    for (const lie of lies) {
      const { status } = await newApp().pair(code, applicationId, {}, lie)
      assert.equal(status, 401, JSON.stringify(lie.claims ?? lie.header ?? 'key'))
    }
    const path = `/${stile.environmentId}/mobileDevices`
    const app = newApp()
    const body = { pairingKey: code, application: { id: applicationId }, key: app.jwk }
    assert.equal((await stile.send(path, { body })).status, 401, 'no token at all')
    const keysSent = [
      { ...app.jwk, d: app.jwk.x },
      { ...app.jwk, y: app.jwk.x },
      { ...app.jwk, crv: 'P-384' },
      { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
    ]
    for (const key of keysSent) {
      assert.equal((await stile.send(path, { body: { ...body, key }, token: app.token('POST', path) })).status, 400)
    }
    assert.equal((await app.pair(code, applicationId)).status, 201)
  })

  test('L29: a key of an app is that of one device', async () => {
    const person = await newPerson(stile)
    const app = await addMobileApp(stile, person)
    const code = await newPairingKey(stile, person, applicationId)
    app.deviceId = ''
    assert.deepEqual(refusal(await app.pair(code, applicationId)), [400, 'UNIQUENESS_VIOLATION', 'key'])
    assert.equal((await newApp().pair(code, applicationId)).status, 201, 'the pairing key is not used up by that')
  })

  test('codes are tried ten times from one address; what was right does not count', async () => {
    const person = await newPerson(stile)
    const app = newApp()
    const again = () => new MobileApp(app.server, () => world.now())
    for (let at = 0; at < 9; at++) {
      assert.deepEqual(refusal(await app.pair('12345678901234', applicationId)), [400, 'INVALID_VALUE', 'pairingKey'])
    }
    for (let at = 0; at < 2; at++) {
      assert.equal((await again().pair(await newPairingKey(stile, person, applicationId), applicationId)).status, 201)
    }
    await app.pair('12345678901234', applicationId)
    const code = await newPairingKey(stile, person, applicationId)
    const held = await again().pair(code, applicationId)
    assert.equal(held.status, 429)
    assert.equal(held.headers.get('retry-after'), '600')
    await wait(600_000)
    assert.equal((await again().pair(await newPairingKey(stile, person, applicationId), applicationId)).status, 201)
  })

  test('a user has 20 keys and as many devices as the settings say', async () => {
    const person = await newPerson(stile)
    for (let at = 0; at < 20; at++) await newPairingKey(stile, person, applicationId)
    const { status, json } = await make(person, applicationId)
    assert.deepEqual([status, json.details[0].innerError.maximumAllowed], [400, 20])
    assert.equal((await keys(person)).json._embedded.pairingKeys.length, 20)
    await wait(600_000)
    for (let at = 0; at < 5; at++) await addMobileApp(stile, person)
    const code = await newPairingKey(stile, person, applicationId)
    const full = await newApp().pair(code, applicationId)
    assert.deepEqual([full.status, full.json.details[0].innerError.maximumAllowed], [400, 5])
    await stile.api('DELETE', `/users/${person.id}/devices/${(await devices(person))[0].id}`)
    assert.equal((await rows(stile, 'mobile_devices', 'user_id = $2', person.id)).length, 4)
    assert.equal((await newApp().pair(code, applicationId)).status, 201, 'the pairing key is not used up by that')
    await stile.api('DELETE', `/users/${person.id}`)
    for (const table of ['mobile_devices', 'pairing_keys', 'devices']) {
      assert.deepEqual(await rows(stile, table, 'user_id = $2', person.id), [], table)
    }
  })

  test('N13: users make, read and remove their own pairing keys by scope', async () => {
    const [person, other] = [await newPerson(stile), await newPerson(stile)]
    const scopes = ['p1:create:pairingKey', 'p1:read:pairingKey', 'p1:delete:pairingKey']
    const body = { applications: [{ id: applicationId }] }
    const token = await userToken(stile, person.id, ...scopes)
    const own = (method: string, of: Person, rest = '', sent?: object, by = token) =>
      stile.api(method, `/users/${of.id}/pairingKeys${rest}`, sent, { token: by })
    const made = await own('POST', person, '', body)
    assert.equal(made.status, 201, made.text)
    assert.equal((await own('GET', person, `/${made.json.id}`)).json.status, 'UNCLAIMED')
    assert.equal((await newApp().pair(made.json.code, applicationId)).status, 201)
    assert.equal((await own('DELETE', person, `/${made.json.id}`)).status, 204)
    assert.equal((await own('POST', other, '', body)).status, 403)
    const reader = await userToken(stile, person.id, 'p1:read:pairingKey')
    assert.equal((await own('POST', person, '', body, reader)).status, 403)
    assert.equal((await own('GET', person, '', undefined, reader)).status, 200)
  })

  test('L36: the user is told of the new device where they can be reached already', async () => {
    await putDefaultDevicePolicy(stile, { newDeviceNotification: 'EMAIL_THEN_SMS' })
    const person = await newPerson(stile)
    await addMobileApp(stile, person, { nickname: 'My phone' })
    const [message, ...others] = await inboxOf(stile, addressOf(person))
    assert.deepEqual([message?.template, others.length], ['new_device_paired', 0])
    assert.match(message?.body ?? '', /My phone/)
    await putDefaultDevicePolicy(stile, { newDeviceNotification: 'NONE' })
  })

  test('no device is made of an app but by the app', async () => {
    const person = await newPerson(stile)
    const answer = await stile.api('POST', `/users/${person.id}/devices`, { type: 'MOBILE' })
    assert.deepEqual(refusal(answer), [400, 'INVALID_VALUE', 'type'])
  })

  suite('the policy', () => {
    const post = (mobile: object) =>
      newDevicePolicy(stile, { mobile }).then(
        () => undefined,
        (error: Error) => error.message,
      )

    test('names native applications, and nothing that there is not', async () => {
      const web = await newApplication(stile, { type: 'SINGLE_PAGE_APP' })
      for (const id of [web, randomUUID(), stile.webApp.clientId]) {
        assert.match((await post(mobilePolicy({ id }))) ?? '', /mobile\.applications\.0\.id/)
      }
      const unknown = {
        deviceAuthorization: { enabled: true, extraVerification: 'permissive' },
        autoEnrollment: { enabled: true },
        biometricsEnabled: true,
        integrityDetection: 'restrictive',
        ipPairingConfiguration: { anyIPAdress: false, onlyTheseIpAddresses: ['192.0.2.0/24'] },
        newRequestDurationConfiguration: { deviceTimeout: {}, totalTimeout: {} },
        type: 'pingIdAppConfig',
      }
      for (const [member, value] of Object.entries(unknown)) {
        const refused = (await post(mobilePolicy({ id: applicationId, [member]: value }))) ?? ''
        assert.match(refused, new RegExp(`mobile\\.applications\\.0\\.${member}`))
      }
      const window = { stepSize: { duration: 60, timeUnit: 'SECONDS' } }
      const { otp, ...mobile } = mobilePolicy({ id: applicationId })
      assert.match((await post({ ...mobile, otp: { ...otp, window } })) ?? '', /mobile\.otp\.window/)
    })

    test('is answered as it was sent', async () => {
      const application = {
        id: applicationId,
        push: { enabled: true, numberMatching: { enabled: true } },
        pushTimeout: { duration: 40, timeUnit: 'SECONDS' },
        pushLimit: {
          count: 5,
          lockDuration: { duration: 30, timeUnit: 'MINUTES' },
          timePeriod: { duration: 10, timeUnit: 'MINUTES' },
        },
        pairingKeyLifetime: { duration: 10, timeUnit: 'MINUTES' },
        otp: { enabled: true },
        deviceAuthorization: { enabled: false, extraVerification: 'permissive' },
        autoEnrollment: { enabled: false },
        pairingDisabled: false,
        integrityDetection: 'permissive',
      }
      const id = await newDevicePolicy(stile, { mobile: mobilePolicy(application) })
      const { json } = await stile.api('GET', `/deviceAuthenticationPolicies/${id}`)
      assert.deepEqual(json.mobile, mobilePolicy(application))
    })

    test('switches pairing off, and says how long a key is good', async () => {
      const person = await newPerson(stile)
      const held = await newPairingKey(stile, person, applicationId)
      const put = (more: object) =>
        putDefaultDevicePolicy(stile, { mobile: mobilePolicy({ id: applicationId, ...more }) })
      await put({ pairingDisabled: true })
      assert.deepEqual(refusal(await make(person, applicationId)), [400, 'INVALID_VALUE', 'applications.0.id'])
      assert.deepEqual(refusal(await newApp().pair(held, applicationId)), [400, 'INVALID_VALUE', 'application.id'])
      await put({ pairingKeyLifetime: { duration: 1, timeUnit: 'HOURS' }, otp: { enabled: false } })
      const { json } = await make(person, applicationId)
      assert.equal(Date.parse(json.expiresAt) - Date.parse(json.createdAt), 3_600_000)
      const paired = await newApp().pair(json.code, applicationId)
      assert.equal(paired.json.otp, undefined)
      assert.equal((await devices(person)).at(-1).otpEnabled, false)
      await put({})
      assert.deepEqual(refusal(await make(person, randomUUID())), [400, 'INVALID_VALUE', 'applications.0.id'])
    })
  })
})
