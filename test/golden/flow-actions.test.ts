/** authentication-api 4: what every action has in common, the table of actions, and each in detail. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { type MediaType, mediaTypeNames } from '../../src/flow/actions/index.ts'
import type { FlowStatus } from '../../src/flow/state.ts'
import { testWorld, type TestWorld } from '../../src/world.ts'
import {
  addEmailDevice,
  addPasskey,
  addressOf,
  begin,
  bodyOf,
  codeSentTo,
  enable,
  enableMfa,
  inboxOf,
  newPassword,
  newPerson,
  newPersonWithDevices,
} from '../flow-runtime/arrange.ts'
import { comeBack, mapAttributes, newIdentityProvider } from '../flow-runtime/external.ts'
import { type OpenIdProvider, startOpenIdProvider } from '../harness/openid-provider.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { errorOf, flow, Journey, links } from './journey.ts'

const validation = 'The request could not be completed. One or more validation errors were in the request.'
const malformed = 'The request could not be completed. The request was malformed or invalid.'
const offers = { recovery: { enabled: true }, registration: { enabled: true } }
const login = { type: 'LOGIN', ...offers } as const
const vendor = (action: string) => `application/vnd.pingidentity.${action}+json`

suite('authentication-api 4', () => {
  let stile: Stile
  let world: TestWorld
  let provider: OpenIdProvider
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    provider = await startOpenIdProvider()
  })
  after(async () => {
    await provider.close()
    await stile.close()
  })

  const post = ({ browser, flowId }: Journey, call: Parameters<Stile['send']>[1]) =>
    browser.send(`/${stile.environmentId}/flows/${flowId}`, { method: 'POST', ...call })

  /** An error without its id. */
  function told({ status, json, headers }: Answer) {
    const { id, ...error } = json
    assert.equal(id, headers.get('correlation-id'))
    assert.equal(headers.get('content-type'), 'application/hal+json;charset=UTF-8')
    return [status, error]
  }

  /** Somebody who is asked for their password again. */
  async function asked(actions = [login]): Promise<Journey> {
    const person = await newPerson(stile)
    const browser = new Browser(stile)
    await browser.act(await begin(browser), 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    return Journey.under(stile, actions, { person, browser, request: { max_age: '0' } })
  }

  suite('4.0 Common rules', () => {
    test('the example: POST with the media type and the cookie; charset, upper case and no +json make no difference (D5)', async (context) => {
      for (const mediaType of [
        'application/vnd.pingidentity.usernamePassword.check+json',
        'application/vnd.pingidentity.usernamePassword.check+json;charset=UTF-8',
        'application/vnd.pingidentity.usernamePassword.check',
        'APPLICATION/VND.PINGIDENTITY.USERNAMEPASSWORD.CHECK+JSON',
      ]) {
        const journey = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
        const { status, json } = await post(journey, {
          mediaType,
          body: bodyOf('usernamePassword.check', journey.person),
        })
        assert.deepEqual([status, json.status], [200, 'COMPLETED'])
        await journey.record(context)
      }
    })

    test('without +json in the wild: application/vnd.pingidentity.password.sendRecoveryCode, without a body', async (context) => {
      const journey = await Journey.in(stile, 'RECOVERY_CODE_REQUIRED')
      const answer = await post(journey, { mediaType: 'application/vnd.pingidentity.password.sendRecoveryCode' })
      assert.deepEqual([answer.status, answer.json.status], [200, 'RECOVERY_CODE_REQUIRED'])
      await journey.record(context)
    })

    test('an action without parameters: an empty body or {}', async () => {
      for (const body of ['', '{}']) {
        const answer = await post(await asked(), { mediaType: vendor('session.reset'), body })
        assert.deepEqual([answer.status, answer.json.status], [200, 'USERNAME_PASSWORD_REQUIRED'])
      }
    })

    test('Authorization: Bearer is ignored', async () => {
      const journey = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
      const body = bodyOf('usernamePassword.check', journey.person)
      const call = { mediaType: vendor('usernamePassword.check'), body, token: await stile.workerToken() }
      assert.equal((await post(journey, call)).json.status, 'COMPLETED')
    })

    test('wrong action for the status: 400 INVALID_REQUEST (D5)', async () => {
      const journey = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
      const answer = await journey.act('password.reset')
      assert.deepEqual(told(answer), [400, { code: 'INVALID_REQUEST', message: malformed }])
    })

    for (const mediaType of ['application/x-www-form-urlencoded', 'application/json']) {
      test(`unknown content type ${mediaType}: the captured answer; with a token 415`, async () => {
        const journey = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
        const captured = {
          code: 'ACCESS_FAILED',
          message: 'You do not have access to this resource.',
          details: [
            {
              code: 'INVALID_TOKEN',
              target: 'Authentication Credentials',
              message: 'The authorization token is either missing or invalid, or it has expired.',
            },
          ],
        }
        assert.deepEqual(told(await post(journey, { mediaType, body: 'username=x' })), [401, captured])
        const dressed = await post(journey, { mediaType, body: 'username=x', token: await stile.workerToken() })
        assert.deepEqual([dressed.status, dressed.json.code], [415, 'INVALID_REQUEST'])
      })
    }

    test('a validation error keeps the flow in its state, and the client tries again on it', async (context) => {
      const journey = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
      const { username } = journey.person
      const wrong = await journey.act('usernamePassword.check', { username, password: 'wrong' })
      assert.equal(wrong.status, 400)
      assert.equal((await journey.read()).json.status, 'USERNAME_PASSWORD_REQUIRED')
      await journey.password()
      await journey.record(context)
    })
  })

  suite('4.1 Table of actions', () => {
    /** Row, action, status, body beside the usual one, result. */
    const table: readonly (readonly [number, MediaType, FlowStatus, FlowStatus, object?])[] = [
      [1, 'session.reset', 'PASSWORD_REQUIRED', 'USERNAME_PASSWORD_REQUIRED'],
      [1, 'session.reset', 'RECOVERY_CODE_REQUIRED', 'USERNAME_PASSWORD_REQUIRED'],
      [1, 'session.reset', 'EXTERNAL_AUTHENTICATION_REQUIRED', 'EXTERNAL_AUTHENTICATION_REQUIRED'],
      [2, 'usernamePassword.check', 'USERNAME_PASSWORD_REQUIRED', 'COMPLETED'],
      [2, 'usernamePassword.check', 'PASSWORD_REQUIRED', 'COMPLETED'],
      [2, 'usernamePassword.check', 'ACCOUNT_LINKING_REQUIRED', 'COMPLETED'],
      [3, 'user.lookup', 'SIGN_ON_REQUIRED', 'PASSWORD_REQUIRED'],
      [4, 'password.reset', 'MUST_CHANGE_PASSWORD', 'COMPLETED'],
      [4, 'password.reset', 'PASSWORD_EXPIRED', 'COMPLETED'],
      [5, 'password.forgot', 'SIGN_ON_REQUIRED', 'RECOVERY_CODE_REQUIRED'],
      [6, 'password.sendRecoveryCode', 'RECOVERY_CODE_REQUIRED', 'RECOVERY_CODE_REQUIRED'],
      [7, 'password.recover', 'RECOVERY_CODE_REQUIRED', 'COMPLETED'],
      [8, 'user.register', 'SIGN_ON_REQUIRED', 'VERIFICATION_CODE_REQUIRED'],
      [8, 'user.register', 'ACCOUNT_LINKING_REQUIRED', 'VERIFICATION_CODE_REQUIRED'],
      [9, 'user.verify', 'VERIFICATION_CODE_REQUIRED', 'COMPLETED'],
      [10, 'user.sendVerificationCode', 'VERIFICATION_CODE_REQUIRED', 'VERIFICATION_CODE_REQUIRED'],
      [11, 'user.update', 'PROFILE_DATA_REQUIRED', 'COMPLETED'],
      [12, 'user.confirm', 'ACCOUNT_CONFIRMATION_REQUIRED', 'ACCOUNT_LINKING_REQUIRED'],
      [13, 'user.consent', 'AGREEMENT_CONSENT_REQUIRED', 'COMPLETED', { accept: true }],
      [13, 'user.consent', 'AGREEMENT_CONSENT_REQUIRED', 'FAILED', { accept: false }],
      [14, 'user.acceptInvite', 'INVITATION_REQUIRED', 'COMPLETED'],
      [14, 'user.acceptInvite', 'INVITATION_REQUIRED', 'FAILED', { accept: false }],
      [15, 'device.select', 'DEVICE_SELECTION_REQUIRED', 'OTP_REQUIRED'],
      [15, 'device.select', 'OTP_REQUIRED', 'OTP_REQUIRED'],
      [15, 'device.select', 'ASSERTION_REQUIRED', 'ASSERTION_REQUIRED'],
      [15, 'device.select', 'PUSH_CONFIRMATION_REQUIRED', 'PUSH_CONFIRMATION_REQUIRED'],
      [15, 'device.select', 'PUSH_CONFIRMATION_TIMED_OUT', 'PUSH_CONFIRMATION_REQUIRED'],
      [16, 'otp.check', 'OTP_REQUIRED', 'COMPLETED'],
      [16, 'otp.check', 'PUSH_CONFIRMATION_REQUIRED', 'COMPLETED'],
      [16, 'otp.check', 'PUSH_CONFIRMATION_TIMED_OUT', 'COMPLETED'],
      [17, 'assertion.check', 'ASSERTION_REQUIRED', 'COMPLETED'],
      [18, 'cancel.push.authentication', 'PUSH_CONFIRMATION_REQUIRED', 'DEVICE_SELECTION_REQUIRED'],
      [19, 'deviceAuthGrant.userCode.verify', 'DAG_USER_CODE_REQUIRED', 'DAG_CONSENT_REQUIRED'],
      [20, 'deviceAuthGrant.consent', 'DAG_CONSENT_REQUIRED', 'COMPLETED', { accept: true }],
      [20, 'deviceAuthGrant.consent', 'DAG_CONSENT_REQUIRED', 'FAILED', { accept: false }],
    ]
    const notBuilt: Readonly<Record<string, readonly [row: number, why: string]>> = {
      'kerberos.authenticate': [21, 'D25'],
    }
    const extensions: readonly MediaType[] = ['oauth.consent']

    test('every row is in one of the tables, and what is built by now is not in that of the others', () => {
      const known: readonly string[] = mediaTypeNames
      const built = new Set(table.map(([, action]) => action))
      assert.deepEqual([...built, ...extensions].toSorted(), known.toSorted())
      assert.deepEqual(
        Object.keys(notBuilt).filter((action) => known.includes(action)),
        [],
      )
      const rows = new Set([...table.map(([row]) => row), ...Object.values(notBuilt).map(([row]) => row)])
      assert.deepEqual(
        [...rows].toSorted((one, other) => one - other),
        Array.from({ length: 21 }, (_, row) => row + 1),
      )
    })

    for (const [row, action, status, result, more] of table) {
      test(`${row}: ${action} in ${status} -> ${result}`, async (context) => {
        const journey = await Journey.in(stile, status)
        const sent = { ...bodyOf(action, journey.person, journey.code), ...more }
        await journey.acts([action, sent, result])
        await journey.record(context)
      })
    }

    for (const [name, journeyTo] of [
      ['5: password.forgot in USERNAME_PASSWORD_REQUIRED', () => Journey.under(stile, [login])],
      ['5: password.forgot in PASSWORD_REQUIRED', () => asked()],
    ] as const) {
      test(`${name} -> RECOVERY_CODE_REQUIRED`, async (context) => {
        const journey = await journeyTo()
        await journey.acts(['password.forgot', { username: journey.person.username }, 'RECOVERY_CODE_REQUIRED'])
        await journey.record(context)
      })
    }

    test('8: user.register in USERNAME_PASSWORD_REQUIRED -> VERIFICATION_CODE_REQUIRED', async (context) => {
      const journey = await Journey.under(stile, [login])
      await journey.acts(['user.register', bodyOf('user.register', journey.person), 'VERIFICATION_CODE_REQUIRED'])
      await journey.record(context)
    })

    for (const [action, [row, why]] of Object.entries(notBuilt)) {
      test(`${row}: ${action} (not built: ${why}) is an unknown media type`, async () => {
        const journey = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
        const answer = await post(journey, { mediaType: vendor(action), body: {} })
        assert.deepEqual(errorOf(answer), [401, 'ACCESS_FAILED', 'INVALID_TOKEN', 'Authentication Credentials'])
      })
    }

    test('21: /flows/{flowId}/kerberos does not exist (D25), nor does kerberos.lookup', async () => {
      const journey = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
      assert.equal((await journey.read()).json._links['kerberos.authenticate'], undefined)
      const path = `/${stile.environmentId}/flows/${journey.flowId}/kerberos`
      assert.equal((await stile.send(path, { body: {}, headers: { authorization: 'Negotiate x' } })).status, 404)
      assert.equal((await post(journey, { mediaType: vendor('kerberos.lookup'), body: {} })).status, 401)
    })
  })

  suite('4.2 usernamePassword.check', () => {
    const check = (journey: Journey, body: object) => journey.act('usernamePassword.check', body)

    test('the error of the example (D6: INVALID_CREDENTIALS in the place of INVALID_VALUE, username)', async () => {
      const journey = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
      const wrong = await check(journey, { username: journey.person.username, password: 'wrong' })
      const example = {
        code: 'INVALID_DATA',
        message: validation,
        details: [{ code: 'INVALID_CREDENTIALS', message: 'Invalid username and/or password.' }],
      }
      assert.deepEqual(told(wrong), [400, example])
    })

    test('D6: an unknown user, a disabled one and one without a password are told the same as a wrong password', async (context) => {
      const disabled = await newPerson(stile)
      await enable(stile, disabled, false)
      const without = await newPerson(stile, { password: null })
      for (const { username, password } of [{ username: 'nobody', password: 'x' }, disabled, without]) {
        const journey = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
        const answer = await check(journey, { username, password })
        assert.deepEqual(errorOf(answer), [400, 'INVALID_DATA', 'INVALID_CREDENTIALS', undefined])
        await journey.record(context)
      }
    })

    test('locked by failures: PASSWORD_LOCKED_OUT with secondsUntilUnlock', async (context) => {
      const journey = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
      const { username } = journey.person
      for (let tried = 0; tried < 5; tried++) await check(journey, { username, password: 'wrong' })
      const { json } = await journey.password()
      assert.deepEqual(json.details, [
        {
          code: 'PASSWORD_LOCKED_OUT',
          message: 'Too many unsuccessful sign-on attempts. The password is temporarily locked.',
          innerError: { secondsUntilUnlock: 900 },
        },
      ])
      await journey.record(context)
    })

    test('a success resets the failure counter', async (context) => {
      const first = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
      const { username } = first.person
      for (let tried = 0; tried < 4; tried++) await check(first, { username, password: 'wrong' })
      await first.password()
      const second = await Journey.under(stile, [login], { person: first.person })
      for (let tried = 0; tried < 4; tried++) await check(second, { username, password: 'wrong' })
      assert.equal((await second.password()).json.status, 'COMPLETED')
      await second.record(context)
    })

    test('missing field: REQUIRED_VALUE, target = field', async () => {
      const journey = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
      for (const [body, target] of [
        [{ username: 'x' }, 'password'],
        [{ password: 'x' }, 'username'],
      ] as const) {
        assert.deepEqual(errorOf(await check(journey, body)), [400, 'INVALID_DATA', 'REQUIRED_VALUE', target])
      }
    })

    test('a username that is not that of the flow’s user: INVALID_VALUE, username', async () => {
      const journey = await Journey.in(stile, 'PASSWORD_REQUIRED')
      const answer = await check(journey, { ...bodyOf('usernamePassword.check', stile.user) })
      assert.deepEqual(errorOf(answer), [400, 'INVALID_DATA', 'INVALID_VALUE', 'username'])
    })

    test('200 sets ST', async () => {
      const journey = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
      const before = journey.browser.cookie
      await journey.password()
      assert.notEqual(journey.browser.cookie, before)
    })

    test('username is the username alone (Stile: addresses are not unique, so they name nobody)', async (context) => {
      const journey = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
      const { person } = journey
      const answer = await check(journey, { username: addressOf(person), password: person.password })
      assert.deepEqual(errorOf(answer), [400, 'INVALID_DATA', 'INVALID_CREDENTIALS', undefined])
      await journey.record(context)
    })

    test('after success the password decides, then the account, then the next action', async (context) => {
      const person = await newPerson(stile, { forceChange: true })
      await enableMfa(stile, person)
      await addEmailDevice(stile, person)
      const journey = await Journey.under(stile, [login, { type: 'MULTI_FACTOR_AUTHENTICATION' }], { person })
      await journey.acts(
        ['usernamePassword.check', bodyOf('usernamePassword.check', person), 'MUST_CHANGE_PASSWORD'],
        ['password.reset', bodyOf('password.reset', person), 'OTP_REQUIRED'],
      )
      await journey.acts(['otp.check', { otp: await journey.code() }, 'COMPLETED'])
      await journey.record(context)
    })
  })

  suite('4.2 user.lookup', () => {
    const identifierFirst = (idpId: string) =>
      ({
        type: 'IDENTIFIER_FIRST',
        discoveryRules: [
          { condition: { value: '${identifier}', contains: '@corp.example' }, identityProvider: { id: idpId } },
        ],
      }) as const
    const plain = { type: 'IDENTIFIER_FIRST' } as const

    test('{"username":"johndoe"}: the next action of the policy, PASSWORD_REQUIRED', async (context) => {
      const journey = await Journey.under(stile, [plain, login])
      await journey.shows(await journey.act('user.lookup', { username: journey.person.username }), {
        ...flow,
        _links: links('self', 'usernamePassword.check', 'password.forgot', 'session.reset'),
        status: 'PASSWORD_REQUIRED',
        _embedded: { application: { name: 'Shared-Web-App' } },
      })
      await journey.password()
      await journey.record(context)
    })

    test('a discovery rule matches what was typed: EXTERNAL_AUTHENTICATION_REQUIRED for that provider', async (context) => {
      const idpId = await newIdentityProvider(stile, provider)
      const journey = await Journey.under(stile, [identifierFirst(idpId), login])
      const { json } = await journey.act('user.lookup', { username: 'johndoe@corp.example' })
      assert.equal(json.status, 'EXTERNAL_AUTHENTICATION_REQUIRED')
      assert.equal(json._embedded.identityProvider.id, idpId)
      await journey.acts(['session.reset', {}, 'SIGN_ON_REQUIRED'])
      await journey.record(context)
    })

    test('MFA next: OTP_REQUIRED', async (context) => {
      const person = await newPersonWithDevices(stile)
      const journey = await Journey.under(stile, [plain, { type: 'MULTI_FACTOR_AUTHENTICATION' }], { person })
      await journey.acts(['user.lookup', { username: person.username }, 'OTP_REQUIRED'])
      await journey.record(context)
    })

    test('not built: no user belongs to an external identityProvider, which would send them there', async () => {
      const idpId = await newIdentityProvider(stile, provider)
      const user = { username: `ext-${randomUUID()}`, population: { id: stile.populationId } }
      const answer = await stile.api('POST', '/users', { ...user, identityProvider: { id: idpId } })
      assert.deepEqual(errorOf(answer).slice(0, 3), [400, 'INVALID_DATA', 'INVALID_VALUE'])
    })

    test('D7: an unknown user goes on to PASSWORD_REQUIRED, then INVALID_CREDENTIALS', async (context) => {
      const journey = await Journey.under(stile, [plain, login])
      await journey.acts(['user.lookup', { username: 'nobody' }, 'PASSWORD_REQUIRED'])
      const wrong = await journey.act('usernamePassword.check', { username: 'nobody', password: 'x' })
      assert.deepEqual(errorOf(wrong), [400, 'INVALID_DATA', 'INVALID_CREDENTIALS', undefined])
      await journey.record(context)
    })
  })

  suite('4.2 password.reset', () => {
    test('wrong current password, unsatisfied new one, then COMPLETED', async (context) => {
      const journey = await Journey.in(stile, 'MUST_CHANGE_PASSWORD')
      const { password: currentPassword } = journey.person
      const reset = (body: object) => journey.act('password.reset', { currentPassword, newPassword: 'short', ...body })
      const wrong = await reset({ currentPassword: 'wrong', newPassword: newPassword() })
      assert.deepEqual(errorOf(wrong), [400, 'INVALID_DATA', 'INVALID_VALUE', 'currentPassword'])
      const short = await reset({})
      assert.deepEqual(errorOf(short), [400, 'INVALID_DATA', 'INVALID_VALUE', 'newPassword'])
      assert.deepEqual(short.json.details[0].innerError.unsatisfiedRequirements, [
        'length',
        'minCharacters',
        'excludesCommonlyUsed',
      ])
      await journey.acts(['password.reset', bodyOf('password.reset', journey.person), 'COMPLETED'])
      await journey.record(context)
    })

    test('PASSWORD_LOCKED_OUT after too many', async (context) => {
      const journey = await Journey.in(stile, 'MUST_CHANGE_PASSWORD')
      const wrong = { currentPassword: 'wrong', newPassword: newPassword() }
      for (let tried = 0; tried < 5; tried++) await journey.act('password.reset', wrong)
      const { json } = await journey.act('password.reset')
      assert.deepEqual([json.code, json.details[0].code], ['INVALID_DATA', 'PASSWORD_LOCKED_OUT'])
      await journey.record(context)
    })
  })

  suite('4.2 password.forgot, password.recover', () => {
    const forgotten = async () => {
      const journey = await Journey.under(stile, [login])
      await journey.acts(['password.forgot', { username: journey.person.username }, 'RECOVERY_CODE_REQUIRED'])
      return journey
    }

    test('the code has 8 alphanumeric characters, in any case; COMPLETED', async (context) => {
      const journey = await forgotten()
      const code = await journey.code()
      assert.match(code, /^[0-9A-Z]{8}$/)
      const recover = { recoveryCode: code.toLowerCase(), newPassword: newPassword() }
      await journey.acts(['password.recover', recover, 'COMPLETED'])
      await journey.record(context)
    })

    test('then the second factor, where the policy asks for one', async (context) => {
      const person = await newPersonWithDevices(stile)
      const journey = await Journey.under(stile, [login, { type: 'MULTI_FACTOR_AUTHENTICATION' }], { person })
      await journey.acts(['password.forgot', { username: person.username }, 'RECOVERY_CODE_REQUIRED'])
      const recover = { recoveryCode: await journey.code(), newPassword: newPassword() }
      await journey.acts(['password.recover', recover, 'OTP_REQUIRED'])
      await journey.record(context)
    })

    test('an unknown user (D7: 200 RECOVERY_CODE_REQUIRED, not 404 NOT_FOUND)', async (context) => {
      const journey = await Journey.under(stile, [login])
      await journey.acts(['password.forgot', { username: 'nobody' }, 'RECOVERY_CODE_REQUIRED'])
      await journey.record(context)
    })

    test('INVALID_VALUE, recoveryCode; INVALID_VALUE, newPassword, after which the same code may be used', async (context) => {
      const journey = await forgotten()
      const recoveryCode = await journey.code()
      const wrong = await journey.act('password.recover', { recoveryCode: 'WRONG123', newPassword: newPassword() })
      assert.deepEqual(errorOf(wrong), [400, 'INVALID_DATA', 'INVALID_VALUE', 'recoveryCode'])
      const short = await journey.act('password.recover', { recoveryCode, newPassword: 'short' })
      assert.deepEqual(errorOf(short), [400, 'INVALID_DATA', 'INVALID_VALUE', 'newPassword'])
      assert.ok(short.json.details[0].innerError.unsatisfiedRequirements.includes('length'))
      await journey.acts(['password.recover', { recoveryCode, newPassword: newPassword() }, 'COMPLETED'])
      await journey.record(context)
    })

    test('5 wrong tries, the sixth is refused: PASSWORD_LOCKED_OUT (K16: a new code gives no new tries)', async (context) => {
      const journey = await forgotten()
      for (let tried = 0; tried < 5; tried++) {
        await journey.act('password.recover', { recoveryCode: 'WRONG123', newPassword: newPassword() })
      }
      const recover = async () => ({ recoveryCode: await journey.code(), newPassword: newPassword() })
      const sixth = await journey.act('password.recover', await recover())
      assert.deepEqual(errorOf(sixth), [400, 'INVALID_DATA', 'PASSWORD_LOCKED_OUT', undefined])
      await journey.act('password.sendRecoveryCode', {})
      assert.equal(errorOf(await journey.act('password.recover', await recover()))[2], 'PASSWORD_LOCKED_OUT')
      await journey.record(context)
    })
  })

  suite('4.2 user.register, user.verify', () => {
    const newcomer = () => bodyOf('user.register', stile.user) as Record<string, string>

    test('{username, email, password}: VERIFICATION_CODE_REQUIRED with _embedded.user; the code; COMPLETED', async (context) => {
      const journey = await Journey.under(stile, [login])
      const { username = '', email = '', password } = newcomer()
      journey.call({ j: username })
      await journey.shows(await journey.act('user.register', { username, email, password }), {
        ...flow,
        _links: links('self', 'user.verify', 'user.sendVerificationCode'),
        status: 'VERIFICATION_CODE_REQUIRED',
        _embedded: { user: { id: '{uuid}', username: 'j' }, application: { name: 'Shared-Web-App' } },
      })
      const wrong = await journey.act('user.verify', { verificationCode: 'WRONG123' })
      assert.deepEqual(errorOf(wrong), [400, 'INVALID_DATA', 'INVALID_VALUE', 'verificationCode'])
      await journey.acts(['user.sendVerificationCode', {}, 'VERIFICATION_CODE_REQUIRED'])
      const verificationCode = await codeSentTo(stile, email)
      assert.match(verificationCode, /^[0-9A-Z]{8}$/)
      const done = await journey.act('user.verify', { verificationCode })
      assert.deepEqual([done.json.status, done.json._embedded.user.username], ['COMPLETED', username])
      await journey.record(context)
    })

    test('more attributes: name', async (context) => {
      const journey = await Journey.under(stile, [login])
      const { json } = await journey.act('user.register', { ...newcomer(), name: { given: 'J', family: 'D' } })
      assert.deepEqual(json._embedded.user.name, { given: 'J', family: 'D' })
      await journey.record(context)
    })

    for (const [name, change, code, target] of [
      ['username with bad characters', { username: 'bad\u0007name' }, 'INVALID_VALUE', 'username'],
      ['email', { email: 'nowhere' }, 'INVALID_VALUE', 'email'],
      ['password', { password: 'short' }, 'INVALID_VALUE', 'password'],
      ['a username that is taken', { username: 'taken' }, 'UNIQUENESS_VIOLATION', 'username'],
    ] as const) {
      test(`${name}: ${code}, ${target}`, async () => {
        const journey = await Journey.under(stile, [login])
        const taken = 'username' in change && change.username === 'taken' ? { username: journey.person.username } : {}
        const answer = await journey.act('user.register', { ...newcomer(), ...change, ...taken })
        assert.deepEqual(errorOf(answer), [400, 'INVALID_DATA', code, target])
        const [{ message, innerError }] = answer.json.details
        if (target === 'email') assert.equal(message, 'must be a well-formed email address')
        if (target === 'password') assert.ok(innerError.unsatisfiedRequirements.includes('length'))
        if (code === 'UNIQUENESS_VIOLATION') assert.equal(message, 'is unique but a non-unique value is provided')
      })
    }
  })

  suite('4.2 user.update', () => {
    const profiling = (attributes: readonly { readonly name: string; readonly required: boolean }[]) =>
      ({
        type: 'PROGRESSIVE_PROFILING',
        promptText: 'Please tell us',
        promptIntervalSeconds: 7_776_000,
        preventMultiplePromptsPerFlow: true,
        attributes,
      }) as const
    async function profiled(...attributes: readonly { readonly name: string; readonly required: boolean }[]) {
      const journey = await Journey.under(stile, [login, profiling(attributes)])
      assert.equal((await journey.password()).json.status, 'PROFILE_DATA_REQUIRED')
      return journey
    }

    test('{"mobilePhone":"+1.5125551111"}: COMPLETED', async (context) => {
      const journey = await profiled({ name: 'mobilePhone', required: true })
      await journey.acts(['user.update', { mobilePhone: '+1.5125551111' }, 'COMPLETED'])
      await journey.record(context)
    })

    test('a required attribute that is missing: REQUIRED_VALUE', async () => {
      const journey = await profiled({ name: 'nickname', required: true })
      assert.deepEqual(errorOf(await journey.act('user.update', {})), [
        400,
        'INVALID_DATA',
        'REQUIRED_VALUE',
        'nickname',
      ])
    })

    test('all optional: {} is accepted', async (context) => {
      const journey = await profiled({ name: 'nickname', required: false })
      await journey.acts(['user.update', {}, 'COMPLETED'])
      await journey.record(context)
    })
  })

  test('4.2 user.confirm: {"username":"lindajones"}; what the provider did not return is ignored', async (context) => {
    const idpId = await newIdentityProvider(stile, provider)
    await mapAttributes(stile, idpId, {
      username: ['${providerAttributes.preferred_username}'],
      email: ['${providerAttributes.email}'],
    })
    const registration = { enabled: true, confirmIdentityProviderAttributes: true }
    const journey = await Journey.under(stile, [{ type: 'LOGIN', socialProviders: [{ id: idpId }], registration }])
    const name = `ext-${randomUUID()}`
    provider.user = { sub: name, preferred_username: name, email: `${name}@idp.example`, email_verified: true }
    await comeBack(journey.browser, journey.flowId, idpId, provider)
    const username = `lindajones-${randomUUID()}`
    const done = await journey.act('user.confirm', { username, title: 'Queen' })
    assert.equal(done.json._embedded.user.username, username)
    const user = (await stile.api('GET', `/users/${done.json._embedded.user.id}`)).json
    assert.deepEqual([user.title, user.email], [undefined, `${name}@idp.example`])
    await journey.record(context)
  })

  test('4.2 user.consent: {"accept":true} goes on, {"accept":false} -> FAILED with error', async () => {
    const journey = await Journey.in(stile, 'AGREEMENT_CONSENT_REQUIRED')
    const declined = await journey.act('user.consent', { accept: false })
    assert.deepEqual(declined.json.error, {
      code: 'AGREEMENT_DECLINED',
      message: 'The user did not consent to the agreement.',
    })
  })

  suite('4.2 device.select, otp.check, assertion.check', () => {
    const mfa = { type: 'MULTI_FACTOR_AUTHENTICATION' } as const
    async function waiting() {
      const person = await newPersonWithDevices(stile)
      const journey = await Journey.under(stile, [login, mfa], { person })
      assert.equal((await journey.password()).json.status, 'OTP_REQUIRED')
      return journey
    }

    test('{"device":{"id":"d1"},"compatibility":"FULL"}: the same device again sends a new code', async (context) => {
      const journey = await waiting()
      const first = await journey.code()
      const device = { id: journey.person.deviceId }
      await journey.acts(['device.select', { device, compatibility: 'FULL' }, 'OTP_REQUIRED'])
      assert.equal((await inboxOf(stile, addressOf(journey.person))).length, 2)
      const second = await journey.code()
      if (first !== second) assert.equal((await journey.act('otp.check', { otp: first })).status, 400)
      await journey.acts(['otp.check', { otp: second }, 'COMPLETED'])
      await journey.record(context)
    })

    test('an unknown device: 400 INVALID_VALUE, device.id', async () => {
      const answer = await (await waiting()).act('device.select', { device: { id: randomUUID() } })
      assert.deepEqual(errorOf(answer), [400, 'INVALID_DATA', 'INVALID_VALUE', 'device.id'])
    })

    test('a wrong code: INVALID_OTP, otp; after failure.count (3): LIMIT_EXCEEDED', async (context) => {
      const journey = await waiting()
      const otp = await journey.code()
      const wrong = { otp: otp === '000000' ? '000001' : '000000' }
      for (let tried = 0; tried < 3; tried++) {
        const answer = await journey.act('otp.check', wrong)
        assert.deepEqual(errorOf(answer), [400, 'INVALID_DATA', 'INVALID_OTP', 'otp'])
      }
      const locked = await journey.act('otp.check', { otp })
      assert.deepEqual(errorOf(locked), [400, 'INVALID_DATA', 'LIMIT_EXCEEDED', 'otp'])
      await journey.record(context)
    })

    test('{origin, assertion, compatibility}, the assertion a JSON string; one that does not verify: INVALID_VALUE, assertion', async (context) => {
      const journey = await Journey.in(stile, 'ASSERTION_REQUIRED')
      const body = { ...bodyOf('assertion.check', journey.person, journey.code), compatibility: 'FULL' }
      const wrong = await journey.act('assertion.check', { ...body, assertion: '{}' })
      assert.deepEqual(errorOf(wrong), [400, 'INVALID_DATA', 'INVALID_VALUE', 'assertion'])
      await journey.acts(['assertion.check', body, 'COMPLETED'])
      await journey.record(context)
    })

    test('a passkey is used first where it is the first device', async (context) => {
      const person = await newPerson(stile)
      await enableMfa(stile, person)
      await addPasskey(stile, person)
      const journey = await Journey.under(stile, [login, mfa], { person })
      assert.equal((await journey.password()).json.status, 'ASSERTION_REQUIRED')
      await journey.record(context)
    })
  })

  test('4.2 cancel.push.authentication: reason is required and has the one value CHANGE_DEVICE', async () => {
    const journey = await Journey.in(stile, 'PUSH_CONFIRMATION_REQUIRED')
    for (const body of [{}, { reason: 'BORED' }]) {
      const answer = await journey.act('cancel.push.authentication', body)
      assert.deepEqual(errorOf(answer), [400, 'INVALID_DATA', 'INVALID_VALUE', 'reason'])
    }
  })

  suite('4.2 session.reset', () => {
    test('{}: the first status of the policy, without _embedded.user', async (context) => {
      const journey = await asked()
      const before = (await journey.read()).json
      assert.ok(before._embedded.user)
      const { json } = await journey.act('session.reset', {})
      assert.equal(json.status, 'USERNAME_PASSWORD_REQUIRED')
      assert.deepEqual([json._embedded.user, json.session], [undefined, undefined])
      await journey.record(context)
    })
  })

  suite('4.2 as time passes (last: the clock goes on)', () => {
    async function pass(milliseconds: number): Promise<void> {
      world.advance(milliseconds)
      await stile.node.kernel.environments.poll()
    }

    test('a recovery code is valid for 5 minutes', async (context) => {
      const journey = await Journey.under(stile, [login])
      await journey.acts(['password.forgot', { username: journey.person.username }, 'RECOVERY_CODE_REQUIRED'])
      const recoveryCode = await journey.code()
      await pass(300_001)
      const late = await journey.act('password.recover', { recoveryCode, newPassword: newPassword() })
      assert.deepEqual(errorOf(late), [400, 'INVALID_DATA', 'INVALID_VALUE', 'recoveryCode'])
      await journey.record(context)
    })

    test('a verification code (D4: 5 minutes, where PingOne’s does not time out)', async (context) => {
      const journey = await Journey.in(stile, 'VERIFICATION_CODE_REQUIRED')
      await pass(300_001)
      const late = await journey.act('user.verify', { verificationCode: journey.code })
      assert.deepEqual(errorOf(late), [400, 'INVALID_DATA', 'INVALID_VALUE', 'verificationCode'])
      await journey.record(context)
    })
  })
})
