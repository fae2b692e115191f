/**
 * What the tokens of a user say, from the token endpoint and from the front channel: authentication-api 2.9. Claims are
 * compared whole: one too many is a failure too.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { Browser } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { authorizeBySignOnPage, codeRequest, codeRequestWithPkce, obtainCode, redeemCode, told } from './journeys.ts'
import {
  expectStatus,
  grant,
  type Person,
  person,
  type Registered,
  register,
  type Resource,
  spa,
} from './registrations.ts'
import { accessTokenHash, ordersResource, timeless, verifiedClaims } from './token-claims.ts'

suite('user tokens', () => {
  let app: Registered
  let someone: Person
  let stile: Stile
  let orders: Resource
  before(async () => {
    stile = await startStile()
    orders = await ordersResource(stile)
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

  after(() => stile.close())

  const tokensFor = async (scope: string, more: Readonly<Record<string, string>> = {}) => {
    const code = await obtainCode(new Browser(stile), codeRequest(app, { scope, ...more }), someone)
    return expectStatus(await redeemCode(stile, app, code), 200)
  }

  test('2.9, E25, D4: exactly the claims of access and ID token, which name the same sign-on', async () => {
    const answer = await tokensFor('openid profile email', { nonce: 'n1' })
    assert.deepEqual(Object.keys(answer), ['access_token', 'token_type', 'expires_in', 'scope', 'id_token'])
    assert.deepEqual([answer.token_type, answer.expires_in, answer.scope], ['Bearer', 3600, 'openid profile email'])
    const access = await verifiedClaims(stile, answer.access_token)
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
    const { updated_at, ...identity } = timeless(await verifiedClaims(stile, answer.id_token), 3600)
    assert.equal(typeof updated_at, 'number')
    assert.deepEqual(identity, {
      iss: stile.issuer,
      sub: someone.id,
      aud: app.clientId,
      acr: 'Single_Factor',
      amr: ['pwd'],
      auth_time,
      at_hash: accessTokenHash(answer.access_token),
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
      formatted: '1 Square\nW1 London LDN\nGB',
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
    assert.equal('scope' in (await verifiedClaims(stile, none.access_token)), false)
  })

  test('a custom resource gives the access token its audience and life; the ID token keeps its own', async () => {
    const answer = await tokensFor('openid orders:read')
    const access = timeless(await verifiedClaims(stile, answer.access_token), 900)
    assert.deepEqual(
      [access['aud'], access['scope'], answer.expires_in],
      [['https://orders.test/api'], 'openid orders:read', 900],
    )
    assert.equal(timeless(await verifiedClaims(stile, answer.id_token), 3600)['aud'], app.clientId)
  })

  test('E25: a nonce is in the ID token as it was sent, and only then', async () => {
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
    assert.equal((await verifiedClaims(stile, idToken.get('id_token') ?? ''))['at_hash'], undefined)
    for (const type of ['token id_token', 'id_token token']) {
      const both = await parts(type)
      assert.deepEqual([...both.keys()], ['access_token', 'token_type', 'expires_in', 'scope', 'id_token', 'iss'])
      const access = both.get('access_token') ?? ''
      const { at_hash, nonce } = await verifiedClaims(stile, both.get('id_token') ?? '')
      assert.deepEqual([at_hash, nonce], [accessTokenHash(access), 'n'])
      assert.equal((await verifiedClaims(stile, access)).sub, someone.id)
    }
  })

  test('PKCE changes nothing about what is issued', async () => {
    const singlePage = await register(stile, spa)
    const { request, verifier } = codeRequestWithPkce(singlePage)
    const code = await obtainCode(new Browser(stile), request, someone)
    const answer = expectStatus(await redeemCode(stile, singlePage, code, { code_verifier: verifier }), 200)
    assert.equal((await verifiedClaims(stile, answer.id_token)).sub, someone.id)
  })
})
