/** Authlib, the client library of Python, against a node: a client that shares no code with ours or with Node's. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, suite, test } from 'node:test'
import { type Stile, startStile } from '../harness/stile.ts'
import { clientKey, keySet } from '../oauth/assertions.ts'
import { expectStatus, register, web } from '../oauth/registrations.ts'
import { absent } from '../storage/absent.ts'

const python = '/usr/bin/python3'
const isThere = spawnSync(python, ['-c', 'import authlib, requests']).status === 0

suite('Authlib', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
    // Assertions of Authlib live for an hour; the default is five minutes.
    const settings = expectStatus(await stile.api('GET', '/settings'), 200)
    expectStatus(await stile.api('PUT', '/settings', { ...settings, clientAssertionSeconds: 3600 }), 200)
  })
  after(() => stile.close())

  const key = clientKey('ES256', 'key')
  const methods: readonly (readonly [string, object])[] = [
    ['client_secret_basic', {}],
    ['client_secret_post', { tokenEndpointAuthMethod: 'CLIENT_SECRET_POST' }],
    ['client_secret_jwt', { tokenEndpointAuthMethod: 'CLIENT_SECRET_JWT' }],
    ['private_key_jwt', { tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT', jwks: keySet(key) }],
    ['none', { tokenEndpointAuthMethod: 'NONE', type: 'NATIVE_APP', pkceEnforcement: 'S256_REQUIRED' }],
  ]

  for (const [authMethod, properties] of methods) {
    test(`signs on by code and PKCE, refreshes, introspects, revokes and signs off, by ${authMethod}`, async (context) => {
      if (!isThere) return absent(context, 'apt-get install -y python3-authlib python3-requests')
      const postLogoutRedirectUri = 'https://app.test/signed-off'
      const { clientId, clientSecret, redirectUri } = await register(stile, {
        ...web,
        grantTypes: ['AUTHORIZATION_CODE', 'REFRESH_TOKEN'],
        postLogoutRedirectUris: [postLogoutRedirectUri],
        ...properties,
      })
      const privateKey = key.privateKey.export({ type: 'pkcs8', format: 'pem' })
      const client = spawn(python, [join(import.meta.dirname, 'authlib_client.py')], {
        env: { AUTHLIB_INSECURE_TRANSPORT: '1', PYTHONDONTWRITEBYTECODE: '1' },
      })
      client.stdin.end(
        JSON.stringify({
          issuer: stile.issuer,
          clientId,
          clientSecret,
          authMethod,
          ...(authMethod === 'private_key_jwt' ? { privateKey } : {}),
          redirectUri,
          postLogoutRedirectUri,
          scope: 'openid profile email',
          username: stile.user.username,
          password: stile.user.password,
        }),
      )
      const [output, errors, [status]] = await Promise.all([
        text(client.stdout),
        text(client.stderr),
        once(client, 'exit'),
      ])
      assert.equal(status, 0, errors)
      const { claims, scope, userinfo, renewed, ...rest } = JSON.parse(output)
      assert.deepEqual([claims.sub, scope], [stile.user.id, 'openid profile email'])
      assert.deepEqual([userinfo.sub, userinfo.email], [stile.user.id, 'demo@example.com'])
      assert.deepEqual([renewed.sub, renewed.auth_time], [claims.sub, claims.auth_time])
      const { isRotated, introspected, revocation, signedOff, quiet } = rest
      assert.deepEqual([isRotated, introspected.active, introspected.sub], [true, true, stile.user.id])
      assert.deepEqual(revocation, [200, { active: false }, 'invalid_grant'])
      assert.equal(signedOff, `${postLogoutRedirectUri}?state=signed-off`)
      assert.deepEqual(quiet, [['login_required'], true])
    })
  }
})
