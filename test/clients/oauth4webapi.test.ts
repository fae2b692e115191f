/** oauth4webapi, the strictest client library, against a node: every step by itself, with nothing taken for granted. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeProtectedHeader } from 'jose'
import * as oauth from 'oauth4webapi'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { authorizeBySignOnPage, postedForm } from '../oauth/journeys.ts'
import {
  customResource,
  expectStatus,
  grant,
  type Registered,
  register,
  spa,
  web,
  wrk,
} from '../oauth/registrations.ts'

/** Plain http is for tests alone. */
const insecure = { [oauth.allowInsecureRequests]: true }

let stile: Stile
before(async () => {
  stile = await startStile()
})
after(() => stile.close())

for (const algorithm of ['RS256', 'ES256']) {
  suite(`oauth4webapi, tokens signed with ${algorithm}`, () => {
    let server: oauth.AuthorizationServer
    let confidential: Registered
    let singlePage: Registered
    before(async () => {
      expectStatus(await stile.api('PUT', '/settings', { signingAlgorithm: algorithm }), 200)
      confidential = await register(stile)
      singlePage = await register(stile, spa)
      const issuer = new URL(stile.issuer)
      server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
    })

    const clientOf = ({ clientId }: Registered): oauth.Client => ({ client_id: clientId })

    /** Sends a browser to the authorization endpoint, and signs the demo user on. */
    const authorize = (parameters: Readonly<Record<string, string>>): Promise<Answer> => {
      assert.equal(server.authorization_endpoint, `${stile.issuer}/authorize`)
      return authorizeBySignOnPage(new Browser(stile), parameters)
    }
    const landing = (answer: Answer) => new URL(answer.headers.get('location') ?? assert.fail(answer.text))

    test('client credentials', async () => {
      const worker = await register(stile, wrk, [])
      const authentication = oauth.ClientSecretBasic(worker.clientSecret)
      const response = await oauth.clientCredentialsGrantRequest(server, clientOf(worker), authentication, {}, insecure)
      const tokens = await oauth.processClientCredentialsResponse(server, clientOf(worker), response)
      assert.deepEqual([tokens.token_type, tokens.expires_in, tokens.id_token], ['bearer', 3600, undefined])
      const request = new Request('https://api.test', { headers: { authorization: `Bearer ${tokens.access_token}` } })
      // RFC 9068 wants a `sub`, which PingOne's application tokens do not have (authentication-api 2.9).
      await assert.rejects(oauth.validateJwtAccessToken(server, request, stile.apiUrl, insecure), /"sub"/)
    })

    test('code with PKCE, then the ID token by JWKS, the access token by RFC 9068, and userinfo', async () => {
      for (const [app, authentication] of [
        [confidential, oauth.ClientSecretBasic(confidential.clientSecret)],
        [singlePage, oauth.None()],
      ] as const) {
        const client = clientOf(app)
        const verifier = oauth.generateRandomCodeVerifier()
        const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
        const answer = await authorize({
          client_id: client.client_id,
          response_type: 'code',
          redirect_uri: app.redirectUri,
          scope: 'openid email',
          code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
          state,
          nonce,
        })
        const parameters = oauth.validateAuthResponse(server, client, landing(answer), state)
        const response = await oauth.authorizationCodeGrantRequest(
          server,
          client,
          authentication,
          parameters,
          app.redirectUri,
          verifier,
          insecure,
        )
        const checks = { expectedNonce: nonce, requireIdToken: true, maxAge: 300 }
        const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, checks)
        await oauth.validateApplicationLevelSignature(server, response, insecure)
        const { sub } = oauth.getValidatedIdTokenClaims(tokens) ?? assert.fail('no ID token')
        assert.equal(sub, stile.user.id)
        assert.equal(decodeProtectedHeader(tokens.id_token ?? '').alg, algorithm)

        const request = new Request('https://api.test', { headers: { authorization: `Bearer ${tokens.access_token}` } })
        const claims = await oauth.validateJwtAccessToken(server, request, stile.apiUrl, insecure)
        assert.deepEqual([claims.sub, claims.client_id, claims.scope], [sub, client.client_id, 'openid email'])

        const userinfo = await oauth.userInfoRequest(server, client, tokens.access_token, insecure)
        const user = await oauth.processUserInfoResponse(server, client, sub, userinfo)
        assert.equal(user.email, 'demo@example.com')
      }
    })

    test('refresh, token exchange, introspection with a signed answer, and revocation', async () => {
      const audience = `https://${randomUUID()}.test`
      const resource = await customResource(stile, { audience }, ['orders:read'])
      const { secret } = expectStatus(await stile.api('GET', `/resources/${resource.id}/secret`), 200)
      const grantTypes = ['AUTHORIZATION_CODE', 'REFRESH_TOKEN', 'TOKEN_EXCHANGE']
      const app = await register(stile, { ...web, grantTypes })
      await grant(stile, app.clientId, resource.id, [resource.scope('orders:read')])
      const [client, authentication] = [clientOf(app), oauth.ClientSecretBasic(app.clientSecret)]
      const request = { client_id: app.clientId, response_type: 'code', redirect_uri: app.redirectUri }
      const answer = await authorize({ ...request, scope: 'openid orders:read' })
      const parameters = oauth.validateAuthResponse(server, client, landing(answer))
      const redeemed = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        authentication,
        parameters,
        app.redirectUri,
        oauth.nopkce,
        insecure,
      )
      const first = await oauth.processAuthorizationCodeResponse(server, client, redeemed)

      const refresh = first.refresh_token ?? assert.fail('no refresh token')
      const refreshed = await oauth.refreshTokenGrantRequest(server, client, authentication, refresh, insecure)
      const second = await oauth.processRefreshTokenResponse(server, client, refreshed)
      await oauth.validateApplicationLevelSignature(server, refreshed, insecure)
      const [before, now] = [oauth.getValidatedIdTokenClaims(first), oauth.getValidatedIdTokenClaims(second)]
      assert.deepEqual([now?.sub, now?.auth_time], [before?.sub, before?.auth_time])

      const exchanged = await oauth.processGenericTokenEndpointResponse(
        server,
        client,
        await oauth.genericTokenEndpointRequest(
          server,
          client,
          authentication,
          'urn:ietf:params:oauth:grant-type:token-exchange',
          {
            subject_token: second.access_token,
            subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            scope: 'orders:read',
          },
          insecure,
        ),
      )
      const api = new Request('https://api.test', { headers: { authorization: `Bearer ${exchanged.access_token}` } })
      const claims = await oauth.validateJwtAccessToken(server, api, audience, insecure)
      assert.deepEqual([claims.sub, claims.scope], [before?.sub, 'orders:read'])

      const introspector: oauth.Client = { client_id: resource.id, introspection_signed_response_alg: algorithm }
      const introspected = async () => {
        const response = await oauth.introspectionRequest(
          server,
          introspector,
          oauth.ClientSecretBasic(secret),
          exchanged.access_token,
          { ...insecure, requestJwtResponse: true },
        )
        const told = await oauth.processIntrospectionResponse(server, introspector, response)
        await oauth.validateApplicationLevelSignature(server, response, insecure)
        return told
      }
      const { active, sub } = await introspected()
      assert.deepEqual([active, sub], [true, before?.sub])

      const last = second.refresh_token ?? assert.fail('no refresh token')
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(server, client, authentication, last, insecure),
      )
      assert.deepEqual(await introspected(), { active: false })
      const refused = await oauth.refreshTokenGrantRequest(server, client, authentication, last, insecure)
      await assert.rejects(oauth.processRefreshTokenResponse(server, client, refused), oauth.ResponseBodyError)
    })

    test('implicit: token id_token in the fragment and by form_post', async () => {
      const client = clientOf(singlePage)
      for (const response_mode of ['fragment', 'form_post']) {
        const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
        const answer = await authorize({
          client_id: client.client_id,
          response_type: 'token id_token',
          response_mode,
          redirect_uri: singlePage.redirectUri,
          scope: 'openid email',
          state,
          nonce,
        })
        const parameters =
          response_mode === 'fragment'
            ? new URLSearchParams(landing(answer).hash.slice(1))
            : postedForm(answer).parameters
        const idToken = parameters.get('id_token') ?? assert.fail('no ID token')
        const accessToken = parameters.get('access_token') ?? assert.fail('no access token')

        // The library leaves the implicit grant to its callers: they check the response without its ID token, and the
        // ID token as that of a token response.
        parameters.delete('id_token')
        oauth.validateAuthResponse(server, client, parameters, state)
        const asTokenResponse = Response.json({ access_token: accessToken, token_type: 'bearer', id_token: idToken })
        const checks = { expectedNonce: nonce, requireIdToken: true }
        const tokens = await oauth.processAuthorizationCodeResponse(server, client, asTokenResponse, checks)
        await oauth.validateApplicationLevelSignature(server, asTokenResponse, insecure)
        const { sub } = oauth.getValidatedIdTokenClaims(tokens) ?? assert.fail('no claims')

        const userinfo = await oauth.userInfoRequest(server, client, accessToken, insecure)
        const user = await oauth.processUserInfoResponse(server, client, sub, userinfo)
        assert.equal(user.sub, stile.user.id)
      }
    })

    test('a code that was redeemed before is an error that the library understands', async () => {
      const client = clientOf(confidential)
      const answer = await authorize({
        client_id: client.client_id,
        response_type: 'code',
        redirect_uri: confidential.redirectUri,
        scope: 'openid',
      })
      const parameters = oauth.validateAuthResponse(server, client, landing(answer))
      const redeem = () =>
        oauth.authorizationCodeGrantRequest(
          server,
          client,
          oauth.ClientSecretBasic(confidential.clientSecret),
          parameters,
          confidential.redirectUri,
          oauth.nopkce,
          insecure,
        )
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, await redeem())
      await assert.rejects(oauth.processAuthorizationCodeResponse(server, client, await redeem()), (error) => {
        assert.ok(error instanceof oauth.ResponseBodyError)
        assert.deepEqual([error.status, error.error], [400, 'invalid_grant'])
        return true
      })
      const refused = await oauth.userInfoRequest(server, client, tokens.access_token, insecure)
      const challenge = oauth.processUserInfoResponse(server, client, oauth.skipSubjectCheck, refused)
      await assert.rejects(challenge, oauth.WWWAuthenticateChallengeError)
    })
  })
}
