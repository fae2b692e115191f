/** Authlib, the client library of Python, against a node: a client that shares no code with ours or with Node's. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, suite, test } from 'node:test'
import { type Stile, startStile } from '../harness/stile.ts'
import { register } from '../oauth/registrations.ts'
import { absent } from '../storage/absent.ts'

const python = '/usr/bin/python3'
const isThere = spawnSync(python, ['-c', 'import authlib, requests']).status === 0

suite('Authlib', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  test('signs a user on by code and PKCE, on the hosted page without JavaScript', async (context) => {
    if (!isThere) return absent(context, 'apt-get install -y python3-authlib python3-requests')
    const { clientId, clientSecret, redirectUri } = await register(stile)
    const nonce = randomBytes(16).toString('base64url')
    const client = spawn(python, [join(import.meta.dirname, 'authlib_client.py')], {
      env: { AUTHLIB_INSECURE_TRANSPORT: '1', PYTHONDONTWRITEBYTECODE: '1' },
    })
    client.stdin.end(
      JSON.stringify({
        issuer: stile.issuer,
        clientId,
        clientSecret,
        redirectUri,
        scope: 'openid profile email',
        codeVerifier: randomBytes(32).toString('base64url'),
        nonce,
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
    const { claims, userinfo, scope } = JSON.parse(output)
    assert.deepEqual([claims.sub, claims.nonce, scope], [stile.user.id, nonce, 'openid profile email'])
    assert.deepEqual([userinfo.sub, userinfo.email], [stile.user.id, 'demo@example.com'])
  })
})
