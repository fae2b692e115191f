/**
 * openid-client, and what it offers beyond the code: device and backchannel grants, hybrid responses, pushed and signed
 * requests, signed and encrypted responses, keys and certificates of the client, registration and sign-off.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt, exportJWK, generateKeyPair } from 'jose'
import * as client from 'openid-client'
import { authority, certificate } from '../harness/client-certificates.ts'
import { startMutualTlsStile } from '../harness/mutual-tls.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { bank, decideOn, follow } from '../oauth/backchannel-journeys.ts'
import { approve, comeToTheQuestion, type Device, decide, tv } from '../oauth/device-journeys.ts'
import { authorizeBySignOnPage, submitSignOnPage } from '../oauth/journeys.ts'
import { answerConsent, askedForConsent, openidGrant, policy } from '../oauth/registering.ts'
import { expectStatus, person, type Registered, register, web } from '../oauth/registrations.ts'

const redirectUri = 'https://app.test/cb'
const postLogoutRedirectUri = 'https://app.test/signed-off'

suite('openid-client, every grant and sign-off', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const checking = [client.allowInsecureRequests, client.enableNonRepudiationChecks]

  /** Discovers the issuer; http is for tests alone, and signatures of ID tokens are checked by the published keys. */
  const discover = (
    { clientId, clientSecret }: Registered,
    authentication: client.ClientAuth = clientSecret ? client.ClientSecretBasic(clientSecret) : client.None(),
    metadata: Partial<client.ClientMetadata> = {},
    ...more: ((config: client.Configuration) => void)[]
  ) => client.discovery(new URL(stile.issuer), clientId, metadata, authentication, { execute: [...checking, ...more] })

  const landing = (answer: Answer) => new URL(answer.headers.get('location') ?? assert.fail(answer.text))

  /** A request for a code with PKCE, and what the answer is held against. */
  async function codeRequest(scope = 'openid profile email') {
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()]
    return {
      checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true },
      request: {
        redirect_uri: redirectUri,
        scope,
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
        state: expectedState,
        nonce: expectedNonce,
      },
    }
  }

  /** Sends a browser where the library says, signs the demo user on, and hands the landing to the library. */
  const signOn = async (address: URL, browser = new Browser(stile)) =>
    landing(await authorizeBySignOnPage(browser, Object.fromEntries(address.searchParams)))

  /** Polls at once: the interval is for devices that wait for their users. */
  const atOnce = <Response>(response: Response): Response => ({ ...response, interval: 0 })

  test('device authorization: a device that is allowed, and one that is not', async () => {
    const app = await register(stile, { ...tv, grantTypes: ['DEVICE_CODE', 'REFRESH_TOKEN'] })
    const config = await discover(app)
    const asked = await client.initiateDeviceAuthorization(config, { scope: 'openid profile' })
    await approve(new Browser(stile), asked as unknown as Device, stile.user)
    const tokens = await client.pollDeviceAuthorizationGrant(config, atOnce(asked))
    assert.deepEqual([tokens.claims()?.sub, tokens.scope], [stile.user.id, 'openid profile'])
    const again = await client.refreshTokenGrant(config, tokens.refresh_token ?? assert.fail('no refresh token'))
    assert.equal(again.claims()?.sub, stile.user.id)

    const other = await client.initiateDeviceAuthorization(config, { scope: 'openid' })
    const browser = new Browser(stile)
    await decide(browser, await comeToTheQuestion(browser, other as unknown as Device, stile.user), false)
    await assert.rejects(client.pollDeviceAuthorizationGrant(config, atOnce(other)), { error: 'access_denied' })
  })

  test('backchannel authentication: a user who agrees, and one who does not', async () => {
    const app = await register(stile, bank)
    const config = await discover(app)
    for (const agrees of [true, false]) {
      const email = `${client.randomState().toLowerCase()}@example.com`
      const who = { ...(await person(stile, { email })), email }
      const asked = await client.initiateBackchannelAuthentication(config, {
        scope: 'openid profile',
        login_hint: who.username,
        binding_message: 'W4SCT',
      })
      const browser = new Browser(stile)
      const flowId = await follow(browser, who)
      expectStatus(await submitSignOnPage(browser, flowId, who), 303)
      await decideOn(browser, flowId, agrees)
      const polled = client.pollBackchannelAuthenticationGrant(config, atOnce(asked))
      if (agrees) assert.equal((await polled).claims()?.sub, who.id)
      else await assert.rejects(polled, { error: 'access_denied' })
    }
  })

  test('hybrid: code id_token, with the code held against c_hash, and the state against s_hash', async () => {
    const grantTypes = ['AUTHORIZATION_CODE', 'IMPLICIT']
    const app = await register(stile, { ...web, grantTypes, responseTypes: ['CODE', 'ID_TOKEN'] })
    for (const more of [[], [client.enableDetachedSignatureResponseChecks]]) {
      const config = await discover(app, undefined, {}, client.useCodeIdTokenResponseType, ...more)
      const { request, checks } = await codeRequest()
      const landed = await signOn(client.buildAuthorizationUrl(config, request))
      assert.match(landed.hash, /id_token=/)
      const tokens = await client.authorizationCodeGrant(config, landed, checks)
      assert.equal(tokens.claims()?.sub, stile.user.id)
    }
  })

  test('pushed authorization requests', async () => {
    const app = await register(stile, { ...web, parRequirement: 'REQUIRED' })
    const config = await discover(app)
    const { request, checks } = await codeRequest()
    const address = await client.buildAuthorizationUrlWithPAR(config, request)
    assert.deepEqual([...address.searchParams.keys()].toSorted(), ['client_id', 'request_uri'])
    assert.equal((await client.authorizationCodeGrant(config, await signOn(address), checks)).token_type, 'bearer')
  })

  /** A key pair for the library, and the set that is registered. */
  async function ownKeys(alg: 'ES256' | 'EdDSA' = 'ES256') {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
    const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'key', alg, use: 'sig' }] })
    return { key: { key: privateKey, kid: 'key' }, jwks }
  }

  for (const alg of ['ES256', 'EdDSA'] as const) {
    test(`private_key_jwt, signed requests (JAR) and signed responses (JARM), by ${alg}`, async () => {
      const { key, jwks } = await ownKeys(alg)
      const properties = { ...web, tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT', requireSignedRequestObject: true, jwks }
      const app = await register(stile, properties)
      // The library names the curve, as RFC 9864 does; EdDSA is what other clients know.
      const known = {
        [client.modifyAssertion]: (header: { alg?: unknown }) => {
          if (header.alg === 'Ed25519') header.alg = 'EdDSA'
        },
      }
      const config = await discover(app, client.PrivateKeyJwt(key, known), {}, client.useJwtResponseMode)
      for (const isPushed of [false, true]) {
        const { request, checks } = await codeRequest()
        const signed = await client.buildAuthorizationUrlWithJAR(config, request, key, known)
        const address = isPushed ? await client.buildAuthorizationUrlWithPAR(config, signed.searchParams) : signed
        const landed = await signOn(address)
        assert.deepEqual([...landed.searchParams.keys()], ['response'])
        const tokens = await client.authorizationCodeGrant(config, landed, checks)
        assert.equal(tokens.claims()?.sub, stile.user.id)
      }
    })
  }

  test('client_secret_jwt', async () => {
    const app = await register(stile, { ...web, tokenEndpointAuthMethod: 'CLIENT_SECRET_JWT' })
    const config = await discover(app, client.ClientSecretJwt(app.clientSecret))
    const { request, checks } = await codeRequest()
    const landed = await signOn(client.buildAuthorizationUrl(config, request))
    assert.ok((await client.authorizationCodeGrant(config, landed, checks)).access_token)
  })

  test('DPoP: a code and tokens that are bound to a key, refreshed and used with it', async () => {
    const grantTypes = ['AUTHORIZATION_CODE', 'REFRESH_TOKEN']
    const app = await register(stile, { ...web, grantTypes, dpopBoundAccessTokens: true })
    const config = await discover(app)
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
    const { request, checks } = await codeRequest()
    const dpop_jkt = await DPoP.calculateThumbprint()
    for (const address of [
      client.buildAuthorizationUrl(config, { ...request, dpop_jkt }),
      await client.buildAuthorizationUrlWithPAR(config, request, { DPoP }),
    ]) {
      const landed = await signOn(address)
      const first = await client.authorizationCodeGrant(config, landed, checks, undefined, { DPoP })
      assert.equal(first.token_type, 'dpop')
      const second = await client.refreshTokenGrant(config, first.refresh_token ?? '', undefined, { DPoP })
      assert.deepEqual(decodeJwt(second.access_token)['cnf'], { jkt: dpop_jkt })
      const user = await client.fetchUserInfo(config, second.access_token, stile.user.id, { DPoP })
      assert.equal(user.email, 'demo@example.com')
      await assert.rejects(client.fetchUserInfo(config, second.access_token, stile.user.id))
    }
  })

  test('encrypted ID tokens and userinfo, which the library decrypts', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ECDH-ES', { extractable: true })
    const key = { ...(await exportJWK(publicKey)), kid: 'enc', use: 'enc', alg: 'ECDH-ES' }
    const app = await register(stile, {
      ...web,
      jwks: JSON.stringify({ keys: [key] }),
      idTokenEncryptedResponseAlg: 'ECDH-ES',
      idTokenEncryptedResponseEnc: 'A256GCM',
      userinfoSignedResponseAlg: 'ES256',
      userinfoEncryptedResponseAlg: 'ECDH-ES',
      userinfoEncryptedResponseEnc: 'A256GCM',
    })
    const config = await discover(app, undefined, { userinfo_signed_response_alg: 'ES256' }, (it) =>
      client.enableDecryptingResponses(it, undefined, { key: privateKey, kid: 'enc' }),
    )
    const { request, checks } = await codeRequest()
    const tokens = await client.authorizationCodeGrant(
      config,
      await signOn(client.buildAuthorizationUrl(config, request)),
      checks,
    )
    assert.equal(tokens.id_token?.split('.').length, 5)
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, stile.user.id)).email, 'demo@example.com')
  })

  test('registers itself, and signs on a user who lets it in', async () => {
    await policy(stile, { mode: 'OPEN', grants: [await openidGrant(stile)] })
    const metadata = { client_name: 'Lantern Books', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }
    const config = await client.dynamicClientRegistration(new URL(stile.issuer), metadata, client.None(), {
      execute: [client.allowInsecureRequests],
    })
    const { request, checks } = await codeRequest('openid profile')
    const browser = new Browser(stile)
    const address = client.buildAuthorizationUrl(config, request)
    const { flowId } = await askedForConsent(browser, Object.fromEntries(address.searchParams), stile.user)
    expectStatus(await answerConsent(browser, flowId, true), 303)
    const tokens = await client.authorizationCodeGrant(config, landing(await browser.resume(flowId)), checks)
    assert.equal(tokens.claims()?.sub, stile.user.id)
  })

  test('signs off at the address that it builds, and comes back', async () => {
    const app = await register(stile, { ...web, postLogoutRedirectUris: [postLogoutRedirectUri] })
    const config = await discover(app)
    const browser = new Browser(stile)
    const { request, checks } = await codeRequest()
    const landed = await signOn(client.buildAuthorizationUrl(config, request), browser)
    const { id_token = '' } = await client.authorizationCodeGrant(config, landed, checks)
    const address = client.buildEndSessionUrl(config, {
      post_logout_redirect_uri: postLogoutRedirectUri,
      id_token_hint: id_token,
      state: 's',
    })
    const answer = await browser.send(address.pathname + address.search)
    assert.equal(landing(answer).href, `${postLogoutRedirectUri}?state=s`)
    const silent = client.buildAuthorizationUrl(config, { redirect_uri: redirectUri, scope: 'openid', prompt: 'none' })
    const quiet = client.authorizationCodeGrant(config, await signOn(silent, browser))
    await assert.rejects(quiet, { error: 'login_required' })
  })
})

suite('openid-client, mutual TLS', () => {
  test('tls_client_auth at the aliases of the metadata; tokens are bound to the certificate', async () => {
    const root = await authority('Root')
    const held = await certificate({ issuer: root })
    const { stile, fetchAs, close } = await startMutualTlsStile(root)
    try {
      const { clientId } = await register(stile, {
        ...web,
        grantTypes: ['CLIENT_CREDENTIALS', 'AUTHORIZATION_CODE'],
        tokenEndpointAuthMethod: 'TLS_CLIENT_AUTH',
        tlsClientAuthSubjectDn: 'CN=client,O=Example,C=DE',
        tlsClientCertificateBoundAccessTokens: true,
      })
      const present = (config: client.Configuration) => {
        config[client.customFetch] = fetchAs(held) as client.CustomFetch
      }
      const metadata = { use_mtls_endpoint_aliases: true }
      const config = await client.discovery(new URL(stile.issuer), clientId, metadata, client.TlsClientAuth(), {
        execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks, present],
      })
      const pkceCodeVerifier = client.randomPKCECodeVerifier()
      const address = await client.buildAuthorizationUrlWithPAR(config, {
        redirect_uri: redirectUri,
        scope: 'openid email',
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
      })
      const answer = await authorizeBySignOnPage(new Browser(stile), Object.fromEntries(address.searchParams))
      const landed = new URL(answer.headers.get('location') ?? assert.fail(answer.text))
      const tokens = await client.authorizationCodeGrant(config, landed, { pkceCodeVerifier })
      const user = await client.fetchUserInfo(config, tokens.access_token, stile.user.id)
      assert.equal(user.email, 'demo@example.com')
      config[client.customFetch] = fetchAs(undefined) as client.CustomFetch
      await assert.rejects(client.fetchUserInfo(config, tokens.access_token, stile.user.id))
      await assert.rejects(client.clientCredentialsGrant(config), { error: 'invalid_client' })
    } finally {
      await close()
    }
  })
})
