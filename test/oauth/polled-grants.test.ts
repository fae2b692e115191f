/**
 * What tokens of a polled grant are, whichever of the two it is of: refreshed, bound, for resources, with details. RFC 8628,
 * OpenID CIBA Core, FAPI-CIBA, RFC 8707, RFC 9396 section 3, RFC 9449; rows D24, E27, J22, W01.
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
import { authority, certificate } from '../harness/client-certificates.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { assertion, assertionType, clientKey, keySet } from './assertions.ts'
import {
  ask,
  askFor,
  bank,
  claimsFor,
  clientJwt,
  decideOn,
  follow,
  newKeys,
  pollFor,
  type Reachable,
} from './backchannel-journeys.ts'
import { approve, askForCodes, comeToTheQuestion, decide, newDevice, pageOf, poll, tv } from './device-journeys.ts'
import { expectRefusal, isLive, refreshTokens, submitSignOnPage } from './journeys.ts'
import { proofOf, thumbprintOf } from './proofs.ts'
import { openidGrant, policy, registered } from './registering.ts'
import { customResource, expectStatus, grant, person, type Registered, register } from './registrations.ts'

const payment = {
  type: 'payment',
  description: 'Pay somebody',
  members: [
    { name: 'amount', label: 'Amount', kind: 'STRING', required: true },
    { name: 'to', label: 'To', kind: 'STRING', required: true },
  ],
}
const pay = { type: 'payment', amount: '30.00 EUR', to: '<b>Ada</b>' }
const balance = { type: 'balance' }
const inWords = [
  {
    description: 'Pay somebody',
    lines: [
      { label: 'Amount', value: '30.00 EUR' },
      { label: 'To', value: '<b>Ada</b>' },
    ],
  },
  { description: 'See your balance', lines: [] },
]
const root = await authority('Root')
const held = await certificate({ issuer: root })
const certified = { 'client-cert': `:${held.certificate.raw.toString('base64')}:` }

suite('polled grants', () => {
  let world: TestWorld
  let stile: Stile
  before(async () => {
    world = testWorld()
    const proxy = { STILE_TRUSTED_PROXIES: '127.0.0.1', STILE_CLIENT_CERTIFICATE_HEADER: 'Client-Cert' }
    stile = await startStile({ world, environment: { ...proxy, STILE_CLIENT_CERTIFICATE_AUTHORITIES: root.cert } })
    const types = [payment, { type: 'balance', description: 'See your balance' }]
    expectStatus(
      await stile.api('PUT', '/settings', { signingAlgorithm: 'ES256', authorizationDetailsTypes: types }),
      200,
    )
  })
  after(() => stile.close())

  async function reachable(): Promise<Reachable> {
    const email = `${randomUUID()}@example.com`
    return { ...(await person(stile, { email })), email }
  }
  /** What a client polls with, once somebody has approved. */
  type More = Readonly<Record<string, string>>
  const byDevice = async (client: Registered, more: More = {}, browser = new Browser(stile)) => {
    const device = await newDevice(stile, client, more)
    await approve(browser, device, await person(stile))
    return device.device_code
  }
  const byLink = async (client: Registered, more: More = {}, browser = new Browser(stile)) => {
    const who = await reachable()
    const { auth_req_id } = await ask(stile, client, { login_hint: who.username, ...more })
    const flowId = await follow(browser, who)
    assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
    await decideOn(browser, flowId, true)
    return auth_req_id
  }

  /** Both of them: how a client is registered, and how it comes to its tokens. */
  const kinds = [
    { name: 'device_code', fixture: tv, approved: byDevice, polls: poll, asks: askForCodes },
    {
      name: 'ciba',
      fixture: bank,
      approved: byLink,
      polls: pollFor,
      asks: (_: Stile, client: Registered, more: Readonly<Record<string, string>> = {}) =>
        askFor(stile, client, { login_hint: 'nobody', ...more }),
    },
  ]

  for (const { name, fixture, approved, polls, asks } of kinds) {
    suite(name, () => {
      const refreshing = { ...fixture, grantTypes: [...fixture.grantTypes, 'REFRESH_TOKEN'] }
      const detailing = { ...refreshing, requireConsent: true, authorizationDetailsTypes: ['payment', 'balance'] }

      test('refresh tokens, where the application has the grant type', async () => {
        const client = await register(stile, refreshing)
        const code = await approved(client, { scope: 'openid offline_access profile' })
        const first = expectStatus(await polls(stile, client, code), 200)
        assert.equal(first.scope, 'openid profile', 'offline_access was not granted to the application')
        // Asked for and not granted is no scope beyond the grant.
        const scope = 'openid offline_access'
        const next = expectStatus(await refreshTokens(stile, client, first.refresh_token, { scope }), 200)
        assert.equal(next.scope, 'openid')
        assert.ok(await isLive(stile, next.access_token))
        assert.equal(decodeJwt(next.id_token).sub, decodeJwt(first.id_token).sub)
        const refused = await refreshTokens(stile, client, next.refresh_token, { scope: 'email' })
        expectRefusal(refused, 'invalid_scope')

        const without = await register(stile, fixture, ['offline_access'])
        const tokens = expectStatus(
          await polls(stile, without, await approved(without, { scope: 'openid offline_access' })),
          200,
        )
        assert.deepEqual([tokens.scope, tokens.refresh_token], ['openid', undefined])
      })

      test('offline_access: who may ask for it gets one by asking, and only then', async () => {
        const client = await register(stile, refreshing, ['profile', 'offline_access'])
        const online = expectStatus(await polls(stile, client, await approved(client)), 200)
        assert.equal(online.refresh_token, undefined)
        const browser = new Browser(stile)
        const code = await approved(client, { scope: 'openid offline_access' }, browser)
        const offline = expectStatus(await polls(stile, client, code), 200)
        assert.equal(offline.scope, 'openid offline_access')
        const signOff = await browser.send(`/${stile.environmentId}/as/signoff?id_token_hint=${offline.id_token}`)
        assert.ok(signOff.status < 400, signOff.text)
        const { sub } = decodeJwt(offline.id_token)
        assert.deepEqual(await rows(stile, 'sessions', 'user_id = $2', String(sub)), [])
        expectStatus(await refreshTokens(stile, client, offline.refresh_token), 200)
      })

      test('resources: those of the request, each token for those that are named', async () => {
        const client = await register(stile, { ...fixture, requestScopesForMultipleResourcesEnabled: true })
        const audiences = [`https://${randomUUID()}.test`, `https://${randomUUID()}.test`] as const
        for (const audience of audiences) {
          const resource = await customResource(stile, { audience }, ['read'])
          await grant(stile, client.clientId, resource.id, [resource.scope('read')])
        }
        const code = await approved(client, { scope: 'openid read', resource: audiences[1] })
        expectRefusal(await polls(stile, client, code, { resource: audiences[0] }), 'invalid_target')
        const tokens = expectStatus(await polls(stile, client, code, { resource: audiences[1] }), 200)
        assert.deepEqual([decodeJwt(tokens.access_token)['aud']].flat(), [audiences[1]])
        expectRefusal(await asks(stile, client, { scope: 'openid', resource: 'https://x.test' }), 'invalid_target')
      })

      test('RFC 9396: details come with the tokens, whole or as the poll names them', async () => {
        const client = await register(stile, detailing)
        const authorization_details = JSON.stringify([pay, balance])
        const whole = expectStatus(await polls(stile, client, await approved(client, { authorization_details })), 200)
        assert.deepEqual(whole.authorization_details, [pay, balance])
        assert.deepEqual(decodeJwt(whole.access_token)['authorization_details'], [pay, balance])
        const refreshed = expectStatus(await refreshTokens(stile, client, whole.refresh_token), 200)
        assert.deepEqual(refreshed.authorization_details, [pay, balance])

        const code = await approved(client, { authorization_details })
        const beyond = JSON.stringify([{ ...pay, amount: '9999.00 EUR' }])
        const refused = await polls(stile, client, code, { authorization_details: beyond })
        expectRefusal(refused, 'invalid_authorization_details')
        const part = { authorization_details: JSON.stringify([balance]) }
        assert.deepEqual(expectStatus(await polls(stile, client, code, part), 200).authorization_details, [balance])

        const plain = expectStatus(await polls(stile, client, await approved(client)), 200)
        assert.equal('authorization_details' in plain, false)
      })

      test('RFC 9396: what is unknown, not allowed or not as declared is refused at once', async () => {
        const client = await register(stile, { ...detailing, authorizationDetailsTypes: ['balance'] })
        const other = await register(stile, fixture)
        const table: readonly (readonly [Registered, unknown])[] = [
          [client, [pay]],
          [client, [{ type: 'x' }]],
          [client, [{ ...balance, more: 1 }]],
          [client, balance],
          [client, []],
          [other, [balance]],
        ]
        for (const [who, details] of table) {
          const answer = await asks(stile, who, { authorization_details: JSON.stringify(details) })
          expectRefusal(answer, 'invalid_authorization_details')
        }
      })
    })
  }

  /** A policy that an app satisfies. */
  async function policyOfApps(): Promise<Policy> {
    const push = { enabled: true, numberMatching: { enabled: false } }
    const id = await newDevicePolicy(stile, { mobile: mobilePolicy({ id: await mobileApplicationOf(stile), push }) })
    return newPolicy(stile, { type: 'MULTI_FACTOR_AUTHENTICATION', deviceAuthenticationPolicy: { id } })
  }

  suite('details are shown to whoever approves', () => {
    const authorization_details = JSON.stringify([pay, balance])
    const detailing = { requireConsent: true, authorizationDetailsTypes: ['payment', 'balance'] }
    /** On the page and in the API. */
    async function shownIn(browser: Browser, flowId: string): Promise<void> {
      const { text } = await browser.send(pageOf(browser, flowId))
      for (const part of ['Pay somebody', 'Amount', '30.00 EUR', 'See your balance', '&lt;b&gt;Ada&lt;/b&gt;']) {
        assert.ok(text.includes(part), part)
      }
      assert.deepEqual(expectStatus(await browser.flow(flowId), 200)._embedded.authorizationDetails, inWords)
    }

    test('of a device', async () => {
      const client = await register(stile, { ...tv, ...detailing })
      const device = await newDevice(stile, client, { authorization_details })
      const browser = new Browser(stile)
      const flowId = await comeToTheQuestion(browser, device, await person(stile))
      await shownIn(browser, flowId)
      assert.equal((await decide(browser, flowId, true)).status, 200)
    })

    test('by the link', async () => {
      const client = await register(stile, { ...bank, ...detailing })
      const who = await reachable()
      await ask(stile, client, { login_hint: who.username, authorization_details })
      const browser = new Browser(stile)
      const flowId = await follow(browser, who)
      assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
      await shownIn(browser, flowId)
    })

    test('in the app, whose answer grants them', async () => {
      const client = await register(stile, { ...bank, ...detailing })
      await assign(stile, client.clientId, await policyOfApps())
      const who = await reachable()
      await enableMfa(stile, who)
      const app = await addMobileApp(stile, who)
      const { auth_req_id } = await ask(stile, client, { login_hint: who.username, authorization_details })
      await inboxOf(stile, who.email)
      const [request] = await app.requests()
      assert.ok(request)
      assert.deepEqual(request.authorizationDetails, inWords)
      assert.equal((await app.answer(request, 'APPROVE')).status, 204)
      const tokens = expectStatus(await pollFor(stile, client, auth_req_id), 200)
      assert.deepEqual(tokens.authorization_details, [pay, balance])
    })
  })

  suite('H08: a client that has registered itself is said to have done so', () => {
    const warning = /Lantern TV has registered itself.*What you allow goes to another device or to a service/
    async function selfRegistered(grant_types: readonly string[]): Promise<Registered> {
      await policy(stile, {
        mode: 'OPEN',
        perNetworkAddress: { count: 1000, seconds: 60 },
        grantTypes: ['DEVICE_CODE', 'CIBA'],
        grants: [await openidGrant(stile)],
      })
      const client = await registered(stile, { client_name: 'Lantern TV', grant_types })
      return { clientId: client.client_id, clientSecret: client.client_secret, redirectUri: '' }
    }

    test('on the pages of a device', async () => {
      const client = await selfRegistered(['urn:ietf:params:oauth:grant-type:device_code'])
      const device = await newDevice(stile, client)
      const browser = new Browser(stile)
      const flowId = await comeToTheQuestion(browser, device, await person(stile))
      assert.match((await browser.send(pageOf(browser, flowId))).text, warning)
    })

    test('by the link, since no app says it', async () => {
      const client = await selfRegistered(['urn:openid:params:grant-type:ciba'])
      await assign(stile, client.clientId, await policyOfApps(), await newPolicy(stile, { type: 'LOGIN' }))
      const who = await reachable()
      await enableMfa(stile, who)
      const app = await addMobileApp(stile, who)
      await ask(stile, client, { login_hint: who.username })
      const browser = new Browser(stile)
      const flowId = await follow(browser, who)
      assert.deepEqual(await app.requests(), [])
      assert.match((await browser.send(pageOf(browser, flowId))).text, warning)
    })
  })

  test('D24: the tokens of a device are bound to the key it polls with, and so are the refresh tokens of a public one', async () => {
    const grantTypes = ['DEVICE_CODE', 'REFRESH_TOKEN']
    const client = await register(stile, { ...tv, grantTypes, dpopBoundAccessTokens: true })
    const key = clientKey()
    const code = await byDevice(client)
    expectRefusal(await poll(stile, client, code), 'invalid_dpop_proof')
    const proof = { dpop: await proofOf(stile, key) }
    const tokens = expectStatus(await poll(stile, client, code, {}, proof), 200)
    assert.equal(tokens.token_type, 'DPoP')
    assert.deepEqual(decodeJwt(tokens.access_token)['cnf'], { jkt: await thumbprintOf(key) })
    const refresh = (by: typeof key) => async () =>
      stile.send(`/${stile.environmentId}/as/token`, {
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: tokens.refresh_token,
          client_id: client.clientId,
        }),
        headers: { dpop: await proofOf(stile, by) },
      })
    assert.equal(expectStatus(await refresh(key)(), 200).token_type, 'DPoP')
    expectRefusal(await refresh(clientKey())(), 'invalid_grant')
  })

  suite('FAPI-CIBA', () => {
    const keys = newKeys()
    const request = (client: Registered, more: object = {}) =>
      clientJwt(
        { ...claimsFor(stile, client, world.now()), scope: 'openid', login_hint: 'nobody', ...more },
        keys.privateKey,
      )

    test('an application that demands signed requests has to sign here too', async () => {
      const client = await register(stile, { ...bank, jwks: keys.jwks, requireSignedRequestObject: true })
      expectRefusal(await askFor(stile, client, { login_hint: 'nobody' }), 'invalid_request')
      expectStatus(await askFor(stile, client, { request: request(client) }), 200)
    })

    test('by a certificate: signed, with what tells it from another request, and bound tokens', async () => {
      const client = await register(stile, {
        ...bank,
        jwks: keys.jwks,
        fapiProfile: 'FAPI_2_0_SECURITY',
        tokenEndpointAuthMethod: 'TLS_CLIENT_AUTH',
        tlsClientAuthSubjectDn: 'CN=client,O=Example,C=DE',
      })
      const post = (endpoint: string, form: Readonly<Record<string, string>>): Promise<Answer> =>
        stile.send(`/${stile.environmentId}/as/${endpoint}`, {
          body: new URLSearchParams({ client_id: client.clientId, ...form }),
          headers: certified,
        })
      const binding_message = 'Order 42'
      const unsigned = { scope: 'openid', login_hint: 'nobody', binding_message }
      expectRefusal(await post('cibaAuthorization', unsigned), 'invalid_request')
      expectRefusal(await post('cibaAuthorization', { request: request(client) }), 'invalid_request')
      const who = await reachable()
      const signed = { request: request(client, { login_hint: who.username, binding_message }) }
      const { auth_req_id } = expectStatus(await post('cibaAuthorization', signed), 200)
      const browser = new Browser(stile)
      const flowId = await follow(browser, who)
      assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
      await decideOn(browser, flowId, true)
      const polled = { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id }
      const tokens = expectStatus(await post('token', polled), 200)
      const { 'x5t#S256': thumbprint } = decodeJwt(tokens.access_token)['cnf'] as Readonly<Record<string, string>>
      assert.ok(thumbprint)
    })

    test('by an assertion, and by the algorithms of the profile alone', async () => {
      const [fine, weak] = [clientKey('ES256'), clientKey('RS256')]
      const client = await register(stile, {
        ...bank,
        jwks: keySet(fine, weak),
        requireConsent: true,
        authorizationDetailsTypes: ['balance'],
        fapiProfile: 'FAPI_2_0_SECURITY',
        tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT',
      })
      const post = async (by: typeof fine, claims: object) => {
        const said = { ...claimsFor(stile, client, world.now()), scope: 'openid', login_hint: 'nobody', ...claims }
        return stile.send(`/${stile.environmentId}/as/bc-authorize`, {
          body: new URLSearchParams({
            client_assertion_type: assertionType,
            client_assertion: await assertion(stile, client.clientId, fine),
            request: await assertion(stile, client.clientId, by, { sub: undefined, ...said }),
          }),
        })
      }
      expectStatus(await post(fine, { binding_message: 'Order 42' }), 200)
      expectRefusal(await post(weak, { binding_message: 'Order 42' }), 'invalid_request')
      expectRefusal(await post(fine, {}), 'invalid_request')
      expectStatus(await post(fine, { authorization_details: [balance] }), 200)
      expectRefusal(await post(fine, { authorization_details: [pay] }), 'invalid_authorization_details')
    })
  })
})
