/** Modules of the FAPI 2.0 plans about discovery, the whole journey, and what an authorization request may be. */
import assert from 'node:assert/strict'
import { connect } from 'node:tls'
import { Browser } from '../harness/sign-on.ts'
import { person } from '../oauth/registrations.ts'
import type { Declare } from './fapi2-bench.ts'
import { expectError, profileAlgorithms, type Variant } from './fapi-client.ts'

const prefix = 'fapi2-security-profile-final-'

/** Whether a port agrees to a version and suites of TLS. */
function agrees(port: number, options: object): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** FAPI 2.0 Security Profile 5.2 and 5.3.2.2. */
export function journeyModules(declare: Declare, { auth, constraint }: Variant): void {
  declare(`${prefix}discovery-end-point-verification`, async ({ node: { stile } }) => {
    const metadata = (await stile.send(stile.discoveryUrl)).json
    const oauth = await stile.send(`/.well-known/oauth-authorization-server${new URL(stile.issuer).pathname}`)
    assert.deepEqual([oauth.status, oauth.json.issuer, metadata.issuer], [200, stile.issuer, stile.issuer])
    const holds = (name: string, ...values: readonly unknown[]) => {
      assert.ok(Array.isArray(metadata[name]), name)
      for (const value of values) assert.ok(metadata[name].includes(value), `${name} holds ${String(value)}`)
    }
    holds('response_types_supported', 'code')
    holds('response_modes_supported', 'jwt', 'query.jwt')
    holds('authorization_signing_alg_values_supported')
    holds('token_endpoint_auth_methods_supported', 'tls_client_auth', 'private_key_jwt')
    holds('code_challenge_methods_supported', 'S256')
    holds('scopes_supported', 'openid')
    holds('subject_types_supported', 'public')
    for (const name of [
      'request_object_signing_alg_values_supported',
      'dpop_signing_alg_values_supported',
      'token_endpoint_auth_signing_alg_values_supported',
      'userinfo_signing_alg_values_supported',
      'id_token_signing_alg_values_supported',
    ]) {
      assert.ok(
        metadata[name].some((value: string) => profileAlgorithms.includes(value)),
        name,
      )
    }
    assert.equal(metadata.authorization_response_iss_parameter_supported, true)
    assert.equal(metadata.tls_client_certificate_bound_access_tokens, true)
    assert.equal(typeof metadata.require_pushed_authorization_requests, 'boolean')
    for (const name of ['authorization', 'token', 'pushed_authorization_request', 'userinfo']) {
      assert.ok(URL.canParse(metadata[`${name}_endpoint`]), name)
    }
    const { keys } = (await stile.send(new URL(metadata.jwks_uri).pathname)).json
    for (const key of keys) {
      assert.ok(key.kid && key.d === undefined && key.k === undefined)
      if (key.kty === 'RSA') assert.ok(Buffer.from(key.n, 'base64url').length >= 256)
    }
  })

  declare(`${prefix}happy-flow`, async ({ browser, client, other }) => {
    const tokens = await client.tokens(browser)
    const { access_token } = tokens
    for (const accept of ['application/json; charset=utf-8', 'application/json, application/*+json, */*']) {
      const headers = { authorization: `${tokens.token_type} ${access_token}`, accept }
      assert.equal((await client.expectResource(access_token, { headers })).json.sub, client.stile.user.id)
    }
    const inQuery = await client.stile.send(`/${client.stile.environmentId}/as/userinfo?access_token=${access_token}`)
    assert.equal(inQuery.status, 401)
    await other.expectResource((await other.tokens(browser)).access_token)
    // The second client has neither the key nor the certificate of the first.
    assert.equal((await other.resource(access_token)).status, 401)
  })

  declare(
    `${prefix}happy-flow: TLS 1.2 or later, with the suites of BCP 195 alone`,
    async ({ node: { port } }) => {
      for (const version of ['TLSv1', 'TLSv1.1']) {
        const old = { minVersion: version, maxVersion: version, ciphers: 'ALL@SECLEVEL=0' }
        assert.equal(await agrees(port, old), false, version)
      }
      assert.equal(await agrees(port, { minVersion: 'TLSv1.3' }), true)
      const only12 = { maxVersion: 'TLSv1.2' }
      assert.equal(await agrees(port, { ...only12, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }), true)
      for (const ciphers of ['ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES256-SHA', 'ECDHE-ECDSA-AES256-CCM']) {
        assert.equal(await agrees(port, { ...only12, ciphers }), false, ciphers)
      }
    },
    auth === 'mtls' && constraint === 'mtls',
  )

  declare(`${prefix}user-rejects-authentication`, async ({ node: { stile }, another }) => {
    const client = await another({ requireConsent: true })
    const browser = new Browser(stile)
    const { requestUri, request } = await client.pushed()
    const started = await browser.authorize({ client_id: client.app.clientId, request_uri: requestUri })
    const flowId = new URL(started.headers.get('location') ?? '').searchParams.get('flowId') ?? ''
    const { username, password } = await person(stile)
    assert.equal((await browser.act(flowId, 'usernamePassword.check', { username, password })).status, 200)
    assert.equal((await browser.act(flowId, 'oauth.consent', { accept: false })).status, 200)
    const response = await client.response((await browser.resume(flowId)).headers.get('location'))
    assert.deepEqual([response['error'], response['state']], ['access_denied', request['state']])
    const known = ['error', 'error_description', 'state', 'iss', 'aud', 'exp']
    assert.deepEqual(
      Object.keys(response).filter((name) => !known.includes(name)),
      [],
    )
  })

  declare(`${prefix}ensure-authorization-request-without-state-success`, async ({ browser, client }) => {
    const response = await client.authorize(browser, await client.pushed({ state: undefined }))
    assert.equal(response['error'], undefined)
    assert.ok(response['code'] && !('state' in response))
  })

  declare(`${prefix}ensure-authorization-request-without-nonce-success`, async ({ browser, client }) => {
    await client.tokens(browser, { nonce: undefined })
  })

  declare(`${prefix}ensure-authorization-request-with-64-char-nonce-success`, async ({ browser, client }) => {
    await client.tokens(browser, { nonce: 'n'.repeat(64) })
  })

  declare(`${prefix}ensure-authorization-request-with-long-nonce`, async ({ browser, client }) => {
    await client.tokens(browser, { nonce: 'n'.repeat(384) })
  })

  declare(`${prefix}ensure-authorization-request-with-long-state`, async ({ browser, client }) => {
    await client.tokens(browser, { state: 's'.repeat(384) })
  })

  declare(`${prefix}ensure-other-scope-order-succeeds`, async ({ browser, client }) => {
    const { access_token } = await client.tokens(browser, { scope: 'email profile openid' })
    await client.expectResource(access_token)
  })

  declare(`${prefix}test-claims-parameter-identity-claims`, async ({ browser, client }) => {
    const asked = { given_name: null, family_name: { essential: true }, email: null, unheard_of: null }
    const claims = JSON.stringify({ id_token: asked, userinfo: asked })
    const { verifier, request } = client.parameters({ scope: 'openid', claims })
    const pushed = await client.push(request)
    assert.equal(pushed.status, 201, pushed.text)
    const code = await client.code(browser, { requestUri: pushed.json.request_uri, verifier, request })
    const tokens = client.expectTokens(await client.send('token', client.redemption(code, { verifier })))
    const inToken = await client.expectIdToken(tokens, request['nonce'])
    const { json: userinfo } = await client.expectResource(tokens.access_token)
    assert.equal(userinfo.sub, inToken.sub)
    for (const place of [inToken, userinfo]) {
      assert.deepEqual([place['given_name'], place['email']], ['Dora', 'demo@example.com'])
      assert.ok(place['family_name'] && !('unheard_of' in place))
    }
  })

  declare(`${prefix}access-token-type-header-case-sensitivity`, async ({ browser, client }) => {
    const { access_token, token_type } = await client.tokens(browser)
    const inverted = token_type.replaceAll(/./g, (it) =>
      it === it.toUpperCase() ? it.toLowerCase() : it.toUpperCase(),
    )
    await client.expectResource(access_token, { scheme: inverted })
  })
}

/** What a request must not be: FAPI 2.0 Security Profile 5.3.2.2. */
export function requestModules(declare: Declare, { signed }: Variant): void {
  /** Errors that a request brings about where it is pushed. */
  const refusedAtPar = signed ? ['invalid_request', 'invalid_request_object'] : ['invalid_request']

  declare(`${prefix}ensure-registered-redirect-uri`, async ({ client }) => {
    const { request } = client.parameters({ redirect_uri: `${client.app.redirectUri}/more` })
    expectError(await client.push(request), ...refusedAtPar)
  })

  declare(
    `${prefix}plain-fapi-tolerate-unregistered-redirect-uri`,
    async ({ client }) => {
      const { request } = client.parameters({ redirect_uri: 'https://app.test/unregistered' })
      expectError(await client.push(request), 'invalid_request')
    },
    !signed,
  )

  declare(`${prefix}ensure-redirect-uri-in-authorization-request`, async ({ client }) => {
    expectError(await client.push(client.parameters({ redirect_uri: undefined }).request), ...refusedAtPar)
  })

  for (const [name, response_type] of [
    ['code-idtoken', 'code id_token'],
    ['token', 'token'],
  ] as const) {
    declare(`${prefix}ensure-response-type-${name}-fails`, async ({ client }) => {
      const { request } = client.parameters({ response_type })
      expectError(await client.push(request), 'unsupported_response_type', 'invalid_request', 'unauthorized_client')
    })
  }

  declare(`${prefix}ensure-unsigned-authorization-request-without-using-par-fails`, async ({ browser, client }) => {
    const { request } = client.parameters()
    const answer = await browser.authorize(request as Record<string, string>)
    const response = await client.response(answer.headers.get('location'))
    assert.deepEqual([response['error'], response['state']], ['invalid_request', request['state']])
    assert.equal(response['code'], undefined)
  })

  declare(`${prefix}par-ensure-pkce-required`, async ({ client }) => {
    const { request } = client.parameters({ code_challenge: undefined, code_challenge_method: undefined })
    expectError(await client.push(request), 'invalid_request')
  })

  declare(`${prefix}par-plain-pkce-rejected`, async ({ client }) => {
    for (const code_challenge_method of ['plain', undefined]) {
      expectError(await client.push(client.parameters({ code_challenge_method }).request), 'invalid_request')
    }
  })
}
