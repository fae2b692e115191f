/**
 * By what tokens are signed: the environment, an application, a resource and a key rotation policy each may say so
 * (decision D18; platform-api 3.7 `signing`, `includeX5t`). Whatever signs, another implementation verifies it.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { hmacAlgorithms, signingAlgorithms } from '../../src/keys/algorithm.ts'
import { leftHalfHash } from '../../src/oauth/tokens/id-token.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { authorizeBySignOnPage, codeRequest, isLive, obtainCode, redeemCode, told } from './journeys.ts'
import { expectMetadataError, policy, registered, registering, webClient } from './registering.ts'
import { change, customResource, expectStatus, grant, type Registered, register, web } from './registrations.ts'
import { verifiedClaims } from './token-claims.ts'

suite('signing algorithms', () => {
  let stile: Stile
  let browser: Browser
  before(async () => {
    stile = await startStile()
    browser = new Browser(stile)
  })
  after(() => stile.close())

  const tokensFor = async (client: Registered, more: Readonly<Record<string, string>> = {}) => {
    const code = await obtainCode(browser, codeRequest(client, { scope: 'openid', nonce: 'n', ...more }))
    return expectStatus(await redeemCode(stile, client, code), 200)
  }
  const algorithmOf = (token: string) => decodeProtectedHeader(token).alg
  const metadata = async () => (await stile.send(`/${stile.environmentId}/as/.well-known/openid-configuration`)).json

  test('discovery names every algorithm that an application may have, the one of the environment first', async () => {
    const { id_token_signing_alg_values_supported: named } = await metadata()
    assert.equal(named[0], 'ES256')
    assert.deepEqual(new Set(named), new Set([...signingAlgorithms, ...hmacAlgorithms]))
  })

  for (const algorithm of signingAlgorithms) {
    test(`idTokenSignedResponseAlg ${algorithm}: the ID token and its at_hash; the access token keeps the environment's`, async () => {
      const client = await register(stile, { ...web, idTokenSignedResponseAlg: algorithm })
      const { id_token, access_token } = await tokensFor(client)
      assert.deepEqual([algorithmOf(id_token), algorithmOf(access_token)], [algorithm, 'ES256'])
      const claims = await verifiedClaims(stile, id_token)
      assert.deepEqual([claims['nonce'], claims['aud']], ['n', client.clientId])
      assert.equal(claims['at_hash'], leftHalfHash(access_token, algorithm))
      const bytes = { 256: 16, 384: 24, 512: 32 }[algorithm === 'EdDSA' ? 512 : (Number(algorithm.slice(2)) as 256)]
      assert.equal(Buffer.from(leftHalfHash(access_token, algorithm), 'base64url').length, bytes)
    })

    test(`${algorithm} for the environment: what it signs is taken back by its own endpoints`, async () => {
      expectStatus(await stile.api('PUT', '/settings', { signingAlgorithm: algorithm }), 200)
      const { id_token, access_token } = await tokensFor(await register(stile))
      assert.deepEqual([algorithmOf(id_token), algorithmOf(access_token)], [algorithm, algorithm])
      await verifiedClaims(stile, access_token)
      assert.equal(await isLive(stile, access_token), true)
      assert.equal((await metadata()).id_token_signing_alg_values_supported[0], algorithm)
      expectStatus(await stile.api('PUT', '/settings', { signingAlgorithm: 'ES256' }), 200)
    })
  }

  for (const algorithm of hmacAlgorithms) {
    test(`${algorithm}: the ID token is signed with the client secret, and stands in no JWKS`, async () => {
      const client = await register(stile, { ...web, idTokenSignedResponseAlg: algorithm })
      const { id_token, access_token } = await tokensFor(client)
      assert.deepEqual(decodeProtectedHeader(id_token), { alg: algorithm })
      const { payload } = await jwtVerify(id_token, Buffer.from(client.clientSecret), { issuer: stile.issuer })
      assert.equal(payload['at_hash'], leftHalfHash(access_token, algorithm))
      assert.equal(algorithmOf(access_token), 'ES256')
      const other = await register(stile)
      await assert.rejects(jwtVerify(id_token, Buffer.from(other.clientSecret)))
    })
  }

  test('C22: userinfo and authorization responses are signed by each algorithm that discovery names for them', async () => {
    const {
      userinfo_signing_alg_values_supported: ofUserinfo,
      authorization_signing_alg_values_supported: ofResponses,
    } = await metadata()
    assert.deepEqual(ofUserinfo, ['none', ...signingAlgorithms, ...hmacAlgorithms])
    assert.equal(ofResponses[0], 'ES256')
    assert.deepEqual(new Set(ofResponses), new Set([...signingAlgorithms, ...hmacAlgorithms]))
    for (const algorithm of [...signingAlgorithms, ...hmacAlgorithms]) {
      const own = { userinfoSignedResponseAlg: algorithm, authorizationSignedResponseAlg: algorithm }
      const client = await register(stile, { ...web, ...own })
      const request = { scope: 'openid', response_mode: 'jwt' }
      const response = told(await authorizeBySignOnPage(browser, codeRequest(client, request))).get('response') ?? ''
      const claims = await verifiedBy(client, response, algorithm)
      const { access_token } = expectStatus(await redeemCode(stile, client, String(claims['code'])), 200)
      assert.equal(algorithmOf(access_token), 'ES256')
      const userinfo = await stile.send(`/${stile.environmentId}/as/userinfo`, { token: access_token })
      assert.equal((await verifiedBy(client, userinfo.text, algorithm)).sub, stile.user.id)
    }
  })

  async function verifiedBy({ clientId, clientSecret }: Registered, token: string, algorithm: string) {
    assert.equal(algorithmOf(token), algorithm)
    if (!algorithm.startsWith('HS')) return verifiedClaims(stile, token)
    const { payload } = await jwtVerify(token, Buffer.from(clientSecret), { issuer: stile.issuer, audience: clientId })
    return payload
  }

  test('userinfo_signed_response_alg: none is JSON, and no JWT without a signature', async () => {
    await policy(stile, { mode: 'OPEN', perNetworkAddress: { count: 100_000, seconds: 60 } })
    const client = await registered(stile, { ...webClient, userinfo_signed_response_alg: 'none' })
    assert.equal(client.userinfo_signed_response_alg, undefined)
    for (const name of ['id_token_signed_response_alg', 'authorization_signed_response_alg']) {
      expectMetadataError(await registering(stile, { ...webClient, [name]: 'none' }), 'invalid_client_metadata', name)
    }
  })

  test('an application without a secret cannot ask for HS256', async () => {
    const body = { ...web, name: 'Public', tokenEndpointAuthMethod: 'NONE', idTokenSignedResponseAlg: 'HS256' }
    const { status, json } = await stile.api('POST', '/applications', body)
    assert.deepEqual([status, json.details[0].target], [400, 'idTokenSignedResponseAlg'])
    for (const none of ['none', 'HS1', 'RS1', 'ES256K']) {
      const refused = await stile.api('POST', '/applications', { ...web, name: 'None', idTokenSignedResponseAlg: none })
      assert.deepEqual([refused.status, refused.json.details[0].target], [400, 'idTokenSignedResponseAlg'])
    }
  })

  test('a resource says how its access tokens are signed; resources that differ leave it to the environment', async () => {
    const client = await register(stile, { ...web, requestScopesForMultipleResourcesEnabled: true })
    const scopeOf = async (signingAlgorithm: string | undefined) => {
      const scope = `scope-${randomUUID()}`
      const resource = await customResource(stile, { signingAlgorithm }, [scope])
      await grant(stile, client.clientId, resource.id, [resource.scope(scope)])
      return scope
    }
    const [ps, ed, plain] = [await scopeOf('PS256'), await scopeOf('EdDSA'), await scopeOf(undefined)]
    const signedBy = async (...scopes: string[]) => {
      const { access_token, id_token } = await tokensFor(client, { scope: ['openid', ...scopes].join(' ') })
      await verifiedClaims(stile, access_token)
      assert.equal(algorithmOf(id_token), 'ES256')
      return algorithmOf(access_token)
    }
    assert.deepEqual(
      [await signedBy(), await signedBy(ps), await signedBy(ed), await signedBy(plain)],
      ['ES256', 'PS256', 'EdDSA', 'ES256'],
    )
    assert.deepEqual([await signedBy(ps, ed), await signedBy(ps, plain)], ['ES256', 'ES256'])
    const { status, json } = await stile.api('POST', '/resources', { name: 'None', signingAlgorithm: 'HS256' })
    assert.deepEqual([status, json.details[0].target], [400, 'signingAlgorithm'])
  })

  test('signing.keyRotationPolicy: its keys sign both tokens, and another application is not concerned', async () => {
    const policy = {
      name: 'Own',
      dn: 'CN=Own',
      algorithm: 'EC',
      keyLength: 384,
      signatureAlgorithm: 'SHA384withECDSA',
      usageType: 'SIGNING',
    }
    const { id, currentKeyId } = expectStatus(await stile.api('POST', '/keyRotationPolicies', policy), 201)
    const signing = { keyRotationPolicy: { id } }
    const client = await register(stile, { ...web, signing })
    const { id_token, access_token } = await tokensFor(client)
    const answer = await browser.authorize(codeRequest(client, { response_mode: 'jwt' }))
    for (const token of [id_token, access_token, told(answer).get('response') ?? '']) {
      assert.deepEqual([algorithmOf(token), decodeProtectedHeader(token).kid], ['ES384', currentKeyId])
      await verifiedClaims(stile, token)
    }
    assert.equal(await isLive(stile, access_token), true)
    await change(stile, client.clientId, { idTokenSignedResponseAlg: 'ES384' })
    assert.equal(decodeProtectedHeader((await tokensFor(client)).id_token).kid, currentKeyId)
    await change(stile, client.clientId, { signing: undefined, idTokenSignedResponseAlg: undefined })
    assert.equal(algorithmOf((await tokensFor(client)).id_token), 'ES256')
  })

  test('includeX5t: headers name the certificate in the JWKS, for the application that asks for it', async () => {
    const client = await register(stile, { ...web, includeX5t: true })
    const { keys } = (await stile.send(`/${stile.environmentId}/as/jwks`)).json
    const { id_token, access_token } = await tokensFor(client)
    for (const token of [id_token, access_token]) {
      const { kid, x5t } = decodeProtectedHeader(token)
      assert.equal(x5t, keys.find((key: { kid: string }) => key.kid === kid).x5t)
    }
    assert.equal(await isLive(stile, access_token), true)
    assert.equal(decodeProtectedHeader((await tokensFor(await register(stile))).id_token).x5t, undefined)
  })

  test('id_token_hint: one that any of these keys signed is understood', async () => {
    const client = await register(stile, { ...web, idTokenSignedResponseAlg: 'PS512' })
    const { id_token } = await tokensFor(client)
    const answer = await browser.authorize(codeRequest(client, { prompt: 'none', id_token_hint: id_token }))
    assert.match(answer.headers.get('location') ?? '', /[?&]code=/)
  })
})
