/**
 * Refresh tokens over HTTP: who gets them, what they give, and what they are bound to. Security catalogue 1.E, OpenID
 * Connect Core sections 11 and 12, the conformance module
 * `fapi2-security-profile-final-refresh-token`. The race (E02) and the endings (E07-E09) have files of their own.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import type { EventAction } from '../../src/events/catalog.ts'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, basic, type Stile, startStile } from '../harness/stile.ts'
import { type ClientKey, clientKey } from './assertions.ts'
import {
  codeRequest,
  codeRequestWithPkce,
  expectRefusal,
  isLive,
  obtainCode,
  redeemCode,
  refreshTokens,
} from './journeys.ts'
import { proofOf, thumbprintOf } from './proofs.ts'
import {
  builtInResource,
  change,
  customResource,
  expectStatus,
  grant,
  otherEnvironment,
  person,
  type Registered,
  register,
  spa,
  web,
} from './registrations.ts'
import { ordersResource, verifiedClaims } from './token-claims.ts'

/** `web` and `spa` that get refresh tokens. */
const refreshing = { ...web, grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'] }
const publicly = { ...spa, grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'], responseTypes: ['CODE'] }
const withOffline = ['profile', 'email', 'offline_access']

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
  readonly scope: string
}

suite('refresh tokens', () => {
  let world: TestWorld
  let stile: Stile
  let app: Registered
  let singlePage: Registered
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    app = await register(stile, refreshing)
    singlePage = await register(stile, publicly)
  })
  after(() => stile.close())

  async function pass(seconds: number): Promise<void> {
    world.advance(seconds * 1000)
    await stile.node.kernel.environments.poll()
  }

  /** Tokens of a new session. */
  async function granted(
    client: Registered,
    more: Readonly<Record<string, string>> = {},
    browser = new Browser(stile),
  ) {
    const isPublic = client.clientSecret === ''
    const { request, verifier } = codeRequestWithPkce(client, more)
    const code = await obtainCode(browser, isPublic ? request : codeRequest(client, more))
    const answer = await redeemCode(stile, client, code, isPublic ? { code_verifier: verifier } : {})
    return expectStatus(answer, 200) as Tokens
  }
  const renewed = async (client: Registered, token: string, more: Readonly<Record<string, string>> = {}) =>
    expectStatus(await refreshTokens(stile, client, token, more), 200) as Tokens
  const eventsOf = async (action: EventAction, token: string) => {
    const text = 'SELECT result FROM events WHERE environment_id = $1 AND action = $2 AND subject_id = $3'
    const values = [stile.environmentId, action, decodeJwt(token)['p1.gid'] as string]
    return stile.node.kernel.storage.read<{ result: string }>({ text, values })
  }

  suite('who gets one', () => {
    test('applications with the grant type, with every code; and no other', async () => {
      for (const client of [app, singlePage]) {
        for (const scope of ['openid profile', 'profile']) {
          assert.match((await granted(client, { scope })).refresh_token, /^[A-Za-z0-9_-]{71}$/)
        }
      }
      assert.equal((await granted(await register(stile))).refresh_token, undefined)
    })

    test('offline_access: who may ask for it gets one by asking, and only then', async () => {
      const client = await register(stile, refreshing, withOffline)
      assert.equal((await granted(client)).refresh_token, undefined)
      const tokens = await granted(client, { scope: 'openid offline_access' })
      assert.equal(tokens.scope, 'openid offline_access')
      assert.ok(tokens.refresh_token)

      const notGranted = await granted(app, { scope: 'openid offline_access' })
      assert.equal(notGranted.scope, 'openid')
      assert.ok(notGranted.refresh_token)
      const withoutGrantType = await granted(await register(stile, web, withOffline), {
        scope: 'openid offline_access',
      })
      assert.deepEqual([withoutGrantType.scope, withoutGrantType.refresh_token], ['openid', undefined])
    })

    test('tokens from the front channel bring none, and no offline_access (OpenID Connect Core section 11)', async () => {
      const all = { grantTypes: [...spa.grantTypes, 'REFRESH_TOKEN'], responseTypes: spa.responseTypes }
      const client = await register(stile, { ...publicly, ...all }, withOffline)
      const request = { response_type: 'token id_token', nonce: 'n', scope: 'openid offline_access' }
      const browser = new Browser(stile)
      await granted(app, {}, browser)
      const answer = await browser.authorize(codeRequest(client, request))
      const told = new URLSearchParams(new URL(answer.headers.get('location') ?? '').hash.slice(1))
      assert.deepEqual([told.get('scope'), told.get('refresh_token')], ['openid', null])
      assert.ok(told.get('access_token'))
    })

    test('one for each application in a session: the newest (authentication-api 2.7); access tokens stay', async () => {
      const browser = new Browser(stile)
      const older = await granted(app, {}, browser)
      const others = await granted(await register(stile, refreshing), {}, browser)
      const newer = await granted(app, {}, browser)
      expectRefusal(await refreshTokens(stile, app, older.refresh_token), 'invalid_grant')
      assert.equal(await isLive(stile, older.access_token), true)
      assert.equal(await isLive(stile, others.access_token), true)
      await renewed(app, newer.refresh_token)
    })
  })

  suite('what it gives', () => {
    test('new tokens, all of them, with a lifetime and uncached', async () => {
      for (const client of [app, singlePage]) {
        const old = await granted(client)
        const answer = await refreshTokens(stile, client, old.refresh_token)
        const tokens = expectStatus(answer, 200)
        assert.deepEqual(Object.keys(tokens).toSorted(), [
          'access_token',
          'expires_in',
          'id_token',
          'refresh_token',
          'scope',
          'token_type',
        ])
        assert.deepEqual([tokens.token_type, tokens.expires_in, tokens.scope], ['Bearer', 3600, old.scope])
        assert.equal(answer.headers.get('cache-control'), 'no-store')
        for (const member of ['access_token', 'refresh_token'] as const) assert.notEqual(tokens[member], old[member])
        assert.match(tokens.refresh_token, /^[\x20-\x7e]+$/, 'RFC 6749 appendix A.17')
        assert.equal(await isLive(stile, tokens.access_token), true)
        assert.equal(await isLive(stile, old.access_token), true, 'what was issued before stays good')
        assert.deepEqual(await eventsOf('TOKEN.REFRESHED', tokens.access_token), [{ result: 'SUCCESS' }])
      }
    })

    test('OpenID Connect Core 12.2: the ID token says the same of the user, and nothing of a nonce', async () => {
      const old = await granted(app, { nonce: 'n-1', scope: 'openid email' })
      await pass(61)
      const before = decodeJwt(old.id_token)
      const { id_token, access_token } = await renewed(app, (await renewed(app, old.refresh_token)).refresh_token)
      const now = await verifiedClaims(stile, id_token)
      for (const claim of ['iss', 'sub', 'aud', 'auth_time', 'acr', 'amr', 'sid', 'email']) {
        assert.deepEqual(now[claim], before[claim], claim)
      }
      assert.equal(before['nonce'], 'n-1')
      assert.equal(now['nonce'], undefined)
      assert.ok((now.iat ?? 0) > (before.iat ?? 0))
      assert.equal(decodeJwt(access_token)['auth_time'], before['auth_time'])
      assert.equal(decodeJwt(access_token)['p1.gid'], decodeJwt(old.access_token)['p1.gid'])
    })

    test('claims are those that the user has now', async () => {
      const who = await person(stile, { email: 'before@example.com' })
      const code = await obtainCode(new Browser(stile), codeRequest(app), who)
      const old = expectStatus(await redeemCode(stile, app, code), 200) as Tokens
      expectStatus(await stile.api('PATCH', `/users/${who.id}`, { email: 'after@example.com' }), 200)
      const { id_token } = await renewed(app, old.refresh_token)
      assert.equal(decodeJwt(id_token)['email'], 'after@example.com')
    })

    test('without openid there is no ID token', async () => {
      const { refresh_token } = await granted(app, { scope: 'profile' })
      assert.equal((await renewed(app, refresh_token)).id_token, undefined)
    })

    test('E06: fewer scopes for one access token; then all of them again; never more', async () => {
      const { refresh_token } = await granted(app, { scope: 'openid profile' })
      for (const scope of ['openid profile email', 'openid unknown', 'email']) {
        expectRefusal(await refreshTokens(stile, app, refresh_token, { scope }), 'invalid_scope')
      }
      const fewer = await renewed(app, refresh_token, { scope: 'profile' })
      assert.deepEqual([fewer.scope, fewer.id_token], ['profile', undefined])
      assert.equal(decodeJwt(fewer.access_token)['scope'], 'profile')
      expectRefusal(await refreshTokens(stile, app, fewer.refresh_token, { scope: 'openid email' }), 'invalid_scope')
      const again = await renewed(app, fewer.refresh_token, { scope: 'openid profile' })
      assert.equal(again.scope, 'openid profile')
      assert.equal((await renewed(app, again.refresh_token)).scope, 'openid profile')
    })

    test('tokens for a custom resource keep their audience and their life', async () => {
      const orders = await ordersResource(stile)
      const client = await register(stile, refreshing, [])
      await grant(stile, client.clientId, orders.id, [orders.scope('orders:read'), orders.scope('orders:write')])
      const old = await granted(client, { scope: 'openid orders:read orders:write' })
      const { access_token, scope } = await renewed(client, old.refresh_token, { scope: 'orders:read' })
      const claims = decodeJwt(access_token)
      assert.deepEqual([claims.aud, scope], [['https://orders.test/api'], 'orders:read'])
      assert.equal((claims.exp ?? 0) - (claims.iat ?? 0), 900)
    })
  })

  suite('what PingOne’s clients send (authentication-api 8)', () => {
    test('p14c-js-sdk-auth: redirect_uri, response_type and the scopes of its configuration, granted or not', async () => {
      const scope = 'openid profile email orders:unknown'
      const { refresh_token } = await granted(singlePage, { scope })
      const more = { redirect_uri: singlePage.redirectUri, response_type: 'code', scope }
      const again = await renewed(singlePage, refresh_token, more)
      assert.equal(again.scope, 'openid profile email')
      assert.equal((await renewed(singlePage, again.refresh_token, more)).scope, 'openid profile email')
    })

    test('refreshTokenType JSON_WEB_TOKEN: a JWT that works nowhere else', async () => {
      const client = await register(stile, { ...refreshing, refreshTokenType: 'JSON_WEB_TOKEN' })
      const old = await granted(client)
      const claims = decodeJwt(old.refresh_token)
      const { sub, sid, acr, auth_time } = decodeJwt(old.id_token)
      assert.deepEqual(
        [claims.iss, claims.sub, claims['sid'], claims['acr'], claims['auth_time'], claims['scope']],
        [stile.issuer, sub, sid, acr, auth_time, old.scope],
      )
      assert.equal((claims.exp ?? 0) - (claims.iat ?? 0), 2_592_000)
      assert.equal(await isLive(stile, old.refresh_token), false)
      expectStatus(await stile.api('GET', '/populations', undefined, { token: old.refresh_token }), 401)

      const next = await renewed(client, old.refresh_token)
      assert.notEqual(next.refresh_token, old.refresh_token)
      await pass(3)
      assert.equal((await renewed(client, old.refresh_token)).refresh_token, next.refresh_token, 'the same, in grace')

      await change(stile, client.clientId, { refreshTokenType: 'OPAQUE_TOKEN' })
      const opaque = await renewed(client, next.refresh_token)
      assert.doesNotMatch(opaque.refresh_token, /\./)
      await change(stile, client.clientId, { refreshTokenType: 'JSON_WEB_TOKEN' })
      assert.match((await renewed(client, opaque.refresh_token)).refresh_token, /^eyJ/)
    })

    test('a JWT whose header or claims were changed is none', async () => {
      const client = await register(stile, { ...refreshing, refreshTokenType: 'JSON_WEB_TOKEN' })
      const { refresh_token } = await granted(client)
      const [header = '', payload = '', signature = ''] = refresh_token.split('.')
      const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const claims = decodeJwt(refresh_token)
      const jti = String(claims.jti).replace(/\d+$/, (generation) => String(Number(generation) + 1))
      for (const forged of [
        `${encode({ ...decodeProtectedHeader(refresh_token), alg: 'none' })}.${payload}.`,
        `${encode({ alg: 'HS256' })}.${payload}.${signature}`,
        `${header}.${encode({ ...claims, jti })}.${signature}`,
        `${header}.${payload}.${signature}A`,
      ]) {
        expectRefusal(await refreshTokens(stile, client, forged), 'invalid_grant')
      }
      await renewed(client, refresh_token)
    })

    test('a refusal says what PingOne’s clients look for', async () => {
      const { json } = await refreshTokens(stile, app, 'unknown')
      assert.match(json.error_description, /Refresh token does not exist/)
    })
  })

  suite('rotation', () => {
    test('E01: a token that was rotated is refused after the grace, and ends everything that came of it', async () => {
      const first = await granted(app)
      const second = await renewed(app, first.refresh_token)
      await pass(10)
      expectRefusal(await refreshTokens(stile, app, first.refresh_token), 'invalid_grant')
      for (const { access_token } of [first, second]) assert.equal(await isLive(stile, access_token), false)
      expectRefusal(await refreshTokens(stile, app, second.refresh_token), 'invalid_grant')
      assert.deepEqual(await eventsOf('REFRESH_TOKEN.REPLAYED', first.access_token), [{ result: 'FAILED' }])
    })

    test('E29: in grace the same successor comes again, with tokens that work', async () => {
      const first = await granted(app)
      const second = await renewed(app, first.refresh_token)
      await pass(9)
      const again = await renewed(app, first.refresh_token)
      assert.equal(again.refresh_token, second.refresh_token)
      assert.notEqual(again.access_token, second.access_token)
      for (const { access_token } of [first, second, again]) assert.equal(await isLive(stile, access_token), true)
      await renewed(app, second.refresh_token)
    })

    test('E29: grace is for the immediate predecessor alone', async () => {
      const first = await granted(app)
      const second = await renewed(app, first.refresh_token)
      const third = await renewed(app, second.refresh_token)
      assert.equal((await renewed(app, second.refresh_token)).refresh_token, third.refresh_token)
      expectRefusal(await refreshTokens(stile, app, first.refresh_token), 'invalid_grant')
      assert.equal(await isLive(stile, third.access_token), false)
      expectRefusal(await refreshTokens(stile, app, third.refresh_token), 'invalid_grant')
    })

    test('E29: and for the application it was issued to', async () => {
      const first = await granted(app)
      const second = await renewed(app, first.refresh_token)
      expectRefusal(await refreshTokens(stile, await register(stile, refreshing), first.refresh_token), 'invalid_grant')
      assert.equal(await isLive(stile, second.access_token), false)
      expectRefusal(await refreshTokens(stile, app, second.refresh_token), 'invalid_grant')
    })

    test('E03: without grace any second use is found, however soon', async () => {
      const strict = await register(stile, { ...refreshing, refreshTokenRollingGracePeriodDuration: 0 })
      for (const replays of [0, 1]) {
        const chain = [await granted(strict)]
        for (const _ of [1, 2]) chain.push(await renewed(strict, chain.at(-1)?.refresh_token ?? ''))
        expectRefusal(await refreshTokens(stile, strict, chain[replays]?.refresh_token ?? ''), 'invalid_grant')
        assert.equal(await isLive(stile, chain[2]?.access_token ?? ''), false)
      }
    })

    test('an application may have a longer grace, and do without the ending', async () => {
      const lenient = await register(stile, {
        ...refreshing,
        refreshTokenRollingGracePeriodDuration: 600,
        additionalRefreshTokenReplayProtectionEnabled: false,
      })
      const first = await granted(lenient)
      const second = await renewed(lenient, first.refresh_token)
      await pass(599)
      assert.equal((await renewed(lenient, first.refresh_token)).refresh_token, second.refresh_token)
      await pass(1)
      expectRefusal(await refreshTokens(stile, lenient, first.refresh_token), 'invalid_grant')
      assert.equal(await isLive(stile, second.access_token), true)
      assert.equal((await eventsOf('REFRESH_TOKEN.REPLAYED', first.access_token)).length, 1)
      await renewed(lenient, second.refresh_token)
    })

    test('B01: a code that is redeemed twice ends the refresh token as well', async () => {
      const code = await obtainCode(new Browser(stile), codeRequest(app))
      const { refresh_token } = expectStatus(await redeemCode(stile, app, code), 200) as Tokens
      expectRefusal(await redeemCode(stile, app, code), 'invalid_grant')
      expectRefusal(await refreshTokens(stile, app, refresh_token), 'invalid_grant')
    })
  })

  suite('binding', () => {
    test('E04: not for another client, with credentials or without; its own may still use it', async () => {
      const evil = await register(stile, refreshing)
      const { refresh_token } = await granted(app)
      for (const client of [evil, singlePage]) {
        expectRefusal(await refreshTokens(stile, client, refresh_token), 'invalid_grant')
      }
      const body = { grant_type: 'refresh_token', refresh_token, client_id: app.clientId }
      const anonymous = await stile.send(`/${stile.environmentId}/as/token`, { body: new URLSearchParams(body) })
      expectRefusal(anonymous, 'invalid_client')
      await renewed(app, refresh_token)
    })

    test('E05: not in another environment', async () => {
      const other = await otherEnvironment(stile)
      const there = await register(other, refreshing, [])
      const { refresh_token } = await granted(app)
      expectRefusal(await refreshTokens(other, there, refresh_token, {}, other.environmentId), 'invalid_grant')
      expectRefusal(await refreshTokens(other, app, refresh_token, {}, other.environmentId), 'invalid_client')
      await renewed(app, refresh_token)
    })

    test('E10: nothing else is a refresh token, and nothing but POST refreshes', async () => {
      const browser = new Browser(stile)
      const tokens = await granted(app, {}, browser)
      const code = await obtainCode(browser, codeRequest(app))
      for (const text of [tokens.access_token, tokens.id_token, code, await stile.workerToken(), 'x', '.', 'a.b.c']) {
        expectRefusal(await refreshTokens(stile, app, text), 'invalid_grant')
      }
      const query = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token })
      for (const method of ['GET', 'PUT', 'PATCH']) {
        const answer = await stile.send(`/${stile.environmentId}/as/token?${query}`, { method })
        assert.equal(answer.status, 405, method)
      }
      for (const form of [{}, { refresh_token: '' }]) {
        const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: singlePage.clientId, ...form })
        expectRefusal(await stile.send(`/${stile.environmentId}/as/token`, { body }), 'invalid_request')
      }
      await renewed(app, tokens.refresh_token)
    })

    test('E19: cut off, prolonged, in another case or padded it is none', async () => {
      const { refresh_token: token } = await granted(app)
      const flipped = `${token.slice(0, 30)}${token[30] === 'A' ? 'B' : 'A'}${token.slice(31)}`
      const forms = [token.slice(1), token.slice(0, -1), `${token}A`, `${token}=`, token.toUpperCase(), flipped]
      const strayBits = `${token.slice(0, -1)}${String.fromCharCode((token.at(-1) ?? 'A').charCodeAt(0) + 1)}`
      for (const form of [...forms, strayBits, ` ${token}`, token.replace('_', '/').replace('-', '+') + '=']) {
        expectRefusal(await refreshTokens(stile, app, form), 'invalid_grant')
      }
      await renewed(app, token)
    })

    test('E29, D24: of a public client by the key that its code was redeemed with, and no other', async () => {
      const [own, other] = [clientKey('ES256'), clientKey('ES256')]
      const send = async (form: Readonly<Record<string, string>>, key?: ClientKey) =>
        stile.send(`/${stile.environmentId}/as/token`, {
          body: new URLSearchParams({ ...form, client_id: singlePage.clientId }),
          ...(key ? { headers: { dpop: await proofOf(stile, key) } } : {}),
        })
      const redeemed = async () => {
        const { request, verifier } = codeRequestWithPkce(singlePage)
        const code = await obtainCode(new Browser(stile), request)
        const { redirectUri: redirect_uri } = singlePage
        const form = { grant_type: 'authorization_code', code, redirect_uri, code_verifier: verifier }
        return expectStatus(await send(form, own), 200) as Tokens
      }
      const using = ({ refresh_token }: Tokens) => ({ grant_type: 'refresh_token', refresh_token })
      const first = await redeemed()
      for (const key of [undefined, other]) expectRefusal(await send(using(first), key), 'invalid_grant')
      const second = expectStatus(await send(using(first), own), 200)
      assert.equal(second.token_type, 'DPoP')
      assert.deepEqual(decodeJwt(second.access_token)['cnf'], { jkt: await thumbprintOf(own) })
      const again = expectStatus(await send(using(first), own), 200)
      assert.equal(again.refresh_token, second.refresh_token)
      expectRefusal(await send(using(first), other), 'invalid_grant')
      expectRefusal(await send(using(second), own), 'invalid_grant')
    })

    test('of a confidential client by its authentication: its key may change', async () => {
      const { refresh_token } = await granted(app)
      const withKey = async (token: string, key: ClientKey) =>
        expectStatus(
          await stile.send(`/${stile.environmentId}/as/token`, {
            body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }),
            headers: { authorization: basic(app.clientId, app.clientSecret), dpop: await proofOf(stile, key) },
          }),
          200,
        )
      const [one, two] = [clientKey('ES256'), clientKey('ES256')]
      const next = await withKey(refresh_token, one)
      const last = await withKey(next.refresh_token, two)
      assert.deepEqual(decodeJwt(last.access_token)['cnf'], { jkt: await thumbprintOf(two) })
    })

    test('RFC 8707: each access token for one of the resources that were granted', async () => {
      const [one, two] = ['https://one.test', 'https://two.test']
      const client = await register(stile, { ...refreshing, requestScopesForMultipleResourcesEnabled: true }, [])
      for (const [audience, scope] of [
        [one, 'one:read'],
        [two, 'two:read'],
      ] as const) {
        const resource = await customResource(stile, { audience }, [scope])
        await grant(stile, client.clientId, resource.id, [resource.scope(scope)])
      }
      const { refresh_token } = await granted(client, { scope: 'openid one:read two:read' })
      const narrowed = await renewed(client, refresh_token, { resource: one })
      assert.deepEqual([decodeJwt(narrowed.access_token).aud, narrowed.scope], [[one], 'openid one:read'])
      const other = await renewed(client, narrowed.refresh_token, { resource: two })
      assert.deepEqual(decodeJwt(other.access_token).aud, [two])
      const beyond = await refreshTokens(stile, client, other.refresh_token, { resource: stile.apiUrl })
      expectRefusal(beyond, 'invalid_target')
      assert.deepEqual(decodeJwt((await renewed(client, other.refresh_token)).access_token).aud, [one, two])
    })

    test('a client without the grant type is not served', async () => {
      const { refresh_token } = await granted(app)
      expectRefusal(await refreshTokens(stile, await register(stile), refresh_token), 'unauthorized_client')
    })
  })

  test('the grant type stands beside one that signs users on, and the durations fit (platform-api 3.7)', async () => {
    const refused = async (members: object): Promise<string[]> => {
      const answer: Answer = await stile.api('POST', '/applications', { ...refreshing, name: 'Refused', ...members })
      return expectStatus(answer, 400).details.map(({ target }: { target: string }) => target)
    }
    assert.deepEqual(await refused({ grantTypes: ['REFRESH_TOKEN'], responseTypes: [] }), ['grantTypes'])
    const durations = { refreshTokenDuration: 61, refreshTokenRollingDuration: 60 }
    assert.deepEqual(await refused(durations), ['refreshTokenDuration'])
    assert.deepEqual(await refused({ refreshTokenRollingGracePeriodDuration: 86_401 }), [
      'refreshTokenRollingGracePeriodDuration',
    ])
    const { scope } = await builtInResource(stile, 'OPENID_CONNECT')
    assert.ok(scope('offline_access'))
  })
})
