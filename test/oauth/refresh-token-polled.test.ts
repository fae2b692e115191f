/**
 * Refresh tokens of grants that are polled for: they live as those of a code do. RFC 8628 section 3.5, OpenID CIBA Core
 * section 10.1.1, platform-api 3.7 (REFRESH_TOKEN without AUTHORIZATION_CODE).
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { Browser } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { ask, bank, decideOn, follow, pollFor, type Reachable } from './backchannel-journeys.ts'
import { approve, newDevice, poll, tv } from './device-journeys.ts'
import { expectRefusal, isLive, refreshTokens, submitSignOnPage } from './journeys.ts'
import { expectStatus, person, type Registered, register } from './registrations.ts'

interface Tokens {
  readonly access_token: string
  readonly refresh_token?: string
  readonly id_token: string
  readonly scope: string
}

type Obtain = (
  client: Registered,
  scope: string,
  browser: Browser,
  who: Reachable,
  isSignedOn?: boolean,
) => Promise<Tokens>

suite('refresh tokens of polled grants', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const byDevice: Obtain = async (client, scope, browser, who, isSignedOn) => {
    const device = await newDevice(stile, client, { scope })
    await approve(browser, device, isSignedOn ? undefined : who)
    return expectStatus(await poll(stile, client, device.device_code), 200) as Tokens
  }
  const byLink: Obtain = async (client, scope, browser, who, isSignedOn) => {
    const asked = await ask(stile, client, { scope, login_hint: who.username })
    const flowId = await follow(browser, who)
    if (!isSignedOn) assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
    await decideOn(browser, flowId, true)
    return expectStatus(await pollFor(stile, client, asked.auth_req_id), 200) as Tokens
  }

  for (const [grantType, application, obtain] of [
    ['DEVICE_CODE', tv, byDevice],
    ['CIBA', bank, byLink],
  ] as const) {
    const refreshing = { ...application, grantTypes: [grantType, 'REFRESH_TOKEN'] }
    const reachable = async () => {
      const email = `${randomUUID()}@example.com`
      return { ...(await person(stile, { email })), email }
    }
    const renewed = async (client: Registered, token = '', more: Readonly<Record<string, string>> = {}) =>
      expectStatus(await refreshTokens(stile, client, token, more), 200) as Tokens

    test(`${grantType}: with the grant type only, once each, for no more than was granted`, async () => {
      const who = await reachable()
      const withoutGrantType = await register(stile, application, ['profile', 'offline_access'])
      const plain = await obtain(withoutGrantType, 'openid offline_access', new Browser(stile), who)
      assert.deepEqual([plain.refresh_token, plain.scope], [undefined, 'openid'])

      const client = await register(stile, refreshing)
      const first = await obtain(client, 'openid profile nothing', new Browser(stile), who)
      assert.equal(first.scope, 'openid profile')
      const next = await renewed(client, first.refresh_token, { scope: 'openid nothing' })
      assert.equal(next.scope, 'openid')
      assert.ok(await isLive(stile, next.access_token))
      expectRefusal(await refreshTokens(stile, client, next.refresh_token ?? '', { scope: 'email' }), 'invalid_scope')

      const settled = await renewed(client, next.refresh_token)
      expectRefusal(await refreshTokens(stile, client, first.refresh_token ?? ''), 'invalid_grant')
      expectRefusal(await refreshTokens(stile, client, settled.refresh_token ?? ''), 'invalid_grant')
      assert.equal(await isLive(stile, settled.access_token), false, 'a replay ends all of the grant')
    })

    test(`${grantType}: each that is approved in a session has its own`, async () => {
      const who = await reachable()
      const client = await register(stile, refreshing, ['profile'])
      const browser = new Browser(stile)
      const first = await obtain(client, 'openid profile', browser, who)
      const second = await obtain(client, 'openid profile', browser, who, true)
      for (const { refresh_token: token } of [first, second]) await renewed(client, token)
    })

    test(`${grantType}: they end with the session, except with offline_access`, async () => {
      const who = await reachable()
      const client = await register(stile, refreshing, ['profile'])
      const offline = await register(stile, refreshing, ['offline_access'])
      const browsers = [new Browser(stile), new Browser(stile)] as const
      const ofSession = await obtain(client, 'openid profile', browsers[0], who)
      const outliving = await obtain(offline, 'openid offline_access', browsers[1], who)
      for (const [at, { id_token: hint }] of [ofSession, outliving].entries()) {
        const signOff = `/${stile.environmentId}/as/signoff?${new URLSearchParams({ id_token_hint: hint })}`
        const answer = await browsers[at]?.send(signOff)
        assert.match(answer?.headers.get('location') ?? '', /\/signedOff/)
      }
      expectRefusal(await refreshTokens(stile, client, ofSession.refresh_token ?? ''), 'invalid_grant')
      const next = await renewed(offline, outliving.refresh_token)
      assert.ok(await isLive(stile, next.access_token))
    })
  }
})
