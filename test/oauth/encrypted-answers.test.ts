/**
 * ID tokens, userinfo and authorization responses that are encrypted to a key of the application: OpenID Connect Core
 * sections 5.3.2 and 10.2, JARM sections 2.2, 3 and 4; rows C21, C22, F20; `oidcc-userinfo-rs256` and the condition
 * ValidateEncryptedIdTokenHasKid.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import {
  CompactEncrypt,
  compactDecrypt,
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JWTPayload,
  jwtVerify,
} from 'jose'
import { contentEncryptionAlgorithms, keyEncryptionAlgorithms } from '../../src/environment/application-tokens.ts'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { type DocumentServer, startDocumentServer } from '../harness/document-server.ts'
import { sharedRsaKeyPair } from '../harness/rsa-key.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { clientKey } from './assertions.ts'
import {
  authorizeBySignOnPage,
  codeOf,
  codeRequest,
  expectErrorPage,
  expectRefusal,
  flowOf,
  postedForm,
  redeemCode,
  refreshTokens,
  submitSignOnPage,
  told,
} from './journeys.ts'
import { expectMetadataError, policy, registered, registering, webClient } from './registering.ts'
import { change, expectStatus, type Registered, register, web } from './registrations.ts'
import { accessTokenHash } from './token-claims.ts'

/** A key to encrypt to. */
interface EncryptionKey {
  readonly privateKey: KeyObject
  readonly jwk: Readonly<Record<string, unknown>>
}

function encryptionKey(
  pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject },
  members: object = {},
): EncryptionKey {
  return { privateKey: pair.privateKey, jwk: { ...pair.publicKey.export({ format: 'jwk' }), ...members } }
}

const curve = (namedCurve: string, members: object = {}) =>
  encryptionKey(generateKeyPairSync('ec', { namedCurve }), members)

suite('encrypted answers', () => {
  let world: TestWorld
  let stile: Stile
  let server: DocumentServer
  let browser: Browser
  let rsa: EncryptionKey
  const ec = curve('P-256', { kid: 'ec', use: 'enc' })
  before(async () => {
    world = testWorld()
    server = await startDocumentServer()
    stile = await startStile({ world })
    await policy(stile, { mode: 'OPEN', perNetworkAddress: { count: 100_000, seconds: 60 } })
    rsa = encryptionKey(await sharedRsaKeyPair(2048), { kid: 'rsa', use: 'enc' })
    browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(await register(stile)))
  })
  after(async () => {
    await stile.close()
    server.close()
  })

  /** Time goes by; the node has looked meanwhile whether its configuration is still good. */
  async function wait(milliseconds: number): Promise<void> {
    world.advance(milliseconds)
    await stile.node.kernel.environments.poll()
  }

  const keys = (...all: readonly EncryptionKey[]) => ({ jwks: JSON.stringify({ keys: all.map(({ jwk }) => jwk) }) })

  /** Everything that can be encrypted, encrypted in one way. */
  const encrypted = (alg: string, enc?: string) => ({
    idTokenEncryptedResponseAlg: alg,
    userinfoSignedResponseAlg: 'RS256',
    userinfoEncryptedResponseAlg: alg,
    authorizationEncryptedResponseAlg: alg,
    ...(enc === undefined
      ? {}
      : {
          idTokenEncryptedResponseEnc: enc,
          userinfoEncryptedResponseEnc: enc,
          authorizationEncryptedResponseEnc: enc,
        }),
  })

  /** Decrypts an answer. */
  async function decrypted(text: string, { privateKey }: EncryptionKey) {
    const { plaintext, protectedHeader } = await compactDecrypt(text, privateKey)
    return { header: protectedHeader, content: Buffer.from(plaintext).toString() }
  }

  /** Decrypts a JWT within, and verifies it by the published keys. */
  async function opened(text: string, key: EncryptionKey, client: Registered): Promise<JWTPayload> {
    const { header, content } = await decrypted(text, key)
    assert.equal(header['cty'], 'JWT', 'RFC 7519 section 5.2')
    const { json } = await stile.send(`/${stile.environmentId}/as/jwks`)
    const currentDate = new Date(world.now())
    const expected = { issuer: stile.issuer, audience: client.clientId, currentDate }
    return (await jwtVerify(content, createLocalJWKSet(json), expected)).payload
  }

  const authorize = (client: Registered, more: Readonly<Record<string, string>> = {}) =>
    browser.authorize(codeRequest(client, more))

  const userinfo = (token: string): Promise<Answer> => stile.send(`/${stile.environmentId}/as/userinfo`, { token })

  async function answersOf(client: Registered, key: EncryptionKey) {
    const response = told(await authorize(client, { response_mode: 'jwt', state: 's', nonce: 'n' })).get('response')
    const parameters = await opened(response ?? '', key, client)
    const tokens = expectStatus(await redeemCode(stile, client, String(parameters['code'])), 200)
    const information = await userinfo(tokens.access_token)
    assert.equal(information.status, 200, information.text)
    assert.equal(information.headers.get('content-type'), 'application/jwt')
    return { response: response ?? '', parameters, ...tokens, information: information.text }
  }

  for (const alg of keyEncryptionAlgorithms) {
    for (const enc of contentEncryptionAlgorithms) {
      test(`C22: ${alg} with ${enc}, as discovery promises`, async () => {
        const key = alg === 'RSA-OAEP-256' ? rsa : ec
        const client = await register(stile, { ...web, ...keys(rsa, ec), ...encrypted(alg, enc) })
        const { response, parameters, id_token, access_token, information } = await answersOf(client, key)
        for (const text of [response, id_token, information]) {
          const { alg: own, enc: content, kid } = decodeProtectedHeader(text)
          assert.deepEqual([own, content, kid], [alg, enc, key.jwk['kid']], 'ValidateEncryptedIdTokenHasKid')
        }
        assert.deepEqual([parameters['state'], parameters.iss], ['s', stile.issuer])
        const claims = await opened(id_token, key, client)
        assert.deepEqual(
          [claims.sub, claims['nonce'], claims['at_hash'], claims['name']],
          [stile.user.id, 'n', accessTokenHash(access_token), 'Dora Demo'],
        )
        const { sub, name } = await opened(information, key, client)
        assert.deepEqual([sub, name], [stile.user.id, 'Dora Demo'])
      })
    }
  }

  test('C22: what discovery names is what an application may register, and nothing else', async () => {
    const metadata = expectStatus(await stile.send(new URL(stile.discoveryUrl).pathname), 200)
    for (const what of ['id_token', 'userinfo', 'authorization']) {
      assert.deepEqual(metadata[`${what}_encryption_alg_values_supported`], [...keyEncryptionAlgorithms], what)
      assert.deepEqual(metadata[`${what}_encryption_enc_values_supported`], [...contentEncryptionAlgorithms], what)
    }
    assert.equal(metadata.request_object_encryption_alg_values_supported, undefined)
    assert.equal(metadata.introspection_encryption_alg_values_supported, undefined)
  })

  for (const name of ['P-384', 'P-521']) {
    test(`ECDH-ES on ${name}`, async () => {
      const key = curve(name)
      const client = await register(stile, { ...web, ...keys(key), ...encrypted('ECDH-ES') })
      const { id_token } = await answersOf(client, key)
      assert.deepEqual(
        [decodeProtectedHeader(id_token).enc, decodeProtectedHeader(id_token).kid],
        ['A128CBC-HS256', undefined],
        'the default of Dynamic Client Registration section 2; a key without a name',
      )
    })
  }

  test('ECDH-ES on X25519 (RFC 8037)', async () => {
    const key = encryptionKey(generateKeyPairSync('x25519'), { kid: 'x' })
    const client = await register(stile, { ...web, ...keys(key), ...encrypted('ECDH-ES+A256KW', 'A256GCM') })
    await answersOf(client, key)
  })

  test('userinfo that is encrypted and not signed: JSON within, named as a JWT would be', async () => {
    const client = await register(stile, { ...web, ...keys(rsa), userinfoEncryptedResponseAlg: 'RSA-OAEP-256' })
    const tokens = expectStatus(await redeemCode(stile, client, codeOf(await authorize(client))), 200)
    const answer = await userinfo(tokens.access_token)
    assert.equal(answer.headers.get('content-type'), 'application/jwt')
    const { header, content } = await decrypted(answer.text, rsa)
    assert.equal(header['cty'], undefined)
    const { sub, iss, aud } = JSON.parse(content)
    assert.deepEqual([sub, iss, aud], [stile.user.id, stile.issuer, client.clientId])
    assert.equal(decodeJwt(tokens.id_token).sub, sub, 'its ID tokens are not')
  })

  test('oidcc-userinfo-rs256: userinfo that is signed alone; it passes for no other token (F09)', async () => {
    const client = await register(stile, { ...web, userinfoSignedResponseAlg: 'RS256' })
    const tokens = expectStatus(await redeemCode(stile, client, codeOf(await authorize(client))), 200)
    const { text, headers } = await userinfo(tokens.access_token)
    assert.equal(headers.get('content-type'), 'application/jwt')
    const { json } = await stile.send(`/${stile.environmentId}/as/jwks`)
    const expected = { issuer: stile.issuer, audience: client.clientId, algorithms: ['RS256'] }
    const { payload } = await jwtVerify(text, createLocalJWKSet(json), expected)
    assert.equal(payload.sub, decodeJwt(tokens.id_token).sub)
    assert.deepEqual([payload.exp, payload['nonce'], payload['auth_time']], [undefined, undefined, undefined])
    assert.equal(told(await authorize(client, { id_token_hint: text })).get('error'), 'invalid_request')
    assert.equal((await userinfo(text)).status, 401)
  })

  test('front channel: an encrypted ID token, whose hashes are of what is beside it', async () => {
    const hybrid = { grantTypes: ['AUTHORIZATION_CODE', 'IMPLICIT'], responseTypes: ['CODE', 'TOKEN', 'ID_TOKEN'] }
    const client = await register(stile, { ...web, ...hybrid, ...keys(ec), idTokenEncryptedResponseAlg: 'ECDH-ES' })
    const parts = told(await authorize(client, { response_type: 'code token id_token', nonce: 'n' }))
    const claims = await opened(parts.get('id_token') ?? '', ec, client)
    assert.equal(claims['at_hash'], accessTokenHash(parts.get('access_token') ?? ''))
    assert.equal(claims['c_hash'], accessTokenHash(parts.get('code') ?? ''))
  })

  suite('JARM', () => {
    test('2.2: in every mode, at once, after signing on, and for errors', async () => {
      const client = await register(stile, { ...web, ...keys(ec), ...encrypted('ECDH-ES') })
      const inMode = async (response_mode: string) => {
        const answer = await authorize(client, { response_mode })
        const parts = response_mode === 'form_post.jwt' ? postedForm(answer).parameters : told(answer)
        assert.deepEqual([...parts.keys()], ['response'])
        return opened(parts.get('response') ?? '', ec, client)
      }
      for (const mode of ['jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt']) assert.ok((await inMode(mode))['code'])
      const someone = new Browser(stile)
      const answer = await authorizeBySignOnPage(someone, codeRequest(client, { response_mode: 'jwt' }))
      assert.ok((await opened(told(answer).get('response') ?? '', ec, client))['code'])
      const silent = codeRequest(client, { response_mode: 'jwt', prompt: 'none' })
      const refused = told(await new Browser(stile).authorize(silent))
      assert.equal((await opened(refused.get('response') ?? '', ec, client))['error'], 'login_required')
    })

    test('3: signed as registered: by another algorithm, with keys made for it, or by the secret', async () => {
      const signed = await register(stile, { ...web, authorizationSignedResponseAlg: 'ES384' })
      const response = told(await authorize(signed, { response_mode: 'jwt' })).get('response') ?? ''
      const { json } = await stile.send(`/${stile.environmentId}/as/jwks`)
      const currentDate = new Date(world.now())
      const { protectedHeader } = await jwtVerify(response, createLocalJWKSet(json), { currentDate })
      assert.equal(protectedHeader.alg, 'ES384')
      const secret = await register(stile, { ...web, authorizationSignedResponseAlg: 'HS256' })
      const byIts = told(await authorize(secret, { response_mode: 'jwt' })).get('response') ?? ''
      const options = { algorithms: ['HS256'], currentDate, audience: secret.clientId }
      await jwtVerify(byIts, Buffer.from(secret.clientSecret), options)
      assert.equal(told(await authorize(secret, { id_token_hint: byIts })).get('error'), 'invalid_request', 'F09')
    })

    test('3: as clients register it; what does not fit is refused', async () => {
      const jwks = { keys: [ec.jwk] }
      const members = {
        authorization_signed_response_alg: 'RS256',
        authorization_encrypted_response_alg: 'ECDH-ES+A128KW',
        authorization_encrypted_response_enc: 'A256GCM',
      }
      const client = await registered(stile, { ...webClient, ...members, jwks })
      for (const [name, value] of Object.entries(members)) assert.equal(client[name], value)
      const read = expectStatus(await stile.api('GET', `/applications/${client.client_id}`), 200)
      assert.equal(read.authorizationEncryptedResponseAlg, 'ECDH-ES+A128KW')
      const { authorization_encrypted_response_alg: _, ...withoutAlg } = members
      for (const [wrong, about] of [
        [members, 'authorization_encrypted_response_alg'],
        [{ ...withoutAlg, jwks }, 'authorization_encrypted_response_enc'],
        [{ ...members, jwks, authorization_signed_response_alg: 'none' }, 'authorization_signed_response_alg'],
      ] as const) {
        expectMetadataError(await registering(stile, { ...webClient, ...wrong }), 'invalid_client_metadata', about)
      }
    })
  })

  suite('the key that is chosen', () => {
    test('one that is for encryption, wherever it stands; never one that is for something else', async () => {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const own = (kid: string, members: object) => encryptionKey(pair, { kid, ...members })
      const client = await register(stile, {
        ...web,
        ...keys(
          own('signs', { use: 'sig' }),
          own('verifies', { key_ops: ['verify'] }),
          own('other algorithm', { alg: 'ECDH-ES+A256KW' }),
          own('es256', { alg: 'ES256' }),
          rsa,
          own('says nothing', {}),
          own('chosen', { use: 'enc', alg: 'ECDH-ES', key_ops: ['deriveBits'] }),
        ),
        ...encrypted('ECDH-ES'),
      })
      const { id_token, response, information } = await answersOf(client, own('chosen', {}))
      for (const text of [id_token, response, information]) assert.equal(decodeProtectedHeader(text).kid, 'chosen')
    })

    const unusable: readonly (readonly [string, string, EncryptionKey])[] = [
      ['a key for signatures', 'ECDH-ES', curve('P-256', { use: 'sig' })],
      ['a key of another kind', 'RSA-OAEP-256', ec],
      ['a curve that is not for it', 'ECDH-ES', encryptionKey(generateKeyPairSync('ed25519'))],
      ['an unknown curve', 'ECDH-ES', curve('secp256k1')],
      ['RSA 1024 (F06)', 'RSA-OAEP-256', encryptionKey(generateKeyPairSync('rsa', { modulusLength: 1024 }))],
      ['a point that is none', 'ECDH-ES', { ...ec, jwk: { ...ec.jwk, x: 'AA', y: 'AA' } }],
      ['a symmetric key', 'ECDH-ES', { ...ec, jwk: { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA' } }],
    ]
    for (const [name, alg, key] of unusable) {
      test(`fails closed: ${name}`, async () => {
        const jwksUrl = `${server.base}/unusable.json`
        const client = await register(stile, { ...web, jwksUrl })
        await wait(700_000)
        server.documents.set('/unusable.json', { body: { keys: [key.jwk] } })
        const { access_token } = expectStatus(await redeemCode(stile, client, codeOf(await authorize(client))), 200)
        const code = codeOf(await authorize(client))
        await change(stile, client.clientId, encrypted(alg))
        const redeemed = await redeemCode(stile, client, code)
        expectRefusal(redeemed, 'invalid_request')
        assert.match(redeemed.json.error_description, /no usable key to encrypt to/)
        const information = await userinfo(access_token)
        assert.equal(information.status, 400, information.text)
        assert.doesNotMatch(information.text, /Dora|demo@/)
        expectErrorPage(await authorize(client, { response_mode: 'jwt' }))
        expectErrorPage(await authorize(client, { response_mode: 'jwt', scope: '"' }))
        // Nothing was used up: with a key, the same code is good.
        await change(stile, client.clientId, { jwksUrl: undefined, ...keys(rsa, ec), ...encrypted('RSA-OAEP-256') })
        expectStatus(await redeemCode(stile, client, code), 200)
      })
    }

    test('E29: a refresh token is not used up by an ID token that could not be encrypted', async () => {
      const client = await register(stile, {
        ...web,
        grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'],
        jwksUrl: `${server.base}/refresh.json`,
        idTokenEncryptedResponseAlg: 'ECDH-ES',
      })
      server.documents.set('/refresh.json', { body: { keys: [ec.jwk] } })
      const { refresh_token } = expectStatus(await redeemCode(stile, client, codeOf(await authorize(client))), 200)
      server.documents.set('/refresh.json', { status: 500 })
      await wait(700_000)
      for (const _ of [1, 2]) {
        await wait(31_000)
        expectRefusal(await refreshTokens(stile, client, refresh_token), 'invalid_request')
      }
      server.documents.set('/refresh.json', { body: { keys: [ec.jwk] } })
      await wait(31_000)
      const { id_token } = expectStatus(await refreshTokens(stile, client, refresh_token), 200)
      await opened(id_token, ec, client)
    })
  })

  suite('keys at jwksUrl', () => {
    test('are fetched, kept, and read anew where none of them fits; while they cannot be had, nothing is answered', async () => {
      const path = '/rotating.json'
      server.documents.set(path, { body: { keys: [ec.jwk] } })
      const client = await register(stile, { ...web, jwksUrl: `${server.base}${path}`, ...encrypted('ECDH-ES') })
      await answersOf(client, ec)
      assert.equal(server.hits(path), 1, 'once for all three')
      const next = curve('P-256', { kid: 'next', use: 'enc', alg: 'ECDH-ES+A256KW' })
      server.documents.set(path, { body: { keys: [next.jwk] } })
      await change(stile, client.clientId, encrypted('ECDH-ES+A256KW'))
      await wait(31_000)
      const old = told(await authorize(client, { response_mode: 'jwt' })).get('response') ?? ''
      assert.equal(decodeProtectedHeader(old).kid, 'ec', 'the key that is known fits')
      await wait(600_000)
      await answersOf(client, next)
      assert.equal(server.hits(path), 2)
      server.documents.set(path, { status: 404 })
      await wait(700_000)
      expectErrorPage(await authorize(client, { response_mode: 'jwt' }))
      const asked = server.hits(path)
      for (const _ of [1, 2, 3]) expectErrorPage(await authorize(client, { response_mode: 'jwt' }))
      assert.equal(server.hits(path), asked, 'D15: the failure stands for a while')
    })

    test('a set that has no fitting key yet is read anew, at most twice a minute (D15)', async () => {
      const path = '/late.json'
      server.documents.set(path, { body: { keys: [{ ...ec.jwk, use: 'sig' }] } })
      const client = await register(stile, { ...web, jwksUrl: `${server.base}${path}`, ...encrypted('ECDH-ES') })
      expectErrorPage(await authorize(client, { response_mode: 'jwt' }))
      expectErrorPage(await authorize(client, { response_mode: 'jwt' }))
      assert.equal(server.hits(path), 1)
      server.documents.set(path, { body: { keys: [ec.jwk] } })
      await wait(31_000)
      await answersOf(client, ec)
      assert.equal(server.hits(path), 2)
    })
  })

  test('F20: no RSA1_5, dir, RSA-OAEP with SHA-1 or unauthenticated content, by administrators or by clients', async () => {
    for (const member of ['idToken', 'userinfo', 'authorization']) {
      const snake = member === 'idToken' ? 'id_token' : member
      for (const alg of ['RSA1_5', 'dir', 'RSA-OAEP', 'A128KW', 'PBES2-HS256+A128KW', 'none', 'rsa-oaep-256']) {
        const body = { name: `Refused ${member} ${alg}`, ...web, ...keys(rsa), [`${member}EncryptedResponseAlg`]: alg }
        expectStatus(await stile.api('POST', '/applications', body), 400)
        const metadata = { ...webClient, jwks: { keys: [rsa.jwk] }, [`${snake}_encrypted_response_alg`]: alg }
        expectMetadataError(await registering(stile, metadata), 'invalid_client_metadata', snake)
      }
      const good = { ...web, ...keys(rsa), [`${member}EncryptedResponseAlg`]: 'RSA-OAEP-256' }
      for (const enc of ['A128CBC', 'none', 'A256CBC-HS512']) {
        const body = { name: `Refused ${member} ${enc}`, ...good, [`${member}EncryptedResponseEnc`]: enc }
        expectStatus(await stile.api('POST', '/applications', body), 400)
      }
      const keyless = { name: `Keyless ${member}`, ...web, [`${member}EncryptedResponseAlg`]: 'ECDH-ES' }
      const { details } = expectStatus(await stile.api('POST', '/applications', keyless), 400)
      assert.equal(details[0].target, `${member}EncryptedResponseAlg`)
      const contentAlone = {
        name: `Content ${member}`,
        ...web,
        ...keys(ec),
        [`${member}EncryptedResponseEnc`]: 'A128GCM',
      }
      const refused = expectStatus(await stile.api('POST', '/applications', contentAlone), 400)
      assert.equal(refused.details[0].target, `${member}EncryptedResponseEnc`)
    }
  })

  test('C21: a request object that is encrypted is refused: there is no key to encrypt one to', async () => {
    const client = await register(stile, { ...web, ...keys(ec) })
    const { json } = await stile.send(`/${stile.environmentId}/as/jwks`)
    assert.ok(
      json.keys.every(({ use }: { use: string }) => use === 'sig'),
      'F10',
    )
    const { publicKey } = clientKey('ES256')
    const text = new TextEncoder().encode(JSON.stringify(codeRequest(client)))
    for (const zip of [{}, { cty: 'JWT' }]) {
      const header = { alg: 'ECDH-ES', enc: 'A128GCM', ...zip }
      const request = await new CompactEncrypt(text).setProtectedHeader(header).encrypt(publicKey)
      assert.equal(told(await authorize(client, { request })).get('error'), 'invalid_request_object')
    }
  })

  test('a hint is the ID token within; the encrypted one is none (OpenID Connect Core 3.1.2.1)', async () => {
    const client = await register(stile, { ...web, ...keys(ec), ...encrypted('ECDH-ES') })
    const code = String(
      (await opened(responseOf(await authorize(client, { response_mode: 'jwt' })), ec, client))['code'],
    )
    const { id_token } = expectStatus(await redeemCode(stile, client, code), 200)
    const { content } = await decrypted(id_token, ec)
    assert.ok(told(await authorize(client, { id_token_hint: content, prompt: 'none' })).get('code'))
    assert.equal(told(await authorize(client, { id_token_hint: id_token })).get('error'), 'invalid_request')
  })

  test('a user who signs on is told here when the application cannot be', async () => {
    const client = await register(stile, { ...web, ...keys(ec) })
    const someone = new Browser(stile)
    const flowId = flowOf(await someone.authorize(codeRequest(client, { response_mode: 'jwt' })))
    assert.equal((await submitSignOnPage(someone, flowId, stile.user)).status, 303)
    await change(stile, client.clientId, { ...keys(curve('P-256', { use: 'sig' })), ...encrypted('ECDH-ES') })
    const answer = await someone.send(`/${stile.environmentId}/as/resume?flowId=${flowId}`, {
      headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate' },
    })
    assert.equal(answer.status, 400)
    assert.equal(answer.headers.get('location'), null)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/html/)
  })

  function responseOf(answer: Answer): string {
    return told(answer).get('response') ?? ''
  }
})
