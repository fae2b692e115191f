/**
 * oauth4webapi, and what it offers beyond the code: device and backchannel grants, hybrid responses, signed requests, signed
 * and encrypted responses, certificates, and registration.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose'
import * as oauth from 'oauth4webapi'
import { authority, certificate } from '../harness/client-certificates.ts'
import { startMutualTlsStile } from '../harness/mutual-tls.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { bank, decideOn, follow } from '../oauth/backchannel-journeys.ts'
import { approve, type Device, tv } from '../oauth/device-journeys.ts'
import { authorizeBySignOnPage, submitSignOnPage } from '../oauth/journeys.ts'
import { allowed, openidGrant, policy } from '../oauth/registering.ts'
import { expectStatus, person, type Registered, register, web } from '../oauth/registrations.ts'

/** Plain http is for tests alone. */
const insecure = { [oauth.allowInsecureRequests]: true }

suite('oauth4webapi, every grant', () => {
  let stile: Stile
  let server: oauth.AuthorizationServer
  before(async () => {
    stile = await startStile()
    await policy(stile, { mode: 'OPEN', grants: [await openidGrant(stile)] })
    const issuer = new URL(stile.issuer)
    server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
  })
  after(() => stile.close())

  const landing = (answer: Answer) => new URL(answer.headers.get('location') ?? assert.fail(answer.text))
  const secretOf = ({ clientSecret }: Registered) => oauth.ClientSecretBasic(clientSecret)

  /** A request for a code with PKCE. */
  async function codeRequest(
    { clientId, redirectUri }: Pick<Registered, 'clientId' | 'redirectUri'>,
    more: object = {},
  ) {
    const verifier = oauth.generateRandomCodeVerifier()
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
    const request = {
      client_id: clientId,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: 'openid email',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      ...more,
    }
    return { verifier, state, nonce, request }
  }

  const signOn = async (request: Readonly<Record<string, string>>) =>
    landing(await authorizeBySignOnPage(new Browser(stile), request))

  /** Redeems the code of a response that was checked. */
  async function redeem(
    client: oauth.Client,
    authentication: oauth.ClientAuth,
    response: URLSearchParams,
    { verifier, nonce }: { readonly verifier: string; readonly nonce: string },
    options: oauth.JWEDecryptOptions = {},
  ) {
    const redirectUri = 'https://app.test/cb'
    const answer = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      authentication,
      response,
      redirectUri,
      verifier,
      insecure,
    )
    const checks = { expectedNonce: nonce, requireIdToken: true, ...options }
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, checks)
    await oauth.validateApplicationLevelSignature(server, answer, insecure)
    return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens) ?? assert.fail('no ID token') }
  }

  test('device authorization: pending, then allowed', async () => {
    const app = await register(stile, tv)
    const client = { client_id: app.clientId }
    const asked = await oauth.processDeviceAuthorizationResponse(
      server,
      client,
      await oauth.deviceAuthorizationRequest(server, client, oauth.None(), { scope: 'openid' }, insecure),
    )
    const poll = async () => {
      const answer = await oauth.deviceCodeGrantRequest(server, client, oauth.None(), asked.device_code, insecure)
      return oauth.processDeviceCodeResponse(server, client, answer)
    }
    await approve(new Browser(stile), asked as unknown as Device, stile.user)
    const tokens = await poll()
    assert.equal(oauth.getValidatedIdTokenClaims(tokens)?.sub, stile.user.id)
    await assert.rejects(poll(), { error: 'invalid_grant' })

    const waiting = await oauth.deviceAuthorizationRequest(server, client, oauth.None(), { scope: 'openid' }, insecure)
    const { device_code } = await oauth.processDeviceAuthorizationResponse(server, client, waiting)
    const early = await oauth.deviceCodeGrantRequest(server, client, oauth.None(), device_code, insecure)
    await assert.rejects(oauth.processDeviceCodeResponse(server, client, early), { error: 'authorization_pending' })
  })

  test('backchannel authentication', async () => {
    const app = await register(stile, bank)
    const client = { client_id: app.clientId }
    const email = `${oauth.generateRandomState().toLowerCase()}@example.com`
    const who = { ...(await person(stile, { email })), email }
    const parameters = { scope: 'openid', login_hint: who.username }
    const asked = await oauth.processBackchannelAuthenticationResponse(
      server,
      client,
      await oauth.backchannelAuthenticationRequest(server, client, secretOf(app), parameters, insecure),
    )
    const browser = new Browser(stile)
    const flowId = await follow(browser, who)
    expectStatus(await submitSignOnPage(browser, flowId, who), 303)
    await decideOn(browser, flowId, true)
    const tokens = await oauth.processBackchannelAuthenticationGrantResponse(
      server,
      client,
      await oauth.backchannelAuthenticationGrantRequest(server, client, secretOf(app), asked.auth_req_id, insecure),
    )
    assert.equal(oauth.getValidatedIdTokenClaims(tokens)?.sub, who.id)
  })

  test('hybrid: code id_token, in the fragment', async () => {
    const grantTypes = ['AUTHORIZATION_CODE', 'IMPLICIT']
    const app = await register(stile, { ...web, grantTypes, responseTypes: ['CODE', 'ID_TOKEN'] })
    const client = { client_id: app.clientId }
    // The second one holds the state against `s_hash` as well.
    for (const validate of [oauth.validateCodeIdTokenResponse, oauth.validateDetachedSignatureResponse]) {
      const made = await codeRequest(app, { response_type: 'code id_token' })
      const landed = await signOn(made.request)
      const response = await validate(server, client, landed, made.nonce, made.state, undefined, insecure)
      assert.equal((await redeem(client, secretOf(app), response, made)).claims.sub, stile.user.id)
    }
  })

  test('signed requests by value (JAR), and signed responses (JARM)', async () => {
    const { privateKey, publicKey } = await generateKeyPair('PS256')
    const key = { ...(await exportJWK(publicKey)), kid: 'key', alg: 'PS256', use: 'sig' }
    const app = await register(stile, {
      ...web,
      tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT',
      requireSignedRequestObject: true,
      jwks: JSON.stringify({ keys: [key] }),
    })
    const signing = { key: privateKey, kid: 'key' }
    const settings = expectStatus(await stile.api('GET', '/settings'), 200)
    const client = { client_id: app.clientId, authorization_signed_response_alg: settings.signingAlgorithm }
    const made = await codeRequest(app, { response_mode: 'jwt' })
    const request = await oauth.issueRequestObject(server, client, made.request, signing)
    const landed = await signOn({ client_id: app.clientId, request })
    const response = await oauth.validateJwtAuthResponse(server, client, landed, made.state, insecure)
    const { claims } = await redeem(client, oauth.PrivateKeyJwt(signing), response, made)
    assert.equal(claims.sub, stile.user.id)
  })

  test('an ID token and userinfo that are signed, then encrypted', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RSA-OAEP-256')
    const key = { ...(await exportJWK(publicKey)), kid: 'enc', use: 'enc', alg: 'RSA-OAEP-256' }
    const app = await register(stile, {
      ...web,
      jwks: JSON.stringify({ keys: [key] }),
      idTokenEncryptedResponseAlg: 'RSA-OAEP-256',
      userinfoSignedResponseAlg: 'ES256',
      userinfoEncryptedResponseAlg: 'RSA-OAEP-256',
    })
    const client = { client_id: app.clientId, userinfo_signed_response_alg: 'ES256' }
    const decrypting = {
      [oauth.jweDecrypt]: async (jwe: string) =>
        new TextDecoder().decode((await compactDecrypt(jwe, privateKey)).plaintext),
    }
    const made = await codeRequest(app)
    const response = oauth.validateAuthResponse(server, client, await signOn(made.request), made.state)
    const { tokens, claims } = await redeem(client, secretOf(app), response, made, decrypting)
    const userinfo = await oauth.userInfoRequest(server, client, tokens.access_token, insecure)
    const user = await oauth.processUserInfoResponse(server, client, claims.sub, userinfo, decrypting)
    assert.deepEqual([user.sub, user.email], [stile.user.id, 'demo@example.com'])
    await oauth.validateApplicationLevelSignature(server, userinfo, insecure)
  })

  test('registers itself, and signs on a user who lets it in', async () => {
    const redirectUri = 'https://app.test/cb'
    const metadata = { client_name: 'Lantern Books', redirect_uris: [redirectUri] }
    const client = await oauth.processDynamicClientRegistrationResponse(
      await oauth.dynamicClientRegistrationRequest(server, metadata, insecure),
    )
    const made = await codeRequest({ clientId: client.client_id, redirectUri })
    const landed = landing(await allowed(new Browser(stile), made.request, stile.user))
    const response = oauth.validateAuthResponse(server, client, landed, made.state)
    const secret = client['client_secret']
    assert.ok(typeof secret === 'string')
    const authentication = oauth.ClientSecretBasic(secret)
    assert.equal((await redeem(client, authentication, response, made)).claims.sub, stile.user.id)
  })

  test('mutual TLS: tls_client_auth, and a token that is bound to the certificate', async () => {
    const root = await authority('Root')
    const held = await certificate({ issuer: root })
    const secured = await startMutualTlsStile(root)
    try {
      const { clientId } = await register(
        secured.stile,
        {
          ...web,
          grantTypes: ['CLIENT_CREDENTIALS'],
          responseTypes: [],
          redirectUris: [],
          tokenEndpointAuthMethod: 'TLS_CLIENT_AUTH',
          tlsClientAuthSubjectDn: 'CN=client,O=Example,C=DE',
          tlsClientCertificateBoundAccessTokens: true,
        },
        [],
      )
      const issuer = new URL(secured.stile.issuer)
      const its = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
      const client = { client_id: clientId, use_mtls_endpoint_aliases: true }
      const ask = async (by: typeof held | undefined) => {
        const options = { ...insecure, [oauth.customFetch]: secured.fetchAs(by) as typeof fetch }
        const answer = await oauth.clientCredentialsGrantRequest(its, client, oauth.TlsClientAuth(), {}, options)
        return oauth.processClientCredentialsResponse(its, client, answer)
      }
      assert.ok((await ask(held)).access_token)
      await assert.rejects(ask(undefined), { error: 'invalid_client' })
    } finally {
      await secured.close()
    }
  })
})
