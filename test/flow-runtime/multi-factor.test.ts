/**
 * A second factor in a flow, over HTTP: authentication-api 4.2 `device.select`, `otp.check`, 6.3; decisions D4, D7; rows
 * J19, J26, L01, L02, L03, L06, L07, L08, L10, L12-L18.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { defaultDeviceAuthenticationPolicy } from '../../src/flow/factors/device-authentication-policy.ts'
import { testWorld, type TestWorld } from '../../src/world.ts'
import { passcodeShown } from '../harness/authenticator-app.ts'
import { Browser, piFlowRequest, pkce, redeem } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  addEmailDevice,
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
  newPassword,
  newPerson,
  newPersonWithDevices,
  newPolicy,
  offeringOf,
  type Person,
  rows,
  stateOf,
} from './arrange.ts'

suite('a second factor', () => {
  let stile: Stile
  let world: TestWorld
  /** An application that asks for a password and a second factor by the environment's default policy. */
  let client: string
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    client = await newApplication(stile)
    await assign(stile, client, await newPolicy(stile, { type: 'LOGIN' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }))
  })
  after(() => stile.close())

  const statusAndCode = ({ status, json }: Answer) => [status, json.details?.[0]?.code ?? json.code]
  const request = () => ({ client_id: client })

  /** Signs a person on with their password, and returns what the flow shows then. */
  async function pass(
    person: Person,
    more: Readonly<Record<string, string>> = request(),
    browser = new Browser(stile),
  ) {
    const flowId = await begin(browser, 'pi.flow', more)
    const answer = await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    return { browser, flowId, answer }
  }
  const check = (browser: Browser, flowId: string, otp: unknown) => browser.act(flowId, 'otp.check', { otp })
  const sentTo = (person: Person) => codeSentTo(stile, addressOf(person))
  async function personWith(...kinds: readonly ('EMAIL' | 'TOTP')[]) {
    const person = await newPerson(stile)
    await enableMfa(stile, person)
    let secret = ''
    for (const kind of kinds) {
      if (kind === 'EMAIL') await addEmailDevice(stile, person)
      else secret = (await addTotpDevice(stile, person)).secret
    }
    return { ...person, secret }
  }

  test('whoever is asked for the factor of somebody else begins as themselves; nothing of before counts', async () => {
    const [person, other] = [await personWith('EMAIL'), await newPerson(stile)]
    const { browser, flowId } = await pass(person)
    const again = await browser.act(flowId, 'session.reset', {})
    assert.deepEqual([again.status, again.json.status], [200, 'USERNAME_PASSWORD_REQUIRED'], again.text)
    assert.deepEqual([again.json._embedded.user, again.json._embedded.devices], [undefined, undefined])
    assert.equal((await check(browser, flowId, await sentTo(person))).status, 400, 'what was sent before is no use')
    const credentials = bodyOf('usernamePassword.check', other)
    const failed = await browser.act(flowId, 'usernamePassword.check', credentials)
    assert.deepEqual([failed.json.status, failed.json.error?.code], ['FAILED', 'NO_USABLE_DEVICES'], failed.text)
  })

  test('where devices alone are asked for, nobody else could say who they are: there is no beginning anew', async () => {
    const person = await personWith('EMAIL')
    const [named, devices] = [
      await newPolicy(stile, { type: 'IDENTIFIER_FIRST' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }),
      await newPolicy(stile, { type: 'MULTI_FACTOR_AUTHENTICATION' }),
    ]
    const application = await newApplication(stile)
    await assign(stile, application, named, devices)
    const browser = new Browser(stile)
    const first = await begin(browser, 'pi.flow', { client_id: application, acr_values: named.name })
    const typed = await browser.act(first, 'user.lookup', { username: 'somebody-else' })
    assert.ok(typed.json._links['session.reset'], 'a name that was mistyped')
    assert.equal((await browser.act(first, 'session.reset', {})).json.status, 'SIGN_ON_REQUIRED')
    await browser.act(first, 'user.lookup', { username: person.username })
    assert.equal((await check(browser, first, await sentTo(person))).json.status, 'COMPLETED')
    await browser.resume(first)
    const second = await begin(browser, 'pi.flow', { client_id: application, acr_values: devices.name })
    const { json } = await browser.flow(second)
    assert.deepEqual([json.status, json._links['session.reset']], ['OTP_REQUIRED', undefined])
    assert.equal((await browser.act(second, 'session.reset', {})).status, 400)
  })

  test('a passcode by e-mail completes the flow; session and tokens say what happened (L08)', async () => {
    const person = await personWith('EMAIL')
    const { verifier, challenge } = pkce()
    const parameters = piFlowRequest(stile, challenge, {
      ...request(),
      redirect_uri: 'https://app.example.com/callback',
    })
    const { browser, flowId, answer } = await pass(person, parameters)
    assert.equal(answer.json.status, 'OTP_REQUIRED', answer.text)
    assert.deepEqual(
      Object.keys(answer.json._links).filter((name) => name.includes('.')),
      ['device.select', 'otp.check', 'session.reset'],
    )
    const [device] = answer.json._embedded.devices
    assert.deepEqual(
      [device.type, device.email, answer.json.selectedDevice.id],
      ['EMAIL', 'p*****@example.com', device.id],
    )
    const [message] = await inboxOf(stile, addressOf(person))
    assert.equal(message?.template, 'strong_authentication')
    assert.ok(!answer.text.includes(await sentTo(person)))

    const done = await check(browser, flowId, await sentTo(person))
    assert.equal(done.json.status, 'COMPLETED', done.text)
    assert.deepEqual((await stateOf(stile, flowId)).outcome?.amr, ['pwd', 'otp', 'mfa'])
    const [session] = await rows<{ document: string }>(stile, 'sessions', 'user_id = $2', person.id)
    assert.deepEqual(Object.keys(JSON.parse(session?.document ?? '{}').lastSignOn.withAuthenticator), ['pwd', 'mfa'])

    const resumed = await browser.resume(flowId)
    const tokens = await redeem(
      stile,
      resumed.json.authorizeResponse.code,
      verifier,
      client,
      'https://app.example.com/callback',
    )
    assert.equal(tokens.status, 200, tokens.text)
    assert.deepEqual(decodeJwt(tokens.json.id_token).amr, ['pwd', 'otp', 'mfa'])
  })

  test('an authenticator app needs no message, and its passcode is good once (L17)', async () => {
    const person = await personWith('TOTP')
    const { browser, flowId, answer } = await pass(person)
    assert.equal(answer.json.status, 'OTP_REQUIRED', answer.text)
    assert.deepEqual(await inboxOf(stile, addressOf(person)), [])
    const otp = passcodeShown(person.secret, 0, world.now())
    assert.equal((await check(browser, flowId, otp)).json.status, 'COMPLETED')

    const second = await pass(person)
    assert.deepEqual(statusAndCode(await check(second.browser, second.flowId, otp)), [400, 'INVALID_OTP'])
    const earlier = passcodeShown(person.secret, -1, world.now())
    assert.deepEqual(statusAndCode(await check(second.browser, second.flowId, earlier)), [400, 'INVALID_OTP'])
    const next = passcodeShown(person.secret, 1, world.now())
    assert.equal((await check(second.browser, second.flowId, next)).json.status, 'COMPLETED')
  })

  test('PROMPT_TO_SELECT: the user chooses, and may choose another', async () => {
    const person = await newPersonWithDevices(stile)
    const { clients, multiFactor } = await offeringOf(stile)
    const more = { client_id: clients['pi.flow'], acr_values: multiFactor }
    const { browser, flowId, answer } = await pass(person, more)
    assert.equal(answer.json.status, 'DEVICE_SELECTION_REQUIRED', answer.text)
    const devices: readonly { readonly id: string; readonly type: string }[] = answer.json._embedded.devices
    assert.deepEqual(
      devices.map(({ type }) => type),
      ['EMAIL', 'TOTP'],
    )
    assert.deepEqual(await inboxOf(stile, addressOf(person)), [])
    const app = await browser.act(flowId, 'device.select', { device: { id: devices[1]?.id } })
    assert.deepEqual([app.json.status, app.json.selectedDevice.id], ['OTP_REQUIRED', devices[1]?.id])
    await browser.act(flowId, 'device.select', { device: { id: devices[0]?.id } })
    assert.equal((await check(browser, flowId, await sentTo(person))).json.status, 'COMPLETED')
  })

  test('L14: messages keep the limits of the notifications policy that the MFA policy names', async () => {
    const countryLimit = { type: 'ALLOWED', countries: ['DE'] }
    const home = await stile.api('POST', '/notificationsPolicies', { name: 'Home', quotas: [], countryLimit })
    assert.equal(home.status, 200, home.text)
    const named = { notificationsPolicy: { id: home.json.id as string }, newDeviceNotification: 'SMS_THEN_EMAIL' }
    const id = await newDevicePolicy(stile, named)
    const client = await newApplication(stile)
    const policies = [
      await newPolicy(stile, { type: 'LOGIN' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }),
      await newPolicy(
        stile,
        { type: 'LOGIN' },
        { type: 'MULTI_FACTOR_AUTHENTICATION', deviceAuthenticationPolicy: { id } },
      ),
    ] as const
    await assign(stile, client, ...policies)
    const person = await newPerson(stile)
    await enableMfa(stile, person)
    const austrian = '+436641234567'
    const device = { type: 'SMS', phone: austrian, policy: { id } }
    const code = await stile.api('POST', `/users/${person.id}/devices`, { ...device, status: 'ACTIVATION_REQUIRED' })
    assert.equal(code.status, 201, code.text)
    assert.equal((await stile.api('DELETE', `/users/${person.id}/devices/${code.json.id}`)).status, 204)
    assert.equal((await stile.api('POST', `/users/${person.id}/devices`, device)).status, 201)
    const more = { type: 'EMAIL', email: addressOf(person), policy: { id } }
    assert.equal((await stile.api('POST', `/users/${person.id}/devices`, more)).status, 201)
    const [usual, limited] = policies
    await pass(person, { client_id: client, acr_values: limited.name })
    assert.deepEqual(await inboxOf(stile, austrian), [], 'neither codes nor notices')
    await pass(person, { client_id: client, acr_values: usual.name })
    assert.equal((await inboxOf(stile, austrian)).length, 1)
    const unknown = { ...defaultDeviceAuthenticationPolicy, name: 'X', notificationsPolicy: { id: person.id } }
    const refused = await stile.api('POST', '/deviceAuthenticationPolicies', unknown)
    assert.deepEqual([refused.status, refused.json.details[0].target], [400, 'notificationsPolicy.id'])
  })

  test('L01: the device of somebody else is not there, and nothing is sent to it', async () => {
    const victim = await newPersonWithDevices(stile)
    const { clients, multiFactor } = await offeringOf(stile)
    const more = { client_id: clients['pi.flow'], acr_values: multiFactor }
    const { browser, flowId } = await pass(await newPersonWithDevices(stile), more)
    const unknown = await browser.act(flowId, 'device.select', {
      device: { id: '1ab9a3a6-7c2c-4a3b-8d1c-2f6a0a6c0001' },
    })
    const theirs = await browser.act(flowId, 'device.select', { device: { id: victim.deviceId } })
    assert.deepEqual(statusAndCode(theirs), statusAndCode(unknown))
    assert.equal(theirs.status, 400)
    assert.deepEqual(await inboxOf(stile, addressOf(victim)), [])
  })

  test('L02: nobody chooses a device that is blocked or not active; with no other the policy fails', async () => {
    const person = await newPersonWithDevices(stile)
    const { clients, multiFactor } = await offeringOf(stile)
    const more = { client_id: clients['pi.flow'], acr_values: multiFactor }
    const mediaType = 'application/vnd.pingidentity.device.block+json'
    const path = `/users/${person.id}/devices/${person.deviceId}`
    assert.equal((await stile.api('POST', path, {}, { mediaType })).status, 200)
    const pending = await stile.api('POST', `/users/${person.id}/devices`, { type: 'TOTP' })
    // One is left: there is nothing to choose.
    const { browser, flowId, answer } = await pass(person, more)
    assert.deepEqual([answer.json.status, answer.json._embedded.devices.length], ['OTP_REQUIRED', 1])
    for (const id of [person.deviceId, pending.json.id]) {
      assert.equal((await browser.act(flowId, 'device.select', { device: { id } })).status, 400)
    }
    const [last] = answer.json._embedded.devices
    assert.equal((await stile.api('POST', `/users/${person.id}/devices/${last.id}`, {}, { mediaType })).status, 200)
    const none = await pass(person, more)
    assert.deepEqual([none.answer.json.status, none.answer.json.error.code], ['FAILED', 'NO_USABLE_DEVICES'])
  })

  test('L02: a device that is blocked or removed while its passcode is on the way proves nothing', async () => {
    const mediaType = 'application/vnd.pingidentity.device.block+json'
    for (const end of ['block', 'remove'] as const) {
      const person = await personWith('EMAIL')
      const { browser, flowId, answer } = await pass(person)
      const otp = await sentTo(person)
      const path = `/users/${person.id}/devices/${answer.json.selectedDevice.id}`
      const ended = end === 'block' ? await stile.api('POST', path, {}, { mediaType }) : await stile.api('DELETE', path)
      assert.ok(ended.status < 300, ended.text)
      assert.deepEqual(statusAndCode(await check(browser, flowId, otp)), [400, 'INVALID_OTP'])
      assert.deepEqual(await rows(stile, 'sessions', 'user_id = $2', person.id), [])
    }
  })

  test('L06: a policy that takes authenticator apps alone takes no passcode by e-mail', async () => {
    const person = await newPersonWithDevices(stile)
    const off = {
      enabled: false,
      otp: {
        lifeTime: { duration: 30, timeUnit: 'MINUTES' },
        failure: { count: 3, coolDown: { duration: 2, timeUnit: 'MINUTES' } },
      },
    }
    const id = await newDevicePolicy(stile, { email: off })
    const strict = await newApplication(stile)
    const action = { type: 'MULTI_FACTOR_AUTHENTICATION', deviceAuthenticationPolicy: { id } } as const
    await assign(stile, strict, await newPolicy(stile, { type: 'LOGIN' }, action))
    const { browser, flowId, answer } = await pass(person, { client_id: strict })
    assert.deepEqual(
      answer.json._embedded.devices.map(({ type }: { readonly type: string }) => type),
      ['TOTP'],
    )
    assert.equal((await browser.act(flowId, 'device.select', { device: { id: person.deviceId } })).status, 400)
    assert.deepEqual(await inboxOf(stile, addressOf(person)), [])
  })

  test('a user without MFA, or without a device, does not get past the policy', async () => {
    for (const person of [await newPerson(stile), await personWith()]) {
      const { answer, browser, flowId } = await pass(person)
      assert.deepEqual([answer.json.status, answer.json.error.code], ['FAILED', 'NO_USABLE_DEVICES'])
      const resumed = await browser.resume(flowId)
      assert.equal(resumed.json.authorizeResponse?.code, undefined)
      assert.deepEqual(await rows(stile, 'sessions', 'user_id = $2', person.id), [])
    }
  })

  test('L07: a session by password alone, prompt=none and another flow do not do for it', async () => {
    const person = await personWith('EMAIL')
    const policies = (await stile.api('GET', '/signOnPolicies')).json._embedded.signOnPolicies
    const application = await newApplication(stile)
    const multiFactor = policies.find(({ name }: { readonly name: string }) => name === 'Multi_Factor')
    await assign(stile, application, { ...multiFactor, actions: [] })
    const browser = new Browser(stile)
    const first = await begin(browser)
    await browser.act(first, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    const { challenge } = pkce()
    // As often as a single-page application asks: it must neither write to anybody nor spend what may be sent to them.
    for (let asked = 0; asked < 6; asked++) {
      const silent = await browser.authorize(
        piFlowRequest(stile, challenge, {
          client_id: application,
          redirect_uri: 'https://app.example.com/callback',
          prompt: 'none',
        }),
      )
      assert.match(silent.text, /LOGIN_REQUIRED/)
    }
    assert.deepEqual(await inboxOf(stile, addressOf(person)), [])
    // Step-up: the password stands, the second factor is asked for.
    const stepUp = await begin(browser, 'pi.flow', { client_id: application })
    assert.equal((await stateOf(stile, stepUp)).status, 'OTP_REQUIRED')
    assert.equal((await check(browser, stepUp, await sentTo(person))).json.status, 'COMPLETED')
  })

  test('J19, L07: recovering the password is not a second factor', async () => {
    const person = await personWith('EMAIL')
    const recovering = await newApplication(stile)
    await assign(
      stile,
      recovering,
      await newPolicy(stile, { type: 'LOGIN', recovery: { enabled: true } }, { type: 'MULTI_FACTOR_AUTHENTICATION' }),
    )
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', { client_id: recovering })
    await browser.act(flowId, 'password.forgot', { username: person.username })
    const recoveryCode = await sentTo(person)
    const recovered = await browser.act(flowId, 'password.recover', { recoveryCode, newPassword: newPassword() })
    assert.equal(recovered.json.status, 'OTP_REQUIRED', recovered.text)
    // L13: a code of one kind is none of another.
    assert.deepEqual(statusAndCode(await check(browser, flowId, recoveryCode)), [400, 'INVALID_OTP'])
    assert.equal((await check(browser, flowId, await sentTo(person))).json.status, 'COMPLETED')
  })

  test('J26, D7: after IDENTIFIER_FIRST a name that nobody has is asked for a passcode like any other', async () => {
    const application = await newApplication(stile)
    await assign(
      stile,
      application,
      await newPolicy(stile, { type: 'IDENTIFIER_FIRST' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }),
    )
    const person = await personWith('EMAIL')
    const shown: unknown[] = []
    for (const username of [person.username, `nobody-${person.username}`]) {
      const browser = new Browser(stile)
      const flowId = await begin(browser, 'pi.flow', { client_id: application })
      const answer = await browser.act(flowId, 'user.lookup', { username })
      const wrong = await check(browser, flowId, '000000')
      const { _links: _, _embedded, id: __, createdAt: ___, expiresAt: ____, resumeUrl: _____, ...rest } = answer.json
      shown.push([rest, Object.keys(_embedded), statusAndCode(wrong)])
    }
    assert.deepEqual(shown[0], shown[1])
    assert.deepEqual((shown[0] as [{ status: string }])[0].status, 'OTP_REQUIRED')
  })

  test('J29, L14: a name is asked for a passcode as often, whether anybody has it, and by whatever device', async () => {
    const application = await newApplication(stile)
    await assign(
      stile,
      application,
      await newPolicy(stile, { type: 'IDENTIFIER_FIRST' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }),
    )
    const [mail, app] = [await personWith('EMAIL'), await personWith('TOTP')]
    const plain = await newPerson(stile)
    const story = async (username: string) => {
      const answers: unknown[] = []
      for (let time = 0; time < 7; time++) {
        const browser = new Browser(stile)
        const flowId = await begin(browser, 'pi.flow', { client_id: application })
        const answer = await browser.act(flowId, 'user.lookup', { username })
        const { json } = await browser.flow(flowId)
        answers.push([...statusAndCode(answer), answer.headers.get('retry-after'), json.status])
      }
      return answers
    }
    const expected = await story(`nobody-${mail.username}`)
    assert.deepEqual(
      [expected[0], expected[6]],
      [
        [200, undefined, null, 'OTP_REQUIRED'],
        [429, 'LIMIT_EXCEEDED', '900', 'SIGN_ON_REQUIRED'],
      ],
    )
    for (const { username } of [mail, app, plain]) assert.deepEqual(await story(username), expected)
  })

  test('L10, K06: three wrong passcodes, and neither a new code nor a new flow gives new tries', async () => {
    const person = await personWith('EMAIL')
    const { browser, flowId } = await pass(person)
    const otp = await sentTo(person)
    const wrong = otp === '000000' ? '000001' : '000000'
    for (let guess = 0; guess < 3; guess++) {
      assert.deepEqual(statusAndCode(await check(browser, flowId, wrong)), [400, 'INVALID_OTP'])
    }
    const locked = await check(browser, flowId, otp)
    assert.deepEqual(statusAndCode(locked), [400, 'LIMIT_EXCEEDED'])
    assert.ok(locked.json.details[0].innerError.secondsUntilUnlock > 60)
    const other = await pass(person)
    assert.equal(
      (await check(other.browser, other.flowId, await sentTo(person))).json.details[0].code,
      'LIMIT_EXCEEDED',
    )
    world.advance(121_000)
    await stile.node.kernel.environments.poll()
    assert.equal((await check(other.browser, other.flowId, await sentTo(person))).json.status, 'COMPLETED')
  })

  test('L12, L13, L14: a passcode is of one flow, the last that was sent, and dies', async () => {
    const person = await personWith('EMAIL')
    const first = await pass(person)
    const otp = await sentTo(person)
    const second = await pass(person)
    assert.deepEqual(statusAndCode(await check(second.browser, second.flowId, otp)), [400, 'INVALID_OTP'])
    const shown = await first.browser.send(`/${stile.environmentId}/flows/${first.flowId}`)
    await first.browser.act(first.flowId, 'device.select', { device: shown.json.selectedDevice })
    const fresh = await sentTo(person)
    if (fresh !== otp)
      assert.deepEqual(statusAndCode(await check(first.browser, first.flowId, otp)), [400, 'INVALID_OTP'])
    assert.equal((await check(first.browser, first.flowId, fresh)).json.status, 'COMPLETED')
    const used = await check(first.browser, first.flowId, fresh)
    assert.equal(used.status, 400)
  })

  test('L14: more than five passcodes in a while are not sent', async () => {
    const person = await personWith('EMAIL')
    const { browser, flowId, answer } = await pass(person)
    const { selectedDevice: device } = answer.json
    const answers = []
    for (let sent = 0; sent < 6; sent++)
      answers.push(statusAndCode(await browser.act(flowId, 'device.select', { device })))
    assert.equal((await inboxOf(stile, addressOf(person))).length, 5)
    assert.equal(answers.filter(([status]) => status === 200).length, 4)
  })

  test('L15: nothing but one text is a passcode', async () => {
    const person = await personWith('TOTP')
    const { browser, flowId } = await pass(person)
    const otp = passcodeShown(person.secret, 0, world.now())
    for (const typed of [[otp], { $eq: otp }, Number(otp), null, true, '', 'x'.repeat(65)]) {
      const answer = await check(browser, flowId, typed)
      assert.deepEqual([answer.status, answer.json.code], [400, 'INVALID_DATA'], JSON.stringify(typed))
    }
    assert.equal((await check(browser, flowId, otp)).json.status, 'COMPLETED')
  })

  test('L40: a passcode goes where the device says, whatever the request says', async () => {
    const person = await personWith('EMAIL', 'TOTP')
    const { browser, flowId, answer } = await pass(person)
    const [device] = answer.json._embedded.devices
    const evil = 'evil@example.com'
    const select = { device: { id: device.id, email: evil, phone: '+15125550100' }, email: evil, to: evil }
    assert.equal((await browser.act(flowId, 'device.select', select)).status, 200)
    assert.deepEqual(await inboxOf(stile, evil), [])
    assert.equal((await inboxOf(stile, addressOf(person))).length, 2)
  })

  test('L42: whose last device was removed is not let in without one', async () => {
    const person = await personWith('EMAIL')
    const [{ id }] = (await stile.api('GET', `/users/${person.id}/devices`)).json._embedded.devices
    const begun = await pass(person)
    assert.equal((await stile.api('DELETE', `/users/${person.id}/devices/${id}`)).status, 204)
    assert.equal((await check(begun.browser, begun.flowId, await sentTo(person))).status, 400)
    const { answer } = await pass(person)
    assert.deepEqual([answer.json.status, answer.json.error.code], ['FAILED', 'NO_USABLE_DEVICES'])
  })

  for (const type of ['SMS', 'VOICE']) {
    test(`a passcode by ${type} completes the flow`, async () => {
      const person = await newPerson(stile)
      await enableMfa(stile, person)
      const phone = `+1512${String(Math.floor(Math.random() * 1e7)).padStart(7, '0')}`
      const added = await stile.api('POST', `/users/${person.id}/devices`, { type, phone })
      assert.equal(added.status, 201, added.text)
      const { browser, flowId, answer } = await pass(person)
      assert.equal(answer.json.status, 'OTP_REQUIRED')
      const [message] = await inboxOf(stile, phone)
      const otp = /\d(?:[\s.,]*\d){5}/.exec(message?.body ?? '')?.[0].replaceAll(/\D/g, '')
      const done = await check(browser, flowId, otp)
      assert.equal(done.json.status, 'COMPLETED', `${message?.body} ${done.text}`)
    })
  }

  test('L16, L19: neither a passcode nor a seed is kept in the clear', async () => {
    const person = await newPersonWithDevices(stile)
    const { secret } = await addTotpDevice(stile, person)
    const { clients, multiFactor } = await offeringOf(stile)
    const { browser, flowId } = await pass(person, { client_id: clients['pi.flow'], acr_values: multiFactor })
    await browser.act(flowId, 'device.select', { device: { id: person.deviceId } })
    const otp = await sentTo(person)
    const kept = JSON.stringify(
      await Promise.all(['devices', 'one_time_codes', 'flows', 'events'].map((table) => rows(stile, table))),
    )
    assert.ok(!kept.includes(secret) && !kept.includes(`"${otp}"`))
  })
})
