/**
 * Discovery promises what works and nothing else: authentication-api 2.1, 2.2; row C22. Whatever a list of the document
 * names is exercised, so that a new entry without its behaviour fails here.
 */
import assert from 'node:assert/strict'
import { createHash, randomUUID, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { json } from 'node:stream/consumers'
import { after, before, suite, test } from 'node:test'
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { hmacAlgorithms, signingAlgorithms } from '../../src/keys/algorithm.ts'
import { Browser, pkce } from '../harness/sign-on.ts'
import { type Answer, basic, type Stile, startStile } from '../harness/stile.ts'
import { assertion, assertionType, clientKey, keySet } from './assertions.ts'
import {
  authorizeBySignOnPage,
  codeRequest,
  expectRefusal,
  obtainCode,
  postedForm,
  redeemCode,
  told,
} from './journeys.ts'
import { requestObject } from './request-objects.ts'
import {
  assignPolicy,
  expectStatus,
  otherEnvironment,
  person,
  type Registered,
  register,
  spa,
  web,
  wrk,
} from './registrations.ts'

/** What a client adds to a request to be known by. */
interface Presented {
  readonly body: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
}

suite('discovery', () => {
  let stile: Stile
  let metadata: Answer['json']
  let singlePage: Registered
  let browser: Browser
  before(async () => {
    stile = await startStile()
    metadata = expectStatus(await stile.send(`/${stile.environmentId}/as/.well-known/openid-configuration`), 200)
    singlePage = await register(stile, { ...spa, pkceEnforcement: 'OPTIONAL' })
    browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(singlePage))
  })
  after(() => stile.close())

  const pathOf = (address: string) => address.replace(stile.authUrl, '')

  test('names the issuer, and endpoints under it', () => {
    assert.equal(metadata.issuer, stile.issuer)
    assert.equal(stile.discoveryUrl, `${metadata.issuer}/.well-known/openid-configuration`)
    assert.deepEqual(
      [metadata.authorization_endpoint, metadata.token_endpoint, metadata.userinfo_endpoint, metadata.jwks_uri],
      ['authorize', 'token', 'userinfo', 'jwks'].map((name) => `${stile.issuer}/${name}`),
    )
    const { subject_types_supported, claim_types_supported, userinfo_signing_alg_values_supported } = metadata
    assert.deepEqual(
      [subject_types_supported, claim_types_supported, userinfo_signing_alg_values_supported],
      [['public', 'pairwise'], ['normal'], ['none', ...signingAlgorithms, ...hmacAlgorithms]],
    )
  })

  test('every endpoint it names is there, and answers as its own kind', async () => {
    const endpoints = Object.entries<string>(metadata).filter(([name]) => /_(endpoint|uri)$/.test(name))
    assert.equal(endpoints.length, 12)
    for (const [name, address] of endpoints) {
      const { status } = await stile.send(pathOf(address))
      assert.equal(
        status,
        {
          authorization_endpoint: 400,
          authorization_challenge_endpoint: 405,
          pushed_authorization_request_endpoint: 405,
          token_endpoint: 405,
          device_authorization_endpoint: 405,
          backchannel_authentication_endpoint: 405,
          userinfo_endpoint: 401,
          introspection_endpoint: 405,
          revocation_endpoint: 405,
          jwks_uri: 200,
          end_session_endpoint: 302,
          ping_end_idp_session_endpoint: 400,
        }[name],
        name,
      )
    }
  })

  test('RFC 8414 section 3.1: the same document stands where the path of the issuer comes last', async () => {
    for (const name of ['oauth-authorization-server', 'openid-configuration']) {
      const address = (id: string) => `/.well-known/${name}/${id}/as`
      assert.deepEqual(expectStatus(await stile.send(address(stile.environmentId)), 200), metadata)
      assert.equal((await stile.send(address(randomUUID()))).status, 404)
    }
  })

  test('any origin may read it and the keys, and both may be kept for a while', async () => {
    for (const path of [pathOf(stile.discoveryUrl), pathOf(metadata.jwks_uri)]) {
      const { headers } = await stile.send(path, { headers: { origin: 'https://anywhere.test' } })
      assert.equal(headers.get('access-control-allow-origin'), '*')
      assert.equal(headers.get('access-control-allow-credentials'), null)
      assert.equal(headers.get('cache-control'), 'public, max-age=300')
      assert.deepEqual(headers.getSetCookie(), [])
    }
    assert.equal((await stile.send(`/${randomUUID()}/as/.well-known/openid-configuration`)).status, 404)
  })

  test('C08: nothing a request says changes an address', async () => {
    const headers = {
      host: 'evil.test',
      'x-forwarded-host': 'evil.test',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.test',
    }
    const options = { host: '127.0.0.1', port: stile.node.port, path: pathOf(stile.discoveryUrl), headers }
    const [answer] = (await once(request(options).end(), 'response')) as [IncomingMessage]
    assert.deepEqual(await json(answer), metadata)
  })

  test('acr_values: the default policy can be asked for, and is answered; a policy of an application is not named', async () => {
    const app = await register(stile)
    await assignPolicy(stile, (await register(stile)).clientId, 'Of_Somebody_Else', 1)
    const read = expectStatus(await stile.send(pathOf(stile.discoveryUrl)), 200)
    assert.deepEqual(read.acr_values_supported, ['Single_Factor'])
    const [acr_values = ''] = read.acr_values_supported as string[]
    const tokens = await redeemCode(stile, app, await obtainCode(browser, codeRequest(app, { acr_values })))
    assert.equal(decodeJwt(expectStatus(tokens, 200).id_token)['acr'], acr_values)
  })

  test('response types and modes: every pair works, or is refused as the specifications say', async () => {
    for (const response_type of metadata.response_types_supported) {
      const isCode = response_type === 'code'
      for (const response_mode of [undefined, ...metadata.response_modes_supported] as const) {
        const more = { response_type, nonce: 'n', state: 's', ...(response_mode ? { response_mode } : {}) }
        const answer = await browser.authorize(codeRequest(singlePage, more))
        const expected = response_type.split(' ').map((word: string) => (word === 'token' ? 'access_token' : word))
        if (['query', 'query.jwt'].includes(response_mode) && !isCode) {
          assert.equal(told(answer).get('error'), 'invalid_request')
          continue
        }
        const usual = isCode ? 'query' : 'fragment'
        const parts = partsOf(answer, response_mode === 'jwt' ? `${usual}.jwt` : (response_mode ?? usual))
        for (const name of [...expected, 'state'])
          assert.ok(parts.has(name), `${response_type} ${response_mode}: ${name}`)
        for (const name of ['code', 'access_token', 'id_token'])
          assert.equal(parts.has(name), expected.includes(name), name)
      }
    }
  })

  /** The names of an answer that travelled in a mode, and in no other. */
  function partsOf(answer: Answer, mode: string): ReadonlySet<string> {
    if (mode === 'pi.flow') return new Set(Object.keys(expectStatus(answer, 200).authorizeResponse))
    const parts = mode.startsWith('form_post') ? postedForm(answer).parameters : told(answer)
    if (!mode.startsWith('form_post')) {
      const { search, hash } = new URL(answer.headers.get('location') ?? '')
      const isInQuery = mode.startsWith('query')
      assert.equal(isInQuery ? hash : search, '')
    }
    if (!mode.endsWith('.jwt')) return new Set(parts.keys())
    assert.deepEqual([...parts.keys()], ['response'])
    const response = parts.get('response') ?? ''
    assert.ok(metadata.authorization_signing_alg_values_supported.includes(decodeProtectedHeader(response).alg))
    return new Set(Object.keys(decodeJwt(response)))
  }

  test('response types and modes that it does not name do not work', async () => {
    for (const response_type of ['none', 'device_code', 'code none', 'code code', 'code token token']) {
      assert.ok(!metadata.response_types_supported.includes(response_type))
      assert.equal(
        told(await browser.authorize(codeRequest(singlePage, { response_type, nonce: 'n' }))).get('error'),
        'unsupported_response_type',
      )
    }
    for (const response_mode of ['web_message', 'JWT', 'form_post.JWT', 'pi.flow.jwt', 'query.', '.jwt']) {
      assert.ok(!metadata.response_modes_supported.includes(response_mode))
      assert.equal(
        told(await browser.authorize(codeRequest(singlePage, { response_mode }))).get('error'),
        'invalid_request',
      )
    }
  })

  test('client authentication methods and grants: each works', async () => {
    const key = clientKey('ES256')
    const assertionOf = async ({ clientId, clientSecret }: Registered, method: string) => {
      const secret = { algorithm: 'HS256', privateKey: Buffer.from(clientSecret), jwk: {} }
      const jwt = await assertion(stile, clientId, method === 'private_key_jwt' ? key : secret)
      return { body: { client_assertion_type: assertionType, client_assertion: jwt } }
    }
    const presenters: Readonly<Record<string, (client: Registered) => Presented | Promise<Presented>>> = {
      client_secret_basic: ({ clientId, clientSecret }) => ({
        body: {},
        headers: { authorization: basic(clientId, clientSecret) },
      }),
      client_secret_post: ({ clientId, clientSecret }) => ({
        body: { client_id: clientId, client_secret: clientSecret },
      }),
      client_secret_jwt: (client) => assertionOf(client, 'client_secret_jwt'),
      private_key_jwt: (client) => assertionOf(client, 'private_key_jwt'),
      none: ({ clientId }) => ({ body: { client_id: clientId } }),
    }
    for (const method of metadata.token_endpoint_auth_methods_supported) {
      const present = presenters[method] ?? assert.fail(`${method} is promised and unknown here`)
      const properties = { ...web, tokenEndpointAuthMethod: method.toUpperCase(), jwks: keySet(key) }
      const client = await register(stile, properties)
      const code = await obtainCode(browser, codeRequest(client))
      const { body, headers = {} } = await present(client)
      const form = { grant_type: 'authorization_code', code, redirect_uri: client.redirectUri, ...body }
      expectStatus(await stile.send(pathOf(metadata.token_endpoint), { body: new URLSearchParams(form), headers }), 200)
    }
    assert.deepEqual(metadata.grant_types_supported, [
      'implicit',
      'client_credentials',
      'authorization_code',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
      'urn:openid:params:grant-type:ciba',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
    ])
    const worker = await register(stile, wrk, [])
    for (const grant_type of ['urn:ietf:params:oauth:grant-type:saml2-bearer', 'password']) {
      const headers = { authorization: basic(worker.clientId, worker.clientSecret) }
      expectRefusal(
        await stile.send(pathOf(metadata.token_endpoint), { body: new URLSearchParams({ grant_type }), headers }),
        'unsupported_grant_type',
      )
    }
    assert.equal(metadata.claims_parameter_supported, true)
  })

  test('request objects: each algorithm works, and no other; addresses have to be registered', async () => {
    const { request_parameter_supported, request_uri_parameter_supported, require_request_uri_registration } = metadata
    assert.deepEqual(
      [request_parameter_supported, request_uri_parameter_supported, require_request_uri_registration],
      [true, true, true],
    )
    for (const algorithm of metadata.request_object_signing_alg_values_supported) {
      const isSecret = algorithm.startsWith('HS')
      const key = clientKey(isSecret || algorithm === 'none' ? 'ES256' : algorithm)
      const supportUnsignedRequestObject = algorithm === 'none'
      const client = await register(stile, { ...web, jwks: keySet(key), supportUnsignedRequestObject })
      const by = isSecret ? { algorithm, secret: client.clientSecret } : algorithm === 'none' ? 'none' : key
      const object = (signer: typeof by) => requestObject(stile, client, signer, codeRequest(client))
      const sent = (request: string) => browser.authorize(codeRequest(client, { request }))
      assert.ok(told(await sent(await object(by))).get('code'), algorithm)
      if (algorithm !== 'none')
        assert.equal(told(await sent(await object('none'))).get('error'), 'invalid_request_object')
    }
    const refused = await browser.authorize(codeRequest(singlePage, { request_uri: 'https://app.test/request' }))
    assert.equal(told(refused).get('error'), 'request_uri_not_supported')
  })

  test('PKCE methods: each works', async () => {
    for (const method of metadata.code_challenge_methods_supported) {
      const { verifier, challenge } = pkce()
      const more = { code_challenge: method === 'plain' ? verifier : challenge, code_challenge_method: method }
      const code = await obtainCode(browser, codeRequest(singlePage, more))
      expectStatus(await redeemCode(stile, singlePage, code, { code_verifier: verifier }), 200)
    }
  })

  test('scopes and claims: each scope is granted, and together they bring every claim', async () => {
    const everything = await person(stile, {
      emailVerified: true,
      email: 'all@example.com',
      name: { given: 'G', middle: 'M', family: 'F', formatted: 'G M F' },
      nickname: 'n',
      locale: 'en',
      timezone: 'Europe/Oslo',
      primaryPhone: '+1.5125550100',
      address: { locality: 'L' },
      photo: { href: 'https://photos.test/1.png' },
    })
    const grantTypes = ['AUTHORIZATION_CODE', 'REFRESH_TOKEN']
    const client = await register(stile, { ...web, grantTypes }, metadata.scopes_supported.slice(1))
    const parameters = codeRequest(client, { scope: metadata.scopes_supported.join(' '), nonce: 'n' })
    const code = await obtainCode(new Browser(stile), parameters, everything)
    const { scope, id_token } = expectStatus(await redeemCode(stile, client, code), 200)
    assert.equal(scope, metadata.scopes_supported.join(' '))
    assert.deepEqual(
      Object.keys(decodeJwt(id_token))
        .filter((name) => name !== 'at_hash')
        .toSorted(),
      metadata.claims_supported.toSorted(),
    )
  })

  test('RFC 9207: answers name their issuer, as promised', async () => {
    assert.equal(metadata.authorization_response_iss_parameter_supported, true)
    const parameters = [{}, { prompt: 'none', max_age: '0' }, { scope: '"' }]
    for (const more of parameters)
      assert.equal(told(await browser.authorize(codeRequest(singlePage, more))).get('iss'), metadata.issuer)
  })

  suite('keys', () => {
    test('x5c[0], wrapped as a certificate, verifies the tokens: as custom-signon does, for RS256 and ES256', async () => {
      for (const where of [stile, await otherEnvironment(stile)]) {
        const { id_token_signing_alg_values_supported: algorithms } = expectStatus(
          await stile.send(`/${where.environmentId}/as/.well-known/openid-configuration`),
          200,
        )
        assert.ok(algorithms.includes('RS256'), 'OpenID Connect Discovery section 3')
        const client = await register(where)
        const code = await obtainCode(new Browser(where), codeRequest(client), await person(where))
        const { id_token, access_token } = expectStatus(await redeemCode(where, client, code), 200)
        const { keys } = expectStatus(await stile.send(`/${where.environmentId}/as/jwks`), 200)
        for (const token of [id_token, access_token]) {
          const { kid, alg } = decodeProtectedHeader(token)
          assert.equal(alg, where === stile ? 'ES256' : 'RS256')
          assert.ok(algorithms.includes(alg))
          const key = keys.find((one: { kid: string }) => one.kid === kid)
          assert.deepEqual([key.use, key.alg], ['sig', alg])
          const pem = `-----BEGIN CERTIFICATE-----\n${key.x5c[0].match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE-----`
          const certificate = new X509Certificate(pem)
          await jwtVerify(token, certificate.publicKey, { issuer: where.issuer })
          assert.ok(
            new Date(certificate.validFrom).getTime() <= Date.now() &&
              new Date(certificate.validTo).getTime() > Date.now(),
          )
          const { kty, n, e, crv, x, y } = certificate.publicKey.export({ format: 'jwk' })
          assert.deepEqual(
            JSON.stringify([kty, n, e, crv, x, y]),
            JSON.stringify([key.kty, key.n, key.e, key.crv, key.x, key.y]),
          )
          if (key['x5t#S256'])
            assert.equal(key['x5t#S256'], createHash('sha256').update(certificate.raw).digest('base64url'))
        }
      }
    })

    test('nothing private is published', async () => {
      const { keys } = expectStatus(await stile.send(`/${stile.environmentId}/as/jwks`), 200)
      assert.ok(keys.length >= 1)
      for (const key of keys)
        for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.equal(name in key, false)
    })
  })
})
