/**
 * FAPI-CIBA (implementer's draft 1) in poll mode, module by module of the plan `fapi-ciba-id1-test-plan` of the conformance
 * suite; OpenID CIBA Core 7.1.1, 10 and 11. The modules of the ping mode, which there is none of, and those of Brazil and
 * ConnectID are not here. `fapi-ciba-id1-ensure-mtls-holder-of-key-required` is held to whichever key tokens are bound to.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Browser } from '../harness/sign-on.ts'
import type { Answer, Stile } from '../harness/stile.ts'
import { decideOn, follow, type Reachable } from '../oauth/backchannel-journeys.ts'
import { submitSignOnPage } from '../oauth/journeys.ts'
import { person } from '../oauth/registrations.ts'
import { type Declare, plan } from './fapi2-bench.ts'
import {
  expectError,
  type FapiClient,
  type Otherwise,
  profileAlgorithms,
  type Tokens,
  type Variant,
} from './fapi-client.ts'

const prefix = 'fapi-ciba-id1'
const grantType = 'urn:openid:params:grant-type:ciba'

type Claims = Readonly<Record<string, unknown>>

/** Asks for a user; nobody has the name unless the test says so, and no client can tell. */
async function ask(client: FapiClient, claims: Claims = {}, otherwise: Otherwise = {}): Promise<Answer> {
  const object = {
    jti: randomUUID(),
    scope: 'openid profile email',
    login_hint: 'nobody',
    binding_message: '1234',
    ...claims,
  }
  // The suite names the type for one of its clients, and leaves it out for the other.
  const objectHeader = { typ: undefined, ...otherwise.objectHeader }
  const request = await client.sign({}, { ...otherwise, object, objectHeader })
  return client.send('bc-authorize', { request, ...otherwise.beside }, otherwise)
}

/** A request that is taken (OpenID CIBA Core 7.3). */
async function asked(client: FapiClient, claims: Claims = {}, otherwise: Otherwise = {}): Promise<string> {
  const { status, headers, json, text } = await ask(client, claims, otherwise)
  assert.equal(status, 200, text)
  assert.match(headers.get('content-type') ?? '', /^application\/json\b/)
  assert.match(json.auth_req_id, /^[A-Za-z0-9._-]{27,}$/, '160 bits, of the characters that are allowed')
  assert.ok(Number.isInteger(json.expires_in) && json.expires_in > 0)
  assert.ok(Number.isInteger(json.interval) && json.interval > 0)
  return json.auth_req_id as string
}

const poll = (client: FapiClient, authReqId: string, otherwise: Otherwise = {}) =>
  client.send('token', { grant_type: grantType, auth_req_id: authReqId }, otherwise)

async function reachable(stile: Stile): Promise<Reachable> {
  const email = `${randomUUID()}@example.com`
  return { ...(await person(stile, { email })), email }
}

/** The user is asked, and answers. */
async function answered(client: FapiClient, claims: Claims, accept: boolean, otherwise: Otherwise = {}) {
  const who = await reachable(client.stile)
  const authReqId = await asked(client, { login_hint: who.username, ...claims }, otherwise)
  expectError(await poll(client, authReqId), 'authorization_pending', 'slow_down')
  const browser = new Browser(client.stile)
  const flowId = await follow(browser, who)
  assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
  await decideOn(browser, flowId, accept)
  return { who, authReqId }
}

/** From the beginning to tokens that were looked at. */
async function tokensOf(client: FapiClient, claims: Claims = {}, otherwise: Otherwise = {}): Promise<Tokens> {
  const { who, authReqId } = await answered(client, claims, true, otherwise)
  const tokens = client.expectTokens(await poll(client, authReqId))
  const idToken = await client.verified(tokens.id_token ?? '', { audience: client.app.clientId })
  assert.equal(idToken.sub, who.id)
  // OpenID CIBA Core 10.3.1: what only the push mode has.
  for (const claim of ['urn:openid:params:jwt:claim:auth_req_id', 'c_hash', 's_hash']) assert.ok(!(claim in idToken))
  assert.equal((await client.expectResource(tokens.access_token)).json.sub, who.id)
  return tokens
}

function journeyModules(declare: Declare): void {
  declare(`${prefix}-discovery-end-point-verification`, async ({ node: { stile } }) => {
    const { json } = await stile.send(stile.discoveryUrl)
    assert.deepEqual(json.backchannel_token_delivery_modes_supported, ['poll'])
    assert.ok(URL.canParse(json.backchannel_authentication_endpoint))
    assert.equal(json.backchannel_user_code_parameter_supported, false)
    assert.ok(json.grant_types_supported.includes(grantType))
    assert.equal(json.tls_client_certificate_bound_access_tokens, true)
    for (const name of [
      'backchannel_authentication_request_signing_alg_values_supported',
      'id_token_signing_alg_values_supported',
      'token_endpoint_auth_signing_alg_values_supported',
    ]) {
      assert.ok(
        json[name].some((value: string) => profileAlgorithms.includes(value)),
        name,
      )
    }
    for (const method of ['private_key_jwt', 'tls_client_auth']) {
      assert.ok(json.token_endpoint_auth_methods_supported.includes(method))
    }
  })

  declare(prefix, async ({ client, other }) => {
    const { access_token } = await tokensOf(client)
    await tokensOf(other, {}, { objectHeader: { typ: 'oauth-authz-req+jwt' } })
    assert.equal((await other.resource(access_token)).status, 401, 'the second client has not the key of the first')
  })

  declare(`${prefix}-user-rejects-authentication`, async ({ client }) => {
    const { authReqId } = await answered(client, {}, false)
    expectError(await poll(client, authReqId), 'access_denied')
  })

  declare(`${prefix}-multiple-call-to-token-endpoint`, async ({ client }) => {
    const authReqId = await asked(client)
    const errors: string[] = []
    for (let call = 0; call < 4; call++) {
      const answer = await poll(client, authReqId)
      expectError(answer, 'authorization_pending', 'slow_down')
      errors.push(answer.json.error)
    }
    assert.deepEqual([errors[0], errors.at(-1)], ['authorization_pending', 'slow_down'])
  })

  declare(`${prefix}-auth-req-id-expired`, async ({ client, world }) => {
    const { json } = await ask(client, { requested_expiry: 30 })
    assert.equal(json.expires_in, 30)
    world.advance(31_000)
    await client.stile.node.kernel.environments.poll()
    expectError(await poll(client, json.auth_req_id), 'expired_token')
  })

  declare(`${prefix}-ensure-authorization-request-with-binding-message-succeeds`, async ({ client }) => {
    await tokensOf(client, { binding_message: '1234' })
  })

  declare(`${prefix}-ensure-authorization-request-with-potentially-bad-binding-message`, async ({ client }) => {
    const binding_message = `1234 ${'❤ ✓ ünïcödé '.repeat(12)}`
    expectError(await ask(client, { binding_message }), 'invalid_binding_message')
    await asked(client, { binding_message: 'ünïcödé ❤ ✓' })
  })

  declare(`${prefix}-ensure-other-scope-order-succeeds`, async ({ client }) => {
    await tokensOf(client, { scope: 'email profile openid' })
  })

  declare(`${prefix}-ensure-requested-expiry-as-string-succeeds`, async ({ client }) => {
    const { json } = await ask(client, { requested_expiry: '30' })
    assert.equal(json.expires_in, 30)
  })

  declare(`${prefix}-refresh-token`, async ({ client, other }) => {
    const { refresh_token, access_token } = await tokensOf(client)
    const form = { grant_type: 'refresh_token', refresh_token }
    const again = client.expectTokens(await client.send('token', form))
    assert.notEqual(again.access_token, access_token)
    await client.expectResource(again.access_token)
    expectError(await other.send('token', form), 'invalid_grant')
  })
}

function requestModules(declare: Declare): void {
  const minutes = (count: number) => count * 60
  const refused: readonly (readonly [string, (now: number) => Claims])[] = [
    ['missing-aud', () => ({ aud: undefined })],
    ['bad-aud', () => ({ aud: 'https://other.test' })],
    ['missing-iss', () => ({ iss: undefined })],
    ['bad-iss', () => ({ iss: 'other' })],
    ['missing-exp', () => ({ exp: undefined })],
    ['expired-exp', (now) => ({ exp: now - minutes(5) })],
    ['exp-is-70-minutes-in-future', (now) => ({ exp: now + minutes(70) })],
    ['missing-iat', () => ({ iat: undefined })],
    ['missing-nbf', () => ({ nbf: undefined })],
    ['nbf-is-10-minutes-in-future', (now) => ({ nbf: now + minutes(10), exp: now + minutes(15) })],
    ['nbf-is-70-minutes-in-past', (now) => ({ nbf: now - minutes(70) })],
    ['missing-jti', () => ({ jti: undefined })],
  ]
  for (const [name, claims] of refused) {
    declare(`${prefix}-ensure-request-object-${name}-fails`, async ({ client }) => {
      expectError(await ask(client, claims(client.seconds())), 'invalid_request')
      await asked(client)
    })
  }

  declare(`${prefix}-ensure-request-object-signature-algorithm-is-none-fails`, async ({ client }) => {
    expectError(await ask(client, {}, { signer: 'none' }), 'invalid_request')
  })

  declare(`${prefix}-ensure-request-object-signature-algorithm-is-bad-fails`, async ({ client }) => {
    const object = { jti: randomUUID(), scope: 'openid', login_hint: 'nobody', binding_message: '1234' }
    const [header, payload, signature = ''] = (await client.sign({}, { object })).split('.')
    const turned = Buffer.from(Buffer.from(signature, 'base64url').map((byte) => byte ^ 0x5a))
    const request = `${header}.${payload}.${turned.toString('base64url')}`
    expectError(await client.send('bc-authorize', { request }), 'invalid_request')
  })

  declare(`${prefix}-ensure-request-object-signature-algorithm-is-RS256-fails`, async ({ another }) => {
    const client = await another({}, 'PS256')
    expectError(await ask(client, {}, { signer: { ...client.key, algorithm: 'RS256' } }), 'invalid_request')
    await asked(client)
  })

  declare(`${prefix}-ensure-request-object-signed-by-other-client-fails`, async ({ client, other }) => {
    expectError(await ask(client, {}, { signer: other.key }), 'invalid_request')
  })

  declare(`${prefix}-ensure-authorization-request-with-multiple-hints-fails`, async ({ client }) => {
    const tokens = await tokensOf(client)
    expectError(await ask(client, { id_token_hint: tokens.id_token }), 'invalid_request')
  })

  declare(`${prefix}-ensure-backchannel-authorization-request-without-request-fails`, async ({ client }) => {
    const form = { scope: 'openid', login_hint: 'nobody', binding_message: '1234' }
    expectError(await client.send('bc-authorize', form), 'invalid_request')
  })

  // FAPI-CIBA 5.2.2, 2: something has to tell this request from another.
  declare('FAPI-CIBA 5.2.2-2, a request without a binding_message', async ({ client }) => {
    expectError(await ask(client, { binding_message: undefined }), 'invalid_request')
  })
}

function clientModules(declare: Declare, { auth, constraint }: Variant): void {
  const byCertificate = auth === 'mtls'

  declare(`${prefix}-ensure-wrong-auth-req-id-in-token-endpoint-request`, async ({ client, other }) => {
    expectError(await poll(other, await asked(client)), 'invalid_grant')
  })

  declare(
    `${prefix}-ensure-different-client-id-and-issuer-in-backchannel-authorization-request`,
    async ({ client, other }) => {
      expectError(await ask(client, {}, { clientId: other.app.clientId }), 'invalid_client')
    },
    byCertificate,
  )

  declare(
    `${prefix}-ensure-wrong-client-id-in-token-endpoint-request`,
    async ({ client, other }) => {
      const authReqId = await asked(client)
      expectError(await poll(client, authReqId, { clientId: other.app.clientId }), 'invalid_client')
    },
    byCertificate,
  )

  declare(
    `${prefix}-ensure-wrong-client-id-in-backchannel-authorization-request`,
    async ({ client, other }) => {
      const { clientId } = other.app
      const errors = ['access_denied', 'invalid_request', 'invalid_client']
      expectError(await ask(client, { iss: clientId }, { clientId, signer: other.key }), ...errors)
    },
    byCertificate,
  )

  declare(
    `${prefix}-ensure-without-client-assertion-in-token-endpoint-request`,
    async ({ client }) => {
      expectError(await poll(client, await asked(client), { assertion: null }), 'invalid_client', 'invalid_request')
    },
    !byCertificate,
  )

  declare(
    `${prefix}-ensure-without-client-assertion-in-backchannel-authorization-request`,
    async ({ client }) => {
      expectError(await ask(client, {}, { assertion: null }), 'invalid_client', 'invalid_request')
    },
    !byCertificate,
  )

  for (const [name, send] of [
    ['backchannel-authorization-request', (client: FapiClient, otherwise: Otherwise) => ask(client, {}, otherwise)],
    [
      'token-endpoint-request',
      async (client: FapiClient, otherwise: Otherwise) => poll(client, await asked(client), otherwise),
    ],
  ] as const) {
    declare(
      `${prefix}-ensure-client-assertion-signature-algorithm-in-${name}-is-RS256-fails`,
      async ({ another }) => {
        const client = await another({}, 'PS256')
        const assertionKey = { ...client.key, algorithm: 'RS256' }
        expectError(await send(client, { assertionKey }), 'invalid_client')
      },
      !byCertificate,
    )
  }

  declare(
    `${prefix}-ensure-client-assertion-with-iss-aud-to-token-endpoint-succeeds`,
    async ({ client }) => {
      // The audience of every assertion is the issuer.
      await tokensOf(client)
    },
    !byCertificate,
  )

  declare(`${prefix}-ensure-mtls-holder-of-key-required`, async ({ client }) => {
    const { authReqId } = await answered(client, {}, true)
    const nothing = constraint === 'dpop' ? { proof: null } : { certificate: null }
    const errors = ['invalid_request', 'invalid_grant', constraint === 'dpop' ? 'invalid_dpop_proof' : 'invalid_client']
    expectError(await poll(client, authReqId, nothing), ...errors)
    client.expectTokens(await poll(client, authReqId))
  })
}

plan(
  'fapi-ciba-id1-test-plan',
  { signingAlgorithm: 'RS256' },
  [
    { auth: 'private_key_jwt', constraint: 'mtls', signed: true },
    { auth: 'mtls', constraint: 'mtls', signed: true },
    { auth: 'private_key_jwt', constraint: 'dpop', signed: true },
  ],
  [journeyModules, requestModules, clientModules],
  { grantTypes: ['CIBA', 'REFRESH_TOKEN'], responseTypes: [], redirectUris: [] },
)
