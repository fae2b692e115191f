/**
 * What an application with a `fapiProfile` is held to beside the modules of test/conformance/fapi2-*.test.ts: FAPI 2.0
 * Security Profile and Message Signing; rows D10, D24.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { authority, certificate } from '../harness/client-certificates.ts'
import { Browser, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { assertion, assertionType, clientKey, keySet } from './assertions.ts'
import { authorizeBySignOnPage, codeOf, codeRequest, expectRefusal } from './journeys.ts'
import { proofOf, thumbprintOf } from './proofs.ts'
import { change, expectStatus, otherEnvironment, type Registered, register, web } from './registrations.ts'
import { requestObject } from './request-objects.ts'

const key = clientKey('ES256')
const dpopKey = clientKey('ES256')
const root = await authority('Root')
const held = await certificate({ issuer: root })

suite('FAPI 2.0 Security Profile', () => {
  let stile: Stile
  let world: TestWorld
  let app: Registered
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

  test('responses go by the browser, and nothing but a code', async () => {
    const wrong: readonly (readonly [Form, string])[] = [
      [{ response_type: 'id_token', nonce: 'n' }, 'unauthorized_client'],
      [{ response_mode: 'pi.flow' }, 'invalid_request'],
      [{ response_mode: 'pi.flow', redirect_uri: undefined }, 'invalid_request'],
    ]
    for (const [more, error] of wrong) {
      const { request } = requestOf(more)
      expectRefusal(await post('par', request), error)
    }
  })

  test('either a proof or a certificate will do, and a proof is by an algorithm of the profile wherever it is', async () => {
    const { form } = await obtain()
    const rsa = clientKey('RS256')
    expectRefusal(await post('token', form, await dpop(rsa)), 'invalid_dpop_proof')
    const atPar = await proofOf(stile, rsa, { path: `/${stile.environmentId}/as/par` })
    expectRefusal(await post('par', requestOf().request, { dpop: atPar }), 'invalid_dpop_proof')
    const header = { 'client-cert': `:${held.certificate.raw.toString('base64')}:` }
    const tokens = expectStatus(await post('token', form, header), 200)
    assert.deepEqual(Object.keys(decodeJwt(tokens.access_token)['cnf'] ?? {}), ['x5t#S256'])
  })

  test('what is signed for it is by an algorithm of the profile, whatever the environment signs by', async () => {
    const settings = expectStatus(await stile.api('GET', '/settings'), 200)
    expectStatus(await stile.api('PUT', '/settings', { ...settings, signingAlgorithm: 'RS256' }), 200)
    await stile.node.kernel.environments.poll()
    try {
      const { form } = await obtain()
      const tokens = expectStatus(await post('token', form, await dpop()), 200)
      const plain = await register(stile, { ...fapi, fapiProfile: 'NONE' })
      const named = await register(stile, { ...fapi, idTokenSignedResponseAlg: 'PS256' })
      const introspected = async ({ clientId }: Registered, accept: string) =>
        stile.send(`/${stile.environmentId}/as/introspect`, {
          body: new URLSearchParams({
            token: tokens.access_token,
            client_assertion_type: assertionType,
            client_assertion: await assertion(stile, clientId, key),
          }),
          headers: { accept },
        })
      const answers = [app, named, plain].map((client) => introspected(client, 'application/token-introspection+jwt'))
      const algorithmOf = (jwt: string) => decodeProtectedHeader(jwt).alg
      const signed = (await Promise.all(answers)).map(({ text }) => algorithmOf(text))
      assert.deepEqual([algorithmOf(tokens.id_token), algorithmOf(tokens.access_token)], ['ES256', 'ES256'])
      assert.deepEqual(signed, ['ES256', 'PS256', 'RS256'])
      const { introspection_signing_alg_values_supported: promised } = (await stile.send(stile.discoveryUrl)).json
      for (const algorithm of signed) assert.ok(promised.includes(algorithm), `${algorithm} is promised`)
    } finally {
      expectStatus(await stile.api('PUT', '/settings', settings), 200)
      await stile.node.kernel.environments.poll()
    }
  })

  test('its keys are made with it, and stay as long as it keeps the profile', async () => {
    const elsewhere = await otherEnvironment(stile)
    const algorithms = async (): Promise<ReadonlyMap<string, string>> => {
      const { _embedded } = expectStatus(await elsewhere.api('GET', '/keyRotationPolicies'), 200)
      const policies: readonly { id: string; signatureAlgorithm: string }[] = _embedded.keyRotationPolicies
      return new Map(policies.map(({ id, signatureAlgorithm }) => [signatureAlgorithm, id]))
    }
    const before = [...(await algorithms()).keys()]
    assert.ok(!before.some((name) => /ECDSA/.test(name)), before.join(' '))
    const { clientId } = await register(elsewhere, fapi, [])
    const made = [...(await algorithms())].find(([name]) => !before.includes(name))
    assert.match(made?.[0] ?? '', /ECDSA/)
    const remove = () => elsewhere.api('DELETE', `/keyRotationPolicies/${made?.[1]}`)
    const refused = await remove()
    assert.ok(refused.status >= 400, refused.text)
    await change(elsewhere, clientId, { fapiProfile: 'NONE' })
    assert.equal((await remove()).status, 204)
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
    const nbf = Math.floor(world.now() / 1000)
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
        await pushIt({ request: await requestObject(stile, signing, signer, { nbf, ...parameters }) }),
        'invalid_request_object',
      )
    }
    for (const signer of [key, rsa]) {
      expectStatus(await pushIt({ request: await requestObject(stile, signing, signer, { nbf, ...parameters }) }), 201)
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
    await refused({ userinfoSignedResponseAlg: 'RS256' }, 'userinfoSignedResponseAlg')
    const policies = expectStatus(await stile.api('GET', '/keyRotationPolicies'), 200)._embedded.keyRotationPolicies
    const rsa = policies.find((policy: { signatureAlgorithm: string }) => /RSA/.test(policy.signatureAlgorithm))
    assert.ok(rsa, JSON.stringify(policies))
    const signing = { keyRotationPolicy: { id: rsa.id } }
    await refused({ signing }, 'signing.keyRotationPolicy.id')
  })
})
