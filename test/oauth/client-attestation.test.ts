/**
 * Attestation-based client authentication, a draft that an environment switches on
 * (draft-ietf-oauth-attestation-based-client-auth-07): the checks of its section 9, challenges, and refresh tokens of one
 * instance alone; rows D02, D11, F01, F04, F09 as to attestations.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { SignJWT } from 'jose'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, basic, type Stile, startStile } from '../harness/stile.ts'
import { type ClientKey, clientKey, keySet } from './assertions.ts'
import { authorizeBySignOnPage, codeRequest, expectRefusal, obtainCode } from './journeys.ts'
import { expectStatus, otherEnvironment, type Registered, register, web } from './registrations.ts'

const attester = { issuer: 'https://attester.test', key: clientKey('ES256', 'a1') }
const instance = clientKey('ES256')

type Changes = Readonly<Record<string, unknown>>

async function signed(key: ClientKey, header: Changes, claims: Changes): Promise<string> {
  const present = (members: Changes) =>
    Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
  return new SignJWT(present(claims))
    .setProtectedHeader(present({ alg: key.algorithm, ...header }) as { alg: string })
    .sign(key.privateKey)
}

suite('attestation-based client authentication', () => {
  let stile: Stile
  let world: TestWorld
  let app: Registered
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    await trust({})
    app = await register(stile, {
      ...web,
      type: 'NATIVE_APP',
      grantTypes: ['AUTHORIZATION_CODE', 'CLIENT_CREDENTIALS', 'REFRESH_TOKEN'],
      tokenEndpointAuthMethod: 'ATTEST_JWT_CLIENT_AUTH',
    })
  })
  after(() => stile.close())

  async function trust(more: object, one: Stile = stile): Promise<void> {
    const present = expectStatus(await one.api('GET', '/settings'), 200)
    const attesters = [{ issuer: attester.issuer, jwks: keySet(clientKey('PS256', 'a0'), attester.key) }]
    const settings = { ...present, clientAttestation: { attesters, ...more } }
    expectStatus(await one.api('PUT', '/settings', settings), 200)
  }
  const seconds = () => Math.floor(world.now() / 1000)

  interface Otherwise {
    readonly by?: ClientKey
    readonly header?: Changes
    readonly claims?: Changes
  }
  const attestation = ({ by = attester.key, header = {}, claims = {} }: Otherwise = {}, key = instance) =>
    signed(
      by,
      { typ: 'oauth-client-attestation+jwt', kid: 'a1', ...header },
      { iss: attester.issuer, sub: app.clientId, exp: seconds() + 300, cnf: { jwk: key.jwk }, ...claims },
    )
  const pop = ({ by = instance, header = {}, claims = {} }: Otherwise = {}) =>
    signed(
      by,
      { typ: 'oauth-client-attestation-pop+jwt', ...header },
      { iss: app.clientId, aud: stile.issuer, jti: randomUUID(), iat: seconds(), ...claims },
    )
  const send = async (
    headers: Readonly<Record<string, string>>,
    form: Readonly<Record<string, string>> = { grant_type: 'client_credentials', client_id: app.clientId },
    name = 'token',
  ): Promise<Answer> => stile.send(`/${stile.environmentId}/as/${name}`, { body: new URLSearchParams(form), headers })
  const both = async (one: Otherwise = {}, other: Otherwise = {}) => ({
    'oauth-client-attestation': await attestation(one),
    'oauth-client-attestation-pop': await pop(other),
  })

  test('an attested instance is known, with the client named in the body or not, and told the next challenge', async () => {
    for (const form of [{ client_id: app.clientId }, {}]) {
      const answer = await send(await both(), { grant_type: 'client_credentials', ...form })
      expectStatus(answer, 200)
      assert.ok(answer.headers.get('oauth-client-attestation-challenge'))
    }
    const par = { response_type: 'code', redirect_uri: app.redirectUri, scope: 'openid' }
    expectStatus(await send(await both(), { ...codeRequest(app), ...par }, 'par'), 201)
  })

  test('an attestation may be used again, a proof may not (D11)', async () => {
    const headers = await both()
    expectStatus(await send(headers), 200)
    expectRefusal(await send(headers), 'invalid_client')
    expectStatus(await send({ ...headers, 'oauth-client-attestation-pop': await pop() }), 200)
  })

  test('what does not hold is refused', async () => {
    const other = clientKey('ES256', 'a1')
    const wrong: readonly (readonly [string, Otherwise, Otherwise])[] = [
      ['by somebody else', { by: other }, {}],
      ['by somebody else who says so', { by: other, claims: { iss: 'https://other.test' } }, {}],
      ['of another client', { claims: { sub: randomUUID() } }, {}],
      ['without end', { claims: { exp: undefined } }, {}],
      ['of another type', { header: { typ: 'JWT' } }, {}],
      ['with a private key', { claims: { cnf: { jwk: { ...instance.jwk, d: 'AAAA' } } } }, {}],
      ['with the key of somebody else', { claims: { cnf: { jwk: other.jwk } } }, {}],
      ['proof by another key', {}, { by: clientKey('ES256') }],
      ['proof for another server', {}, { claims: { aud: 'https://other.test' } }],
      ['proof of another client', {}, { claims: { iss: randomUUID() } }],
      ['proof of another type', {}, { header: { typ: 'dpop+jwt' } }],
      ['proof without identifier', {}, { claims: { jti: undefined } }],
      ['proof of long ago', {}, { claims: { iat: seconds() - 61 } }],
      ['proof with a key of its own', {}, { by: other, header: { jwk: other.jwk } }],
    ]
    for (const [name, one, another] of wrong) {
      const answer = await send(await both(one, another))
      assert.equal(answer.json.error, 'invalid_client', name)
      expectRefusal(answer, 'invalid_client')
    }
    const good = await both()
    const claims = good['oauth-client-attestation'].split('.')[1]
    const none = `${Buffer.from('{"typ":"oauth-client-attestation+jwt","alg":"none"}').toString('base64url')}.${claims}.`
    for (const headers of [
      { 'oauth-client-attestation': good['oauth-client-attestation'] },
      { 'oauth-client-attestation-pop': good['oauth-client-attestation-pop'] },
      {},
      { ...good, 'oauth-client-attestation': none },
      { ...good, 'oauth-client-attestation': `${good['oauth-client-attestation']}, ${await attestation()}` },
      { ...good, 'oauth-client-attestation': good['oauth-client-attestation-pop'] },
      { ...good, 'oauth-client-attestation-pop': good['oauth-client-attestation'] },
    ] as Readonly<Record<string, string>>[]) {
      expectRefusal(await send(headers), 'invalid_client')
    }
  })

  test('an attestation that has expired: a fresh one is asked for', async () => {
    expectRefusal(await send(await both({ claims: { exp: seconds() - 61 } })), 'use_fresh_attestation')
  })

  test('D02: no other method, and no attestation for others', async () => {
    const authorization = basic(app.clientId, app.clientSecret)
    expectRefusal(await send({ authorization }, { grant_type: 'client_credentials' }), 'invalid_client')
    const secret = { client_id: app.clientId, client_secret: app.clientSecret }
    expectRefusal(await send(await both(), { grant_type: 'client_credentials', ...secret }), 'invalid_client')
    const byBasic = await register(stile, { ...web, grantTypes: ['AUTHORIZATION_CODE', 'CLIENT_CREDENTIALS'] })
    const sub = { claims: { sub: byBasic.clientId } }
    const form = { grant_type: 'client_credentials', client_id: byBasic.clientId }
    expectRefusal(await send(await both(sub, { claims: { iss: byBasic.clientId } }), form), 'invalid_client')
  })

  test('challenges: given by the endpoint and with answers, and looked at where they are sent', async () => {
    const { attestation_challenge: challenge } = expectStatus(
      await stile.send(`/${stile.environmentId}/as/challenge`, { method: 'POST' }),
      200,
    )
    expectStatus(await send(await both({}, { claims: { challenge } })), 200)
    const wrong = await send(await both({}, { claims: { challenge: 'x' } }))
    expectRefusal(wrong, 'use_attestation_challenge')
    const next = wrong.headers.get('oauth-client-attestation-challenge')
    assert.ok(next)
    expectStatus(await send(await both({}, { claims: { challenge: next } })), 200)
    await trust({ challengeRequired: true })
    expectRefusal(await send(await both()), 'use_attestation_challenge')
    expectStatus(await send(await both({}, { claims: { challenge } })), 200)
    world.advance(6 * 60_000)
    await stile.node.kernel.environments.poll()
    expectRefusal(await send(await both({}, { claims: { challenge } })), 'use_attestation_challenge')
    await trust({})
  })

  test('a refresh token is worth something to its instance alone (section 10.3)', async () => {
    const browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(app))
    const code = await obtainCode(browser, codeRequest(app))
    const redeemed = await send(await both(), {
      grant_type: 'authorization_code',
      code,
      redirect_uri: app.redirectUri,
      client_id: app.clientId,
    })
    const { refresh_token, token_type } = expectStatus(redeemed, 200)
    assert.equal(token_type, 'Bearer', 'the access token is bound to nothing by that')
    const form = { grant_type: 'refresh_token', refresh_token, client_id: app.clientId }
    const another = clientKey('ES256')
    const byAnother = {
      'oauth-client-attestation': await attestation({}, another),
      'oauth-client-attestation-pop': await pop({ by: another }),
    }
    expectRefusal(await send(byAnother, form), 'invalid_grant')
    expectStatus(await send(await both(), form), 200)
  })

  test('an environment that has not switched it on knows nothing of it', async () => {
    const plain = await otherEnvironment(stile)
    const path = `/${plain.environmentId}/as`
    assert.equal((await stile.send(`${path}/challenge`, { method: 'POST' })).status, 404)
    const metadataOf = async (one: Stile) =>
      expectStatus(await one.send(`/${one.environmentId}/as/.well-known/openid-configuration`), 200)
    const without = await metadataOf(plain)
    assert.equal(without.challenge_endpoint, undefined)
    assert.ok(!without.token_endpoint_auth_methods_supported.includes('attest_jwt_client_auth'))
    const there = await register(plain, {
      ...web,
      grantTypes: ['CLIENT_CREDENTIALS'],
      responseTypes: [],
      tokenEndpointAuthMethod: 'ATTEST_JWT_CLIENT_AUTH',
    })
    const headers = {
      'oauth-client-attestation': await attestation({ claims: { sub: there.clientId } }),
      'oauth-client-attestation-pop': await pop({ claims: { iss: there.clientId, aud: plain.issuer } }),
    }
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: there.clientId })
    expectRefusal(await stile.send(`${path}/token`, { body, headers }), 'invalid_client')
    await trust({}, plain)
    const again = {
      ...headers,
      'oauth-client-attestation-pop': await pop({ claims: { iss: there.clientId, aud: plain.issuer } }),
    }
    expectStatus(await stile.send(`${path}/token`, { body, headers: again }), 200)

    const metadata = await metadataOf(stile)
    assert.equal(metadata.challenge_endpoint, `${stile.issuer}/challenge`)
    assert.ok(metadata.token_endpoint_auth_methods_supported.includes('attest_jwt_client_auth'))
    assert.ok(metadata.client_attestation_signing_alg_values_supported.includes('ES256'))
    assert.ok(metadata.client_attestation_pop_signing_alg_values_supported.includes('ES256'))
  })

  test('the settings: keys that are public, and somebody to trust', async () => {
    const present = expectStatus(await stile.api('GET', '/settings'), 200)
    const put = (clientAttestation: object) => stile.api('PUT', '/settings', { ...present, clientAttestation })
    expectStatus(await put({ attesters: [] }), 400)
    expectStatus(await put({ attesters: [{ issuer: 'x', jwks: '{}' }] }), 400)
    const secret = JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA' }] })
    expectStatus(await put({ attesters: [{ issuer: 'x', jwks: secret }] }), 400)
  })
})
