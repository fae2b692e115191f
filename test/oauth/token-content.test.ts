/**
 * What tokens say, and which scopes, audience and life they get: authentication-api 2.7, 2.9; rows D17, A28. Claims are
 * compared whole: one too many is a failure too.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import { Browser } from '../harness/sign-on.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import {
  authorizeBySignOnPage,
  codeRequest,
  codeRequestWithPkce,
  expectRefusal,
  obtainCode,
  redeemCode,
  told,
} from './journeys.ts'
import {
  builtInResource,
  customResource,
  expectStatus,
  grant,
  type Person,
  person,
  type Registered,
  register,
  type Resource,
  spa,
  wrk,
} from './registrations.ts'

suite('what tokens say', () => {
  let stile: Stile
  let orders: Resource
  before(async () => {
    stile = await startStile()
    const properties = { name: 'Orders API', audience: 'https://orders.test/api', accessTokenValiditySeconds: 900 }
    orders = await customResource(stile, properties, ['orders:read', 'orders:write'])
  })
  after(() => stile.close())

  const askToken = (client: Registered, scope?: string) =>
    stile.send(`/${stile.environmentId}/as/token`, {
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) }),
      headers: { authorization: basic(client.clientId, client.clientSecret) },
    })

  /** Verifies a token by the published keys and gives its claims. */
  async function verified(token: string): Promise<JWTPayload> {
    const { json } = await stile.send(`/${stile.environmentId}/as/jwks`)
    const { payload } = await jwtVerify(token, createLocalJWKSet(json), { issuer: stile.issuer })
    return payload
  }

  /** Claims without those that differ from token to token, after looking at these. */
  function timeless({ iat = 0, exp = 0, jti, ...claims }: JWTPayload, seconds: number): Record<string, unknown> {
    assert.ok(Math.abs(iat - Date.now() / 1000) < 30)
    assert.equal(exp - iat, seconds)
    if (jti !== undefined) assert.match(jti, /^[0-9a-f-]{36}$/)
    return claims
  }

  suite('of an application', () => {
    test('2.9: exactly its claims; no user, no session, no ID token, no refresh token', async () => {
      const worker = await register(stile, wrk, [])
      const answer = expectStatus(await askToken(worker), 200)
      assert.deepEqual(Object.keys(answer), ['access_token', 'token_type', 'expires_in'])
      const claims = await verified(answer.access_token)
      assert.deepEqual(timeless(claims, 3600), {
        client_id: worker.clientId,
        iss: stile.issuer,
        aud: [stile.apiUrl],
        env: stile.environmentId,
        org: stile.organizationId,
        'p1.rid': claims.jti,
      })
      const { kid, ...header } = decodeProtectedHeader(answer.access_token)
      assert.deepEqual(header, { alg: 'ES256', typ: 'at+jwt' })
      assert.match(kid ?? '', /^[0-9a-f-]{36}$/)
    })

    test('no two are alike', async () => {
      const worker = await register(stile, wrk, [])
      const answers = await Promise.all(Array.from({ length: 20 }, () => askToken(worker)))
      assert.equal(new Set(answers.map(({ json }) => decodeJwt(json.access_token).jti)).size, 20)
    })

    test('scopes of the platform', async () => {
      const worker = await register(stile, wrk, [])
      const platform = await builtInResource(stile, 'PINGONE_API')
      await grant(stile, worker.clientId, platform.id, [platform.scope('p1:read:user')])
      const asked = expectStatus(await askToken(worker, 'p1:read:user p1:update:user'), 200)
      assert.equal(asked.scope, 'p1:read:user')
      const { scope, aud } = await verified(asked.access_token)
      assert.deepEqual([scope, aud], ['p1:read:user', [stile.apiUrl]])
      assert.equal(expectStatus(await askToken(worker), 200).scope, undefined)
    })

    test('a custom resource: its audience, its life, and the granted scopes alone', async () => {
      const worker = await register(stile, wrk, [])
      await grant(stile, worker.clientId, orders.id, [orders.scope('orders:read')])
      for (const scope of ['orders:read', 'orders:read orders:write', undefined]) {
        const answer = expectStatus(await askToken(worker, scope), 200)
        assert.deepEqual([answer.expires_in, answer.scope], [900, 'orders:read'])
        const claims = timeless(await verified(answer.access_token), 900)
        assert.deepEqual([claims['aud'], claims['scope']], [['https://orders.test/api'], 'orders:read'])
      }
      expectRefusal(await askToken(worker, 'orders:write'), 'invalid_scope')
    })

    test('2.9: the audience of a resource without one is its name', async () => {
      const worker = await register(stile, wrk, [])
      const bills = await customResource(stile, { name: 'Bills API' }, ['bills:read'])
      await grant(stile, worker.clientId, bills.id, [bills.scope('bills:read')])
      const { access_token, expires_in } = expectStatus(await askToken(worker, 'bills:read'), 200)
      assert.deepEqual([(await verified(access_token)).aud, expires_in], [['Bills API'], 3600])
    })

    test('2.20: several resources in one request, and with the switch of the application', async () => {
      const stock = await customResource(stile, { audience: 'stock', accessTokenValiditySeconds: 600 }, ['stock:read'])
      const both = { ...wrk, requestScopesForMultipleResourcesEnabled: true }
      const worker = await register(stile, both, [])
      for (const resource of [orders, stock]) {
        await grant(stile, worker.clientId, resource.id, [
          resource.scope(resource === orders ? 'orders:read' : 'stock:read'),
        ])
      }
      const answer = expectStatus(await askToken(worker, 'orders:read stock:read'), 200)
      const claims = timeless(await verified(answer.access_token), 600)
      assert.deepEqual(claims['aud'], ['https://orders.test/api', 'stock'])
      const platform = await builtInResource(stile, 'PINGONE_API')
      const narrow = await register(stile, wrk, [])
      await grant(stile, narrow.clientId, orders.id, [orders.scope('orders:read')])
      await grant(stile, narrow.clientId, platform.id, [platform.scope('p1:read:user')])
      const refused = await askToken(narrow, 'orders:read p1:read:user')
      expectRefusal(refused, 'invalid_scope')
      assert.match(refused.json.error_description, /May not request scopes for multiple resources/)
    })

    test('D17: openid, offline_access and the scopes of OpenID Connect are not for applications', async () => {
      const worker = await register(stile, wrk)
      for (const scope of ['openid', 'profile email', 'offline_access', 'openid offline_access']) {
        expectRefusal(await askToken(worker, scope), 'invalid_scope')
      }
    })

    test('the life of platform tokens is a setting', async () => {
      const worker = await register(stile, wrk, [])
      const settings = { signingAlgorithm: 'ES256', accessTokenSeconds: 120 }
      expectStatus(await stile.api('PUT', '/settings', settings), 200)
      const { access_token, expires_in } = expectStatus(await askToken(worker), 200)
      timeless(await verified(access_token), 120)
      assert.equal(expires_in, 120)
      expectStatus(await stile.api('PUT', '/settings', { signingAlgorithm: 'ES256' }), 200)
    })
  })

  suite('of a user', () => {
    let app: Registered
    let someone: Person
    before(async () => {
      app = await register(stile)
      await grant(stile, app.clientId, orders.id, [orders.scope('orders:read')])
      someone = await person(stile, {
        email: 'ada@example.com',
        name: { given: 'Ada', middle: 'B', family: 'Lovelace', formatted: 'Ada B Lovelace' },
        nickname: 'ada',
        locale: 'en-GB',
        timezone: 'Europe/London',
        primaryPhone: '+44.2012345678',
        address: { streetAddress: '1 Square', locality: 'London', region: 'LDN', postalCode: 'W1', countryCode: 'GB' },
        photo: { href: 'https://photos.test/ada.png' },
      })
    })

    const tokensFor = async (scope: string, more: Readonly<Record<string, string>> = {}) => {
      const code = await obtainCode(new Browser(stile), codeRequest(app, { scope, ...more }), someone)
      return expectStatus(await redeemCode(stile, app, code), 200)
    }

    test('2.9: exactly the claims of access and ID token, which name the same sign-on', async () => {
      const answer = await tokensFor('openid profile email', { nonce: 'n1' })
      assert.deepEqual(Object.keys(answer), ['access_token', 'token_type', 'expires_in', 'scope', 'id_token'])
      assert.deepEqual([answer.token_type, answer.expires_in, answer.scope], ['Bearer', 3600, 'openid profile email'])
      const access = await verified(answer.access_token)
      const { sid, auth_time } = access
      assert.match(String(sid), /^[0-9a-f-]{36}$/)
      assert.ok(Math.abs(Number(auth_time) - Date.now() / 1000) < 30)
      assert.match(String(access['p1.gid']), /^[0-9a-f-]{36}$/, 'the private grant id (D22)')
      assert.deepEqual(timeless(access, 3600), {
        client_id: app.clientId,
        iss: stile.issuer,
        aud: [stile.apiUrl],
        scope: 'openid profile email',
        sub: someone.id,
        sid,
        auth_time,
        acr: 'Single_Factor',
        env: stile.environmentId,
        org: stile.organizationId,
        'p1.gid': access['p1.gid'],
      })
      assert.equal(decodeProtectedHeader(answer.access_token).typ, 'at+jwt')
      const { updated_at, ...identity } = timeless(await verified(answer.id_token), 3600)
      assert.equal(typeof updated_at, 'number')
      assert.deepEqual(identity, {
        iss: stile.issuer,
        sub: someone.id,
        aud: app.clientId,
        acr: 'Single_Factor',
        amr: ['pwd'],
        auth_time,
        at_hash: createHash('sha256').update(answer.access_token).digest().subarray(0, 16).toString('base64url'),
        nonce: 'n1',
        sid,
        name: 'Ada B Lovelace',
        given_name: 'Ada',
        middle_name: 'B',
        family_name: 'Lovelace',
        nickname: 'ada',
        preferred_username: someone.username,
        picture: 'https://photos.test/ada.png',
        zoneinfo: 'Europe/London',
        locale: 'en-GB',
        email: 'ada@example.com',
        env: stile.environmentId,
        org: stile.organizationId,
        'p1.region': 'NA',
      })
      const headers = [answer.access_token, answer.id_token].map(decodeProtectedHeader)
      assert.equal(headers[1]?.kid, headers[0]?.kid)
    })

    test('each scope brings its claims and no others', async () => {
      const standing = [
        'acr',
        'amr',
        'at_hash',
        'aud',
        'auth_time',
        'env',
        'exp',
        'iat',
        'iss',
        'org',
        'p1.region',
        'sid',
        'sub',
      ]
      const brought = async (scope: string) =>
        Object.keys(decodeJwt((await tokensFor(scope)).id_token))
          .filter((name) => !standing.includes(name))
          .toSorted()
      assert.deepEqual(await brought('openid'), [])
      assert.deepEqual(await brought('openid email'), ['email'])
      assert.deepEqual(await brought('openid phone'), ['phone_number'])
      assert.deepEqual(await brought('openid address'), ['address'])
      const { address } = decodeJwt((await tokensFor('openid address')).id_token)
      assert.deepEqual(address, {
        street_address: '1 Square',
        locality: 'London',
        region: 'LDN',
        postal_code: 'W1',
        country: 'GB',
      })
    })

    test('without openid there is no ID token; without any scope there is a token without one', async () => {
      const bare = await tokensFor('profile')
      assert.deepEqual(Object.keys(bare), ['access_token', 'token_type', 'expires_in', 'scope'])
      const none = await tokensFor('')
      assert.deepEqual(Object.keys(none), ['access_token', 'token_type', 'expires_in'])
      assert.equal('scope' in (await verified(none.access_token)), false)
    })

    test('a custom resource gives the access token its audience and life; the ID token keeps its own', async () => {
      const answer = await tokensFor('openid orders:read')
      const access = timeless(await verified(answer.access_token), 900)
      assert.deepEqual(
        [access['aud'], access['scope'], answer.expires_in],
        [['https://orders.test/api'], 'openid orders:read', 900],
      )
      assert.equal(timeless(await verified(answer.id_token), 3600)['aud'], app.clientId)
    })

    test('a nonce is in the ID token when it was sent, and only then', async () => {
      assert.equal(decodeJwt((await tokensFor('openid')).id_token)['nonce'], undefined)
      assert.equal(decodeJwt((await tokensFor('openid', { nonce: 'ä "\\' })).id_token)['nonce'], 'ä "\\')
    })

    test('the front channel: token, id_token, and both; at_hash only beside a token', async () => {
      const singlePage = await register(stile, spa)
      const parts = async (response_type: string) =>
        told(
          await authorizeBySignOnPage(
            new Browser(stile),
            codeRequest(singlePage, { response_type, nonce: 'n' }),
            someone,
          ),
        )
      const token = await parts('token')
      assert.deepEqual([...token.keys()], ['access_token', 'token_type', 'expires_in', 'scope', 'iss'])
      const idToken = await parts('id_token')
      assert.deepEqual([...idToken.keys()], ['id_token', 'iss'])
      assert.equal((await verified(idToken.get('id_token') ?? ''))['at_hash'], undefined)
      for (const type of ['token id_token', 'id_token token']) {
        const both = await parts(type)
        assert.deepEqual([...both.keys()], ['access_token', 'token_type', 'expires_in', 'scope', 'id_token', 'iss'])
        const access = both.get('access_token') ?? ''
        const { at_hash, nonce } = await verified(both.get('id_token') ?? '')
        assert.deepEqual(
          [at_hash, nonce],
          [createHash('sha256').update(access).digest().subarray(0, 16).toString('base64url'), 'n'],
        )
        assert.equal((await verified(access)).sub, someone.id)
      }
    })

    test('PKCE changes nothing about what is issued', async () => {
      const singlePage = await register(stile, spa)
      const { request, verifier } = codeRequestWithPkce(singlePage)
      const code = await obtainCode(new Browser(stile), request, someone)
      const answer = expectStatus(await redeemCode(stile, singlePage, code, { code_verifier: verifier }), 200)
      assert.equal((await verified(answer.id_token)).sub, someone.id)
    })
  })
})
