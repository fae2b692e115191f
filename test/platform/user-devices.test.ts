/** MFA devices of users through the management API: platform-api 3.14.5; rows L03, L05, L10, L13, L18, L19, L20, N04. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import {
  addEmailDevice,
  addressOf,
  addTotpDevice,
  assign,
  begin,
  bodyOf,
  codeSentTo,
  enableMfa,
  mobileApplicationOf,
  inboxOf,
  newApplication,
  newDevicePolicy,
  newPerson,
  newPolicy,
  type Person,
  rows,
} from '../flow-runtime/arrange.ts'
import { passcodeShown } from '../harness/authenticator-app.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { defaultDeviceAuthenticationPolicy } from '../../src/flow/factors/device-authentication-policy.ts'
import { sentMembers } from './members.ts'
import { addPopulation, administrator, giveRoles, tokenOfSignOn, userToken } from './people.ts'

suite('devices', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const pathOf = ({ id }: Person, device = '') => `/users/${id}/devices${device === '' ? '' : `/${device}`}`
  const act = (person: Person, device: string, action: string, body: object = {}) =>
    stile.api('POST', pathOf(person, device), body, { mediaType: `application/vnd.pingidentity.${action}+json` })
  const all = async (person: Person) => (await stile.api('GET', pathOf(person))).json._embedded.devices

  test('are created, read, listed, named, ordered and deleted', async () => {
    const person = await newPerson(stile)
    const sent = { type: 'EMAIL', email: addressOf(person), nickname: 'Work' }
    const created = await stile.api('POST', pathOf(person), sent)
    assert.equal(created.status, 201, created.text)
    const { id, status, user, environment, _links } = created.json
    assert.deepEqual([status, user, environment], ['ACTIVE', { id: person.id }, { id: stile.environmentId }])
    assert.equal(created.headers.get('location'), _links.self.href)
    assert.deepEqual((await stile.api('GET', pathOf(person, id))).json, created.json)
    assert.deepEqual(sentMembers(created.json), { ...sent, status: 'ACTIVE', user: { id: person.id } })

    const phone = await stile.api('POST', pathOf(person), { type: 'SMS', phone: '+1.5125201234' })
    assert.deepEqual([phone.json.status, phone.json.phone], ['ACTIVE', '+1.5125201234'])
    const call = await stile.api('POST', pathOf(person), { type: 'VOICE', phone: '+49 (30) 1234567' })
    assert.equal(call.status, 201, call.text)
    const ids = (await all(person)).map((device: { readonly id: string }) => device.id)
    assert.deepEqual(ids, [id, phone.json.id, call.json.id])

    const order = [{ id: call.json.id }, { id }, { id: phone.json.id }]
    const reorder = { mediaType: 'application/vnd.pingidentity.devices.reorder+json' }
    const ordered = await stile.api('POST', pathOf(person), { order }, reorder)
    assert.equal(ordered.status, 200, ordered.text)
    assert.deepEqual(
      (await all(person)).map((device: { readonly id: string }) => ({ id: device.id })),
      order,
    )
    for (const wrong of [[{ id }], [...order, { id }], [{ id }, { id }, { id }]]) {
      assert.equal((await stile.api('POST', pathOf(person), { order: wrong }, reorder)).status, 400)
    }

    const named = await stile.api('PUT', `${pathOf(person, id)}/nickname`, { nickname: 'Home' })
    assert.equal(named.json.nickname, 'Home')
    assert.equal((await stile.api('DELETE', pathOf(person, id))).status, 204)
    assert.equal((await stile.api('GET', pathOf(person, id))).status, 404)
    assert.equal((await all(person)).length, 2)
  })

  test('the code that activates a device is one of the policy that it was made under, also when it is sent again', async () => {
    const person = await newPerson(stile)
    const email = { ...defaultDeviceAuthenticationPolicy.email }
    const failure = { count: 1, coolDown: { duration: 5, timeUnit: 'MINUTES' } }
    const id = await newDevicePolicy(stile, { email: { ...email, otp: { ...email.otp, otpLength: 9, failure } } })
    const sent = { type: 'EMAIL', email: addressOf(person), status: 'ACTIVATION_REQUIRED', policy: { id } }
    const { json: device } = await stile.api('POST', pathOf(person), sent)
    const codes = async () =>
      (await inboxOf(stile, addressOf(person))).map(({ body }) => /^[0-9]{6,}$/m.exec(body)?.[0] ?? '')
    assert.equal((await act(person, device.id, 'device.sendActivationCode')).status, 200)
    assert.deepEqual(
      (await codes()).map(({ length }) => length),
      [9, 9],
    )
    assert.equal((await act(person, device.id, 'device.activate', { otp: '000000000' })).status, 400)
    const held = await act(person, device.id, 'device.activate', { otp: (await codes()).at(-1) })
    assert.deepEqual([held.status, held.headers.get('retry-after')], [429, '300'])
  })

  test('are in the order in which they became active', async () => {
    const person = await newPerson(stile)
    const { json: app } = await stile.api('POST', pathOf(person), { type: 'TOTP' })
    const email = await addEmailDevice(stile, person)
    const idsOf = async () => (await all(person)).map(({ id }: { readonly id: string }) => id)
    assert.deepEqual(await idsOf(), [app.id, email])
    const otp = passcodeShown(app.secret, 0, stile.node.kernel.world.now())
    assert.equal((await act(person, app.id, 'device.activate', { otp })).status, 200)
    assert.deepEqual(await idsOf(), [email, app.id], 'the first is the default one')
  })

  test('without an order have no default one, until they are put into an order', async () => {
    const person = await newPerson(stile)
    await enableMfa(stile, person)
    const remove = { mediaType: 'application/vnd.pingidentity.devices.order.remove+json' }
    const [email, app] = [await addEmailDevice(stile, person), (await addTotpDevice(stile, person)).id]
    const client = await newApplication(stile)
    await assign(stile, client, await newPolicy(stile, { type: 'LOGIN' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }))
    const statusNow = async () => {
      const browser = new Browser(stile)
      const flowId = await begin(browser, 'pi.flow', { client_id: client })
      const answer = await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
      return [answer.json.status, answer.json.selectedDevice?.id]
    }
    assert.deepEqual(await statusNow(), ['OTP_REQUIRED', email])
    for (const body of [undefined, {}]) {
      assert.equal((await stile.api('DELETE', pathOf(person), body, remove)).status, 204)
    }
    assert.deepEqual(await statusNow(), ['DEVICE_SELECTION_REQUIRED', undefined])
    const { json: phone } = await stile.api('POST', pathOf(person), { type: 'SMS', phone: '+15125201234' })
    assert.deepEqual(await statusNow(), ['DEVICE_SELECTION_REQUIRED', undefined], 'nor does another one become it')
    const order = [app, phone.id, email].map((id) => ({ id }))
    const reorder = { mediaType: 'application/vnd.pingidentity.devices.reorder+json' }
    assert.equal((await stile.api('POST', pathOf(person), { order }, reorder)).status, 200)
    assert.deepEqual(await statusNow(), ['OTP_REQUIRED', app])
    const own = await userToken(stile, (await newPerson(stile)).id, 'p1:update:device')
    assert.equal((await stile.api('DELETE', pathOf(person), undefined, { ...remove, token: own })).status, 403)
    assert.equal((await stile.api('DELETE', pathOf(person))).status, 415)
  })

  test('an authenticator app is told what the policy says besides, and how passcodes are made by the server alone', async () => {
    const person = await newPerson(stile)
    const { totp } = defaultDeviceAuthenticationPolicy
    const uriParameters = { issuer: 'Lantern Books & Co', image: 'https://example.com/a.png' }
    const id = await newDevicePolicy(stile, { totp: { ...totp, uriParameters } })
    const { json } = await stile.api('POST', pathOf(person), { type: 'TOTP', policy: { id } })
    const uri = new URL(json.keyUri)
    assert.equal(decodeURIComponent(uri.pathname), `/Lantern Books & Co:${person.username}`)
    assert.deepEqual(Object.fromEntries(uri.searchParams), {
      ...uriParameters,
      secret: json.secret,
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    })
    for (const name of ['secret', 'algorithm', 'digits', 'period', 'a b']) {
      const body = {
        ...defaultDeviceAuthenticationPolicy,
        name: 'Wrong',
        totp: { ...totp, uriParameters: { [name]: '8' } },
      }
      const refused = await stile.api('POST', '/deviceAuthenticationPolicies', body)
      assert.deepEqual([refused.status, refused.json.details[0].code], [400, 'INVALID_VALUE'], refused.text)
    }
  })

  test('what is not a device is refused, and nothing is written', async () => {
    const person = await newPerson(stile)
    const refused: readonly (readonly [object, string, string])[] = [
      [{}, 'type', 'REQUIRED_VALUE'],
      [{ type: 'PIGEON' }, 'type', 'INVALID_VALUE'],
      [{ type: 'EMAIL' }, 'email', 'REQUIRED_VALUE'],
      [{ type: 'EMAIL', email: 'nobody' }, 'email', 'INVALID_VALUE'],
      [{ type: 'SMS' }, 'phone', 'REQUIRED_VALUE'],
      [{ type: 'SMS', phone: '5125201234' }, 'phone', 'INVALID_VALUE'],
      [{ type: 'SMS', phone: '+1512520123456789' }, 'phone', 'INVALID_VALUE'],
      [{ type: 'VOICE', phone: '+1512;ext=9' }, 'phone', 'INVALID_VALUE'],
      [{ type: 'EMAIL', email: 'a@b.org', policy: { id: person.id } }, 'policy.id', 'INVALID_VALUE'],
      [{ type: 'EMAIL', email: 'a@b.org', testMode: true }, 'testMode', 'INVALID_VALUE'],
      [{ type: 'EMAIL', email: 'a@b.org', notification: { message: 'x' } }, 'notification', 'INVALID_VALUE'],
    ]
    for (const [body, target, code] of refused) {
      const { status, json, text } = await stile.api('POST', pathOf(person), body)
      assert.equal(status, 400, text)
      assert.deepEqual([json.details[0].target, json.details[0].code], [target, code], JSON.stringify(body))
    }
    assert.deepEqual(await all(person), [])
  })

  test('a call may have an extension where the settings of MFA allow it', async () => {
    const person = await newPerson(stile)
    const call = { type: 'VOICE', phone: '+1.5125201234', extension: '1,2992#' }
    const refusal = async (body: object) => (await stile.api('POST', pathOf(person), body)).json.details?.[0].target
    assert.equal(await refusal(call), 'extension')
    assert.equal((await stile.api('PUT', '/mfaSettings', { phoneExtensions: { enabled: true } })).status, 200)
    for (const extension of ['', ',', 'w1', '1 2', '1;2', '1'.repeat(21)]) {
      assert.equal(await refusal({ ...call, extension }), 'extension', extension)
    }
    for (const more of [{ type: 'SMS' }, { type: 'EMAIL', email: 'a@example.com' }, { type: 'TOTP' }]) {
      assert.equal(await refusal({ ...call, ...more }), 'extension', more.type)
    }
    const created = await stile.api('POST', pathOf(person), call)
    assert.equal(created.status, 201, created.text)
    const { phone, extension, id } = created.json
    assert.deepEqual({ phone, extension }, { phone: call.phone, extension: call.extension })
    assert.deepEqual((await stile.api('GET', pathOf(person, id))).json, created.json)
    const plain = await stile.api('POST', pathOf(person), { type: 'VOICE', phone: '+1.5125201234' })
    assert.equal(plain.json.extension, undefined)

    const waiting = await stile.api('POST', pathOf(person), { ...call, status: 'ACTIVATION_REQUIRED' })
    assert.equal(waiting.json.status, 'ACTIVATION_REQUIRED')
    assert.equal((await inboxOf(stile, '+15125201234,1,2992#')).at(-1)?.delivery_method, 'Voice')
    assert.equal((await stile.api('DELETE', '/mfaSettings')).status, 200)
    assert.equal((await stile.api('GET', pathOf(person, id))).json.extension, call.extension, 'what there is stays')
  })

  test('no more than five, however many are made at once', async () => {
    const person = await newPerson(stile)
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => stile.api('POST', pathOf(person), { type: 'TOTP' })),
    )
    const refused = answers.filter(({ status }) => status === 400)
    assert.equal(refused.length, 7)
    const details = refused.map(({ json }) => json.details[0])
    for (const { code, innerError } of details) {
      assert.deepEqual([code, innerError], ['LIMIT_EXCEEDED', { maximumAllowed: 5 }])
    }
    assert.equal((await all(person)).length, 5)
  })

  test('L19, L20: the seed of an app is told once, is not chosen by the client, and is sealed', async () => {
    const person = await newPerson(stile)
    const chosen = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
    const created = await stile.api('POST', pathOf(person), { type: 'TOTP', secret: chosen, seed: chosen })
    const { id, secret, keyUri, status } = created.json
    assert.equal(status, 'ACTIVATION_REQUIRED')
    assert.match(secret, /^[A-Z2-7]{32}$/)
    assert.notEqual(secret, chosen)
    assert.ok(keyUri.includes(`secret=${secret}`))
    for (const answer of [await stile.api('GET', pathOf(person, id)), await stile.api('GET', pathOf(person))]) {
      assert.ok(!answer.text.includes(secret) && !answer.text.includes('keyUri'))
    }
    const [row] = await rows<{ sealed_seed: string }>(stile, 'devices', 'id = $2', id)
    assert.ok(row?.sealed_seed && !row.sealed_seed.includes(secret))
  })

  test('L03, L18: an app is activated by a passcode of it, three wrong ones make it wait', async () => {
    const person = await newPerson(stile)
    const other = await addTotpDevice(stile, person)
    const { id, secret } = (await stile.api('POST', pathOf(person), { type: 'TOTP' })).json
    const theirs = await act(person, id, 'device.activate', { otp: passcodeShown(other.secret) })
    assert.deepEqual([theirs.status, theirs.json.details[0].code], [400, 'INVALID_OTP'])
    const stranger = await newPerson(stile)
    assert.equal((await act(stranger, id, 'device.activate', { otp: passcodeShown(secret) })).status, 404)
    assert.equal((await act(person, id, 'device.activate', { otp: passcodeShown(secret, 3) })).status, 400)
    const activated = await act(person, id, 'device.activate', { otp: passcodeShown(secret) })
    assert.deepEqual([activated.status, activated.json.status], [200, 'ACTIVE'], activated.text)
    assert.equal((await act(person, id, 'device.activate', { otp: passcodeShown(secret, 1) })).status, 400)

    const third = (await stile.api('POST', pathOf(person), { type: 'TOTP' })).json
    for (let guess = 0; guess < 3; guess++) {
      assert.equal((await act(person, third.id, 'device.activate', { otp: '12345x' })).status, 400)
    }
    const locked = await act(person, third.id, 'device.activate', { otp: passcodeShown(third.secret) })
    assert.equal(locked.status, 429, locked.text)
    assert.ok(Number(locked.headers.get('retry-after')) > 60)
  })

  test('wrong tries lock the devices of a user for a while, and an administrator unlocks them', async () => {
    const person = await newPerson(stile)
    const app = await addTotpDevice(stile, person)
    const pending = (await stile.api('POST', pathOf(person), { type: 'TOTP' })).json
    const locks = async () => (await all(person)).map(({ lock }: { readonly lock?: object }) => lock)
    for (let guess = 0; guess < 2; guess++) await act(person, pending.id, 'device.activate', { otp: '12345x' })
    assert.deepEqual(await locks(), [undefined, undefined])
    await act(person, pending.id, 'device.activate', { otp: '12345x' })
    const { lock } = (await stile.api('GET', pathOf(person, app.id))).json
    assert.equal(lock.status, 'LOCKED')
    const seconds = (Date.parse(lock.expiresAt) - Date.now()) / 1000
    assert.ok(seconds > 100 && seconds <= 120, lock.expiresAt)
    assert.deepEqual(await locks(), [lock, lock])
    const right = { otp: passcodeShown(pending.secret) }
    assert.equal((await act(person, pending.id, 'device.activate', right)).status, 429)

    const unlocked = await act(person, app.id, 'device.unlock')
    assert.deepEqual([unlocked.status, unlocked.json.lock], [200, undefined], unlocked.text)
    assert.deepEqual(await locks(), [undefined, undefined])
    const [event] = await rows<{ subject_id: string }>(
      stile,
      'events',
      `action = 'DEVICE.UNLOCKED' AND subject_id = $2`,
      app.id,
    )
    assert.ok(event)
    assert.equal((await act(person, pending.id, 'device.activate', right)).json.status, 'ACTIVE')
  })

  test('L13: an address is activated by the code that was sent there', async () => {
    const person = await newPerson(stile)
    const body = { type: 'EMAIL', email: addressOf(person), status: 'ACTIVATION_REQUIRED' }
    const { id, status } = (await stile.api('POST', pathOf(person), body)).json
    assert.equal(status, 'ACTIVATION_REQUIRED')
    assert.equal((await inboxOf(stile, addressOf(person))).at(-1)?.template, 'device_pairing')
    const first = await codeSentTo(stile, addressOf(person))
    assert.equal((await act(person, id, 'device.sendActivationCode')).status, 200)
    const second = await codeSentTo(stile, addressOf(person))
    if (first !== second) assert.equal((await act(person, id, 'device.activate', { otp: first })).status, 400)
    assert.equal((await act(person, id, 'device.activate', { otp: second })).json.status, 'ACTIVE')
    assert.equal((await act(person, id, 'device.sendActivationCode')).status, 400)
    const app = (await stile.api('POST', pathOf(person), { type: 'TOTP' })).json
    assert.equal((await act(person, app.id, 'device.sendActivationCode')).json.details[0].target, 'type')
  })

  test('are blocked and unblocked, and say so', async () => {
    const person = await newPerson(stile)
    const id = await addEmailDevice(stile, person)
    const blocked = await act(person, id, 'device.block')
    assert.equal(blocked.json.block.status, 'BLOCKED')
    assert.equal((await act(person, id, 'device.block')).json.block.blockedAt, blocked.json.block.blockedAt)
    assert.equal((await act(person, id, 'device.unblock')).json.block, undefined)
  })

  test('N04: a device is found through its own user alone', async () => {
    const [owner, other] = [await newPerson(stile), await newPerson(stile)]
    const id = await addEmailDevice(stile, owner)
    const answers = [
      await stile.api('GET', pathOf(other, id)),
      await stile.api('DELETE', pathOf(other, id)),
      await stile.api('PUT', `${pathOf(other, id)}/nickname`, { nickname: 'Mine' }),
      await act(other, id, 'device.block'),
      await act(other, id, 'device.unblock'),
    ]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [404, 404, 404, 404, 404],
    )
    assert.equal((await stile.api('GET', pathOf(owner, id))).json.status, 'ACTIVE')
  })

  test('N13, L37: users manage their own devices by scope, and show first that a new one is theirs', async () => {
    const person = await newPerson(stile)
    const other = await newPerson(stile)
    const every = ['p1:create:device', 'p1:read:device', 'p1:update:device', 'p1:delete:device']
    const token = await userToken(stile, person.id, ...every)
    const call = (method: string, path: string, body?: object, mediaType = 'application/json') =>
      stile.api(method, path, body, { token, mediaType })

    const created = await call('POST', pathOf(person), { type: 'EMAIL', email: addressOf(person) })
    assert.deepEqual([created.status, created.json.status], [201, 'ACTIVATION_REQUIRED'], created.text)
    const { id } = created.json
    const otp = await codeSentTo(stile, addressOf(person))
    const activate = 'application/vnd.pingidentity.device.activate+json'
    assert.equal((await call('POST', pathOf(person, id), { otp }, activate)).json.status, 'ACTIVE')
    const active = await call('POST', pathOf(person), { type: 'EMAIL', email: addressOf(person), status: 'ACTIVE' })
    assert.equal(active.status, 403)
    assert.equal((await call('PUT', `${pathOf(person, id)}/nickname`, { nickname: 'Mine' })).json.nickname, 'Mine')
    assert.equal((await call('GET', pathOf(person))).json._embedded.devices.length, 1)
    const codes = await call('POST', pathOf(person), { type: 'RECOVERY_CODE' })
    assert.deepEqual([codes.json.status, codes.json.recoveryCodes.length], ['ACTIVE', 10])
    for (const action of ['device.block', 'device.unblock']) {
      const mediaType = `application/vnd.pingidentity.${action}+json`
      assert.equal((await call('POST', pathOf(person, id), {}, mediaType)).status, 403, action)
    }
    assert.equal((await call('DELETE', pathOf(person, id))).status, 204)

    for (const path of [pathOf(other), pathOf(other, id)]) assert.equal((await call('GET', path)).status, 403)
    const reader = await userToken(stile, person.id, 'p1:read:device')
    const refused = await stile.api('POST', pathOf(person), { type: 'TOTP' }, { token: reader })
    assert.equal(refused.status, 403)
    assert.equal((await stile.api('GET', pathOf(person), undefined, { token: reader })).status, 200)
  })

  test('L05, L33: who has a device changes and adds devices by a recent second factor alone', async () => {
    const person = await newPerson(stile)
    const first = ['p1:create:device', 'p1:read:device', 'p1:update:device', 'p1:delete:device', 'p1:create:pairingKey']
    const signOn = (mfaSecondsAgo?: number) => tokenOfSignOn(stile, person.id, first, 0, undefined, mfaSecondsAgo)
    await enableMfa(stile, person)
    const password = await signOn()
    const begun = await stile.api('POST', pathOf(person), { type: 'TOTP' }, { token: password })
    assert.equal(begun.status, 201, 'whoever has none yet begins with the sign-on they have')
    const id = await addEmailDevice(stile, person)
    const reorder = 'application/vnd.pingidentity.devices.reorder+json'
    const activate = 'application/vnd.pingidentity.device.activate+json'
    const otp = passcodeShown(begun.json.secret, 0, stile.node.kernel.world.now())
    const mobile = { applications: [{ id: await mobileApplicationOf(stile) }] }
    const before = await all(person)
    const order = [{ id: begun.json.id }, { id }]
    const attempts: readonly ((token: string) => Promise<Answer>)[] = [
      (token) => stile.api('POST', pathOf(person), { order }, { token, mediaType: reorder }),
      (token) => stile.api('POST', pathOf(person), { type: 'TOTP' }, { token }),
      (token) => stile.api('POST', pathOf(person), { type: 'FIDO2' }, { token }),
      (token) => stile.api('POST', pathOf(person), { type: 'EMAIL', email: 'mallory@example.com' }, { token }),
      (token) => stile.api('POST', `/users/${person.id}/pairingKeys`, mobile, { token }),
      (token) => stile.api('PUT', `${pathOf(person, id)}/nickname`, { nickname: 'Mine' }, { token }),
      (token) => stile.api('POST', pathOf(person, begun.json.id), { otp }, { token, mediaType: activate }),
      (token) => stile.api('DELETE', pathOf(person, id), undefined, { token }),
      (token) => stile.api('POST', pathOf(person), { type: 'RECOVERY_CODE' }, { token }),
    ]
    for (const token of [password, await signOn(301)]) {
      for (const attempt of attempts) {
        const answer = await attempt(token)
        assert.equal(answer.status, 401, answer.text)
        assert.match(answer.headers.get('www-authenticate') ?? '', /insufficient_user_authentication.*second factor/)
      }
    }
    assert.deepEqual(await all(person), before)
    assert.deepEqual(await rows(stile, 'pairing_keys', 'user_id = $2', person.id), [])
    const proved = await signOn(10)
    for (const attempt of attempts) {
      const { status, text } = await attempt(proved)
      assert.ok(status >= 200 && status < 300, text)
    }
  })

  test('L33: nobody touches the devices of somebody else, nor an own one without a recent sign-on', async () => {
    const person = await newPerson(stile)
    const id = await addEmailDevice(stile, person)
    const every = ['p1:create:device', 'p1:read:device', 'p1:update:device', 'p1:delete:device']
    const other = await userToken(stile, (await newPerson(stile)).id, ...every)
    const stale = await tokenOfSignOn(stile, person.id, every, 301)
    await giveRoles(stile, `/users/${person.id}`, [
      { role: 'Environment Admin', type: 'ENVIRONMENT', id: stile.environmentId },
    ])
    const lower = await administrator(stile, {
      role: 'Identity Data Admin',
      type: 'ENVIRONMENT',
      id: stile.environmentId,
    })
    const reorder = 'application/vnd.pingidentity.devices.reorder+json'
    for (const [token, status] of [
      [other, 403],
      [stale, 401],
      [lower, 403],
    ] as const) {
      const answers = [
        await stile.api('DELETE', pathOf(person, id), undefined, { token }),
        await stile.api('PUT', `${pathOf(person, id)}/nickname`, { nickname: 'Mine' }, { token }),
        await stile.api('POST', pathOf(person), { order: [{ id }] }, { token, mediaType: reorder }),
        await stile.api('POST', pathOf(person), { type: 'TOTP' }, { token }),
        await stile.api('POST', pathOf(person), { type: 'RECOVERY_CODE' }, { token }),
      ]
      for (const answer of answers) assert.equal(answer.status, status, answer.text)
    }
    const { headers } = await stile.api('DELETE', pathOf(person, id), undefined, { token: stale })
    assert.match(headers.get('www-authenticate') ?? '', /insufficient_user_authentication.*max_age="300"/)
    assert.deepEqual(await all(person), [(await stile.api('GET', pathOf(person, id))).json])
  })

  test('L39: an administrator of one population gives nobody of another a device, whatever the path', async () => {
    const [mine, theirs] = [await addPopulation(stile), await addPopulation(stile)]
    const token = await administrator(stile, { role: 'Identity Data Admin', type: 'POPULATION', id: mine })
    const [own, victim] = [
      await newPerson(stile, { populationId: mine }),
      await newPerson(stile, { populationId: theirs }),
    ]
    for (const body of [{ type: 'TOTP' }, { type: 'FIDO2' }, { type: 'RECOVERY_CODE' }]) {
      assert.equal((await stile.api('POST', pathOf(own), body, { token })).status, 201)
      const paths = [
        pathOf(victim),
        `/users/${own.id}/../${victim.id}/devices`,
        `/users/${own.id}%2f..%2f${victim.id}/devices`,
        `/users/${own.id}/devices/../../${victim.id}/devices`,
      ]
      for (const path of paths) {
        const { status } = await stile.api('POST', path, body, { token, headers: { 'x-user-id': own.id } })
        assert.ok([400, 403, 404].includes(status), `${path}: ${status}`)
      }
    }
    assert.deepEqual(await all(victim), [])
  })

  test('G17: an address that could be two, or a header, is none', async () => {
    const person = await newPerson(stile)
    const addresses = [
      'a@x.test\r\nBcc:b@y.test',
      'a@x.test,b@y.test',
      'a@x.test b@y.test',
      '"e@evil.test"@victim.test',
      'Victim <a@x.test>',
      'a\uff20x.test',
      'a@x.test\u0000',
      '<a@x.test>',
    ]
    for (const email of addresses) {
      const answers = [
        await stile.api('POST', pathOf(person), { type: 'EMAIL', email, status: 'ACTIVATION_REQUIRED' }),
        await stile.api('POST', '/users', {
          username: `g17-${person.username}`,
          email,
          population: { id: stile.populationId },
        }),
        await stile.api('PATCH', `/users/${person.id}`, { email }),
      ]
      for (const answer of answers) assert.equal(answer.status, 400, `${JSON.stringify(email)}: ${answer.text}`)
    }
    assert.deepEqual(await rows(stile, 'outbox'), [])
  })

  test('E23: the devices of a user go with the user', async () => {
    const person = await newPerson(stile)
    await addEmailDevice(stile, person)
    assert.equal((await stile.api('DELETE', `/users/${person.id}`)).status, 204)
    assert.deepEqual(await rows(stile, 'devices', 'user_id = $2', person.id), [])
  })
})
