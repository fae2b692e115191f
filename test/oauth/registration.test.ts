/** The registration endpoint: RFC 7591, OpenID Connect Dynamic Client Registration 1.0; rows A12, H01-H05, H10. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { after, before, beforeEach, suite, test } from 'node:test'
import { rows } from '../flow-runtime/arrange.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { expectRefusal } from './journeys.ts'
import { expectMetadataError, openidGrant, policy, registered, registering, webClient } from './registering.ts'
import { customResource, expectStatus, type Person, person, type Registered } from './registrations.ts'

suite('client registration', () => {
  let stile: Stile
  let who: Person
  before(async () => {
    stile = await startStile()
    who = await person(stile)
  })
  after(() => stile.close())

  const open = async (more: object = {}) =>
    policy(stile, { mode: 'OPEN', perNetworkAddress: { count: 100_000, seconds: 60 }, ...more })
  beforeEach(() => open())

  const asRegistered = (client: {
    client_id: string
    client_secret?: string
    redirect_uris: string[]
  }): Registered => ({
    clientId: client.client_id,
    clientSecret: client.client_secret ?? '',
    redirectUri: client.redirect_uris[0] ?? '',
  })
  const discovery = async () =>
    expectStatus(await stile.send(`/${stile.environmentId}/as/.well-known/openid-configuration`), 200)
  const application = async (id: string) => expectStatus(await stile.api('GET', `/applications/${id}`), 200)

  suite('who may register', () => {
    test('H01, N38: by default nobody, and discovery names no endpoint', async () => {
      expectStatus(await stile.api('DELETE', '/clientRegistrationPolicy'), 200)
      assert.equal((await registering(stile, webClient)).status, 404)
      assert.equal((await stile.send(`/${stile.environmentId}/as/register/${randomUUID()}`)).status, 404)
      assert.equal((await discovery()).registration_endpoint, undefined)
      const read = expectStatus(await stile.api('GET', '/clientRegistrationPolicy'), 200)
      assert.deepEqual([read.mode, read.clientIdMetadataDocuments.enabled], ['OFF', false])
    })

    test('H01: with an initial access token, as often as it says, until it says', async () => {
      await open({ mode: 'INITIAL_ACCESS_TOKEN' })
      assert.equal((await discovery()).registration_endpoint, `${stile.issuer}/register`)
      const made = expectStatus(await stile.api('POST', '/initialAccessTokens', { maximumUses: 2 }), 201)
      assert.match(made.token, /^[\w-]{43}$/)
      for (const token of [null, 'x', made.id, made.token.toLowerCase(), await stile.workerToken()]) {
        const refused = await registering(stile, webClient, { token })
        expectRefusal(refused, 'invalid_token', 401)
        assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer/)
      }
      // What is refused for what it says has cost no use.
      expectMetadataError(await registering(stile, {}, { token: made.token }), 'invalid_redirect_uri')
      for (const use of [1, 2]) {
        expectStatus(await registering(stile, webClient, { token: made.token }), 201)
        assert.equal(expectStatus(await stile.api('GET', `/initialAccessTokens/${made.id}`), 200).uses, use)
      }
      expectRefusal(await registering(stile, webClient, { token: made.token }), 'invalid_token', 401)
      const deleted = expectStatus(await stile.api('POST', '/initialAccessTokens', {}), 201)
      assert.equal((await stile.api('DELETE', `/initialAccessTokens/${deleted.id}`)).status, 204)
      expectRefusal(await registering(stile, webClient, { token: deleted.token }), 'invalid_token', 401)
      const { text } = await stile.api('GET', '/initialAccessTokens')
      assert.doesNotMatch(text, new RegExp(`${made.token}|hash`))
      const stored = await rows(stile, 'initial_access_tokens', 'id = $2', made.id)
      assert.doesNotMatch(JSON.stringify(stored), new RegExp(made.token))
      for (const expiresAt of [new Date(Date.now() + 1000), new Date(Date.now() + 366 * 86_400_000)]) {
        const refused = expectStatus(await stile.api('POST', '/initialAccessTokens', { expiresAt }), 400)
        assert.equal(refused.details[0].target, 'expiresAt')
      }
    })

    test('H10: one network address does so much and no more, whether it is let in or not', async () => {
      await open({ perNetworkAddress: { count: 3, seconds: 60 } })
      await stile.node.kernel.storage.commit({
        name: 'test.clear-limits',
        *run() {
          yield { text: `DELETE FROM limits WHERE kind = 'address-registration'`, values: [] }
        },
      })
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, at) => registering(stile, at % 2 ? {} : webClient)),
      )
      const limited = answers.filter(({ status }) => status === 429)
      assert.equal(limited.length, 9)
      assert.ok(Number(limited[0]?.headers.get('retry-after')) > 0)
    })

    test('CORS: a page of any origin may register its client, without credentials', async () => {
      const origin = 'https://inspector.test'
      const headers = { origin, 'access-control-request-method': 'POST' }
      const asked = await stile.send(`/${stile.environmentId}/as/register`, { method: 'OPTIONS', headers })
      assert.equal(asked.headers.get('access-control-allow-origin'), '*')
      assert.match(asked.headers.get('access-control-allow-headers') ?? '', /MCP-Protocol-Version/)
      assert.equal(
        (await registering(stile, webClient, { headers: { origin } })).headers.get('access-control-allow-credentials'),
        null,
      )
    })
  })

  suite('what is registered', () => {
    test('RFC 7591 3.2.1: the answer says what is registered, with what the server has chosen', async () => {
      await open({ grants: [await openidGrant(stile)] })
      const answer = await registering(stile, { ...webClient, contacts: ['a@books.test'], software_id: 's1', extra: 1 })
      const client = expectStatus(answer, 201)
      assert.equal(answer.headers.get('cache-control'), 'no-store')
      const { client_id, client_secret, client_id_issued_at, registration_access_token, ...rest } = client
      assert.match(client_id, /^[0-9a-f-]{36}$/)
      assert.ok(client_secret.length >= 43 && registration_access_token.length >= 43)
      assert.ok(Math.abs(client_id_issued_at - Date.now() / 1000) < 60)
      assert.deepEqual(rest, {
        client_name: 'Lantern Books',
        redirect_uris: ['https://books.test/cb'],
        contacts: ['a@books.test'],
        software_id: 's1',
        application_type: 'web',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
        scope: 'openid profile email',
        client_secret_expires_at: 0,
        registration_client_uri: `${stile.issuer}/register/${client_id}`,
      })
    })

    test('it is an ordinary application, marked, of which administrators see what it says', async () => {
      const client = await registered(stile, {
        ...webClient,
        policy_uri: 'https://books.test/p',
        contacts: ['a@books.test'],
      })
      const read = await application(client.client_id)
      assert.equal(read.name, `Lantern Books (${client.client_id.slice(-12)})`)
      assert.deepEqual(
        [read.type, read.dynamicallyRegistered, read.requireConsent, read.policyUri],
        ['WEB_APP', true, true, 'https://books.test/p'],
      )
      assert.deepEqual(read.registration, { clientName: 'Lantern Books', contacts: ['a@books.test'] })
      // What is read cannot be written, and nothing that is left out is switched off.
      const { requireConsent: _, ...body } = { ...read, registration: {}, dynamicallyRegistered: false }
      const changed = expectStatus(await stile.api('PUT', `/applications/${client.client_id}`, body), 200)
      assert.deepEqual(
        [changed.dynamicallyRegistered, changed.requireConsent, changed.registration],
        [true, true, read.registration],
      )
      const renamed = expectStatus(
        await stile.api('PUT', `/applications/${client.client_id}`, { ...read, name: 'Books' }),
        200,
      )
      assert.equal(renamed.registration.clientName, undefined)
    })

    test('H02: an id, a secret or a token of its own choice is ignored', async () => {
      const [user, other] = [who.id, stile.webApp.clientId]
      for (const chosen of [user, other, randomUUID(), 'admin']) {
        const client = await registered(stile, {
          ...webClient,
          client_id: chosen,
          client_secret: 'mine',
          registration_access_token: 'mine',
          client_id_issued_at: 1,
        })
        assert.notEqual(client.client_id, chosen)
        assert.notEqual(client.client_secret, 'mine')
        assert.notEqual(client.registration_access_token, 'mine')
        assert.ok(client.client_id_issued_at > 1)
      }
    })

    test('H03: metadata that contradicts itself, or is no metadata', async () => {
      const refused: readonly (readonly [unknown, string, string?])[] = [
        [
          {
            ...webClient,
            token_endpoint_auth_method: 'none',
            grant_types: ['authorization_code', 'client_credentials'],
          },
          'invalid_client_metadata',
          'token_endpoint_auth_method',
        ],
        [{ client_name: 'x' }, 'invalid_redirect_uri', 'redirect_uris'],
        [{ ...webClient, redirect_uris: [] }, 'invalid_redirect_uri'],
        [{ ...webClient, redirect_uris: 'https://books.test/cb' }, 'invalid_redirect_uri'],
        [{ ...webClient, redirect_uris: { 0: 'https://books.test/cb', length: 1 } }, 'invalid_redirect_uri'],
        [{ ...webClient, redirect_uris: ['https://books.test/cb', null] }, 'invalid_redirect_uri', 'redirect_uris.1'],
        [
          { ...webClient, redirect_uris: Array.from({ length: 1000 }, (_, at) => `https://b.test/${at}`) },
          'invalid_redirect_uri',
        ],
        [{ ...webClient, grant_types: [] }, 'invalid_client_metadata', 'grant_types'],
        [{ ...webClient, grant_types: ['password'] }, 'invalid_client_metadata', 'grant_types'],
        [{ ...webClient, response_types: ['token'] }, 'invalid_client_metadata', 'response_types'],
        [{ ...webClient, token_endpoint_auth_method: 'CLIENT_SECRET_BASIC' }, 'invalid_client_metadata'],
        [{ ...webClient, token_endpoint_auth_method: 'telepathy' }, 'invalid_client_metadata'],
        [{ ...webClient, contacts: 'a@books.test' }, 'invalid_client_metadata', 'contacts'],
        [{ ...webClient, application_type: 'desktop' }, 'invalid_client_metadata', 'application_type'],
        [[webClient], 'invalid_client_metadata'],
        ['"text"', 'invalid_client_metadata'],
        ['null', 'invalid_client_metadata'],
      ]
      for (const [metadata, error, about] of refused)
        expectMetadataError(await registering(stile, metadata), error, about)
      for (const text of ['{', '{"redirect_uris":["https://b.test"],"__proto__":{"a":1}}', '{"a":1,"a":2}', '[,]']) {
        assert.equal((await registering(stile, text)).status, 400)
      }
      const many = {
        ...webClient,
        redirect_uris: Array.from({ length: 10_000 }, (_, at) => `https://books.test/${at}`),
      }
      assert.equal((await registering(stile, many)).status, 413)
    })

    test('H04: private and symmetric keys, and keys in two places', async () => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const jwks = { keys: [publicKey.export({ format: 'jwk' })] }
      const refused = [
        { jwks: { keys: [privateKey.export({ format: 'jwk' })] } },
        { jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA' }] } },
        { jwks: { keys: [] } },
        { jwks: [] },
        { jwks: JSON.stringify(jwks) },
        { jwks, jwks_uri: 'https://books.test/jwks' },
      ]
      for (const keys of refused) {
        expectMetadataError(await registering(stile, { ...webClient, ...keys }), 'invalid_client_metadata', 'jwks')
      }
      assert.deepEqual((await registered(stile, { ...webClient, jwks })).jwks, jwks)
    })

    test('H05: scopes, grants and response types beyond the policy are left out, or refused when nothing remains', async () => {
      const api = await customResource(stile, { audience: `https://${randomUUID()}.test` }, [
        'orders:read',
        'orders:write',
      ])
      const orders = { resource: { id: api.id }, scopes: [{ id: api.scope('orders:read') }] }
      await open({ grants: [await openidGrant(stile), orders] })
      const client = await registered(stile, {
        ...webClient,
        grant_types: ['authorization_code', 'implicit', 'client_credentials', 'refresh_token'],
        response_types: ['code', 'id_token', 'token id_token'],
        scope: 'openid email orders:read orders:write p1:update:user offline_access',
      })
      assert.deepEqual(client.response_types, ['code'])
      assert.equal(client.scope, 'openid email orders:read')
      assert.deepEqual(client.grant_types, ['authorization_code', 'refresh_token'])
      expectMetadataError(
        await registering(stile, { ...webClient, scope: 'orders:write' }),
        'invalid_client_metadata',
        'scope',
      )
      const { clientSecret, clientId } = asRegistered(client)
      const asked = await stile.send(`/${stile.environmentId}/as/token`, {
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        headers: { authorization: basic(clientId, clientSecret) },
      })
      expectRefusal(asked, 'unauthorized_client')
    })

    test('native clients are told by their addresses, where nobody says', async () => {
      const native = { client_name: 'Tool', redirect_uris: ['http://127.0.0.1/cb'], token_endpoint_auth_method: 'none' }
      const client = await registered(stile, native)
      assert.deepEqual([client.application_type, client.client_secret], ['native', undefined])
      const read = await application(client.client_id)
      assert.deepEqual([read.type, read.pkceEnforcement], ['NATIVE_APP', 'S256_REQUIRED'])
      const web = await registered(stile, { ...native, redirect_uris: ['https://books.test/cb'] })
      assert.deepEqual([web.application_type, (await application(web.client_id)).type], ['web', 'SINGLE_PAGE_APP'])
      const scheme = { ...native, redirect_uris: ['com.example.books:/cb'] }
      assert.equal((await registered(stile, scheme)).application_type, 'native')
      expectMetadataError(await registering(stile, { ...scheme, application_type: 'web' }), 'invalid_redirect_uri')
    })

    test('a client that acts for itself, where the policy says so', async () => {
      await open({ grantTypes: ['CLIENT_CREDENTIALS'] })
      const client = await registered(stile, { client_name: 'Cron', grant_types: ['client_credentials'] })
      assert.deepEqual([client.redirect_uris, client.response_types], [undefined, []])
      const { clientId, clientSecret } = { clientId: client.client_id, clientSecret: client.client_secret }
      const answer = await stile.send(`/${stile.environmentId}/as/token`, {
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        headers: { authorization: basic(clientId, clientSecret) },
      })
      expectStatus(answer, 200)
      // Whatever it is, it is nobody in the management API.
      const { access_token: token } = answer.json
      assert.equal((await stile.api('GET', '/applications', undefined, { token })).status, 403)
    })

    test('N07: a client that has registered itself is given no role', async () => {
      const client = await registered(stile)
      const { _embedded } = expectStatus(await stile.api('GET', '/v1/roles'), 200)
      const body = { role: { id: _embedded.roles[0].id }, scope: { id: stile.environmentId, type: 'ENVIRONMENT' } }
      const refused = await stile.api('POST', `/applications/${client.client_id}/roleAssignments`, body)
      assert.equal(expectStatus(refused, 400).details[0].target, 'role')
    })
  })

  suite('addresses', () => {
    test('A12: an address that would run as a script or stay here is refused in every member', async () => {
      const hostile = ['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'java\tscript:alert(1)', 'data:text/html,x']
      const more = ['vbscript:x', 'blob:https://books.test/1', 'file:///etc/passwd', 'about:blank']
      for (const uri of [...hostile, ...more]) {
        const uris = { redirect_uris: [uri], application_type: 'native' }
        expectMetadataError(await registering(stile, { ...webClient, ...uris }), 'invalid_redirect_uri')
        for (const member of ['client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'initiate_login_uri', 'jwks_uri']) {
          const answer = await registering(stile, { ...webClient, [member]: uri })
          expectMetadataError(answer, 'invalid_client_metadata', member)
        }
        const after = await registering(stile, { ...webClient, post_logout_redirect_uris: [uri] })
        expectMetadataError(after, 'invalid_client_metadata', 'post_logout_redirect_uris')
      }
    })

    test('a redirect URI has no fragment, no wildcard and no credentials', async () => {
      for (const uri of [
        'https://books.test/cb#f',
        'https://books.test/*',
        'https://u:p@books.test/cb',
        'http://books.test/cb',
      ]) {
        expectMetadataError(
          await registering(stile, { ...webClient, redirect_uris: [uri] }),
          'invalid_redirect_uri',
          'redirect_uris.0',
        )
      }
    })

    test('redirect URIs name the hosts of the policy, and no other', async () => {
      await open({ redirectHosts: ['books.test', '*.books.test', 'localhost', 'com.example.books:'] })
      for (const uri of ['https://books.test/cb', 'https://a.b.books.test/cb', 'http://localhost/cb']) {
        await registered(stile, { ...webClient, redirect_uris: [uri] })
      }
      await registered(stile, {
        client_name: 'x',
        redirect_uris: ['com.example.books:/cb'],
        application_type: 'native',
      })
      for (const uri of ['https://evilbooks.test/cb', 'https://books.test.evil.test/cb', 'http://127.0.0.1/cb']) {
        const all = { ...webClient, redirect_uris: ['https://books.test/cb', uri] }
        expectMetadataError(await registering(stile, all), 'invalid_redirect_uri', 'redirect_uris.1')
      }
      const after = { ...webClient, post_logout_redirect_uris: ['https://evil.test/'] }
      expectMetadataError(await registering(stile, after), 'invalid_client_metadata', 'post_logout_redirect_uris.0')
    })
  })
})
