/** authentication-api 6: devices, device authentication policies, and which status a second factor begins with. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { deviceTypes } from '../../src/flow/factors/device.ts'
import type { FlowStatus } from '../../src/flow/state.ts'
import {
  activate,
  addEmailDevice,
  addMobileApp,
  addressOf,
  addPasskey,
  addTotpDevice,
  codeSentTo,
  enableMfa,
  inboxOf,
  mobileApplicationOf,
  newDevicePolicy,
  newPerson,
  type Person,
  saidTo,
  stateOf,
} from '../flow-runtime/arrange.ts'
import { passcodeShown } from '../harness/authenticator-app.ts'
import { MobileApp } from '../harness/mobile-app.ts'
import { SoftwareAuthenticator } from '../harness/software-authenticator.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { sentMembers } from '../platform/members.ts'
import { asDocumented, errorOf, Journey, type Json } from './journey.ts'

const login = { type: 'LOGIN' } as const
const mfa = { type: 'MULTI_FACTOR_AUTHENTICATION' } as const
const vendor = (action: string) => ({ mediaType: `application/vnd.pingidentity.${action}+json` })

suite('authentication-api 6', () => {
  let stile: Stile
  /** The policy that every environment begins with, before tests change it. */
  let defaultPolicy: Json
  before(async () => {
    stile = await startStile()
    const { json } = await stile.api('GET', '/deviceAuthenticationPolicies')
    defaultPolicy = json._embedded.deviceAuthenticationPolicies[0]
  })
  after(() => stile.close())

  suite('6.1 Devices (management side)', () => {
    const userUrl = 'https://api.pingone.com/v1/environments/{envId}/users/{userId}'
    let person: Person
    before(async () => {
      person = await newPerson(stile)
    })
    const devices = (id = '') => `/users/${person.id}/devices${id === '' ? '' : `/${id}`}`
    const create = (body: object) => stile.api('POST', devices(), body)
    const removed = async (...answers: readonly Answer[]) => {
      for (const { json } of answers) assert.equal((await stile.api('DELETE', devices(json.id))).status, 204)
    }
    const documented = (value: unknown, id = '') =>
      asDocumented(stile, value, { '{userId}': person.id, ...(id === '' ? {} : { '3e31': id }) })

    test('create {"type":"EMAIL"}: the created device of the example', async () => {
      const created = await create({ type: 'EMAIL', email: 'mobetta@example.com' })
      assert.equal(created.status, 201)
      assert.deepEqual(documented(created.json, created.json.id), {
        _links: {
          self: { href: `${userUrl}/devices/3e31` },
          environment: { href: 'https://api.pingone.com/v1/environments/{envId}' },
          user: { href: userUrl },
        },
        id: '3e31',
        environment: { id: '{envId}' },
        user: { id: '{userId}' },
        type: 'EMAIL',
        status: 'ACTIVE',
        createdAt: '{time}',
        updatedAt: '{time}',
        email: 'mobetta@example.com',
      })
      await removed(created)
    })

    test('phone numbers: E.164, with dots, spaces and parentheses', async () => {
      for (const phone of ['+1.5125201234', '+15125201234', '+1 (512) 520-1234'.replace('-', ' ')]) {
        const created = await create({ type: 'SMS', phone, nickname: 'Mine' })
        assert.deepEqual([created.status, created.json.phone, created.json.status], [201, phone, 'ACTIVE'])
        await removed(created)
      }
    })

    test('activate {"otp"}: ACTIVE; another content type is 415; sendActivationCode sends a new code', async () => {
      const created = await create({ type: 'EMAIL', email: addressOf(person), status: 'ACTIVATION_REQUIRED' })
      assert.equal(created.json.status, 'ACTIVATION_REQUIRED')
      assert.ok(created.json._links['device.activate'])
      const path = devices(created.json.id)
      assert.equal((await stile.api('POST', path, {}, vendor('device.sendActivationCode'))).status, 200)
      const body = { otp: await codeSentTo(stile, addressOf(person)) }
      assert.equal((await stile.api('POST', path, body)).status, 415)
      const activated = await stile.api('POST', path, body, vendor('device.activate'))
      assert.deepEqual([activated.status, activated.json.status], [200, 'ACTIVE'])
      await removed(created)
    })

    test('TOTP: ACTIVATION_REQUIRED with secret and keyUri', async () => {
      const created = await create({ type: 'TOTP' })
      const { status, secret, keyUri } = created.json
      assert.equal(status, 'ACTIVATION_REQUIRED')
      assert.match(secret, /^[A-Z2-7]+$/)
      assert.match(keyUri, /^otpauth:\/\/totp\//)
      await removed(created)
    })

    test('FIDO2: publicKeyCredentialCreationOptions, a string; {"attestation":"<json string>","origin"} activates', async () => {
      const created = await create({ type: 'FIDO2' })
      const { id, status, publicKeyCredentialCreationOptions: options } = created.json
      assert.deepEqual([status, typeof options], ['ACTIVATION_REQUIRED', 'string'])
      const attestation = new SoftwareAuthenticator().attest(saidTo(stile, options))
      assert.equal(typeof attestation, 'string')
      const activated = await activate(stile, { id: person.id, deviceId: id }, attestation)
      assert.deepEqual([activated.status, activated.json.status], [200, 'ACTIVE'])
      await removed(created)
    })

    test('order: {"order":[{"id"}]}, the first ACTIVE one is the default, later ones are appended', async () => {
      const [one, two] = [
        await create({ type: 'SMS', phone: '+15125550101' }),
        await create({ type: 'SMS', phone: '+15125550102' }),
      ]
      const order = [{ id: two.json.id }, { id: one.json.id }]
      assert.equal((await stile.api('POST', devices(), { order }, vendor('devices.reorder'))).status, 200)
      const three = await create({ type: 'SMS', phone: '+15125550103' })
      const listed = (await stile.api('GET', devices())).json._embedded.devices.map(({ id }: Json) => ({ id }))
      assert.deepEqual(listed, [...order, { id: three.json.id }])
      await removed(one, two, three)
    })

    test('block, unblock, unlock: the separate block object', async () => {
      const created = await create({ type: 'SMS', phone: '+15125550101' })
      const act = async (action: string) =>
        documented((await stile.api('POST', devices(created.json.id), {}, vendor(action))).json.block ?? null)
      assert.deepEqual(await act('device.block'), { status: 'BLOCKED', blockedAt: '{time}' })
      assert.equal(await act('device.unblock'), null)
      assert.equal((await stile.api('POST', devices(created.json.id), {}, vendor('device.unlock'))).status, 200)
      await removed(created)
    })

    test('nickname: PUT {"nickname"}; delete: 204', async () => {
      const created = await create({ type: 'SMS', phone: '+15125550101' })
      const named = await stile.api('PUT', `${devices(created.json.id)}/nickname`, { nickname: 'Work' })
      assert.deepEqual([named.status, named.json.nickname], [200, 'Work'])
      await removed(created)
      assert.equal((await stile.api('GET', devices(created.json.id))).status, 404)
    })

    test('enable: PUT mfaEnabled answers {"_links":{self,user},"mfaEnabled":true} (Stile: with environment and user)', async () => {
      const enabled = await stile.api('PUT', `/users/${person.id}/mfaEnabled`, { mfaEnabled: true })
      assert.equal(enabled.status, 200)
      assert.deepEqual(documented(enabled.json), {
        _links: {
          self: { href: `${userUrl}/mfaEnabled` },
          environment: { href: 'https://api.pingone.com/v1/environments/{envId}' },
          user: { href: userUrl },
        },
        environment: { id: '{envId}' },
        user: { id: '{userId}' },
        mfaEnabled: true,
      })
    })

    test('mobile pairing: {"applications":[{"id"}]} -> {id, code, status, applications, expiresAt}, UNCLAIMED, then CLAIMED', async () => {
      const applicationId = await mobileApplicationOf(stile)
      const made = await stile.api('POST', `/users/${person.id}/pairingKeys`, { applications: [{ id: applicationId }] })
      assert.equal(made.status, 201)
      const { id, code, ...members } = made.json
      assert.match(code, /^[0-9]+$/)
      assert.deepEqual(
        asDocumented(stile, sentMembers({ ...members, id }), { '{userId}': person.id, '{appId}': applicationId }),
        {
          user: { id: '{userId}' },
          status: 'UNCLAIMED',
          applications: [{ id: '{appId}' }],
          expiresAt: '{time}',
        },
      )
      const app = new MobileApp(stile, () => stile.node.kernel.world.now())
      assert.equal((await app.pair(code, applicationId)).status, 201)
      const claimed = await stile.api('GET', `/users/${person.id}/pairingKeys/${id}`)
      assert.equal(claimed.json.status, 'CLAIMED')
      assert.equal((await stile.api('DELETE', devices(app.deviceId))).status, 204)
    })

    test('more than maxAllowedDevices: REQUEST_FAILED, LIMIT_EXCEEDED with maximumAllowed', async () => {
      const made = []
      for (let count = 0; count < 5; count++) made.push(await create({ type: 'SMS', phone: `+1512555010${count}` }))
      const sixth = await create({ type: 'SMS', phone: '+15125550109' })
      const { id: _, ...error } = sixth.json
      assert.equal(sixth.status, 400)
      assert.deepEqual(error, {
        code: 'REQUEST_FAILED',
        message: 'The request could not be completed. There was an issue processing the request.',
        details: [
          {
            code: 'LIMIT_EXCEEDED',
            message: 'Maximum allowed devices has been reached',
            innerError: { maximumAllowed: 5 },
          },
        ],
      })
      await removed(...made)
    })

    test('types: those that are not built are refused, and named here', async () => {
      const documentedTypes = ['SMS', 'VOICE', 'EMAIL', 'TOTP', 'FIDO2', 'MOBILE']
      const notBuilt = ['OATH_TOKEN', 'WHATSAPP', 'PLATFORM', 'SECURITY_KEY']
      const extensions = ['RECOVERY_CODE']
      assert.deepEqual(deviceTypes.toSorted(), [...documentedTypes, ...extensions].toSorted())
      // A MOBILE device is paired, not created.
      for (const type of [...notBuilt, 'MOBILE']) {
        assert.deepEqual(errorOf(await create({ type })), [400, 'INVALID_DATA', 'INVALID_VALUE', 'type'])
      }
    })

    test('devices.order.remove: 204, and no device is the default', async () => {
      const made = [await create({ type: 'SMS', phone: '+15125550101' }), await create({ type: 'TOTP' })] as const
      const answer = await stile.api('DELETE', `/users/${person.id}/devices`, {}, vendor('devices.order.remove'))
      assert.equal(answer.status, 204, answer.text)
      await removed(...made)
    })

    const notBuilt: Readonly<Record<string, readonly [method: string, path: string, action: string, number]>> = {
      'activate by PUT (secondary sources)': ['PUT', '/devices/{id}', 'device.activate', 405],
    }
    for (const [name, [method, path, action, status]] of Object.entries(notBuilt)) {
      test(`not built: ${name} is ${status}`, async () => {
        const created = await create({ type: 'SMS', phone: '+15125550101' })
        const at = `/users/${person.id}${path.replace('{id}', created.json.id)}`
        assert.equal((await stile.api(method, at, {}, vendor(action))).status, status)
        await removed(created)
      })
    }
  })

  suite('6.2 Device authentication policy', () => {
    test('the default one holds the documented defaults (recoveryCodes: extension)', () => {
      const otp = {
        lifeTime: { duration: 30, timeUnit: 'MINUTES' },
        failure: { count: 3, coolDown: { duration: 0, timeUnit: 'MINUTES' } },
        otpLength: 6,
      }
      const failure = { count: 3, coolDown: { duration: 2, timeUnit: 'MINUTES' } }
      assert.deepEqual(sentMembers(defaultPolicy), {
        name: 'Default MFA Policy',
        default: true,
        forSignOnPolicy: false,
        authentication: { deviceSelection: 'DEFAULT_TO_FIRST' },
        newDeviceNotification: 'NONE',
        sms: { enabled: true, otp },
        voice: { enabled: true, otp },
        email: { enabled: true, otp },
        totp: { enabled: true, otp: { failure }, passcodeGracePeriod: 5 },
        fido2: { enabled: true, failure },
        mobile: { enabled: true, otp: { failure } },
        recoveryCodes: { enabled: true, failure },
      })
    })

    test('MFA settings of the environment (Stile: without lockout)', async () => {
      const { pairing, phoneExtensions, users, lockout } = (await stile.api('GET', '/mfaSettings')).json
      assert.deepEqual(
        { pairing, phoneExtensions, users },
        {
          pairing: { maxAllowedDevices: 5, pairingKeyFormat: 'NUMERIC' },
          phoneExtensions: { enabled: false },
          users: { mfaEnabled: false },
        },
      )
      assert.equal(lockout, undefined)
    })
  })

  suite('6.3 How the MFA action picks the first status', () => {
    type Kind = 'EMAIL' | 'SMS' | 'VOICE' | 'TOTP' | 'FIDO2' | 'MOBILE'
    const phones: Readonly<Record<string, string>> = { SMS: '+15125550101', VOICE: '+15125550102' }
    async function arrive(kinds: readonly Kind[], deviceSelection?: string, mfaEnabled = true) {
      const person = await newPerson(stile)
      if (mfaEnabled) await enableMfa(stile, person)
      let secret = ''
      for (const type of kinds) {
        if (type === 'EMAIL') await addEmailDevice(stile, person)
        else if (type === 'TOTP') secret = (await addTotpDevice(stile, person)).secret
        else if (type === 'FIDO2') await addPasskey(stile, person)
        else if (type === 'MOBILE') await addMobileApp(stile, person)
        else await stile.api('POST', `/users/${person.id}/devices`, { type, phone: phones[type] })
      }
      const policy = deviceSelection
        ? { deviceAuthenticationPolicy: { id: await newDevicePolicy(stile, { authentication: { deviceSelection } }) } }
        : {}
      const journey = await Journey.under(stile, [login, { ...mfa, ...policy }], { person })
      const { json } = await journey.password()
      return { journey, json, secret }
    }

    const rules: readonly (readonly [string, readonly Kind[], string | undefined, FlowStatus])[] = [
      ['3. DEFAULT_TO_FIRST', ['EMAIL', 'TOTP'], 'DEFAULT_TO_FIRST', 'OTP_REQUIRED'],
      [
        '3. PROMPT_TO_SELECT with more than one device',
        ['EMAIL', 'TOTP'],
        'PROMPT_TO_SELECT',
        'DEVICE_SELECTION_REQUIRED',
      ],
      ['3. PROMPT_TO_SELECT with one device', ['EMAIL'], 'PROMPT_TO_SELECT', 'OTP_REQUIRED'],
      ['3. ALWAYS_DISPLAY_DEVICES with one device', ['EMAIL'], 'ALWAYS_DISPLAY_DEVICES', 'DEVICE_SELECTION_REQUIRED'],
      ['4. EMAIL: a code is sent', ['EMAIL'], undefined, 'OTP_REQUIRED'],
      ['4. SMS: a code is sent', ['SMS'], undefined, 'OTP_REQUIRED'],
      ['4. VOICE: a code is sent', ['VOICE'], undefined, 'OTP_REQUIRED'],
      ['4. TOTP', ['TOTP'], undefined, 'OTP_REQUIRED'],
      ['4. FIDO2', ['FIDO2'], undefined, 'ASSERTION_REQUIRED'],
      ['4. MOBILE: push', ['MOBILE'], undefined, 'PUSH_CONFIRMATION_REQUIRED'],
      ['5. none usable', [], undefined, 'FAILED'],
    ]
    for (const [name, kinds, selection, status] of rules) {
      test(`${name} -> ${status}`, async (context) => {
        const { journey, json } = await arrive(kinds, selection)
        assert.equal(json.status, status)
        if (status === 'OTP_REQUIRED') {
          assert.equal(json.selectedDevice.id, json._embedded.devices[0].id)
          const to = phones[kinds[0] ?? ''] ?? addressOf(journey.person)
          if (name.includes('sent')) assert.ok((await inboxOf(stile, to)).length > 0)
        }
        if (status === 'FAILED') assert.equal(json.error.code, 'NO_USABLE_DEVICES')
        await journey.record(context)
      })
    }

    test('5. mfaEnabled=false: like no devices', async (context) => {
      const person = await newPerson(stile)
      await enableMfa(stile, person)
      await addEmailDevice(stile, person)
      await stile.api('PUT', `/users/${person.id}/mfaEnabled`, { mfaEnabled: false })
      const journey = await Journey.under(stile, [login, mfa], { person })
      const { json } = await journey.password()
      assert.deepEqual([json.status, json.error.code], ['FAILED', 'NO_USABLE_DEVICES'])
      await journey.record(context)
    })

    test('successful MFA: mfa joins the authenticators of the session, and amr is ["pwd","otp","mfa"]', async (context) => {
      const { journey, secret } = await arrive(['TOTP'])
      await journey.acts(['otp.check', { otp: passcodeShown(secret) }, 'COMPLETED'])
      assert.deepEqual((await stateOf(stile, journey.flowId)).outcome?.amr, ['pwd', 'otp', 'mfa'])
      await journey.record(context)
    })
  })

  suite('6.4 Standalone deviceAuthentications', () => {
    const path = (id = '') => `/${stile.environmentId}/deviceAuthentications${id === '' ? '' : `/${id}`}`
    const start = async (body: object) => stile.send(path(), { body, token: await stile.workerToken() })
    const act = async (id: string, action: string, body: object) =>
      stile.send(path(id), { body, ...vendor(action), token: await stile.workerToken() })
    async function personWithDevice() {
      const person = await newPerson(stile)
      await enableMfa(stile, person)
      return { person, deviceId: await addEmailDevice(stile, person) }
    }

    test('the example: {user, policy, selectedDevice} -> 201, OTP_REQUIRED (Stile: every link that is allowed, expiresAt), otp.check -> COMPLETED', async () => {
      const { person, deviceId } = await personWithDevice()
      const policy = { id: defaultPolicy.id }
      const begun = await start({ user: { id: person.id }, policy, selectedDevice: { id: deviceId } })
      assert.equal(begun.status, 201)
      const { id } = begun.json
      const self = { href: 'https://auth.pingone.com/{envId}/deviceAuthentications/{id}' }
      const names = { '{id}': id, '{userId}': person.id, '{deviceId}': deviceId, '{mfaPolicyId}': policy.id }
      assert.deepEqual(asDocumented(stile, begun.json, names), {
        _links: { self, 'otp.check': self, 'device.select': self, 'cancel.push.authentication': self },
        id: '{id}',
        environment: { id: '{envId}' },
        user: { id: '{userId}' },
        policy: { id: '{mfaPolicyId}' },
        status: 'OTP_REQUIRED',
        selectedDevice: { id: '{deviceId}' },
        createdAt: '{time}',
        updatedAt: '{time}',
        expiresAt: '{time}',
        _embedded: {
          devices: [{ id: '{deviceId}', type: 'EMAIL', status: 'ACTIVE', email: 'p*****@example.com' }],
        },
      })
      const wrong = await act(id, 'otp.check', { otp: '00000x' })
      assert.deepEqual(errorOf(wrong), [400, 'INVALID_DATA', 'INVALID_OTP', 'otp'])
      const done = await act(id, 'otp.check', { otp: await codeSentTo(stile, addressOf(person)) })
      assert.deepEqual([done.status, done.json.status], [200, 'COMPLETED'])
      const read = await stile.send(path(id), { token: await stile.workerToken() })
      assert.equal(read.json.status, 'COMPLETED')
    })

    test('one-time devices: {"oneTime":{"type":"EMAIL"}} and SMS', async () => {
      const { person } = await personWithDevice()
      for (const oneTime of [
        { type: 'EMAIL', email: 'a@b.org' },
        { type: 'SMS', phone: '+15551234567' },
      ]) {
        const begun = await start({ user: { id: person.id }, selectedDevice: { oneTime } })
        assert.deepEqual([begun.status, begun.json.status], [201, 'OTP_REQUIRED'], begun.text)
      }
    })

    test('FAILED: NO_USABLE_DEVICES with unavailableDevices', async () => {
      const { person, deviceId } = await personWithDevice()
      await stile.api('POST', `/users/${person.id}/devices/${deviceId}`, {}, vendor('device.block'))
      const { json } = await start({ user: { id: person.id } })
      assert.deepEqual(
        [json.status, json.error.code, json.error.unavailableDevices],
        ['FAILED', 'NO_USABLE_DEVICES', [{ id: deviceId }]],
      )
    })

    test('no token: 401 INVALID_TOKEN; unknown: 404', async () => {
      const anonymous = await stile.send(path(), { body: { user: { id: stile.user.id } } })
      assert.deepEqual(errorOf(anonymous), [401, 'ACCESS_FAILED', 'INVALID_TOKEN', 'Authentication Credentials'])
      const unknown = await stile.send(path(stile.user.id), { token: await stile.workerToken() })
      assert.deepEqual(errorOf(unknown), [404, 'NOT_FOUND', undefined, undefined])
    })
  })
})
