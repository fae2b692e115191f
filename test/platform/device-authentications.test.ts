/**
 * Stand-alone MFA over HTTP: authentication-api 6.4; rows J27, L01, L02, L06, L10-L17, L22, N02, N05. What its steps decide
 * is MULTI_FACTOR_AUTHENTICATION's, whose tests are in flow-runtime/multi-factor.test.ts and passkeys.test.ts.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { purge } from '../../src/jobs/purge.ts'
import { testWorld, type TestWorld } from '../../src/world.ts'
import { passcodeShown } from '../harness/authenticator-app.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  addEmailDevice,
  addPasskey,
  addressOf,
  addTotpDevice,
  assign,
  begin,
  bodyOf,
  codeSentTo,
  enableMfa,
  inboxOf,
  newApplication,
  newDevicePolicy,
  newPerson,
  newPersonWithDevices,
  newPolicy,
  type Person,
  rows,
  signature,
} from '../flow-runtime/arrange.ts'
import { authenticationClient as client } from './device-authentication-client.ts'
import { addPopulation, administrator, onEachEngine, userToken, vendor } from './people.ts'

const detailOf = ({ status, json }: Answer) => [status, json.details?.[0]?.code ?? json.code, json.details?.[0]?.target]

async function personWith(stile: Stile, ...kinds: readonly ('EMAIL' | 'TOTP')[]) {
  const person = await newPerson(stile)
  await enableMfa(stile, person)
  const devices = []
  for (const kind of kinds) {
    if (kind === 'EMAIL') devices.push({ id: await addEmailDevice(stile, person), secret: '' })
    else devices.push(await addTotpDevice(stile, person))
  }
  return { ...person, devices }
}

suite('stand-alone MFA', () => {
  let stile: Stile
  let world: TestWorld
  let mfa: ReturnType<typeof client>
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    mfa = client(stile)
  })
  after(() => stile.close())

  const sentTo = (person: Person) => codeSentTo(stile, addressOf(person))
  const eventsOf = async (id: string) =>
    (await rows<{ action: string; result: string; actor_client_id: string }>(stile, 'events', 'subject_id = $2', id))
      .map(({ action, result, actor_client_id }) => [action, result, actor_client_id === stile.worker.clientId])
      .toSorted()
  async function wait(milliseconds: number): Promise<void> {
    world.advance(milliseconds)
    await stile.node.kernel.environments.poll()
  }

  test('a passcode by e-mail: begun, answered, read; COMPLETED is the end', async () => {
    const person = await personWith(stile, 'EMAIL')
    const begun = await mfa.start(person)
    assert.equal(begun.status, 201, begun.text)
    const { id, status, _links, _embedded, selectedDevice, user, policy, environment } = begun.json
    const self = `${stile.authUrl}${mfa.path(id)}`
    assert.deepEqual([status, user, environment], ['OTP_REQUIRED', { id: person.id }, { id: stile.environmentId }])
    assert.deepEqual(Object.keys(_links), ['self', 'device.select', 'otp.check', 'cancel.push.authentication'])
    assert.ok(Object.values<{ href: string }>(_links).every(({ href }) => href === self))
    assert.equal(begun.headers.get('location'), self)
    assert.deepEqual(_embedded.devices, [
      { id: person.devices[0]?.id, type: 'EMAIL', status: 'ACTIVE', email: 'p*****@example.com' },
    ])
    assert.deepEqual(selectedDevice, { id: person.devices[0]?.id })
    const policies = (await stile.api('GET', '/deviceAuthenticationPolicies')).json._embedded
      .deviceAuthenticationPolicies
    assert.equal(policy.id, policies.find((each: { default: boolean }) => each.default).id)
    assert.deepEqual((await mfa.read(id)).json, begun.json)
    const [message] = await inboxOf(stile, addressOf(person))
    assert.equal(message?.template, 'strong_authentication')

    const otp = await sentTo(person)
    assert.ok(!begun.text.includes(otp) && !begun.text.includes(addressOf(person)))
    assert.deepEqual(detailOf(await mfa.act(id, 'otp.check', { otp: '12345x' })), [400, 'INVALID_OTP', 'otp'])
    const done = await mfa.act(id, 'otp.check', { otp })
    assert.deepEqual([done.status, done.json.status, Object.keys(done.json._links)], [200, 'COMPLETED', ['self']])
    assert.equal((await mfa.read(id)).json.status, 'COMPLETED')
    for (const [action, body] of [
      ['otp.check', { otp }],
      ['device.select', { device: selectedDevice }],
      ['cancel.push.authentication', { reason: 'CHANGE_DEVICE' }],
    ] as const) {
      assert.deepEqual(detailOf(await mfa.act(id, action, body)), [400, 'INVALID_REQUEST', undefined])
    }
    assert.deepEqual(await eventsOf(id), [
      ['DEVICE_AUTHENTICATION.COMPLETED', 'SUCCESS', true],
      ['DEVICE_AUTHENTICATION.CREATED', 'SUCCESS', true],
    ])
    assert.deepEqual(await rows(stile, 'sessions', 'user_id = $2', person.id), [], 'it opens no session')
  })

  test('the application says what is approved and in which language; what is ours it cannot change', async () => {
    const words = [
      ['en', 'Pay'],
      ['fr-CA', 'Payer'],
    ] as const
    for (const [locale, word] of words) {
      const content = {
        locale,
        deliveryMethod: 'Email',
        variant: 'transfer',
        subject: word,
        body: `${word} \${sum}, \${user.username}?\n\n\${code}\n`,
        emailContentType: 'text/plain',
      }
      const made = await stile.api('POST', '/templates/transaction/contents', content)
      assert.equal(made.status, 201, made.text)
    }
    const person = await personWith(stile, 'EMAIL')
    const variables = { sum: '30.00', code: '000000', 'user.username': 'x' }
    const template = { name: 'transaction', variant: 'transfer', variables, locale: 'fr-CA' }
    const { status, json } = await mfa.start(person, { notification: { template } })
    assert.deepEqual([status, json.status], [201, 'OTP_REQUIRED'])
    const { locale: _, ...plain } = template
    await mfa.start(person, { notification: { template: plain } })
    await mfa.act(json.id, 'device.select', { device: { id: person.devices[0]?.id } })
    const bodies = (await inboxOf(stile, addressOf(person))).map(({ body }) => body)
    assert.deepEqual(
      bodies.map((body) => body.split('\n')[0]),
      ['Payer', 'Pay', 'Payer'].map((word) => `${word} 30.00, ${person.username}?`),
    )
    assert.ok(!bodies.some((body) => body.includes('000000')))
    assert.equal((await mfa.act(json.id, 'otp.check', { otp: await sentTo(person) })).json.status, 'COMPLETED')
  })

  test('an authenticator app: its passcode is good once (L17)', async () => {
    const person = await personWith(stile, 'TOTP')
    const { json } = await mfa.start(person, { selectedDevice: { id: person.devices[0]?.id } })
    assert.equal(json.status, 'OTP_REQUIRED')
    assert.deepEqual(await inboxOf(stile, addressOf(person)), [])
    const otp = passcodeShown(person.devices[0]?.secret ?? '', 0, world.now())
    assert.equal((await mfa.act(json.id, 'otp.check', { otp })).json.status, 'COMPLETED')
    const second = await mfa.start(person)
    assert.deepEqual(detailOf(await mfa.act(second.json.id, 'otp.check', { otp })), [400, 'INVALID_OTP', 'otp'])
  })

  test('L22: a passkey signs for this authentication, within five minutes, and for nothing else', async () => {
    const person = await personWith(stile)
    const { passkey, deviceId } = await addPasskey(stile, person)
    const check = (id: string, assertion: string, origin = stile.authUrl) =>
      mfa.act(id, 'assertion.check', { origin, assertion, compatibility: 'FULL' })
    const one = await mfa.start(person)
    assert.deepEqual([one.json.status, one.json.selectedDevice], ['ASSERTION_REQUIRED', { id: deviceId }])
    assert.ok(one.json._links['assertion.check'] && !one.json._links['otp.check'])
    const other = await mfa.start(person)
    const signed = signature(stile, passkey, one.json.publicKeyCredentialRequestOptions)
    assert.deepEqual(detailOf(await check(other.json.id, signed)), [400, 'INVALID_VALUE', 'assertion'])
    assert.equal((await check(one.json.id, signed, 'https://evil.example')).status, 400)
    await wait(300_001)
    assert.equal((await check(one.json.id, signed)).status, 400)
    const again = await mfa.act(one.json.id, 'device.select', { device: { id: deviceId } })
    const done = await check(one.json.id, signature(stile, passkey, again.json.publicKeyCredentialRequestOptions))
    assert.equal(done.json?.status ?? done.text, 'COMPLETED', done.text)
    assert.equal(done.json.publicKeyCredentialRequestOptions, undefined)
  })

  test('a device is chosen, given up and chosen again; the passcode of the one given up is nothing', async () => {
    const person = await personWith(stile, 'EMAIL', 'TOTP')
    const policy = await newDevicePolicy(stile, { authentication: { deviceSelection: 'PROMPT_TO_SELECT' } })
    const { json } = await mfa.start(person, { policy: { id: policy } })
    assert.deepEqual(
      [json.status, json.policy, json.selectedDevice],
      ['DEVICE_SELECTION_REQUIRED', { id: policy }, undefined],
    )
    assert.deepEqual(Object.keys(json._links), ['self', 'device.select'])
    assert.deepEqual(await inboxOf(stile, addressOf(person)), [])
    const [email, app] = person.devices
    assert.equal((await mfa.act(json.id, 'device.select', { device: { id: email?.id } })).json.status, 'OTP_REQUIRED')
    const otp = await sentTo(person)
    assert.deepEqual(detailOf(await mfa.act(json.id, 'cancel.push.authentication', {})), [
      400,
      'REQUIRED_VALUE',
      'reason',
    ])
    const given = await mfa.act(json.id, 'cancel.push.authentication', { reason: 'CHANGE_DEVICE' })
    assert.deepEqual(
      [given.json.status, given.json.selectedDevice],
      ['DEVICE_SELECTION_REQUIRED', undefined],
      given.text,
    )
    assert.deepEqual(detailOf(await mfa.act(json.id, 'otp.check', { otp })), [400, 'INVALID_REQUEST', undefined])
    await mfa.act(json.id, 'device.select', { device: { id: app?.id } })
    assert.deepEqual(detailOf(await mfa.act(json.id, 'otp.check', { otp })), [400, 'INVALID_OTP', 'otp'])
    const shown = passcodeShown(app?.secret ?? '', 0, world.now())
    assert.equal((await mfa.act(json.id, 'otp.check', { otp: shown })).json.status, 'COMPLETED')
  })

  test('a one-time device: used in this authentication, shown masked, never stored as a device', async () => {
    const person = await personWith(stile, 'EMAIL')
    const address = `once-${randomUUID()}@example.org`
    const oneTime = { type: 'EMAIL', email: address }
    const begun = await mfa.start(person, { selectedDevice: { oneTime } })
    assert.deepEqual([begun.status, begun.json.status], [201, 'OTP_REQUIRED'], begun.text)
    assert.deepEqual(begun.json.selectedDevice.oneTime, { type: 'EMAIL', email: 'o*****@example.org' })
    assert.ok(!begun.text.includes(address))
    assert.deepEqual(await inboxOf(stile, addressOf(person)), [])
    const first = await codeSentTo(stile, address)
    const again = await mfa.act(begun.json.id, 'device.select', { device: { id: begun.json.selectedDevice.id } })
    assert.equal(again.status, 200, again.text)
    const otp = await codeSentTo(stile, address)
    if (first !== otp) assert.equal((await mfa.act(begun.json.id, 'otp.check', { otp: first })).status, 400)
    assert.equal((await mfa.act(begun.json.id, 'otp.check', { otp })).json.status, 'COMPLETED')
    assert.equal((await stile.api('GET', `/users/${person.id}/devices`)).json._embedded.devices.length, 1)

    const elsewhere = await mfa.start(person)
    const id = begun.json.selectedDevice.id
    assert.equal((await mfa.act(elsewhere.json.id, 'device.select', { device: { id } })).status, 400)

    for (const [type, body] of [
      ['SMS', { phone: '+1.5125201234' }],
      ['VOICE', { phone: '+49 (30) 1234567' }],
    ] as const) {
      const other = await personWith(stile)
      const call = await mfa.start(other, { selectedDevice: { oneTime: { type, ...body } } })
      assert.deepEqual([call.json.status, call.json.selectedDevice.oneTime.type], ['OTP_REQUIRED', type], call.text)
      assert.match(call.json.selectedDevice.oneTime.phone, /^\*{7}\d\d$/)
    }
  })

  test('what does not fit is refused, names what is wrong, and neither sends nor stores anything', async () => {
    const person = await personWith(stile, 'EMAIL')
    const victim = await newPersonWithDevices(stile)
    const off = {
      enabled: false,
      otp: {
        lifeTime: { duration: 30, timeUnit: 'MINUTES' },
        failure: { count: 3, coolDown: { duration: 2, timeUnit: 'MINUTES' } },
      },
    }
    const noEmail = await newDevicePolicy(stile, { email: off })
    const oneTime = (device: object) => ({ selectedDevice: { oneTime: device } })
    const refused: readonly (readonly [object, string, string])[] = [
      [{ user: {} }, 'user.id', 'REQUIRED_VALUE'],
      [{ user: { id: randomUUID() } }, 'user.id', 'INVALID_VALUE'],
      [{ policy: { id: person.id } }, 'policy.id', 'INVALID_VALUE'],
      [{ application: { id: person.id } }, 'application.id', 'INVALID_VALUE'],
      // L01: somebody else's.
      [{ selectedDevice: { id: victim.deviceId } }, 'selectedDevice', 'INVALID_VALUE'],
      [{ selectedDevice: { id: randomUUID() } }, 'selectedDevice', 'INVALID_VALUE'],
      // L06: of a kind that the policy does not allow.
      [{ policy: { id: noEmail }, selectedDevice: person.devices[0] }, 'selectedDevice', 'INVALID_VALUE'],
      [
        { policy: { id: noEmail }, ...oneTime({ type: 'EMAIL', email: 'a@b.org' }) },
        'selectedDevice.oneTime.type',
        'INVALID_VALUE',
      ],
      [oneTime({ type: 'EMAIL' }), 'selectedDevice.oneTime.email', 'REQUIRED_VALUE'],
      [oneTime({ type: 'SMS', phone: '12' }), 'selectedDevice.oneTime.phone', 'INVALID_VALUE'],
      [oneTime({ type: 'TOTP' }), 'selectedDevice.oneTime.type', 'INVALID_VALUE'],
      [
        oneTime({ type: 'SMS', phone: '+15551234567', testMode: true }),
        'selectedDevice.oneTime.testMode',
        'INVALID_VALUE',
      ],
      [
        { selectedDevice: { id: victim.deviceId, oneTime: { type: 'EMAIL', email: 'a@b.org' } } },
        'selectedDevice.oneTime',
        'INVALID_VALUE',
      ],
      [{ webAuthn: { challenge: 'x' } }, 'webAuthn', 'INVALID_VALUE'],
      [{ authenticationCode: 'x' }, 'authenticationCode', 'INVALID_VALUE'],
      [{ notification: {} }, 'notification.template', 'REQUIRED_VALUE'],
      [
        { notification: { template: { name: 'recovery_code_template' } } },
        'notification.template.name',
        'INVALID_VALUE',
      ],
      [{ notification: { template: { locale: '../x' } } }, 'notification.template.locale', 'INVALID_VALUE'],
      [
        { notification: { template: { variables: { '${x}': 'y' } } } },
        'notification.template.variables.${x}',
        'INVALID_VALUE',
      ],
      [{ clientContext: 'x' }, 'clientContext', 'INVALID_VALUE'],
      [{ clientContext: { x: 'y'.repeat(4096) } }, 'clientContext', 'INVALID_VALUE'],
    ]
    for (const [more, target, code] of refused) {
      assert.deepEqual(detailOf(await mfa.start(person, more)), [400, code, target], JSON.stringify(more))
    }
    for (const user of [person.id, victim.id]) {
      assert.deepEqual(await rows(stile, 'device_authentications', 'user_id = $2', user), [])
    }
    assert.deepEqual([...(await inboxOf(stile, addressOf(person))), ...(await inboxOf(stile, addressOf(victim)))], [])

    const { json } = await mfa.start(person)
    // L15, and D5: what is no passcode, and no action.
    for (const otp of [['000000'], {}, 123456, null]) {
      assert.equal((await mfa.act(json.id, 'otp.check', { otp })).status, 400)
    }
    assert.equal((await mfa.act(json.id, 'password.check', {})).status, 415)
    assert.deepEqual(
      detailOf(await mfa.act(json.id, 'assertion.check', { origin: 'https://a.org', assertion: '{}' })),
      [400, 'INVALID_REQUEST', undefined],
    )
  })

  test('a user without MFA or a usable device, or who may not sign on, FAILS', async () => {
    const none = await mfa.start(await personWith(stile))
    assert.deepEqual([none.status, none.json.status, none.json.error.code], [201, 'FAILED', 'NO_USABLE_DEVICES'])
    assert.deepEqual([none.json.error.unavailableDevices, Object.keys(none.json._links)], [[], ['self']])
    const blocked = await personWith(stile, 'EMAIL')
    const device = blocked.devices[0]?.id
    await stile.api('POST', `/users/${blocked.id}/devices/${device}`, {}, vendor('device.block'))
    const unavailable = await mfa.start(blocked)
    assert.deepEqual(unavailable.json.error.unavailableDevices, [{ id: device }])
    const without = await newPerson(stile)
    await addEmailDevice(stile, without)
    assert.equal((await mfa.start(without)).json.error?.code, 'NO_USABLE_DEVICES')

    const locked = await personWith(stile, 'EMAIL')
    const { json } = await mfa.start(locked)
    await stile.api('POST', `/users/${locked.id}`, {}, vendor('account.lock'))
    const tried = await mfa.act(json.id, 'otp.check', { otp: await sentTo(locked) })
    assert.deepEqual([tried.json.status, tried.json.error.code], ['FAILED', 'ACCOUNT_NOT_USABLE'], tried.text)
    assert.equal((await mfa.start(locked)).json.error.code, 'ACCOUNT_NOT_USABLE')
    assert.deepEqual(
      (await eventsOf(json.id)).map(([action, result]) => [action, result]),
      [
        ['DEVICE_AUTHENTICATION.CREATED', 'SUCCESS'],
        ['DEVICE_AUTHENTICATION.FAILED', 'FAILED'],
      ],
    )
  })

  test('L02: a device blocked or removed while its passcode is on the way proves nothing', async () => {
    const person = await personWith(stile, 'EMAIL')
    const { json } = await mfa.start(person)
    const otp = await sentTo(person)
    await stile.api('DELETE', `/users/${person.id}/devices/${person.devices[0]?.id}`)
    assert.deepEqual(detailOf(await mfa.act(json.id, 'otp.check', { otp })), [400, 'INVALID_OTP', 'otp'])
  })

  test('L10, L14: it gives no tries and no messages beside those of flows', async () => {
    const person = await personWith(stile, 'EMAIL')
    const application = await newApplication(stile)
    await assign(stile, application, await newPolicy(stile, { type: 'LOGIN' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }))
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', { client_id: application })
    await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    await browser.act(flowId, 'otp.check', { otp: '12345x' })
    const { json } = await mfa.start(person)
    const otp = await sentTo(person)
    for (let guess = 0; guess < 2; guess++) await mfa.act(json.id, 'otp.check', { otp: '12345x' })
    const another = await mfa.start(person)
    for (const [id, typed] of [
      [json.id, otp],
      [another.json.id, await sentTo(person)],
    ]) {
      assert.deepEqual(detailOf(await mfa.act(id, 'otp.check', { otp: typed })), [400, 'LIMIT_EXCEEDED', 'otp'])
    }
    const inFlow = await browser.act(flowId, 'otp.check', { otp })
    assert.equal(inFlow.json.details[0].code, 'LIMIT_EXCEEDED')
    let limited = await mfa.start(person)
    for (let sent = 0; sent < 5 && limited.status === 201; sent++) limited = await mfa.start(person)
    assert.deepEqual([limited.status, limited.json.code], [429, 'REQUEST_LIMITED'])
    assert.ok(Number(limited.headers.get('retry-after')) > 0)
    assert.equal((await inboxOf(stile, addressOf(person))).length, 5)
    assert.equal((await mfa.act(json.id, 'device.select', { device: person.devices[0] ?? {} })).status, 429)
  })

  test('L12, L13: a passcode is good for the authentication it was sent for, once', async () => {
    const person = await personWith(stile, 'EMAIL')
    const one = await mfa.start(person)
    const otp = await sentTo(person)
    const other = await mfa.start(person)
    const otherOtp = await sentTo(person)
    if (otp !== otherOtp) assert.equal((await mfa.act(other.json.id, 'otp.check', { otp })).status, 400)
    assert.equal((await mfa.act(one.json.id, 'otp.check', { otp })).json.status, 'COMPLETED')
    assert.equal((await mfa.act(other.json.id, 'otp.check', { otp: otherOtp })).json.status, 'COMPLETED')
  })

  test('another application, another environment, a user and a lesser role do not reach it', async () => {
    const person = await personWith(stile, 'EMAIL')
    const { json } = await mfa.start(person)
    const here = { type: 'ENVIRONMENT', id: stile.environmentId } as const
    const other = await administrator(stile, { role: 'Identity Data Admin', ...here })
    assert.equal((await mfa.start(person, {}, other)).status, 201)
    const otp = await sentTo(person)
    for (const answer of [await mfa.read(json.id, other), await mfa.act(json.id, 'otp.check', { otp }, other)]) {
      assert.deepEqual([answer.status, answer.json.code], [404, 'NOT_FOUND'])
    }
    const user = await userToken(stile, person.id)
    for (const answer of [await mfa.start(person, {}, user), await mfa.read(json.id, user)]) {
      assert.deepEqual(detailOf(answer), [401, 'INVALID_TOKEN', 'Authentication Credentials'])
    }
    assert.equal((await stile.send(mfa.path(json.id))).status, 401)
    for (const role of ['Identity Data Read Only', 'Environment Admin']) {
      const lesser = await administrator(stile, { role, ...here })
      assert.deepEqual(detailOf(await mfa.start(person, {}, lesser)).slice(0, 2), [403, 'INSUFFICIENT_PERMISSIONS'])
      assert.equal((await mfa.read(json.id, lesser)).status, 403)
    }
    // N05: held at another population alone.
    const population = await addPopulation(stile)
    const scoped = await administrator(stile, { role: 'Identity Data Admin', type: 'POPULATION', id: population })
    assert.deepEqual(detailOf(await mfa.start(person, {}, scoped)), [400, 'INVALID_VALUE', 'user.id'])

    const { license } = (await stile.api('GET', '')).json
    const environment = { name: `Other ${randomUUID()}`, type: 'SANDBOX', region: 'NA', license }
    const foreign: string = (await stile.api('POST', '/v1/environments', environment)).json.id
    const both = await administrator(
      stile,
      { role: 'Identity Data Admin', ...here },
      { role: 'Identity Data Admin', type: 'ENVIRONMENT', id: foreign },
    )
    const own = await mfa.start(person, {}, both)
    assert.equal((await mfa.read(own.json.id, both)).status, 200)
    for (const [at, status] of [
      [foreign, 404],
      [randomUUID(), 403],
    ] as const) {
      assert.equal((await stile.send(`/${at}/deviceAuthentications/${own.json.id}`, { token: both })).status, status)
    }
    const begun = await stile.send(`/${foreign}/deviceAuthentications`, {
      token: both,
      body: { user: { id: person.id } },
    })
    assert.deepEqual(detailOf(begun), [400, 'INVALID_VALUE', 'user.id'])
  })

  test('ends with its user', async () => {
    const person = await personWith(stile, 'EMAIL')
    const { json } = await mfa.start(person)
    assert.equal((await stile.api('DELETE', `/users/${person.id}`)).status, 204)
    assert.equal((await mfa.read(json.id)).status, 404)
    assert.deepEqual(await rows(stile, 'device_authentications', 'user_id = $2', person.id), [])
  })

  // The last one: it outlasts the token of the worker.
  test('expires after a quarter of an hour without a step: 410, and later it is gone', async () => {
    const person = await personWith(stile, 'EMAIL')
    const { json } = await mfa.start(person)
    await wait(14 * 60_000)
    assert.equal((await mfa.act(json.id, 'device.select', { device: person.devices[0] ?? {} })).status, 200)
    await wait(14 * 60_000)
    const otp = await sentTo(person)
    assert.equal((await mfa.read(json.id)).status, 200, 'each step prolongs it')
    await wait(60_001)
    for (const answer of [await mfa.read(json.id), await mfa.act(json.id, 'otp.check', { otp })]) {
      assert.deepEqual([answer.status, answer.json.code], [410, 'NOT_FOUND'], answer.text)
    }
    await wait(3_600_000)
    await purge(stile.node.kernel, new AbortController().signal)
    assert.deepEqual(await rows(stile, 'device_authentications', 'id = $2', json.id), [])
  })
})

await onEachEngine('stand-alone MFA at once', (stile) => {
  test('L11, L12: of twenty right answers one completes it', async () => {
    const mfa = client(stile())
    const tries = {
      lifeTime: { duration: 30, timeUnit: 'MINUTES' },
      failure: { count: 7, coolDown: { duration: 2, timeUnit: 'MINUTES' } },
    }
    const policy = await newDevicePolicy(stile(), { email: { enabled: true, otp: tries } })
    const person = await personWith(stile(), 'EMAIL')
    const { json } = await mfa.start(person, { policy: { id: policy } })
    const otp = await codeSentTo(stile(), addressOf(person))
    const answers = await Promise.all(Array.from({ length: 20 }, () => mfa.act(json.id, 'otp.check', { otp })))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    assert.ok(answers.every(({ status }) => status === 200 || status === 400))
    const completed = await rows(
      stile(),
      'events',
      `subject_id = $2 AND action = 'DEVICE_AUTHENTICATION.COMPLETED'`,
      json.id,
    )
    assert.equal(completed.length, 1)
  })
})
