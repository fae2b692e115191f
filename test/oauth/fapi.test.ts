/**
 * FAPI 2.0 Security Profile: what an application with a `fapiProfile` is held to, module by module of the plan
 * `fapi2-security-profile-final` (openid-conformance); rows D10, D24.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { authority, certificate } from '../harness/client-certificates.ts'
import { Browser, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { assertion, assertionType, clientKey, keySet } from './assertions.ts'
import { authorizeBySignOnPage, codeOf, codeRequest, expectRefusal, isLive, told } from './journeys.ts'
import { proofOf, thumbprintOf } from './proofs.ts'
import { expectStatus, type Registered, register, web } from './registrations.ts'
import { requestObject } from './request-objects.ts'

const key = clientKey('ES256')
const dpopKey = clientKey('ES256')
const root = await authority('Root')
const held = await certificate({ issuer: root })

suite('FAPI 2.0 Security Profile', () => {
  let stile: Stile
  let world: TestWorld
  let app: Registered
  let byCertificate: Registered
  let browser: Browser
  const fapi = {
    ...web,
    grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'],
    fapiProfile: 'FAPI_2_0_SECURITY',
    tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT',
    jwks: keySet(key),
  }
  before(async () => {
    world = testWorld()
    const proxy = { STILE_TRUSTED_PROXIES: '127.0.0.1', STILE_CLIENT_CERTIFICATE_HEADER: 'Client-Cert' }
    stile = await startStile({ world, environment: { ...proxy, STILE_CLIENT_CERTIFICATE_AUTHORITIES: root.cert } })
    app = await register(stile, fapi)
    byCertificate = await register(stile, {
      ...fapi,
      jwks: undefined,
      tokenEndpointAuthMethod: 'TLS_CLIENT_AUTH',
      tlsClientAuthSubjectDn: 'CN=client,O=Example,C=DE',
    })
    browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(await register(stile)))
  })
  after(() => stile.close())

  type Form = Readonly<Record<string, string | undefined>>
  const given = (form: Form): Record<string, string> =>
    Object.fromEntries(Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined))
  /** A request as the application makes it: known by an assertion, perhaps with a proof. */
  const post = async (
    name: 'par' | 'token',
    form: Form,
    headers: Readonly<Record<string, string>> = {},
    claims: Readonly<Record<string, unknown>> = {},
  ): Promise<Answer> =>
    stile.send(`/${stile.environmentId}/as/${name}`, {
      body: new URLSearchParams({
        ...given(form),
        client_assertion_type: assertionType,
        client_assertion: await assertion(stile, app.clientId, key, claims),
      }),
      headers,
    })
  const dpop = async (by = dpopKey) => ({ dpop: await proofOf(stile, by) })
  const requestOf = (more: Form = {}) => {
    const { verifier, challenge } = pkce()
    const request = codeRequest(app, { code_challenge: challenge, code_challenge_method: 'S256' })
    return { verifier, request: { ...request, ...more } }
  }
  const authorized = async (requestUri: string): Promise<string> =>
    codeOf(await browser.authorize({ client_id: app.clientId, request_uri: requestUri }))
  const obtain = async (): Promise<{ readonly form: Form }> => {
    const { verifier, request } = requestOf()
    const { request_uri } = expectStatus(await post('par', request), 201)
    const code = await authorized(request_uri)
    return {
      form: { grant_type: 'authorization_code', code, redirect_uri: app.redirectUri, code_verifier: verifier },
    }
  }

  test('happy-flow: pushed, by S256, with an assertion and a proof', async () => {
    const { verifier, request } = requestOf({ state: 's', nonce: 'n' })
    const { request_uri, expires_in } = expectStatus(await post('par', request), 201)
    assert.ok(expires_in < 600)
    const answer = told(await browser.authorize({ client_id: app.clientId, request_uri }))
    assert.deepEqual([answer.get('state'), answer.get('iss')], ['s', stile.issuer])
    const form = {
      grant_type: 'authorization_code',
      code: answer.get('code') ?? '',
      redirect_uri: app.redirectUri,
      code_verifier: verifier,
    }
    const tokens = expectStatus(await post('token', form, await dpop()), 200)
    assert.equal(tokens.token_type, 'DPoP')
    assert.deepEqual(decodeJwt(tokens.access_token)['cnf'], { jkt: await thumbprintOf(dpopKey) })
    assert.equal(await isLive(stile, tokens.access_token), false, 'it is no bearer token')
  })

  test('ensure-holder-of-key-required: neither proof nor certificate; either will do', async () => {
    const { form } = await obtain()
    expectRefusal(await post('token', form), 'invalid_dpop_proof')
    const rsa = clientKey('RS256')
    expectRefusal(await post('token', form, await dpop(rsa)), 'invalid_dpop_proof')
    const header = { 'client-cert': `:${held.certificate.raw.toString('base64')}:` }
    const tokens = expectStatus(await post('token', form, header), 200)
    assert.deepEqual(Object.keys(decodeJwt(tokens.access_token)['cnf'] ?? {}), ['x5t#S256'])
  })

  test('mutual TLS: the certificate of the client is what its tokens are bound to', async () => {
    const header = { 'client-cert': `:${held.certificate.raw.toString('base64')}:` }
    const { verifier, request } = requestOf({ client_id: byCertificate.clientId })
    const pushed = await stile.send(`/${stile.environmentId}/as/par`, {
      body: new URLSearchParams(given(request)),
      headers: header,
    })
    const { request_uri } = expectStatus(pushed, 201)
    const code = codeOf(await browser.authorize({ client_id: byCertificate.clientId, request_uri }))
    const answer = await stile.send(`/${stile.environmentId}/as/token`, {
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        redirect_uri: byCertificate.redirectUri,
        code_verifier: verifier,
        client_id: byCertificate.clientId,
      }),
      headers: header,
    })
    const { access_token, token_type } = expectStatus(answer, 200)
    assert.equal(token_type, 'Bearer')
    assert.deepEqual(Object.keys(decodeJwt(access_token)['cnf'] ?? {}), ['x5t#S256'])
  })

  test('a request that is not pushed', async () => {
    const { request } = requestOf()
    assert.equal(told(await browser.authorize(given(request))).get('error'), 'invalid_request')
  })

  test('par-ensure-pkce-required, par-plain-pkce-rejected, and what else a request has to be', async () => {
    const { challenge } = pkce()
    const wrong: readonly (readonly [Form, string])[] = [
      [{ code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
      [{ code_challenge: challenge, code_challenge_method: 'plain' }, 'invalid_request'],
      [{ code_challenge: challenge, code_challenge_method: undefined }, 'invalid_request'],
      [{ response_type: 'id_token', nonce: 'n' }, 'unauthorized_client'],
      [{ response_type: 'code id_token', nonce: 'n' }, 'unauthorized_client'],
      [{ response_mode: 'pi.flow' }, 'invalid_request'],
      [{ response_mode: 'pi.flow', redirect_uri: undefined }, 'invalid_request'],
    ]
    for (const [more, error] of wrong) {
      const { request } = requestOf(more)
      expectRefusal(await post('par', request), error)
    }
  })

  test('ensure-pkce-code-verifier-required, incorrect-pkce-code-verifier-rejected', async () => {
    const { form } = await obtain()
    expectRefusal(await post('token', { ...form, code_verifier: undefined }, await dpop()), 'invalid_grant')
    expectRefusal(await post('token', { ...form, code_verifier: pkce().verifier }, await dpop()), 'invalid_grant')
    expectStatus(await post('token', form, await dpop()), 200)
  })

  test('par-test-array-as-audience-fails, -par-endpoint-url-as-audience-, -token-endpoint-url-as-audience-', async () => {
    const { request } = requestOf()
    for (const aud of [[stile.issuer, 'https://other.test'], `${stile.issuer}/par`, `${stile.issuer}/token`]) {
      expectRefusal(await post('par', request, {}, { aud }), 'invalid_client')
    }
  })

  test('par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted, -over-60-seconds-fails', async () => {
    const now = Math.floor(world.now() / 1000)
    const { request } = requestOf()
    expectStatus(await post('par', request, {}, { iat: now + 8, nbf: now + 8 }), 201)
    expectRefusal(await post('par', request, {}, { iat: now + 65, nbf: now + 65, exp: now + 120 }), 'invalid_client')
  })

  test('a code is worth a minute, whatever the environment says', async () => {
    const settings = expectStatus(await stile.api('GET', '/settings'), 200)
    expectStatus(await stile.api('PUT', '/settings', { ...settings, authorizationCodeSeconds: 600 }), 200)
    const { form } = await obtain()
    world.advance(60_001)
    await stile.node.kernel.environments.poll()
    expectRefusal(await post('token', form, await dpop()), 'invalid_grant')
    expectStatus(await stile.api('PUT', '/settings', settings), 200)
  })

  test('refresh-token: bound anew with each use, and not replaced', async () => {
    const { form } = await obtain()
    const { refresh_token } = expectStatus(await post('token', form, await dpop()), 200)
    const refreshing = { grant_type: 'refresh_token', refresh_token }
    expectRefusal(await post('token', refreshing), 'invalid_dpop_proof')
    for (let use = 0; use < 3; use++) {
      const other = clientKey('ES256')
      const again = expectStatus(await post('token', refreshing, await dpop(other)), 200)
      assert.equal(again.refresh_token, refresh_token)
      assert.deepEqual(decodeJwt(again.access_token)['cnf'], { jkt: await thumbprintOf(other) })
    }
  })

  test('assertions by RS256, which any other application may use', async () => {
    const rsa = clientKey('RS256')
    const other = await register(stile, { ...fapi, jwks: keySet(rsa) })
    const ask = async (algorithm: string) =>
      stile.send(`/${stile.environmentId}/as/par`, {
        body: new URLSearchParams({
          ...given(requestOf({ client_id: other.clientId }).request),
          client_assertion_type: assertionType,
          client_assertion: await assertion(stile, other.clientId, { ...rsa, algorithm }),
        }),
      })
    expectRefusal(await ask('RS256'), 'invalid_client')
    expectRefusal(await ask('PS384'), 'invalid_client')
    expectStatus(await ask('PS256'), 201)
  })

  test('message signing: what is pushed is signed, by an algorithm of the profile', async () => {
    const rsa = clientKey('PS256')
    const signing = await register(stile, {
      ...fapi,
      fapiProfile: 'FAPI_2_0_MESSAGE_SIGNING',
      jwks: keySet(key, rsa),
    })
    const { challenge } = pkce()
    const parameters = codeRequest(signing, { code_challenge: challenge, code_challenge_method: 'S256' })
    const pushIt = async (form: Readonly<Record<string, string>>) =>
      stile.send(`/${stile.environmentId}/as/par`, {
        body: new URLSearchParams({
          ...form,
          client_assertion_type: assertionType,
          client_assertion: await assertion(stile, signing.clientId, key),
        }),
      })
    expectRefusal(await pushIt(parameters), 'invalid_request')
    for (const signer of ['none', { ...rsa, algorithm: 'RS256' }, { ...rsa, algorithm: 'PS512' }] as const) {
      expectRefusal(
        await pushIt({ request: await requestObject(stile, signing, signer, parameters) }),
        'invalid_request_object',
      )
    }
    for (const signer of [key, rsa]) {
      expectStatus(await pushIt({ request: await requestObject(stile, signing, signer, parameters) }), 201)
    }
  })

  test('registration', async () => {
    const refused = async (properties: object, target: string) => {
      const { status, json } = await stile.api('POST', '/applications', {
        ...fapi,
        name: randomUUID(),
        ...properties,
      })
      assert.deepEqual([status, json.details?.[0]?.target], [400, target], JSON.stringify(properties))
    }
    await refused({ tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC' }, 'tokenEndpointAuthMethod')
    await refused({ acceptTokenEndpointAudience: true }, 'acceptTokenEndpointAudience')
  })
})
