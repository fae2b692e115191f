/**
 * What a client says of itself in the names of the protocol, and what comes of it: RFC 7591 section 2, OpenID Connect Dynamic
 * Client Registration 1.0 section 2.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { testWorld } from '../../src/world.ts'
import { rows } from '../flow-runtime/arrange.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { assertion, assertionType, clientKey } from './assertions.ts'
import { codeOf, codeRequest, flowOf, redeemCode, refreshTokens } from './journeys.ts'
import { allowed, expectMetadataError, policy, registered, registering, webClient } from './registering.ts'
import { expectStatus, person, type Registered } from './registrations.ts'
import { requestObject } from './request-objects.ts'

suite('client metadata', () => {
  const world = testWorld()
  let stile: Stile
  before(async () => {
    stile = await startStile({ world })
    await policy(stile, { mode: 'OPEN', perNetworkAddress: { count: 100_000, seconds: 60 } })
  })
  after(() => stile.close())

  const asRegistered = (client: { client_id: string; client_secret?: string }): Registered => ({
    clientId: client.client_id,
    clientSecret: client.client_secret ?? '',
    redirectUri: webClient.redirect_uris[0] ?? '',
  })
  const jwks = { keys: [clientKey('ES256', 'k1').jwk] }
  const keyUses = async ({ clientId }: Registered) =>
    (await rows<{ used: string }>(stile, 'application_key_uses', 'application_id = $2', clientId)).map(
      ({ used }) => used,
    )

  /** The tokens that somebody lets a client have. */
  async function tokensOf(client: Registered) {
    const browser = new Browser(stile)
    const code = codeOf(await allowed(browser, codeRequest(client, { scope: 'openid' }), await person(stile)))
    return expectStatus(await redeemCode(stile, client, code), 200)
  }

  const taken: readonly (readonly [string, object, string, unknown])[] = [
    ['frontchannel_logout_uri', {}, 'frontchannelLogoutUri', 'https://books.test/out'],
    ['frontchannel_logout_session_required', {}, 'frontchannelLogoutSessionRequired', true],
    ['backchannel_logout_uri', {}, 'backchannelLogoutUri', 'https://books.test/out'],
    ['backchannel_logout_session_required', {}, 'backchannelLogoutSessionRequired', true],
    ['request_uris', {}, 'requestUris', ['https://books.test/request']],
    ['require_signed_request_object', { jwks }, 'requireSignedRequestObject', true],
    ['request_object_signing_alg', { jwks }, 'requestObjectSigningAlg', 'ES256'],
    ['request_object_signing_alg', {}, 'requestObjectSigningAlg', 'none'],
    ['id_token_signed_response_alg', {}, 'idTokenSignedResponseAlg', 'HS256'],
    ['id_token_encrypted_response_alg', { jwks }, 'idTokenEncryptedResponseAlg', 'ECDH-ES'],
    ['userinfo_signed_response_alg', {}, 'userinfoSignedResponseAlg', 'HS512'],
    ['userinfo_encrypted_response_alg', { jwks }, 'userinfoEncryptedResponseAlg', 'ECDH-ES'],
    ['subject_type', {}, 'subjectType', 'pairwise'],
    ['dpop_bound_access_tokens', {}, 'dpopBoundAccessTokens', true],
    ['tls_client_certificate_bound_access_tokens', {}, 'tlsClientCertificateBoundAccessTokens', true],
  ]
  for (const [name, more, member, value] of taken) {
    test(`${name} is registered, answered, and read as ${member} by administrators`, async () => {
      const client = await registered(stile, { ...webClient, ...more, [name]: value })
      assert.deepEqual(client[name], value)
      const read = expectStatus(await stile.api('GET', `/applications/${client.client_id}`), 200)
      assert.deepEqual(read[member], value)
      const { registration_access_token: token, registration_client_uri: uri } = client
      const own = expectStatus(await stile.send(new URL(uri).pathname, { token }), 200)
      assert.deepEqual(own[name], value)
      // What is not said any more is gone.
      const body = { ...webClient, client_id: client.client_id }
      const replaced = await stile.send(new URL(uri).pathname, { method: 'PUT', token, body })
      assert.equal(expectStatus(replaced, 200)[name], undefined)
    })
  }

  test('content of encrypted answers, with what it is encrypted to', async () => {
    const encrypted = {
      id_token_encrypted_response_alg: 'ECDH-ES+A256KW',
      id_token_encrypted_response_enc: 'A256GCM',
      userinfo_encrypted_response_alg: 'RSA-OAEP-256',
      userinfo_encrypted_response_enc: 'A128GCM',
    }
    const client = await registered(stile, { ...webClient, jwks, ...encrypted })
    assert.deepEqual({ ...client, ...encrypted }, client)
  })

  test('what does not fit together is refused under the name that the client knows', async () => {
    const refused: readonly (readonly [object, string])[] = [
      [{ id_token_signed_response_alg: 'none' }, 'id_token_signed_response_alg'],
      [{ id_token_signed_response_alg: 'HS256', token_endpoint_auth_method: 'none' }, 'id_token_signed_response_alg'],
      [{ userinfo_signed_response_alg: 'RS1' }, 'userinfo_signed_response_alg'],
      [{ id_token_encrypted_response_alg: 'ECDH-ES' }, 'id_token_encrypted_response_alg'],
      [{ jwks, id_token_encrypted_response_alg: 'RSA1_5' }, 'id_token_encrypted_response_alg'],
      [{ jwks, id_token_encrypted_response_enc: 'A256GCM' }, 'id_token_encrypted_response_enc'],
      [{ jwks, userinfo_encrypted_response_enc: 'A256GCM' }, 'userinfo_encrypted_response_enc'],
      [{ subject_type: 'secret' }, 'subject_type'],
      [
        { subject_type: 'pairwise', redirect_uris: [...webClient.redirect_uris, 'https://other.test/cb'] },
        'sector_identifier_uri',
      ],
      [{ frontchannel_logout_uri: 'https://elsewhere.test/out' }, 'frontchannel_logout_uri'],
      [{ frontchannel_logout_uri: 'http://books.test/out' }, 'frontchannel_logout_uri'],
      [{ backchannel_logout_uri: 'javascript:alert(1)' }, 'backchannel_logout_uri'],
      [{ request_uris: 'https://books.test/request' }, 'request_uris'],
      [{ request_object_signing_alg: 'RS255' }, 'request_object_signing_alg'],
      [{ request_object_signing_alg: 'none', require_signed_request_object: true, jwks }, 'request_object_signing_alg'],
    ]
    for (const [metadata, about] of refused) {
      expectMetadataError(await registering(stile, { ...webClient, ...metadata }), 'invalid_client_metadata', about)
    }
  })

  test('request objects are signed as the client has registered: by any algorithm, by one, or by none', async () => {
    const signed = clientKey('ES256', 'k1')
    const other = clientKey('ES384', 'k2')
    const keys = { jwks: { keys: [signed.jwk, other.jwk] } }
    const table: readonly (readonly [object, readonly [boolean, boolean, boolean]])[] = [
      [{}, [true, true, true]],
      [{ request_object_signing_alg: 'ES256' }, [true, false, false]],
      [{ request_object_signing_alg: 'none' }, [false, false, true]],
      [{ require_signed_request_object: true }, [true, true, false]],
    ]
    for (const [metadata, taken] of table) {
      const client = asRegistered(await registered(stile, { ...webClient, ...keys, ...metadata }))
      for (const [at, signer] of [signed, other, 'none' as const].entries()) {
        const request = await requestObject(stile, client, signer, codeRequest(client, { scope: 'openid' }))
        const { status } = await new Browser(stile).authorize({ client_id: client.clientId, request })
        assert.equal(status, taken[at] ? 302 : 400, `${JSON.stringify(metadata)} ${at}`)
      }
    }
  })

  test('D8: who registers may name the token endpoint in assertions where the policy says so, from then on', async () => {
    const key = clientKey('ES256', 'k1')
    const method = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } }
    const before = asRegistered(await registered(stile, { ...webClient, ...method }))
    const open = { mode: 'OPEN', perNetworkAddress: { count: 100_000, seconds: 60 } }
    await policy(stile, { ...open, acceptTokenEndpointAudience: true })
    const after = asRegistered(await registered(stile, { ...webClient, ...method }))
    await policy(stile, open)
    for (const [client, error] of [
      [before, 'invalid_client'],
      [after, 'invalid_grant'],
    ] as const) {
      const jwt = await assertion(stile, client.clientId, key, { aud: `${stile.issuer}/token` })
      const by = { client_assertion_type: assertionType, client_assertion: jwt }
      assert.equal((await redeemCode(stile, client, 'x', by)).json.error, error)
    }
  })

  test('ID tokens are signed as the client has registered, by keys that are published', async () => {
    const algorithms = { id_token_signed_response_alg: 'RS256', userinfo_signed_response_alg: 'PS256' }
    const client = asRegistered(await registered(stile, { ...webClient, ...algorithms }))
    const { id_token, access_token } = await tokensOf(client)
    const keys = createLocalJWKSet(expectStatus(await stile.send(`/${stile.environmentId}/as/jwks`), 200))
    const verified = await jwtVerify(id_token, keys, { issuer: stile.issuer, audience: client.clientId })
    assert.equal(verified.protectedHeader.alg, 'RS256')
    assert.equal(decodeProtectedHeader(access_token).alg, 'ES256')
    assert.deepEqual((await keyUses(client)).toSorted(), ['PS256', 'RS256'])
  })

  test('keys that a client has asked for are in use as long as it says so', async () => {
    const sent = { ...webClient, id_token_signed_response_alg: 'ES384' }
    const { registration_access_token: token, registration_client_uri: uri, ...rest } = await registered(stile, sent)
    const client = asRegistered(rest as { client_id: string })
    assert.deepEqual(await keyUses(client), ['ES384'])
    const path = new URL(uri).pathname
    const body = { ...webClient, client_id: client.clientId }
    const next = expectStatus(await stile.send(path, { method: 'PUT', token, body }), 200)
    assert.deepEqual(await keyUses(client), [])
    const changed = { ...body, userinfo_signed_response_alg: 'ES384' }
    const last = await stile.send(path, { method: 'PUT', token: next.registration_access_token, body: changed })
    assert.deepEqual(await keyUses(client), ['ES384'])
    const gone = { method: 'DELETE', token: expectStatus(last, 200).registration_access_token }
    assert.equal((await stile.send(path, gone)).status, 204)
    assert.deepEqual(await keyUses(client), [])
  })

  test('what an administrator has said of a client stays, and binds it', async () => {
    const first = await registered(stile)
    const read = expectStatus(await stile.api('GET', `/applications/${first.client_id}`), 200)
    const list = expectStatus(await stile.api('GET', '/keyRotationPolicies'), 200)
    const { id } = list._embedded.keyRotationPolicies.find((each: { default: boolean }) => each.default)
    const said = {
      signing: { keyRotationPolicy: { id } },
      includeX5t: true,
      description: 'Of the bookshop',
      targetLinkUri: 'https://books.test/home',
      devicePathId: 'books',
      deviceTimeout: 300,
      refreshTokenDuration: 3600,
      acceptTokenEndpointAudience: true,
      authorizationDetailsTypes: ['order'],
    }
    expectStatus(await stile.api('PUT', `/applications/${first.client_id}`, { ...read, ...said }), 200)
    const path = new URL(first.registration_client_uri).pathname
    const put = (token: string, more: object) =>
      stile.send(path, { method: 'PUT', token, body: { ...webClient, client_id: first.client_id, ...more } })
    const other = await put(first.registration_access_token, { id_token_signed_response_alg: 'RS256' })
    expectMetadataError(other, 'invalid_client_metadata', 'id_token_signed_response_alg: must be ES256')
    expectStatus(await put(first.registration_access_token, { id_token_signed_response_alg: 'ES256' }), 200)
    const after = expectStatus(await stile.api('GET', `/applications/${first.client_id}`), 200)
    assert.deepEqual({ ...after, ...said }, after)
    assert.deepEqual((await keyUses(asRegistered(first))).toSorted(), [id, 'ES256'].toSorted())
  })

  test('require_signed_request_object: no other request is taken', async () => {
    const key = clientKey('ES256', 'k1')
    const keys = { jwks: { keys: [key.jwk] }, require_signed_request_object: true }
    const client = asRegistered(await registered(stile, { ...webClient, ...keys }))
    const plain = await new Browser(stile).authorize(codeRequest(client))
    assert.equal(plain.status, 400)
    const request = await requestObject(stile, client, key, codeRequest(client))
    flowOf(await new Browser(stile).authorize({ client_id: client.clientId, response_type: 'code', request }))
  })

  test('refresh_token: tokens are renewed, and the client is not taken for unused', async () => {
    const sent = { ...webClient, grant_types: ['authorization_code', 'refresh_token'] }
    const client = asRegistered(await registered(stile, sent))
    const { refresh_token } = await tokensOf(client)
    const usedAt = async () => {
      const [row] = await rows<{ used_at: number }>(stile, 'dynamic_clients', 'application_id = $2', client.clientId)
      return Number(row?.used_at)
    }
    const before = await usedAt()
    world.advance(2 * 86_400_000)
    await stile.node.kernel.environments.poll()
    const next = expectStatus(await refreshTokens(stile, client, refresh_token), 200)
    assert.equal(await usedAt(), world.now())
    assert.ok((await usedAt()) > before)
    assert.notEqual(next.refresh_token, undefined)
  })
})
