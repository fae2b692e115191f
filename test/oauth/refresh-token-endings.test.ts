/**
 * A refresh token dies with what it stands on: rows E07-E09, E28 and B20, with one that is offline beside it (OpenID Connect
 * Core section 11). One node, whose clock the tests move.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  authorizeBySignOnPage,
  codeOf,
  codeRequest,
  expectRefusal,
  flowOf,
  isLive,
  obtainCode,
  redeemCode,
  refreshTokens,
  submitSignOnPage,
} from './journeys.ts'
import {
  builtInResource,
  change,
  customResource,
  expectStatus,
  grant,
  otherEnvironment,
  type Person,
  person,
  type Registered,
  register,
  setPassword,
  web,
} from './registrations.ts'

const refreshing = { ...web, grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'] }
const offlineScope = 'openid profile offline_access'

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly scope: string
}

suite('a refresh token dies with what it stands on', () => {
  let world: TestWorld
  let stile: Stile
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
  })
  after(() => stile.close())

  const vendor = (operation: string) => ({ mediaType: `application/vnd.pingidentity.${operation}+json` })
  const ok = async (answer: Promise<Answer>) => assert.ok((await answer).status < 300, (await answer).text)
  async function pass(seconds: number): Promise<void> {
    world.advance(seconds * 1000)
    await stile.node.kernel.environments.poll()
  }

  /** Somebody with tokens of an application: of their session, and offline. */
  interface Holder {
    readonly who: Person
    readonly browser: Browser
    readonly client: Registered
    readonly tokens: Tokens
    readonly offlineClient: Registered
    readonly offline: Tokens
  }
  async function holder(members: object = {}): Promise<Holder> {
    const who = await person(stile, { email: `${randomUUID()}@example.com` })
    const browser = new Browser(stile)
    const client = await register(stile, { ...refreshing, ...members })
    const offlineClient = await register(stile, { ...refreshing, ...members }, ['profile', 'offline_access'])
    const tokensFor = async (app: Registered, scope: string) => {
      const code = await obtainCode(browser, codeRequest(app, { scope }), who)
      return expectStatus(await redeemCode(stile, app, code), 200) as Tokens
    }
    const tokens = await tokensFor(client, 'openid profile')
    return { who, browser, client, tokens, offlineClient, offline: await tokensFor(offlineClient, offlineScope) }
  }
  const renewed = async (client: Registered, { refresh_token }: Tokens) =>
    expectStatus(await refreshTokens(stile, client, refresh_token), 200) as Tokens
  const sessionOf = ({ tokens }: Holder) => decodeJwt(tokens.access_token)['sid'] as string
  /** Adds a device that takes passcodes by e-mail. */
  async function deviceOf({ id }: Person): Promise<string> {
    const body = { type: 'EMAIL', email: `${randomUUID()}@example.com`, status: 'ACTIVE' }
    return expectStatus(await stile.api('POST', `/users/${id}/devices`, body), 201).id as string
  }

  /** What happens, what becomes of tokens of the session and of those that are offline. */
  type Ending = readonly [what: string, session: string, offline: string, end: (held: Holder) => Promise<unknown>]
  const refused = 'invalid_grant'
  const endings: readonly Ending[] = [
    [
      'the user is disabled',
      refused,
      refused,
      ({ who }) => ok(stile.api('PUT', `/users/${who.id}/enabled`, { enabled: false })),
    ],
    ['the user is deleted', refused, refused, ({ who }) => ok(stile.api('DELETE', `/users/${who.id}`))],
    [
      'the user is locked',
      refused,
      refused,
      ({ who }) => ok(stile.api('POST', `/users/${who.id}`, {}, vendor('account.lock'))),
    ],
    [
      'an administrator sets the password',
      refused,
      refused,
      ({ who }) => setPassword(stile, who.id, 'Nine-Purple-Tigers-88'),
    ],
    [
      'the user changes the password in a flow',
      refused,
      refused,
      async ({ who: { id, username, password } }) => {
        await ok(stile.api('POST', `/users/${id}/password`, {}, vendor('password.forceChange')))
        const elsewhere = new Browser(stile)
        const flow = expectStatus(await elsewhere.authorize(piFlowRequest(stile, pkce().challenge)), 200)
        await ok(elsewhere.act(flow.id, 'usernamePassword.check', { username, password }))
        const passwords = { currentPassword: password, newPassword: 'Nine-Purple-Tigers-88' }
        await ok(elsewhere.act(flow.id, 'password.reset', passwords))
      },
    ],
    [
      'MFA is switched',
      refused,
      refused,
      ({ who }) => ok(stile.api('PUT', `/users/${who.id}/mfaEnabled`, { mfaEnabled: true })),
    ],
    [
      'a device of the user is removed',
      refused,
      refused,
      async ({ who }) => ok(stile.api('DELETE', `/users/${who.id}/devices/${await deviceOf(who)}`)),
    ],
    [
      'a device of the user is blocked',
      refused,
      refused,
      async ({ who }) =>
        ok(stile.api('POST', `/users/${who.id}/devices/${await deviceOf(who)}`, {}, vendor('device.block'))),
    ],
    [
      'I20: the session is ended by an administrator',
      refused,
      refused,
      (held) => ok(stile.api('DELETE', `/users/${held.who.id}/sessions/${sessionOf(held)}`)),
    ],
    [
      'E28: somebody else signs on in that browser, which ends the session',
      refused,
      'good',
      async ({ browser, client }) => {
        await authorizeBySignOnPage(browser, codeRequest(client, { prompt: 'login' }), await person(stile))
      },
    ],
    [
      'the application is disabled',
      'invalid_client',
      'invalid_client',
      async ({ client, offlineClient }) => {
        for (const { clientId } of [client, offlineClient]) await change(stile, clientId, { enabled: false })
      },
    ],
    [
      'the application is deleted',
      'invalid_client',
      'invalid_client',
      async ({ client, offlineClient }) => {
        for (const { clientId } of [client, offlineClient]) await ok(stile.api('DELETE', `/applications/${clientId}`))
      },
    ],
    [
      'the grant type is taken from the application',
      'unauthorized_client',
      'unauthorized_client',
      async ({ client, offlineClient }) => {
        const grantTypes = ['AUTHORIZATION_CODE']
        for (const { clientId } of [client, offlineClient]) await change(stile, clientId, { grantTypes })
      },
    ],
  ]
  for (const [what, session, offline, end] of endings) {
    test(`E08: ${what}`, async () => {
      const held = await holder()
      const present = {
        session: await renewed(held.client, held.tokens),
        offline: await renewed(held.offlineClient, held.offline),
      }
      world.advance(1)
      await end(held)
      expectRefusal(await refreshTokens(stile, held.client, present.session.refresh_token), session)
      const last = await refreshTokens(stile, held.offlineClient, present.offline.refresh_token)
      if (offline === 'good') {
        assert.equal(await isLive(stile, (expectStatus(last, 200) as Tokens).access_token), true)
        assert.equal(await isLive(stile, present.offline.access_token), true, 'row E28')
        assert.equal(await isLive(stile, present.session.access_token), false)
      } else expectRefusal(last, offline)
    })
  }

  test('E08: a lock that ends by itself lets the user go on', async () => {
    const { who, client, tokens } = await holder()
    await ok(stile.api('POST', `/users/${who.id}`, {}, vendor('account.lock')))
    expectRefusal(await refreshTokens(stile, client, tokens.refresh_token), 'invalid_grant')
    await ok(stile.api('POST', `/users/${who.id}`, {}, vendor('account.unlock')))
    await renewed(client, tokens)
  })

  test('E08: the environment is deleted', async () => {
    const other = await otherEnvironment(stile)
    const client = await register(other, refreshing, [])
    expectStatus(await stile.api('DELETE', `/v1/environments/${other.environmentId}`), 204)
    assert.equal((await refreshTokens(other, client, 'x', {}, other.environmentId)).status, 404)
  })

  test('E08: the consent is withdrawn, and a new one brings nothing back', async () => {
    const who = await person(stile)
    const browser = new Browser(stile)
    const client = await register(stile, { ...refreshing, requireConsent: true }, ['profile', 'offline_access'])
    const page = (flowId: string) => `/${stile.environmentId}/signon/?flowId=${flowId}`
    const own = { origin: stile.authUrl, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }
    const consented = async () => {
      const flowId = flowOf(await browser.authorize(codeRequest(client, { scope: offlineScope, prompt: 'login' })))
      await submitSignOnPage(browser, flowId, who)
      const shown = await browser.send(page(flowId))
      if (/Do you allow this/.test(shown.text)) {
        assert.match(shown.text, /Keep this access after you have signed off/)
        const body = new URLSearchParams({ action: 'oauth.consent', accept: 'true' })
        assert.equal((await browser.send(page(flowId), { body, headers: own })).status, 303)
      }
      return expectStatus(await redeemCode(stile, client, codeOf(await browser.resume(flowId))), 200) as Tokens
    }
    const first = await renewed(client, await consented())
    const [consent] = expectStatus(await stile.api('GET', `/users/${who.id}/oauthConsents`), 200)._embedded
      .oauthConsents
    expectStatus(await stile.api('DELETE', `/users/${who.id}/oauthConsents/${consent.id}`), 204)
    expectRefusal(await refreshTokens(stile, client, first.refresh_token), 'invalid_grant')
    const second = await consented()
    expectRefusal(await refreshTokens(stile, client, first.refresh_token), 'invalid_grant')
    await renewed(client, second)
  })

  test('E07: a scope that is taken from the application is missing from the next access token', async () => {
    const orders = await customResource(stile, { audience: `https://${randomUUID()}.test` }, ['e07:read', 'e07:write'])
    const client = await register(stile, refreshing, [])
    await grant(stile, client.clientId, orders.id, [orders.scope('e07:read'), orders.scope('e07:write')])
    const scope = 'openid e07:read e07:write'
    const code = await obtainCode(new Browser(stile), codeRequest(client, { scope }))
    const tokens = expectStatus(await redeemCode(stile, client, code), 200) as Tokens
    assert.equal(tokens.scope, scope)
    expectStatus(await stile.api('DELETE', `/resources/${orders.id}/scopes/${orders.scope('e07:write')}`), 204)
    const fewer = await renewed(client, tokens)
    assert.equal(fewer.scope, 'openid e07:read')
    expectStatus(await stile.api('DELETE', `/resources/${orders.id}`), 204)
    assert.equal((await renewed(client, fewer)).scope, 'openid')
  })

  test('E07: offline_access is taken from the application', async () => {
    const { offlineClient, offline } = await holder()
    const { _embedded } = expectStatus(await stile.api('GET', `/applications/${offlineClient.clientId}/grants`), 200)
    const [{ id, resource }] = _embedded.grants
    const profile = (await builtInResource(stile, 'OPENID_CONNECT')).scope('profile')
    const body = { resource: { id: resource.id }, scopes: [{ id: profile }] }
    expectStatus(await stile.api('PUT', `/applications/${offlineClient.clientId}/grants/${id}`, body), 200)
    expectRefusal(await refreshTokens(stile, offlineClient, offline.refresh_token), 'invalid_grant')
  })

  test('E07: the user leaves the group that the application is for, or is no administrator any more', async () => {
    const group = expectStatus(await stile.api('POST', '/groups', { name: `Group ${randomUUID()}` }), 201)
    const forGroup = { accessControl: { group: { type: 'ANY_GROUP', groups: [{ id: group.id }] } } }
    const who = await person(stile)
    expectStatus(await stile.api('POST', `/users/${who.id}/memberOfGroups`, { id: group.id }), 201)
    const roles = expectStatus(await stile.api('GET', '/v1/roles'), 200)._embedded.roles
    const role = roles.find(({ name }: { name: string }) => name === 'Identity Data Read Only')
    const assignment = { role: { id: role.id }, scope: { type: 'ENVIRONMENT', id: stile.environmentId } }
    const assigned = expectStatus(await stile.api('POST', `/users/${who.id}/roleAssignments`, assignment), 201)
    const cases: readonly [object, () => Promise<Answer>][] = [
      [forGroup, () => stile.api('DELETE', `/users/${who.id}/memberOfGroups/${group.id}`)],
      [
        { accessControl: { role: { type: 'ADMIN_USERS_ONLY' } } },
        () => stile.api('DELETE', `/users/${who.id}/roleAssignments/${assigned.id}`),
      ],
    ]
    for (const [members, leave] of cases) {
      const client = await register(stile, { ...refreshing, ...members })
      const code = await obtainCode(new Browser(stile), codeRequest(client), who)
      const tokens = await renewed(client, expectStatus(await redeemCode(stile, client, code), 200))
      expectStatus(await leave(), 204)
      expectRefusal(await refreshTokens(stile, client, tokens.refresh_token), 'invalid_grant')
    }
  })

  suite('E09: time', () => {
    const short = { refreshTokenDuration: 600, refreshTokenRollingDuration: 1200 }

    test('a token that lies idle for longer than its duration', async () => {
      const { client, tokens, offlineClient, offline } = await holder(short)
      await pass(599)
      const [again, offlineAgain] = [await renewed(client, tokens), await renewed(offlineClient, offline)]
      await pass(600)
      expectRefusal(await refreshTokens(stile, client, again.refresh_token), 'invalid_grant')
      expectRefusal(await refreshTokens(stile, offlineClient, offlineAgain.refresh_token), 'invalid_grant')
    })

    test('a chain that is as old as it may get, however often it was used', async () => {
      const { offlineClient, offline } = await holder(short)
      let tokens = offline
      for (let use = 0; use < 3; use++) {
        await pass(399)
        tokens = await renewed(offlineClient, tokens)
      }
      await pass(3)
      expectRefusal(await refreshTokens(stile, offlineClient, tokens.refresh_token), 'invalid_grant')
    })

    test('shorter durations count at once', async () => {
      const { client, tokens } = await holder(short)
      await pass(120)
      await change(stile, client.clientId, { refreshTokenDuration: 60 })
      expectRefusal(await refreshTokens(stile, client, tokens.refresh_token), 'invalid_grant')
    })

    test('B20: a password that changed while the first refresh token was being issued', async () => {
      const held = await holder()
      const changedAt = world.now() + 1000
      await stile.node.kernel.storage.commit({
        name: 'test.change-password',
        *run() {
          yield { text: 'UPDATE passwords SET changed_at = $2 WHERE user_id = $1', values: [held.who.id, changedAt] }
        },
      })
      expectRefusal(await refreshTokens(stile, held.client, held.tokens.refresh_token), 'invalid_grant')
      expectRefusal(await refreshTokens(stile, held.offlineClient, held.offline.refresh_token), 'invalid_grant')
    })

    test('a session that has ended by itself; its use is noted by a refresh, and prolongs nothing (2.7)', async () => {
      const settings = expectStatus(await stile.api('GET', '/settings'), 200)
      expectStatus(await stile.api('PUT', '/settings', { ...settings, sessionIdleMinutes: 10 }), 200)
      const held = await holder()
      const session = async () =>
        expectStatus(await stile.api('GET', `/users/${held.who.id}/sessions/${sessionOf(held)}`), 200)
      const { activeAt, expiresAt } = await session()
      await pass(500)
      const again = await renewed(held.client, held.tokens)
      const later = await session()
      assert.ok(Date.parse(later.activeAt) - Date.parse(activeAt) >= 500_000)
      assert.equal(later.expiresAt, expiresAt)
      await pass(100)
      expectRefusal(await refreshTokens(stile, held.client, again.refresh_token), 'invalid_grant')
      await renewed(held.offlineClient, held.offline)
      expectStatus(await stile.api('PUT', '/settings', settings), 200)
    })
  })

  test('E27: of many offline grants of a user to an application the newest count', async () => {
    const { who, browser, offlineClient, offline } = await holder()
    const newest: Tokens[] = []
    for (let at = 0; at < 100; at++) {
      world.advance(1)
      const code = await obtainCode(browser, codeRequest(offlineClient, { scope: offlineScope }), who)
      newest.push(expectStatus(await redeemCode(stile, offlineClient, code), 200))
    }
    expectRefusal(await refreshTokens(stile, offlineClient, offline.refresh_token), 'invalid_grant')
    assert.equal(await isLive(stile, offline.access_token), true)
    await renewed(offlineClient, newest[0] ?? assert.fail())
    await renewed(offlineClient, newest.at(-1) ?? assert.fail())
  })
})
