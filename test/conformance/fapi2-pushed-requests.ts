/** Modules of the FAPI 2.0 plans about the pushed authorization request endpoint: RFC 9126, and how clients prove themselves there. */
import assert from 'node:assert/strict'
import { Browser } from '../harness/sign-on.ts'
import { submitSignOnPage } from '../oauth/journeys.ts'
import type { Bench, Declare } from './fapi2-bench.ts'
import { expectError, expectPage, type FapiClient, type Variant } from './fapi-client.ts'

const prefix = 'fapi2-security-profile-final-'

/** FAPI 2.0 Security Profile 5.3.2.2, 2 to 4. */
export function pushedRequestModules(declare: Declare, { auth, signed }: Variant): void {
  const arrive = (browser: Browser, client: FapiClient, request_uri: string) =>
    browser.authorize({ client_id: client.app.clientId, request_uri })

  declare(`${prefix}par-attempt-reuse-request_uri`, async ({ browser, client }) => {
    const pushed = await client.pushed()
    await client.code(browser, pushed)
    expectPage(await arrive(browser, client, pushed.requestUri))
  })

  declare(
    `${prefix}par-ensure-reused-request-uri-prior-to-auth-completion-succeeds`,
    async ({ node: { stile }, client }) => {
      const browser = new Browser(stile)
      const pushed = await client.pushed()
      const first = await arrive(browser, client, pushed.requestUri)
      const flowId = new URL(first.headers.get('location') ?? '').searchParams.get('flowId') ?? ''
      // The suite warns where the second visit is refused, as PingOne does (authentication-api 2.13); the first one goes on.
      expectPage(await arrive(browser, client, pushed.requestUri))
      assert.equal((await submitSignOnPage(browser, flowId, stile.user)).status, 303)
      const response = await client.response((await browser.resume(flowId)).headers.get('location'))
      assert.ok(response['code'])
    },
  )

  declare(`${prefix}par-attempt-to-use-expired-request_uri`, async ({ browser, client, world }) => {
    const { verifier, request } = client.parameters()
    const { json } = await client.push(request)
    assert.ok(verifier)
    world.advance(json.expires_in * 1000 + 1)
    await client.stile.node.kernel.environments.poll()
    expectPage(await arrive(browser, client, json.request_uri))
  })

  declare(`${prefix}par-attempt-to-use-request_uri-for-different-client`, async ({ browser, client, other }) => {
    expectPage(await arrive(browser, other, (await client.pushed()).requestUri))
  })

  declare(`${prefix}par-authorization-request-containing-request_uri-form-param`, async ({ client }) => {
    const { request } = client.parameters()
    const beside = { request_uri: 'urn:ietf:params:oauth:request_uri:bad' }
    const errors = ['invalid_request', 'invalid_request_object', 'request_uri_not_supported']
    expectError(await client.push(request, { beside }), ...errors)
  })

  declare(
    `${prefix}par-authorization-request-containing-request_uri`,
    async ({ client }) => {
      const object = { request_uri: 'urn:ietf:params:oauth:request_uri:bad' }
      expectError(await client.push(client.parameters().request, { object }), 'invalid_request_object')
    },
    signed,
  )

  declare(`${prefix}par-attempt-invalid-http-method`, async ({ client }) => {
    const { status } = await client.push(client.parameters().request, { method: 'GET' })
    assert.equal(status, 405)
  })

  declare(`${prefix}par-without-duplicate-parameters`, async ({ browser, client }) => {
    // Nothing but `client_id` and `request_uri` goes by the browser; `tokens` sends it so.
    await client.tokens(browser)
  })

  declare(`${prefix}ensure-different-nonce-inside-and-outside-request-object`, async ({ browser, client }) => {
    const pushed = await client.pushed()
    const code = await client.code(browser, pushed, { nonce: 'another' })
    const tokens = client.expectTokens(await client.send('token', client.redemption(code, pushed)))
    await client.expectIdToken(tokens, pushed.request['nonce'])
  })

  declare(`${prefix}ensure-different-state-inside-and-outside-request-object`, async ({ browser, client }) => {
    // `code` expects the state that was pushed.
    await client.code(browser, await client.pushed(), { state: 'another' })
  })

  const byAssertion = auth === 'private_key_jwt'
  const pushWith = ({ client }: Bench, claims: Readonly<Record<string, unknown>>) =>
    client.push(client.parameters().request, { assertion: claims })

  declare(
    `${prefix}par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted`,
    async (bench) => {
      const soon = bench.client.seconds() + 8
      assert.equal((await pushWith(bench, { iat: soon, nbf: soon })).status, 201)
    },
    byAssertion,
  )

  declare(
    `${prefix}par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails`,
    async (bench) => {
      const later = bench.client.seconds() + 65
      expectError(await pushWith(bench, { iat: later, nbf: later, exp: later + 60 }), 'invalid_client')
    },
    byAssertion,
  )

  for (const [name, audience] of [
    ['test-array-as-audience', ({ stile }: FapiClient) => [stile.issuer, 'https://other.test']],
    ['test-par-endpoint-url-as-audience', ({ stile }: FapiClient) => `${stile.issuer}/par`],
    ['test-token-endpoint-url-as-audience', ({ stile }: FapiClient) => `${stile.issuer}/token`],
  ] as const) {
    declare(
      `${prefix}par-${name}-fails`,
      async (bench) => {
        expectError(await pushWith(bench, { aud: audience(bench.client) }), 'invalid_client', 'invalid_request')
      },
      byAssertion,
    )
  }
}

/** Request objects: FAPI 2.0 Message Signing 5.3.1. */
export function requestObjectModules(declare: Declare, { signed }: Variant): void {
  if (!signed) return
  const minutes = (count: number) => count * 60

  declare(`${prefix}ensure-request-object-with-multiple-aud-succeeds`, async ({ browser, client }) => {
    await client.tokens(browser, {}, { object: { aud: [client.stile.issuer, 'https://other.test'] } })
  })

  declare(
    `${prefix}ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted`,
    async ({ browser, client }) => {
      await client.tokens(browser, {}, { object: { nbf: client.seconds() + 8 } })
    },
  )

  declare(`${prefix}state-only-outside-request-object-not-used`, async ({ browser, client }) => {
    const beside = { state: 'outside' }
    const pushed = await client.pushed({ state: undefined }, { beside })
    const response = await client.authorize(browser, pushed, beside)
    assert.ok(response['code'] && !('state' in response))
  })

  declare(`${prefix}ensure-unsigned-request-at-par-endpoint-fails`, async ({ client }) => {
    const { request } = client.parameters()
    expectError(await client.send('par', request), 'invalid_request')
  })

  const refused: readonly (readonly [string, (now: number) => Readonly<Record<string, unknown>>])[] = [
    ['without-exp', () => ({ exp: undefined })],
    ['without-nbf', () => ({ nbf: undefined })],
    ['with-bad-aud', () => ({ aud: 'https://other.test' })],
    ['with-exp-over-60', (now) => ({ exp: now + minutes(70) })],
    ['with-nbf-over-60', (now) => ({ nbf: now - minutes(70) })],
  ]
  for (const [name, claims] of refused) {
    declare(`${prefix}ensure-request-object-${name}-fails`, async ({ client }) => {
      const object = claims(client.seconds())
      expectError(await client.push(client.parameters().request, { object }), 'invalid_request_object')
    })
  }

  declare(`${prefix}ensure-expired-request-object-fails`, async ({ client }) => {
    const now = client.seconds()
    const object = { iat: now - minutes(10), nbf: now - minutes(10), exp: now - minutes(5) }
    expectError(await client.push(client.parameters().request, { object }), 'invalid_request_object')
  })

  declare(`${prefix}ensure-request-object-without-redirect-uri-fails`, async ({ client }) => {
    const beside = { redirect_uri: client.app.redirectUri }
    const { request } = client.parameters({ redirect_uri: undefined })
    expectError(await client.push(request, { beside }), 'invalid_request', 'invalid_request_object')
  })

  declare(`${prefix}ensure-signed-request-object-with-RS256-fails`, async ({ another }) => {
    const client = await another({}, 'PS256')
    const { request } = client.parameters()
    const signer = { ...client.key, algorithm: 'RS256' }
    expectError(await client.push(request, { signer }), 'invalid_request_object')
    assert.equal((await client.push(request)).status, 201, 'PS256 by the same key')
  })

  declare(`${prefix}ensure-request-object-signature-algorithm-is-not-none`, async ({ client }) => {
    expectError(await client.push(client.parameters().request, { signer: 'none' }), 'invalid_request_object')
  })

  declare(`${prefix}ensure-request-object-with-invalid-signature-fails`, async ({ client }) => {
    const [header, payload, signature = ''] = (await client.sign(client.parameters().request)).split('.')
    const turned = Buffer.from(Buffer.from(signature, 'base64url').map((byte) => byte ^ 0x5a))
    const request = `${header}.${payload}.${turned.toString('base64url')}`
    expectError(await client.send('par', { request }), 'invalid_request_object')
  })

  declare(`${prefix}ensure-matching-key-in-authorization-request`, async ({ client, other }) => {
    const { request } = client.parameters()
    expectError(await client.push(request, { signer: other.key }), 'invalid_request_object', 'invalid_request')
  })
}
