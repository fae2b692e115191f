/** authentication-api 3: the flow resource, its life cycle, its statuses, and the way to an identity provider and back. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { flowStatuses, type MediaType } from '../../src/flow/actions/index.ts'
import type { FlowStatus } from '../../src/flow/state.ts'
import { testWorld, type TestWorld } from '../../src/world.ts'
import {
  addEmailDevice,
  addMobileApp,
  addTotpDevice,
  authorize,
  begin,
  bodyOf,
  enableMfa,
  newDevicePolicy,
  newPerson,
  newPersonWithDevices,
} from '../flow-runtime/arrange.ts'
import { comeBack, leave, mapAttributes, newIdentityProvider, ownPath } from '../flow-runtime/external.ts'
import { type OpenIdProvider, startOpenIdProvider } from '../harness/openid-provider.ts'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { errorOf, flow, Journey, links, signOnPage } from './journey.ts'

/** The password policy as the example shows it. */
const passwordPolicy = {
  name: 'Standard',
  length: { min: 8, max: 255 },
  minCharacters: {
    abcdefghijklmnopqrstuvwxyz: 1,
    ABCDEFGHIJKLMNOPQRSTUVWXYZ: 1,
    '0123456789': 1,
    '~!@#$%^&*()-_=+[]{}|;:,.<>/?': 1,
  },
  maxRepeatedCharacters: 2,
  minUniqueCharacters: 5,
  excludesCommonlyUsed: true,
  excludesProfileData: true,
  notSimilarToCurrent: true,
  history: { count: 6, retentionDays: 365 },
  lockout: { failureCount: 5, durationSeconds: 900 },
  default: true,
}
/** What the policy of a new environment has beside it (7.7). */
const shownPolicy = {
  ...passwordPolicy,
  description: 'A standard policy that incorporates industry best practices',
  maxAgeDays: 182,
  minAgeDays: 1,
}

const application = { name: 'Shared-Web-App' }
const user = { id: '{userId}', username: 'johndoe' }
const offers = { recovery: { enabled: true }, registration: { enabled: true } }

suite('authentication-api 3', () => {
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

  /** Members that flows of this file were seen with. */
  const seen = new Set<string>()
  function see({ json }: Answer): void {
    for (const name of Object.keys(json)) seen.add(name)
    for (const name of Object.keys(json._embedded)) seen.add(`_embedded.${name}`)
  }

  /** Lets time pass; a node that has not looked at its configuration for that long looks. */
  async function pass(milliseconds: number): Promise<void> {
    world.advance(milliseconds)
    await stile.node.kernel.environments.poll()
  }

  suite('3.2 Life cycle', () => {
    test('redirect: 302 to the sign-on page, GET the flow, POST an action, COMPLETED, resume, 302 with the code', async (context) => {
      const browser = new Browser(stile)
      const sent = await authorize(browser, 'redirect', { state: 's1' })
      assert.equal(sent.status, 302)
      const page = sent.headers.get('location') ?? ''
      const flowId = new URL(page).searchParams.get('flowId') ?? ''
      const journey = new Journey(stile, { browser, flowId, person: await newPerson(stile) })
      assert.equal(journey.documented(page), 'https://apps.pingone.com/{envId}/signon/?flowId={flowId}')
      assert.equal((await journey.read()).json.status, 'USERNAME_PASSWORD_REQUIRED')
      const done = await journey.password()
      assert.equal(journey.documented(done.json.resumeUrl), flow.resumeUrl)
      const resumed = await browser.send(done.json.resumeUrl)
      assert.equal(resumed.status, 302)
      const back = new URL(resumed.headers.get('location') ?? '')
      assert.ok(back.href.startsWith(`${stile.webApp.redirectUri}?code=`), back.href)
      assert.equal(back.searchParams.get('state'), 's1')
      await journey.record(context)
    })

    test('pi.flow: 200 with the flow, POST an action, COMPLETED, GET resumeUrl, 200 with authorizeResponse', async (context) => {
      const browser = new Browser(stile)
      const begun = await browser.authorize(piFlowRequest(stile, pkce().challenge))
      const journey = new Journey(stile, { browser, flowId: begun.json.id, person: await newPerson(stile) })
      await journey.shows(begun, {
        ...flow,
        _links: links('usernamePassword.check', 'self'),
        _embedded: { application },
        status: 'USERNAME_PASSWORD_REQUIRED',
      })
      const resumed = await browser.send((await journey.password()).json.resumeUrl)
      see(resumed)
      journey.call({ '{code}': resumed.json.authorizeResponse.code })
      await journey.shows(resumed, {
        ...flow,
        _links: { ...links('self'), signOnPage },
        _embedded: { user, application },
        session: { id: '{uuid}' },
        status: 'COMPLETED',
        authorizeResponse: { code: '{code}' },
      })
      await journey.record(context)
    })

    test('GET needs no authorization; a bearer token of a worker and a Content-Type are ignored', async () => {
      const journey = await Journey.in(stile, 'USERNAME_PASSWORD_REQUIRED')
      const plain = await stile.send(`/${stile.environmentId}/flows/${journey.flowId}`)
      const more = { token: await stile.workerToken(), mediaType: 'application/json' }
      const dressed = await stile.send(`/${stile.environmentId}/flows/${journey.flowId}`, more)
      assert.equal(plain.status, 200)
      assert.deepEqual(dressed.json, plain.json)
      assert.equal(plain.headers.get('content-type'), 'application/hal+json;charset=UTF-8')
    })
  })

  suite('3.3 Status catalogue', () => {
    /** Statuses of the catalogue: the links documented for each, where the policy offers what is optional. */
    const documented: Readonly<Record<string, readonly MediaType[]>> = {
      USERNAME_PASSWORD_REQUIRED: ['usernamePassword.check', 'password.forgot', 'user.register'],
      SIGN_ON_REQUIRED: ['user.lookup', 'user.register', 'password.forgot'],
      PASSWORD_REQUIRED: ['usernamePassword.check', 'password.forgot', 'session.reset'],
      PASSWORD_EXPIRED: ['password.reset'],
      MUST_CHANGE_PASSWORD: ['password.reset'],
      RECOVERY_CODE_REQUIRED: ['password.recover', 'password.sendRecoveryCode', 'session.reset'],
      VERIFICATION_CODE_REQUIRED: ['user.verify', 'user.sendVerificationCode'],
      DEVICE_SELECTION_REQUIRED: ['device.select'],
      OTP_REQUIRED: ['otp.check', 'device.select'],
      PUSH_CONFIRMATION_REQUIRED: ['device.select', 'otp.check', 'cancel.push.authentication'],
      PUSH_CONFIRMATION_TIMED_OUT: ['device.select', 'otp.check'],
      ASSERTION_REQUIRED: ['assertion.check', 'device.select'],
      EXTERNAL_AUTHENTICATION_REQUIRED: ['session.reset'],
      ACCOUNT_CONFIRMATION_REQUIRED: ['user.confirm'],
      ACCOUNT_LINKING_REQUIRED: ['usernamePassword.check', 'user.register'],
      PROFILE_DATA_REQUIRED: ['user.update'],
      AGREEMENT_CONSENT_REQUIRED: ['user.consent'],
      DAG_USER_CODE_REQUIRED: ['deviceAuthGrant.userCode.verify'],
      DAG_CONSENT_REQUIRED: ['deviceAuthGrant.consent'],
      COMPLETED: [],
      FAILED: [],
    }
    /** What Stile has beside the catalogue, which says of invitations only how they are accepted (4.1, row 14). */
    const extensions: readonly FlowStatus[] = ['CONSENT_REQUIRED', 'INVITATION_REQUIRED']
    /**
     * Links beside those documented: whoever came back from a provider, is asked for the second factor of somebody else, or
     * connects a device by the session of somebody else, can begin as somebody else (4.1, row 1).
     */
    const more: Readonly<Record<string, readonly MediaType[]>> = {
      DEVICE_SELECTION_REQUIRED: ['session.reset'],
      OTP_REQUIRED: ['session.reset'],
      PUSH_CONFIRMATION_REQUIRED: ['session.reset'],
      PUSH_CONFIRMATION_TIMED_OUT: ['session.reset'],
      ASSERTION_REQUIRED: ['session.reset'],
      ACCOUNT_CONFIRMATION_REQUIRED: ['session.reset'],
      ACCOUNT_LINKING_REQUIRED: ['session.reset'],
      DAG_USER_CODE_REQUIRED: ['session.reset'],
      DAG_CONSENT_REQUIRED: ['session.reset'],
    }

    test('every status is in the table', () => {
      assert.deepEqual([...Object.keys(documented), ...extensions].toSorted(), flowStatuses.toSorted())
    })

    for (const [status, relations] of Object.entries(documented)) {
      const beside = more[status] ? ' (and session.reset)' : ''
      test(`${status}: ${relations.join(', ') || 'none'}${beside}`, async (context) => {
        const isPlain = status === 'USERNAME_PASSWORD_REQUIRED' || status === 'PASSWORD_REQUIRED'
        let journey: Journey
        if (isPlain) {
          const person = await newPerson(stile)
          const browser = new Browser(stile)
          if (status === 'PASSWORD_REQUIRED') {
            await browser.act(await begin(browser), 'usernamePassword.check', bodyOf('usernamePassword.check', person))
          }
          journey = await Journey.under(stile, [{ type: 'LOGIN', ...offers }], {
            person,
            browser,
            request: { max_age: '0' },
          })
        } else {
          journey = await Journey.in(stile, status as FlowStatus)
        }
        const read = await journey.read()
        see(read)
        const { json } = read
        assert.equal(json.status, status)
        const shown = Object.keys(json._links).filter((relation) => relation.includes('.'))
        assert.deepEqual(shown.toSorted(), [...relations, ...(more[status] ?? [])].toSorted())
        await journey.record(context)
      })
    }
  })

  suite('3.4 Full JSON per status', () => {
    test('USERNAME_PASSWORD_REQUIRED via GET, registration + recovery + social login enabled (Stile: the provider says its id)', async () => {
      const icon = { id: randomUUID(), href: 'https://uploads.pingone.com/icon.png' }
      const facebook = await stile.api('POST', '/identityProviders', {
        name: 'Facebook',
        enabled: true,
        type: 'FACEBOOK',
        appId: '1234',
        appSecret: 'secret',
      })
      assert.equal(facebook.status, 200, facebook.text)
      const idpId = facebook.json.id
      const names = { '{idpId}': idpId }
      const login = { type: 'LOGIN', ...offers, socialProviders: [{ id: idpId }] } as const
      const journey = await Journey.under(stile, [login], { names, application: { icon } })
      const read = await journey.read()
      see(read)
      await journey.shows(read, {
        ...flow,
        _links: links('self', 'usernamePassword.check', 'password.forgot', 'user.register'),
        status: 'USERNAME_PASSWORD_REQUIRED',
        _embedded: {
          application: { ...application, icon: { ...icon, id: '{uuid}' } },
          passwordPolicy: shownPolicy,
          socialProviders: [
            {
              id: '{idpId}',
              name: 'Facebook',
              type: 'FACEBOOK',
              _links: {
                authenticate: {
                  href: 'https://auth.pingone.com/{envId}/rp/authenticate?providerId={idpId}&flowId={flowId}',
                },
              },
            },
          ],
        },
      })
    })

    test('PASSWORD_REQUIRED (session exists, re-authentication)', async (context) => {
      const person = await newPerson(stile, { name: { given: 'John', family: 'Doe' } })
      const browser = new Browser(stile)
      await browser.act(await begin(browser), 'usernamePassword.check', bodyOf('usernamePassword.check', person))
      const login = { type: 'LOGIN', recovery: { enabled: true } } as const
      const journey = await Journey.under(stile, [login], { person, browser, request: { max_age: '0' } })
      await journey.shows(await journey.read(), {
        ...flow,
        _links: links('self', 'usernamePassword.check', 'password.forgot', 'session.reset'),
        session: { id: '{uuid}' },
        status: 'PASSWORD_REQUIRED',
        _embedded: { user: { ...user, name: { given: 'John', family: 'Doe' } }, application },
      })
      await journey.password()
      await journey.record(context)
    })

    test('RECOVERY_CODE_REQUIRED (J26, D7: without the user, who has only been named; session.reset as in 3.3)', async (context) => {
      const journey = await Journey.under(stile, [{ type: 'LOGIN', ...offers }])
      await journey.shows(await journey.act('password.forgot', { username: journey.person.username }), {
        ...flow,
        _links: links('self', 'password.recover', 'password.sendRecoveryCode', 'session.reset'),
        status: 'RECOVERY_CODE_REQUIRED',
        _embedded: { application, passwordPolicy: shownPolicy },
      })
      await journey.record(context)
    })

    for (const status of ['MUST_CHANGE_PASSWORD', 'PASSWORD_EXPIRED'] as const) {
      test(status, async () => {
        const journey = await Journey.in(stile, status)
        await journey.shows(await journey.read(), {
          ...flow,
          _links: links('self', 'password.reset'),
          status,
          _embedded: { user, application, passwordPolicy: shownPolicy },
        })
      })
    }

    test('VERIFICATION_CODE_REQUIRED', async () => {
      const journey = await Journey.in(stile, 'VERIFICATION_CODE_REQUIRED')
      await journey.shows(await journey.read(), {
        ...flow,
        _links: links('self', 'user.verify', 'user.sendVerificationCode'),
        status: 'VERIFICATION_CODE_REQUIRED',
        _embedded: { user, application },
      })
    })

    test('DEVICE_SELECTION_REQUIRED (Stile: without userRetries, whose meaning is not documented; with session.reset)', async (context) => {
      const person = await newPerson(stile)
      await enableMfa(stile, person)
      const phone = { type: 'SMS', phone: '+15125550101' }
      const sms = await stile.api('POST', `/users/${person.id}/devices`, phone)
      assert.equal(sms.status, 201, sms.text)
      const email = await addEmailDevice(stile, person)
      const totp = await addTotpDevice(stile, person)
      const names = { d1: sms.json.id, d2: email, d3: totp.id }
      const id = await newDevicePolicy(stile, { authentication: { deviceSelection: 'PROMPT_TO_SELECT' } })
      const mfa = { type: 'MULTI_FACTOR_AUTHENTICATION', deviceAuthenticationPolicy: { id } } as const
      const journey = await Journey.under(stile, [{ type: 'LOGIN' }, mfa], { person, names })
      await journey.shows(await journey.password(), {
        ...flow,
        _links: links('self', 'device.select', 'session.reset'),
        status: 'DEVICE_SELECTION_REQUIRED',
        bypassAllowed: false,
        _embedded: {
          user,
          application,
          devices: [
            { id: 'd1', type: 'SMS', status: 'ACTIVE', phone: '*******01' },
            { id: 'd2', type: 'EMAIL', status: 'ACTIVE', email: 'p*****@example.com' },
            { id: 'd3', type: 'TOTP', status: 'ACTIVE' },
          ],
        },
      })
      await journey.record(context)
    })

    test('OTP_REQUIRED (2.5; Stile: without userRetries; with session.reset)', async (context) => {
      const person = await newPerson(stile)
      await enableMfa(stile, person)
      const names = { '7dbd': await addEmailDevice(stile, person) }
      const actions = [{ type: 'LOGIN' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }] as const
      const journey = await Journey.under(stile, actions, { person, names })
      await journey.shows(await journey.password(), {
        ...flow,
        _links: links('self', 'otp.check', 'device.select', 'session.reset'),
        status: 'OTP_REQUIRED',
        bypassAllowed: false,
        selectedDevice: { id: '7dbd' },
        _embedded: {
          user,
          application,
          devices: [{ id: '7dbd', type: 'EMAIL', status: 'ACTIVE', email: 'p*****@example.com' }],
        },
      })
      await journey.record(context)
    })

    test('PUSH_CONFIRMATION_REQUIRED: as OTP_REQUIRED, the selected device is a MOBILE one; polled until COMPLETED (Stile: with numberMatching and session.reset)', async (context) => {
      const person = await newPerson(stile)
      await enableMfa(stile, person)
      const app = await addMobileApp(stile, person)
      const actions = [{ type: 'LOGIN' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }] as const
      const journey = await Journey.under(stile, actions, { person, names: { m1: app.deviceId } })
      const waiting = await journey.password()
      const { number } = waiting.json.numberMatching
      const { numberMatching: _, ...json } = waiting.json
      await journey.shows(
        { ...waiting, json },
        {
          ...flow,
          _links: links('self', 'otp.check', 'device.select', 'cancel.push.authentication', 'session.reset'),
          status: 'PUSH_CONFIRMATION_REQUIRED',
          bypassAllowed: false,
          selectedDevice: { id: 'm1' },
          _embedded: { user, application, devices: [{ id: 'm1', type: 'MOBILE', status: 'ACTIVE' }] },
        },
      )
      assert.equal((await journey.read()).json.status, 'PUSH_CONFIRMATION_REQUIRED')
      const [request] = await app.requests()
      assert.ok(request)
      assert.equal((await app.answer(request, 'APPROVE', number)).status, 204)
      assert.equal((await journey.read()).json.status, 'COMPLETED')
      assert.ok((await journey.browser.resume(journey.flowId)).json.authorizeResponse.code)
      await journey.record(context)
    })

    test('ASSERTION_REQUIRED: publicKeyCredentialRequestOptions is a JSON string with signed-byte arrays (Stile: with session.reset)', async () => {
      const journey = await Journey.in(stile, 'ASSERTION_REQUIRED')
      const shown = await journey.read()
      const { publicKeyCredentialRequestOptions: options, ...json } = shown.json
      await journey.shows(
        { ...shown, json },
        {
          ...flow,
          _links: links('self', 'assertion.check', 'device.select', 'session.reset'),
          status: 'ASSERTION_REQUIRED',
          bypassAllowed: false,
          selectedDevice: { id: '{uuid}' },
          _embedded: {
            user,
            application,
            devices: [
              { id: '{uuid}', type: 'EMAIL', status: 'ACTIVE', email: 'p*****@example.com' },
              { id: '{uuid}', type: 'FIDO2', status: 'ACTIVE' },
            ],
          },
        },
      )
      const { challenge, allowCredentials, ...others } = JSON.parse(options)
      // `rpId` and `userVerification` are those of the FIDO2 policy.
      assert.deepEqual(others, { timeout: 120_000, rpId: 'localhost', userVerification: 'required' })
      const [{ id, ...credential }] = allowCredentials
      assert.deepEqual(credential, { type: 'public-key' })
      for (const bytes of [challenge, id]) {
        assert.ok(bytes.every((byte: number) => Number.isInteger(byte) && byte >= -128 && byte <= 127))
      }
    })

    test('EXTERNAL_AUTHENTICATION_REQUIRED (session.reset as in 3.3; Stile: the provider says its id and type)', async (context) => {
      const idpId = await newIdentityProvider(stile, provider, { name: 'Corp ADFS' })
      const action = { type: 'IDENTITY_PROVIDER', identityProvider: { id: idpId } } as const
      const journey = await Journey.under(stile, [action], { names: { '{idpId}': idpId } })
      await journey.shows(await journey.read(), {
        ...flow,
        _links: links('self', 'session.reset'),
        status: 'EXTERNAL_AUTHENTICATION_REQUIRED',
        _embedded: {
          application,
          identityProvider: {
            id: '{idpId}',
            name: 'Corp ADFS',
            type: 'OPENID_CONNECT',
            _links: {
              authenticate: {
                href: 'https://auth.pingone.com/{envId}/rp/authenticate?providerId={idpId}&flowId={flowId}',
              },
            },
          },
        },
      })
      await journey.record(context)
    })

    test('FAILED (Stile: the message is its own)', async (context) => {
      const person = await newPersonWithDevices(stile)
      const blocked = `/users/${person.id}/devices/${person.deviceId}`
      const mediaType = 'application/vnd.pingidentity.device.block+json'
      assert.equal((await stile.api('POST', blocked, {}, { mediaType })).status, 200)
      const off = { enabled: false, otp: { failure: { count: 3, coolDown: { duration: 2, timeUnit: 'MINUTES' } } } }
      const id = await newDevicePolicy(stile, { totp: off })
      const mfa = { type: 'MULTI_FACTOR_AUTHENTICATION', deviceAuthenticationPolicy: { id } } as const
      const names = { edcc: person.deviceId }
      const journey = await Journey.under(stile, [{ type: 'LOGIN' }, mfa], { person, names })
      await journey.shows(await journey.password(), {
        ...flow,
        _links: links('self'),
        status: 'FAILED',
        error: {
          code: 'NO_USABLE_DEVICES',
          message: 'The user has no device that can be used to authenticate.',
          unavailableDevices: [{ id: 'edcc' }, { id: '{uuid}' }],
        },
        _embedded: { user, application },
      })
      await journey.record(context)
    })

    test('COMPLETED', async (context) => {
      const person = await newPerson(stile, { name: { given: 'Test', family: 'User' } })
      const journey = await Journey.under(stile, [{ type: 'LOGIN' }], { person })
      await journey.shows(await journey.password(), {
        ...flow,
        _links: links('self'),
        session: { id: '{uuid}' },
        status: 'COMPLETED',
        _embedded: { user: { ...user, name: { given: 'Test', family: 'User' } }, application },
      })
      await journey.record(context)
    })

    /** 3.1 names the members but not their shapes, and section 10 counts these among what is unknown. */
    const own: Readonly<Record<string, object>> = {
      PROFILE_DATA_REQUIRED: {
        _links: links('self', 'user.update'),
        promptText: 'Tell us.',
        _embedded: {
          user,
          application,
          attributes: [
            { name: 'nickname', required: true },
            { name: 'name.given', required: false },
          ],
        },
      },
      AGREEMENT_CONSENT_REQUIRED: {
        _links: links('self', 'user.consent'),
        _embedded: {
          user,
          application,
          agreement: {
            id: '{uuid}',
            name: 'Agreement {uuid}',
            displayName: 'Terms',
            locale: 'en',
            language: { id: '{uuid}' },
            revision: { id: '{uuid}' },
            contentType: 'text/plain',
            declineOption: true,
            userExperience: {},
            text: 'Be kind.',
          },
        },
      },
      ACCOUNT_CONFIRMATION_REQUIRED: {
        _links: links('self', 'user.confirm', 'session.reset'),
        _embedded: {
          application,
          externalAuthentication: { identityProvider: { id: '{uuid}' }, attributes: { username: 'johndoe' } },
        },
      },
      ACCOUNT_LINKING_REQUIRED: {
        _links: links('self', 'usernamePassword.check', 'user.register', 'session.reset'),
        _embedded: { application, passwordPolicy: shownPolicy },
      },
      INVITATION_REQUIRED: {
        _links: links('self', 'user.acceptInvite'),
        _embedded: { user, application, passwordPolicy: shownPolicy },
      },
      DAG_USER_CODE_REQUIRED: {
        _links: links('self', 'deviceAuthGrant.userCode.verify', 'session.reset'),
        _embedded: { user, application },
      },
      DAG_CONSENT_REQUIRED: {
        _links: links('self', 'deviceAuthGrant.consent', 'session.reset'),
        _embedded: {
          user,
          application,
          scopes: [{ name: 'openid', description: 'Signs the user on and names them.', resource: { name: 'openid' } }],
          deviceAuthorization: {
            userCode: '{userCode}',
            remoteAddress: '127.0.0.1',
            requestedAt: '{time}',
            expiresAt: '{time}',
          },
        },
      },
      SIGN_ON_REQUIRED: {
        _links: links('self', 'user.lookup', 'password.forgot', 'user.register'),
        _embedded: { application, passwordPolicy: shownPolicy },
      },
    }
    for (const [status, example] of Object.entries(own)) {
      test(`${status} (no example: as Stile has it)`, async () => {
        const journey = await Journey.in(stile, status as FlowStatus)
        if (status.startsWith('DAG_')) journey.call({ '{userCode}': journey.code })
        await journey.shows(await journey.read(), { ...flow, status, ...example })
      })
    }
  })

  suite('3.5 External identity provider round trip', () => {
    /** Begins a flow that lets users come from a provider of its own, by what the example's registration says. */
    async function arriving(registration: {
      readonly enabled: boolean
      readonly confirmIdentityProviderAttributes?: boolean
    }) {
      const idpId = await newIdentityProvider(stile, provider)
      await mapAttributes(stile, idpId, {
        username: ['${providerAttributes.preferred_username}'],
        email: ['${providerAttributes.email}'],
      })
      const login = { type: 'LOGIN', socialProviders: [{ id: idpId }], registration } as const
      const journey = await Journey.under(stile, [login], { names: { '{idpId}': idpId } })
      const name = `ext-${randomUUID()}`
      provider.user = { sub: name, preferred_username: name, email: `${name}@idp.example`, email_verified: true }
      return { journey, idpId, comeBack: () => comeBack(journey.browser, journey.flowId, idpId, provider) }
    }

    test('1, 2: authenticate.href goes to the provider with a state; the callback goes to the sign-on page with the same flow', async () => {
      const { journey, idpId } = await arriving({ enabled: true })
      const away = new URL(await leave(journey.browser, journey.flowId, idpId))
      assert.equal(away.origin + away.pathname, `${provider.issuer}/authorize`)
      assert.ok(away.searchParams.get('state'))
      const callback = await provider.signOn(away.href)
      assert.ok(
        journey.documented(callback).startsWith('https://auth.pingone.com/{envId}/rp/callback/openid_connect?'),
        callback,
      )
      const answer = await journey.browser.send(ownPath(stile, callback))
      assert.equal(answer.status, 302)
      assert.equal(
        journey.documented(answer.headers.get('location')),
        'https://apps.pingone.com/{envId}/signon/?flowId={flowId}',
      )
    })

    test('3: no match, registration enabled: the user is created, and COMPLETED; found as a linked user the next time', async (context) => {
      const first = await arriving({ enabled: true })
      assert.equal((await first.comeBack()).status, 'COMPLETED')
      await first.journey.record(context)
      const again = await Journey.of(stile, first.journey.client)
      assert.equal((await comeBack(again.browser, again.flowId, first.idpId, provider)).status, 'COMPLETED')
      await again.record(context)
    })

    test('3: no match, registration enabled, an address that nobody has verified: VERIFICATION_CODE_REQUIRED', async (context) => {
      const { journey, comeBack: back } = await arriving({ enabled: true })
      provider.user = { ...provider.user, email_verified: false }
      assert.equal((await back()).status, 'VERIFICATION_CODE_REQUIRED')
      await journey.record(context)
    })

    test('3: confirmIdentityProviderAttributes: ACCOUNT_CONFIRMATION_REQUIRED, user.confirm, COMPLETED', async (context) => {
      const { journey, comeBack: back } = await arriving({ enabled: true, confirmIdentityProviderAttributes: true })
      assert.equal((await back()).status, 'ACCOUNT_CONFIRMATION_REQUIRED')
      await journey.acts(['user.confirm', { username: `lindajones-${randomUUID()}` }, 'COMPLETED'])
      await journey.record(context)
    })

    test('3: a matching existing user: ACCOUNT_LINKING_REQUIRED, usernamePassword.check, linked', async (context) => {
      const { journey, comeBack: back } = await arriving({ enabled: true })
      provider.user = { ...provider.user, preferred_username: journey.person.username }
      assert.equal((await back()).status, 'ACCOUNT_LINKING_REQUIRED')
      const { username, password } = journey.person
      await journey.acts(['usernamePassword.check', { username, password }, 'COMPLETED'])
      await journey.record(context)
    })

    test('3: no match, registration disabled: ACCOUNT_LINKING_REQUIRED', async (context) => {
      const { journey, comeBack: back } = await arriving({ enabled: false })
      assert.equal((await back()).status, 'ACCOUNT_LINKING_REQUIRED')
      await journey.record(context)
    })

    test('errors in this leg redirect to the sign-on page, and the flow stays', async (context) => {
      const { journey, idpId } = await arriving({ enabled: true })
      const refused = new URL(await provider.signOn(await leave(journey.browser, journey.flowId, idpId)))
      refused.searchParams.delete('code')
      refused.searchParams.set('error', 'access_denied')
      const answer = await journey.browser.send(ownPath(stile, refused.href))
      assert.equal(answer.status, 302)
      const page = journey.documented(answer.headers.get('location'))
      assert.ok(page.startsWith('https://apps.pingone.com/{envId}/signon/?flowId={flowId}&error='), page)
      assert.equal((await journey.read()).json.status, 'USERNAME_PASSWORD_REQUIRED')
      await journey.record(context)
    })
  })

  test('3.1 Fields: those documented, and no others (Stile: the user is under _embedded alone, and there is no adminApp)', () => {
    const documented = [
      ...['id', 'environment', 'session', 'resumeUrl', 'status', 'createdAt', 'expiresAt', 'selectedDevice'],
      ...['bypassAllowed', 'publicKeyCredentialRequestOptions', 'error', 'authorizeResponse', '_links', '_embedded'],
    ]
    const embedded = [
      ...['user', 'application', 'passwordPolicy', 'socialProviders', 'identityProvider', 'devices'],
      ...['agreement', 'attributes', 'requiredStep'],
    ]
    // Section 10 counts among the unknown how PingOne shows these.
    const own = [
      ...['promptText', 'numberMatching', '_embedded.externalAuthentication'],
      ...['_embedded.scopes', '_embedded.deviceAuthorization'],
    ]
    const expected = [...documented, ...embedded.map((name) => `_embedded.${name}`), ...own]
    assert.deepEqual([...seen].toSorted(), expected.toSorted())
  })

  // Last: the provider's clock does not follow.
  suite('3.2 Life cycle, as time passes', () => {
    test('POST answers 200 with the new flow and slides expiresAt by 15 minutes; GET does not (D3)', async () => {
      const journey = await Journey.in(stile, 'MUST_CHANGE_PASSWORD')
      const lifeOf = async () => {
        const { createdAt, expiresAt } = (await journey.read()).json
        return (Date.parse(expiresAt) - Date.parse(createdAt)) / 60_000
      }
      assert.equal(await lifeOf(), 15, 'the clock stands still')
      await pass(60_000)
      assert.equal(await lifeOf(), 15)
      const done = await journey.act('password.reset')
      assert.deepEqual([done.status, done.json.id, done.json.status], [200, journey.flowId, 'COMPLETED'])
      assert.equal(await lifeOf(), 16)
    })

    test('a finished flow can be read until it expires; expired and unknown ones are 404 NOT_FOUND', async () => {
      const { browser, flowId } = await Journey.in(stile, 'COMPLETED')
      assert.equal((await browser.flow(flowId)).json.status, 'COMPLETED')
      await pass(15 * 60_000 + 1)
      for (const answer of [await browser.flow(flowId), await browser.flow(randomUUID())]) {
        assert.deepEqual(errorOf(answer), [404, 'NOT_FOUND', undefined, undefined])
      }
    })
  })
})
