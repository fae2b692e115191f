/**
 * openid-client, the widest-used client library of Node, against a node: discovery, JWKS, grants, userinfo, refresh, exchange,
 * introspection and revocation.
 */
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import * as client from 'openid-client'
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

let stile: Stile
before(async () => {
  stile = await startStile()
})
after(() => stile.close())

for (const algorithm of ['RS256', 'ES256']) {
  suite(`openid-client, tokens signed with ${algorithm}`, () => {
    let confidential: Registered
    let singlePage: Registered
    before(async () => {
      expectStatus(await stile.api('PUT', '/settings', { signingAlgorithm: algorithm }), 200)
      confidential = await register(stile)
      singlePage = await register(stile, spa)
    })

    /** Discovers the issuer; http is for tests alone, and signatures of ID tokens are checked by the published keys. */
    const discover = (
      clientId: string,
      authentication: client.ClientAuth,
      ...more: ((config: client.Configuration) => void)[]
    ) =>
      client.discovery(new URL(stile.issuer), clientId, undefined, authentication, {
        execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks, ...more],
      })

    /** Sends a browser where the library says, and signs the demo user on. */
    const follow = (address: URL): Promise<Answer> => {
      assert.equal(`${address.origin}${address.pathname}`, `${stile.issuer}/authorize`)
      return authorizeBySignOnPage(new Browser(stile), Object.fromEntries(address.searchParams))
    }
    const landing = (answer: Answer) => new URL(answer.headers.get('location') ?? assert.fail(answer.text))

    test('client credentials, by Basic and by POST', async () => {
      const byBasic = await register(stile, wrk, [])
      const byPost = await register(stile, { ...wrk, tokenEndpointAuthMethod: 'CLIENT_SECRET_POST' }, [])
      for (const [{ clientId, clientSecret }, method] of [
        [byBasic, client.ClientSecretBasic],
        [byPost, client.ClientSecretPost],
      ] as const) {
        const tokens = await client.clientCredentialsGrant(await discover(clientId, method(clientSecret)))
        assert.deepEqual([tokens.token_type, tokens.expires_in], ['bearer', 3600])
        const header = JSON.parse(Buffer.from(tokens.access_token.split('.')[0] ?? '', 'base64url').toString())
        assert.equal(header.alg, algorithm)
      }
    })

    test('a wrong secret is an error that the library understands', async () => {
      const config = await discover(confidential.clientId, client.ClientSecretBasic('wrong'))
      await assert.rejects(client.clientCredentialsGrant(config), (error) => {
        assert.ok(error instanceof client.WWWAuthenticateChallengeError)
        assert.equal(error.status, 401)
        return true
      })
      const byPost = await register(stile, { ...web, tokenEndpointAuthMethod: 'CLIENT_SECRET_POST' })
      const posted = await discover(byPost.clientId, client.ClientSecretPost('wrong'))
      await assert.rejects(client.clientCredentialsGrant(posted), (error) => {
        assert.ok(error instanceof client.ResponseBodyError)
        assert.deepEqual([error.status, error.error], [401, 'invalid_client'])
        return true
      })
    })

    test('code with PKCE, confidential and public, then userinfo', async () => {
      for (const [app, authentication] of [
        [confidential, client.ClientSecretBasic(confidential.clientSecret)],
        [singlePage, client.None()],
      ] as const) {
        const config = await discover(app.clientId, authentication)
        const pkceCodeVerifier = client.randomPKCECodeVerifier()
        const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()]
        const address = client.buildAuthorizationUrl(config, {
          redirect_uri: app.redirectUri,
          scope: 'openid profile email',
          code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
          code_challenge_method: 'S256',
          state: expectedState,
          nonce: expectedNonce,
          max_age: '300',
        })
        const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true, maxAge: 300 }
        const tokens = await client.authorizationCodeGrant(config, landing(await follow(address)), checks)
        const { sub, email } = tokens.claims() ?? assert.fail('no ID token')
        assert.deepEqual([sub, email, tokens.scope], [stile.user.id, 'demo@example.com', 'openid profile email'])
        const user = await client.fetchUserInfo(config, tokens.access_token, sub)
        assert.deepEqual([user.sub, user.preferred_username], [sub, stile.user.username])
        await assert.rejects(client.fetchUserInfo(config, tokens.access_token, randomUUID()))
      }
    })

    test('refresh, token exchange, introspection by the resource server, and revocation', async () => {
      const audience = `https://${randomUUID()}.test`
      const resource = await customResource(stile, { audience }, ['orders:read'])
      const { secret } = expectStatus(await stile.api('GET', `/resources/${resource.id}/secret`), 200)
      const server = await discover(resource.id, client.ClientSecretBasic(secret))
      const grantTypes = ['AUTHORIZATION_CODE', 'REFRESH_TOKEN', 'TOKEN_EXCHANGE']
      const app = await register(stile, { ...web, grantTypes })
      await grant(stile, app.clientId, resource.id, [resource.scope('orders:read')])
      const config = await discover(app.clientId, client.ClientSecretBasic(app.clientSecret))
      const expectedNonce = client.randomNonce()
      const address = client.buildAuthorizationUrl(config, {
        redirect_uri: app.redirectUri,
        scope: 'openid orders:read',
        nonce: expectedNonce,
      })
      const checks = { expectedNonce, idTokenExpected: true }
      const first = await client.authorizationCodeGrant(config, landing(await follow(address)), checks)

      const second = await client.refreshTokenGrant(config, first.refresh_token ?? assert.fail())
      assert.equal(second.claims()?.sub, stile.user.id)
      const third = await client.refreshTokenGrant(config, second.refresh_token ?? assert.fail(), { scope: 'openid' })
      assert.equal(third.scope, 'openid')
      await assert.rejects(client.refreshTokenGrant(config, third.refresh_token ?? '', { scope: 'phone' }), (error) => {
        assert.ok(error instanceof client.ResponseBodyError)
        assert.equal(error.error, 'invalid_scope')
        return true
      })

      const exchanged = await client.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:token-exchange', {
        subject_token: second.access_token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        audience,
      })
      assert.equal(exchanged['issued_token_type'], 'urn:ietf:params:oauth:token-type:access_token')
      for (const token of [second.access_token, exchanged.access_token]) {
        const { active, sub, aud, scope } = await client.tokenIntrospection(server, token)
        assert.deepEqual([active, sub, aud], [true, stile.user.id, [audience]])
        assert.match(scope ?? '', /orders:read/)
      }
      assert.equal((await client.tokenIntrospection(config, third.refresh_token ?? '')).active, true)

      await client.tokenRevocation(config, third.refresh_token ?? assert.fail())
      for (const token of [second.access_token, exchanged.access_token]) {
        assert.deepEqual(await client.tokenIntrospection(server, token), { active: false })
      }
      await assert.rejects(client.refreshTokenGrant(config, third.refresh_token ?? ''), (error) => {
        assert.ok(error instanceof client.ResponseBodyError)
        assert.deepEqual([error.status, error.error], [400, 'invalid_grant'])
        return true
      })
    })

    test('implicit: token id_token in the fragment and by form_post', async () => {
      const config = await discover(singlePage.clientId, client.None(), client.useIdTokenResponseType)
      for (const response_mode of ['fragment', 'form_post']) {
        const [expectedState, nonce] = [client.randomState(), client.randomNonce()]
        const address = client.buildAuthorizationUrl(config, {
          redirect_uri: singlePage.redirectUri,
          response_type: 'token id_token',
          response_mode,
          scope: 'openid profile',
          state: expectedState,
          nonce,
        })
        const answer = await follow(address)
        const [returned, parameters] = response_mode === 'fragment' ? inFragment(landing(answer)) : inForm(answer)
        const { sub, at_hash } = await client.implicitAuthentication(config, returned, nonce, { expectedState })
        assert.equal(sub, stile.user.id)
        const token = parameters.get('access_token') ?? ''
        assert.equal(at_hash, createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url'))
        assert.equal((await client.fetchUserInfo(config, token, sub)).sub, sub)
      }
    })

    const inFragment = (address: URL) => [address, new URLSearchParams(address.hash.slice(1))] as const

    function inForm(answer: Answer) {
      const { action, parameters } = postedForm(answer)
      assert.equal(action, singlePage.redirectUri)
      return [new Request(action, { method: 'POST', body: parameters }), parameters] as const
    }

    test('prompt=none without a session is an authorization error that the library understands', async () => {
      const config = await discover(confidential.clientId, client.ClientSecretBasic(confidential.clientSecret))
      const expectedState = client.randomState()
      const address = client.buildAuthorizationUrl(config, {
        redirect_uri: confidential.redirectUri,
        scope: 'openid',
        state: expectedState,
        prompt: 'none',
      })
      await assert.rejects(
        client.authorizationCodeGrant(config, landing(await follow(address)), { expectedState }),
        (error) => {
          assert.ok(error instanceof client.AuthorizationResponseError)
          assert.equal(error.error, 'login_required')
          return true
        },
      )
    })
  })
}
