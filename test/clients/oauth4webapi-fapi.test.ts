/**
 * oauth4webapi against an application that keeps the FAPI 2.0 Security Profile: private_key_jwt, a pushed request, DPoP with
 * nonces of the server; and client_secret_jwt.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { exportJWK } from 'jose'
import * as oauth from 'oauth4webapi'
import { Browser } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { authorizeBySignOnPage } from '../oauth/journeys.ts'
import { expectStatus, register, web, wrk } from '../oauth/registrations.ts'

/** Plain http is for tests alone. */
const insecure = { [oauth.allowInsecureRequests]: true }

suite('oauth4webapi, FAPI 2.0', () => {
  let stile: Stile
  let server: oauth.AuthorizationServer
  before(async () => {
    stile = await startStile()
    const issuer = new URL(stile.issuer)
    server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
  })
  after(() => stile.close())

  for (const isNonceRequired of [false, true]) {
    test(`from a pushed request to userinfo and a refresh, ${isNonceRequired ? 'with' : 'without'} nonces`, async () => {
      const settings = expectStatus(await stile.api('GET', '/settings'), 200)
      expectStatus(await stile.api('PUT', '/settings', { ...settings, dpopNonceRequired: isNonceRequired }), 200)
      const keys = await oauth.generateKeyPair('ES256')
      const app = await register(stile, {
        ...web,
        grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'],
        fapiProfile: 'FAPI_2_0_SECURITY',
        tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT',
        jwks: JSON.stringify({ keys: [await exportJWK(keys.publicKey)] }),
      })
      const client: oauth.Client = { client_id: app.clientId }
      const authentication = oauth.PrivateKeyJwt(keys.privateKey)
      const dpop = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
      const options = { ...insecure, DPoP: dpop }
      /** As the library wants it: whoever is given a nonce tries once more. */
      const withNonce = async <T>(attempt: () => Promise<T>): Promise<T> => {
        try {
          return await attempt()
        } catch (error) {
          assert.ok(isNonceRequired && oauth.isDPoPNonceError(error), String(error))
          return attempt()
        }
      }

      const verifier = oauth.generateRandomCodeVerifier()
      const state = oauth.generateRandomState()
      const request = {
        response_type: 'code',
        redirect_uri: app.redirectUri,
        scope: 'openid email',
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
      }
      const pushed = await withNonce(async () =>
        oauth.processPushedAuthorizationResponse(
          server,
          client,
          await oauth.pushedAuthorizationRequest(server, client, authentication, request, options),
        ),
      )
      const parameters = { client_id: app.clientId, request_uri: pushed.request_uri }
      const answer = await authorizeBySignOnPage(new Browser(stile), parameters)
      const landing = new URL(answer.headers.get('location') ?? assert.fail(answer.text))
      const callback = oauth.validateAuthResponse(server, client, landing, state)
      const tokens = await withNonce(async () =>
        oauth.processAuthorizationCodeResponse(
          server,
          client,
          await oauth.authorizationCodeGrantRequest(
            server,
            client,
            authentication,
            callback,
            app.redirectUri,
            verifier,
            options,
          ),
          { requireIdToken: true },
        ),
      )
      assert.equal(tokens.token_type, 'dpop')
      const { sub } = oauth.getValidatedIdTokenClaims(tokens) ?? assert.fail('no ID token')

      const user = await withNonce(async () =>
        oauth.processUserInfoResponse(
          server,
          client,
          sub,
          await oauth.userInfoRequest(server, client, tokens.access_token, options),
        ),
      )
      assert.equal(user.email, 'demo@example.com')

      const refreshed = await withNonce(async () =>
        oauth.processRefreshTokenResponse(
          server,
          client,
          await oauth.refreshTokenGrantRequest(
            server,
            client,
            authentication,
            tokens.refresh_token ?? assert.fail('no refresh token'),
            options,
          ),
        ),
      )
      assert.equal(refreshed.token_type, 'dpop')
      const resource = new URL(`${stile.apiUrl}/v1/environments/${stile.environmentId}`)
      const headers = new Headers()
      const read = () =>
        oauth.protectedResourceRequest(refreshed.access_token, 'GET', resource, headers, undefined, options)
      const response = await read()
      assert.equal(response.status, 403, 'the token of somebody who may do nothing there is known')
    })
  }

  test('client_secret_jwt', async () => {
    const worker = await register(stile, { ...wrk, tokenEndpointAuthMethod: 'CLIENT_SECRET_JWT' }, [])
    const client: oauth.Client = { client_id: worker.clientId }
    const authentication = oauth.ClientSecretJwt(worker.clientSecret)
    const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, {}, insecure)
    assert.ok((await oauth.processClientCredentialsResponse(server, client, response)).access_token)
  })
})
