/**
 * What an authorization request may ask for: rows A28-A30. A29 as far as it goes: there is no MFA and no consent; with a
 * session that is not enough, see `authorize-session.test.ts`.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { authorizeBySignOnPage, codeRequest, flowOf, told } from './journeys.ts'
import { expectStatus, type Registered, register, rowsOf, spa } from './registrations.ts'

suite('what an authorization request may ask for', () => {
  let stile: Stile
  let app: Registered
  let singlePage: Registered
  before(async () => {
    stile = await startStile()
    app = await register(stile)
    singlePage = await register(stile, { ...spa, redirectUris: ['https://spa.test/cb'] })
  })
  after(() => stile.close())

  const authorize = (parameters: Readonly<Record<string, string>>) => new Browser(stile).authorize(parameters)

  /** Runs requests of which none may leave anything behind. */
  async function nothingIsMade(run: () => Promise<void>): Promise<void> {
    const count = async () => [
      await rowsOf(stile, 'flows'),
      await rowsOf(stile, 'authorization_codes'),
      await rowsOf(stile, 'token_families'),
    ]
    const earlier = await count()
    await run()
    assert.deepEqual(await count(), earlier)
  }

  test('A28: a scope that was not granted never reaches a token', async () => {
    const modest = await register(stile, spa, ['profile'])
    const request = { response_type: 'token', scope: 'openid profile email p1:read:user openid nobody-has-this' }
    const parts = told(await authorizeBySignOnPage(new Browser(stile), codeRequest(modest, request)))
    assert.equal(parts.get('scope'), 'openid profile')
    assert.equal(decodeJwt(parts.get('access_token') ?? '')['scope'], 'openid profile')
  })

  test('A28: non-ASCII, quotes, and ten thousand scopes are refused, at once', async () => {
    for (const scope of ['openid pröfile', 'openid "profile"', 'openid \\', 'openid\u00a0profile']) {
      assert.equal(told(await authorize(codeRequest(app, { scope }))).get('error'), 'invalid_scope', scope)
    }
    const body = new URLSearchParams(
      codeRequest(app, { scope: Array.from({ length: 10_000 }, (_, at) => `s${at}`).join(' ') }),
    )
    const durations: number[] = []
    for (let run = 0; run < 5; run++) {
      const started = performance.now()
      const answer = await stile.send(`/${stile.environmentId}/as/authorize`, { body })
      durations.push(performance.now() - started)
      assert.equal(told(answer).get('error'), 'invalid_scope')
    }
    assert.ok(Math.min(...durations) < 50, `${durations}`)
  })

  test('A29: prompt=none never interacts and never gives a code to nobody', () =>
    nothingIsMade(async () => {
      assert.equal(told(await authorize(codeRequest(app, { prompt: 'none' }))).get('error'), 'login_required')
      const implicit = { response_type: 'token id_token', nonce: 'n', prompt: 'none' }
      const inFragment = await authorize(codeRequest(singlePage, implicit))
      assert.match(inFragment.headers.get('location') ?? '', /^https:\/\/spa\.test\/cb#error=login_required&/)
      const foreign = new Browser(stile)
      foreign.cookie = `ST=${randomUUID()}`
      assert.equal(told(await foreign.authorize(codeRequest(app, { prompt: 'none' }))).get('error'), 'login_required')
      const inJson = expectStatus(await authorize(piFlowRequest(stile, pkce().challenge, { prompt: 'none' })), 400)
      assert.equal(inJson.details[0].code, 'LOGIN_REQUIRED')
    }))

  test('A30: prompt=none stands alone', async () => {
    for (const prompt of ['none login', 'login none', 'none consent', 'none none']) {
      assert.equal(told(await authorize(codeRequest(app, { prompt }))).get('error'), 'invalid_request', prompt)
    }
    flowOf(await authorize(codeRequest(app, { prompt: 'consent' })))
    flowOf(await authorize(codeRequest(app, { prompt: 'login consent' })))
  })
})
