/**
 * The token endpoint as HTTP: what it reads, what it answers, first-edition addresses. authentication-api 1.4, 2.7, 2.20;
 * rows D16, D18-D20; decisions D11, D16.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, basic, type Call, type Stile, startStile } from '../harness/stile.ts'
import {
  codeRequest,
  expectErrorPage,
  expectRefusal,
  flowOf,
  obtainCode,
  redeemCode,
  submitSignOnPage,
  told,
} from './journeys.ts'
import { expectStatus, otherEnvironment, type Registered, register, web, wrk } from './registrations.ts'

suite('the token endpoint', () => {
  let stile: Stile
  let worker: Registered
  let app: Registered
  before(async () => {
    stile = await startStile()
    worker = await register(stile, wrk, [])
    app = await register(stile, { ...web, tokenEndpointAuthMethod: 'CLIENT_SECRET_POST' })
  })
  after(() => stile.close())

  const authorization = () => basic(worker.clientId, worker.clientSecret)
  const token = (call: Call, path = `/${stile.environmentId}/as/token`): Promise<Answer> =>
    stile.send(path, { ...call, headers: { authorization: authorization(), ...call.headers } })
  const form = (parameters: Readonly<Record<string, string>> = {}) =>
    new URLSearchParams({ grant_type: 'client_credentials', ...parameters })

  suite('requests', () => {
    test('D18: a form and nothing else', async () => {
      expectStatus(await token({ body: form(), mediaType: 'application/x-www-form-urlencoded;charset=UTF-8' }), 200)
      expectStatus(await token({ body: form(), mediaType: 'Application/X-WWW-Form-Urlencoded' }), 200)
      expectRefusal(await token({ body: { grant_type: 'client_credentials' } }), 'invalid_request', 415)
      expectRefusal(await token({ body: form().toString(), mediaType: 'text/plain' }), 'invalid_request', 415)
      expectRefusal(await token({ body: 'x', mediaType: 'multipart/form-data; boundary=x' }), 'invalid_request', 415)
      const foreignText = 'application/x-www-form-urlencoded;charset=utf-16'
      expectRefusal(await token({ body: form(), mediaType: foreignText }), 'invalid_request', 415)
    })

    test('D18: POST and nothing else; parameters of the address are not read', async () => {
      for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
        const answer = await token({ method }, `/${stile.environmentId}/as/token?${form()}`)
        expectRefusal(answer, 'invalid_request', 405)
        assert.equal(answer.headers.get('allow'), 'POST')
      }
      expectRefusal(await token({ method: 'POST' }, `/${stile.environmentId}/as/token?${form()}`), 'invalid_request')
      const secretInAddress = new URLSearchParams({ client_id: app.clientId, client_secret: app.clientSecret })
      const answer = await stile.send(`/${stile.environmentId}/as/token?${secretInAddress}`, { body: form() })
      expectRefusal(answer, 'invalid_client')
    })

    test('D20, D11: any parameter twice is refused, resource excepted', async () => {
      const names = [
        'grant_type',
        'scope',
        'client_id',
        'client_secret',
        'code',
        'redirect_uri',
        'code_verifier',
        'unheard-of',
      ]
      for (const name of names) {
        const twice = `${form()}&${name}=a&${name}=a`
        const answer = await token({ body: twice, mediaType: 'application/x-www-form-urlencoded' })
        expectRefusal(answer, 'invalid_request')
        assert.match(answer.json.error_description, new RegExp(`${name} is repeated`))
      }
      const resources = `${form()}&resource=https%3A%2F%2Fa.test&resource=https%3A%2F%2Fb.test`
      expectRefusal(await token({ body: resources, mediaType: 'application/x-www-form-urlencoded' }), 'invalid_target')
    })

    test('D20: array names, broken encodings, too much', async () => {
      const many = Array.from({ length: 201 }, (_, at) => `p${at}=1`).join('&')
      for (const body of ['code[]=a', 'code[x]=a', 'scope=%zz', 'scope=%ff', 'scope=%00', '__proto__=a', many]) {
        const answer = await token({ body: `${form()}&${body}`, mediaType: 'application/x-www-form-urlencoded' })
        expectRefusal(answer, 'invalid_request')
      }
      expectRefusal(await token({ body: form({ scope: 'a'.repeat(70_000) }) }), 'invalid_request', 413)
    })

    test('RFC 6749 section 3.2: without a value is left out; what is unknown is ignored', async () => {
      const empty = { scope: '', client_id: '', client_secret: '', code: '', unknown: 'x', access_type: 'offline' }
      expectStatus(await token({ body: form(empty) }), 200)
      expectRefusal(await token({ body: form({ grant_type: '' }) }), 'invalid_request')
    })

    test('D16: grants that are unknown, or not those of the application', async () => {
      const unknown = [
        'password',
        'implicit',
        'CLIENT_CREDENTIALS',
        'client_credentials ',
        'urn:ietf:params:oauth:grant-type:saml2-bearer',
        'toString',
      ]
      for (const grant_type of unknown) {
        expectRefusal(await token({ body: form({ grant_type }) }), 'unsupported_grant_type')
      }
      for (const grant_type of [
        'authorization_code',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:token-exchange',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
      ]) {
        expectRefusal(await token({ body: form({ grant_type }) }), 'unauthorized_client')
      }
      const { clientId, clientSecret } = app
      const body = form({ client_id: clientId, client_secret: clientSecret })
      expectRefusal(await stile.send(`/${stile.environmentId}/as/token`, { body }), 'unauthorized_client')
    })

    test('an environment that does not exist', async () => {
      expectRefusal(await token({ body: form() }, `/${randomUUID()}/as/token`), 'invalid_request', 404)
      expectRefusal(await token({ body: form() }, '/not-an-id/as/token'), 'invalid_request', 404)
    })
  })

  suite('answers', () => {
    test('D19: no-store, JSON, no cookie, any origin; and exactly the members of RFC 6749 section 5.1', async () => {
      const answer = await token({
        body: form(),
        headers: { origin: 'https://anywhere.test', cookie: `ST=${randomUUID()}` },
      })
      const { access_token, ...body } = expectStatus(answer, 200)
      assert.deepEqual(body, { token_type: 'Bearer', expires_in: 3600 })
      assert.equal(typeof access_token, 'string')
      expectHeaders(answer)
    })

    test('2.20: a failure is OAuth JSON with the correlation id of its header', async () => {
      const failures = [
        await token({ body: form({ grant_type: 'password' }) }),
        await token({ body: form(), headers: { authorization: basic(worker.clientId, 'wrong') } }),
        await token({ body: form({ scope: 'nobody-has-this' }) }),
        await token({ body: form({ grant_type: '' }) }),
      ]
      for (const answer of failures) {
        assert.deepEqual(Object.keys(answer.json), ['error', 'error_description'])
        const id = answer.headers.get('correlation-id') ?? ''
        assert.match(id, /^[0-9a-f-]{36}$/)
        assert.ok(answer.json.error_description.endsWith(` (Correlation ID: ${id})`))
        assert.match(
          answer.json.error_description,
          /^The request could not be completed\. [\x20-\x21\x23-\x5b\x5d-\x7e]+$/,
        )
        expectHeaders(answer)
      }
      const scope = failures[2]?.json.error_description
      assert.match(scope, /One or more validation errors were in the request\.: At least one scope must be granted \(/)
    })

    test('a preflight is answered for any origin, without credentials', async () => {
      const headers = {
        origin: 'https://anywhere.test',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      }
      const answer = await stile.send(`/${stile.environmentId}/as/token`, { method: 'OPTIONS', headers })
      assert.equal(answer.status, 204)
      assert.equal(answer.headers.get('access-control-allow-origin'), '*')
      assert.equal(answer.headers.get('access-control-allow-credentials'), null)
      assert.match(answer.headers.get('access-control-allow-headers') ?? '', /Authorization/)
    })

    function expectHeaders({ headers }: Answer): void {
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.equal(headers.get('pragma'), 'no-cache')
      assert.equal(headers.get('content-type'), 'application/json;charset=UTF-8')
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.deepEqual(headers.getSetCookie(), [])
      assert.equal(headers.get('access-control-allow-origin'), '*')
      assert.equal(headers.get('access-control-allow-credentials'), null)
    }
  })

  suite('first-edition addresses (authentication-api 1.4, D16)', () => {
    const tokenPaths = () => [`/${stile.environmentId}/as/token.oauth2`, '/as/token.oauth2', '/as/token']

    test('the token endpoint, with and without environment, for every method of authentication', async () => {
      const open = await register(stile, { ...web, tokenEndpointAuthMethod: 'NONE' })
      const browser = new Browser(stile)
      for (const path of tokenPaths()) {
        expectStatus(await token({ body: form() }, path), 200)
        for (const client of [app, open]) {
          const code = await obtainCode(browser, codeRequest(client))
          const { clientId, clientSecret, redirectUri } = client
          const body = new URLSearchParams({
            grant_type: 'authorization_code',
            code,
            redirect_uri: redirectUri,
            client_id: clientId,
            client_secret: clientSecret,
          })
          const answer = expectStatus(await stile.send(path, { body }), 200)
          assert.deepEqual(Object.keys(answer), ['access_token', 'token_type', 'expires_in', 'scope', 'id_token'])
        }
      }
    })

    test('without environment it is the one of the client, and an unknown client is invalid_client', async () => {
      const elsewhere = await otherEnvironment(stile)
      const foreign = await register(elsewhere, wrk, [])
      const headers = { authorization: basic(foreign.clientId, foreign.clientSecret) }
      const { access_token } = expectStatus(await token({ body: form(), headers }, '/as/token.oauth2'), 200)
      const [, payload] = access_token.split('.')
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
      assert.deepEqual([claims.env, claims.iss], [elsewhere.environmentId, elsewhere.issuer])
      const unknown = { authorization: basic(randomUUID(), 'x') }
      expectRefusal(await token({ body: form(), headers: unknown }, '/as/token.oauth2'), 'invalid_client')
    })

    test('authorize leads to the environment of the client: 302 from GET, 307 from POST, everything kept', async () => {
      const query = new URLSearchParams(codeRequest(app, { state: 'a b&c' })).toString()
      for (const path of ['/as/authorize', '/as/authorization.oauth2']) {
        const target = `${stile.authUrl}/${stile.environmentId}/as/authorize?${query}`
        const got = await stile.send(`${path}?${query}`)
        assert.deepEqual([got.status, got.headers.get('location')], [302, target])
        const posted = await stile.send(path, { body: new URLSearchParams(query) })
        assert.deepEqual([posted.status, posted.headers.get('location')], [307, target.split('?')[0]])
        const both = await stile.send(`${path}?${query}`, { method: 'POST' })
        assert.deepEqual([both.status, both.headers.get('location')], [307, target])
      }
      for (const answer of [
        await stile.send(`/as/authorize?${query.replace(app.clientId, randomUUID())}`),
        await stile.send('/as/authorize'),
        await stile.send(`/as/authorize?${query}&client_id=${worker.clientId}`),
        await stile.send('/as/authorize', { body: new URLSearchParams({ client_id: 'x' }) }),
      ]) {
        expectErrorPage(answer)
      }
    })

    test('a whole journey that begins there', async () => {
      const browser = new Browser(stile)
      const first = await browser.send(
        `/as/authorization.oauth2?${new URLSearchParams(codeRequest(app, { state: 's' }))}`,
      )
      const { pathname, search } = new URL(first.headers.get('location') ?? '')
      assert.equal(browser.cookie, undefined, 'the cookie is set where its path matches')
      const flowId = flowOf(await browser.send(pathname + search))
      assert.equal((await submitSignOnPage(browser, flowId, stile.user)).status, 303)
      const parts = told(await browser.resume(flowId))
      assert.equal(parts.get('state'), 's')
      const refused = await redeemCode(stile, { ...app, clientSecret: 'wrong' }, parts.get('code') ?? '')
      expectRefusal(refused, 'invalid_client')
      const { clientId, clientSecret, redirectUri } = app
      const body = new URLSearchParams({
        grant_type: 'authorization_code',
        code: parts.get('code') ?? '',
        redirect_uri: redirectUri,
        client_id: clientId,
        client_secret: clientSecret,
      })
      expectStatus(await stile.send('/as/token.oauth2', { body }), 200)
    })
  })
})
