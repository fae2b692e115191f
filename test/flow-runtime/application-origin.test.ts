/** Which origins may act on a flow and read what it answers (decisions D2, D12; rows I07, I08, B22). */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { Browser, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { begin, bodyOf, newApplication, rowOf } from './arrange.ts'
import { watchStorage } from './watch-storage.ts'

const check = 'application/vnd.pingidentity.usernamePassword.check+json'

suite('origins', () => {
  let stile: Stile
  /** Without corsSettings: the origins of its redirect URIs and login page. */
  let byUris: string
  let byList: string
  let none: string
  before(async () => {
    stile = await startStile()
    byUris = await newApplication(stile, {
      redirectUris: ['https://app.example.com:8443/callback', 'com.example.app:/callback'],
      loginPageUrl: 'https://login.example.com/sign-on',
    })
    const origins = ['https://listed.example.com']
    byList = await newApplication(stile, { corsSettings: { behavior: 'ALLOW_SPECIFIC_ORIGINS', origins } })
    none = await newApplication(stile, { corsSettings: { behavior: 'ALLOW_NO_ORIGINS' } })
    // What the feed of configuration has to say has been heard: it makes no request read the application anew.
    await stile.node.kernel.environments.poll()
  })
  after(() => stile.close())

  const path = (flowId: string) => `/${stile.environmentId}/flows/${flowId}`
  const flowOf = (application: string, browser = new Browser(stile)) =>
    begin(browser, 'pi.flow', { client_id: application })
  const authorizePath = (application: string, mode = 'pi.flow') =>
    `/${stile.environmentId}/as/authorize?${new URLSearchParams({
      client_id: application,
      response_type: 'code',
      response_mode: mode,
      scope: 'openid',
      code_challenge: pkce().challenge,
      code_challenge_method: 'S256',
    })}`

  function readable(answer: Answer, origin: string): void {
    assert.equal(answer.headers.get('access-control-allow-origin'), origin)
    assert.equal(answer.headers.get('access-control-allow-credentials'), 'true')
    assert.equal(
      answer.headers.get('access-control-expose-headers'),
      'Correlation-Id, DPoP-Nonce, OAuth-Client-Attestation-Challenge, WWW-Authenticate',
    )
    assert.equal(answer.headers.get('vary'), 'Origin')
  }

  test('the allowed ones read every answer of a flow with credentials, refusals included', async () => {
    for (const [application, origin] of [
      [byUris, 'https://app.example.com:8443'],
      [byUris, 'https://login.example.com'],
      [byList, 'https://listed.example.com'],
    ] as const) {
      const headers = { origin, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }
      const browser = new Browser(stile)
      const begun = await browser.send(authorizePath(application), { headers })
      assert.equal(begun.status, 200)
      readable(begun, origin)
      const flowId = begun.json.id
      const post = (body: unknown) => browser.send(path(flowId), { body, mediaType: check, headers })
      for (const [answer, status] of [
        [await browser.send(path(flowId), { headers }), 200],
        [await browser.send(`${path(flowId)}/steps`, { headers }), 200],
        [await post({}), 400],
        [await post({ username: 'x', password: '' }), 400],
        [await post({ username: 'x', password: 'x' }), 400],
        [await post(bodyOf('usernamePassword.check', stile.user)), 200],
        [await browser.send(`/${stile.environmentId}/as/resume?flowId=${flowId}`, { headers }), 200],
      ] as const) {
        assert.equal(answer.status, status, answer.text)
        readable(answer, origin)
      }
    }
  })

  test('what depends on the origin says so, even when none was sent', async () => {
    const flowId = await flowOf(byUris)
    const answer = await stile.send(path(flowId))
    assert.deepEqual([answer.headers.get('vary'), answer.headers.get('access-control-allow-origin')], ['Origin', null])
  })

  const foreign: readonly Readonly<Record<string, string>>[] = [
    ...[
      'null',
      'https://evil.example',
      'https://app.example.com', // another port
      'http://app.example.com:8443',
      'https://app.example.com:8443.evil.example',
      'https://evil-app.example.com:8443',
      'https://APP.example.com:8443',
      'https://app.example.com:8443/',
      'https://listed.example.com, https://app.example.com:8443',
      '*',
    ].map((origin) => ({ origin })),
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
  ]

  for (const headers of foreign) {
    test(`I07, I08: ${JSON.stringify(headers)} is refused before anything runs`, async () => {
      const browser = new Browser(stile)
      const flowId = await flowOf(byUris, browser)
      const stored = await rowOf(stile, flowId)
      const watch = watchStorage(stile.node.kernel)
      const body = bodyOf('usernamePassword.check', stile.user)
      const refused = [
        await browser.send(path(flowId), { headers }),
        await browser.send(`${path(flowId)}/steps`, { headers }),
        await browser.send(path(flowId), { body, mediaType: check, headers }),
        await browser.send(`/${stile.environmentId}/as/resume?flowId=${flowId}`, { headers }),
        await browser.send(authorizePath(byUris), { headers }),
      ]
      watch.stop()
      for (const answer of refused) {
        assert.deepEqual([answer.status, answer.json?.code], [403, 'ACCESS_FAILED'], answer.text)
        assert.equal(answer.headers.get('access-control-allow-origin'), null)
        assert.deepEqual(answer.headers.getSetCookie(), [])
      }
      assert.deepEqual(watch.commits, [], 'no guess is taken, no flow is begun')
      assert.deepEqual(
        watch.reads.filter((text) => !/FROM flows/.test(text)),
        [],
      )
      assert.deepEqual(await rowOf(stile, flowId), stored)
    })
  }

  test('an application that allows no origin is for clients that are no browsers', async () => {
    const browser = new Browser(stile)
    const flowId = await flowOf(none, browser)
    for (const origin of ['https://app.example.com', 'https://listed.example.com']) {
      assert.equal((await browser.send(path(flowId), { headers: { origin } })).status, 403)
    }
    assert.equal((await browser.send(path(flowId))).status, 200)
  })

  test('a list replaces the redirect URIs, and counts for its own application only', async () => {
    const browser = new Browser(stile)
    const flowId = await flowOf(byList, browser)
    for (const origin of ['https://app.example.com', 'https://login.example.com']) {
      assert.equal((await browser.send(path(flowId), { headers: { origin } })).status, 403)
    }
  })

  test("this server's own origin is no foreign one", async () => {
    const browser = new Browser(stile)
    const flowId = await flowOf(none, browser)
    const answer = await browser.send(path(flowId), {
      headers: { origin: stile.authUrl, 'sec-fetch-site': 'same-origin' },
    })
    assert.deepEqual([answer.status, answer.headers.get('access-control-allow-origin')], [200, null])
  })

  test('a person who follows a link from another site may begin a flow', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    const { clientId, redirectUri } = stile.webApp
    const query = new URLSearchParams({
      client_id: clientId,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: 'openid',
    })
    const answer = await new Browser(stile).send(`/${stile.environmentId}/as/authorize?${query}`, { headers })
    assert.equal(answer.status, 302)
  })

  suite('preflights (D12)', () => {
    const preflight = (at: string, headers: Readonly<Record<string, string>> = {}) =>
      stile.send(at, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://anything.example',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type',
          ...headers,
        },
      })

    test('are answered without touching storage, whatever the flow or the environment', async () => {
      const flowId = await flowOf(byUris)
      const watch = watchStorage(stile.node.kernel)
      const unknown = '7f2f5ab0-6a38-4d9c-9c0e-3d0a3d5e2b10'
      for (const at of [path(flowId), path(unknown), `/${unknown}/flows/${unknown}`, `${path(flowId)}/steps/x`]) {
        const { status, text, headers } = await preflight(at)
        assert.deepEqual([status, text], [204, ''])
        assert.equal(headers.get('access-control-allow-origin'), 'https://anything.example')
        assert.equal(headers.get('access-control-allow-credentials'), 'true')
        assert.deepEqual(headers.get('access-control-allow-methods')?.split(', ').toSorted(), ['GET', 'POST'])
        assert.match(headers.get('access-control-allow-headers') ?? '', /\bContent-Type\b/)
        assert.match(headers.get('vary') ?? '', /Origin/)
        assert.ok(Number(headers.get('access-control-max-age')) > 0)
      }
      watch.stop()
      assert.deepEqual([watch.reads, watch.commits], [[], []])
    })

    test('allow what documented clients send', async () => {
      const { headers } = await preflight(path(await flowOf(byUris)))
      const allowed = (headers.get('access-control-allow-headers') ?? '').toLowerCase().split(', ')
      for (const name of [
        'accept',
        'accept-language',
        'authorization',
        'content-language',
        'content-type',
        'correlation-id',
        'range',
        'referrer',
        'origin-cookies',
        'x-amz-date',
        'x-amz-security-token',
        'x-api-key',
        'x-client-version',
        'x-content-type-options',
        'x-requested-with',
      ]) {
        assert.ok(allowed.includes(name), name)
      }
    })

    test('tokens, keys and metadata are for every origin, without credentials', async () => {
      for (const [at, method] of [
        [`/${stile.environmentId}/as/token`, 'POST'],
        [`/${stile.environmentId}/as/jwks`, 'GET'],
        [`/${stile.environmentId}/as/.well-known/openid-configuration`, 'GET'],
      ] as const) {
        const { headers } = await preflight(at, { 'access-control-request-method': method })
        assert.equal(headers.get('access-control-allow-origin'), '*')
        assert.equal(headers.get('access-control-allow-credentials'), null)
        const answer = await stile.send(at, {
          method,
          headers: { origin: 'https://anything.example' },
          ...(method === 'POST' ? { body: new URLSearchParams() } : {}),
        })
        assert.equal(answer.headers.get('access-control-allow-origin'), '*')
        assert.equal(answer.headers.get('access-control-allow-credentials'), null)
      }
    })

    test('the hosted page and the management API are for no other origin', async () => {
      for (const at of [`/${stile.environmentId}/signon/`, `/v1/environments/${stile.environmentId}/users`]) {
        const { status, headers } = await preflight(at)
        assert.equal(status, 204)
        for (const name of headers.keys()) assert.ok(!name.startsWith('access-control-'), name)
      }
    })

    test('of a method the path does not have allow nothing', async () => {
      const { headers } = await preflight(path(await flowOf(byUris)), { 'access-control-request-method': 'DELETE' })
      assert.equal(headers.get('access-control-allow-origin'), null)
      assert.equal(headers.get('allow'), 'GET, POST')
    })
  })
})
