/**
 * Where failures of the authorization request go, and what comes back: rows A17, A20-A26, B18; decisions D10, D11. A22 as far
 * as it goes: there is no dynamic registration, so every client was registered by an administrator.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { environmentTables } from '../../src/storage/sql/deletion.ts'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { authorizeBySignOnPage, codeRequest, expectErrorPage, flowOf, postedForm, told } from './journeys.ts'
import { change, expectStatus, type Registered, register, spa } from './registrations.ts'

suite('where failures of an authorization request go', () => {
  let stile: Stile
  let app: Registered
  let singlePage: Registered
  before(async () => {
    stile = await startStile()
    app = await register(stile)
    singlePage = await register(stile, { ...spa, redirectUris: ['https://spa.test/cb'] })
  })
  after(() => stile.close())

  const authorize = (parameters: Readonly<Record<string, string>>) => new Browser(stile).authorize(parameters)
  const withQuery = (query: string) => stile.send(`/${stile.environmentId}/as/authorize?${query}`)

  test('A17, D11: client_id or redirect_uri twice is a page, whichever comes first', async () => {
    const request = new URLSearchParams(codeRequest(app))
    const evil = encodeURIComponent('https://evil.test/cb')
    const good = encodeURIComponent(app.redirectUri)
    expectErrorPage(await withQuery(`${request}&redirect_uri=${evil}`))
    request.delete('redirect_uri')
    expectErrorPage(await withQuery(`redirect_uri=${evil}&redirect_uri=${good}&${request}`))
    expectErrorPage(await withQuery(`redirect_uri=${good}&redirect_uri=${good}&${request}`))
    expectErrorPage(await withQuery(`redirect_uri=&redirect_uri=${good}&${request}`))
    const twice = `${new URLSearchParams(codeRequest(app))}&client_id=${singlePage.clientId}`
    expectErrorPage(await withQuery(twice))
  })

  test('A17, D11: any other parameter twice is told to the application; in query and body counts as twice', async () => {
    const names = [
      'response_type',
      'response_mode',
      'scope',
      'state',
      'nonce',
      'prompt',
      'max_age',
      'code_challenge',
      'acr_values',
      'unheard-of',
    ]
    for (const name of names) {
      const request = new URLSearchParams(codeRequest(app))
      request.delete(name)
      const answer = await withQuery(`${request}&${name}=a&${name}=a`)
      assert.equal(told(answer).get('error'), 'invalid_request', name)
      assert.match(answer.headers.get('location') ?? '', /^https:\/\/app\.test\/cb\?/)
    }
    const body = new URLSearchParams(codeRequest(app))
    const both = await stile.send(`/${stile.environmentId}/as/authorize?scope=openid`, { body })
    assert.equal(told(both).get('error'), 'invalid_request')
  })

  test('D11: resource may come twice', async () => {
    const request = new URLSearchParams(codeRequest(app))
    const own = encodeURIComponent(stile.apiUrl)
    flowOf(await withQuery(`${request}&resource=${own}&resource=${own}`))
  })

  test('A20, D10: an unknown client or address is a page; all other failures go to the application', async () => {
    expectErrorPage(await authorize({ ...codeRequest(app), client_id: randomUUID() }))
    expectErrorPage(await authorize({ ...codeRequest(app), client_id: 'x' }))
    const { client_id: _, ...anonymous } = codeRequest(app)
    expectErrorPage(await authorize(anonymous))
    expectErrorPage(await authorize({ ...codeRequest(app), redirect_uri: 'https://evil.test/cb' }))

    const pair = pkce()
    const table: readonly [error: string, client: Registered, parameters: Record<string, string>][] = [
      ['invalid_scope', app, { scope: 'a"b' }],
      ['invalid_scope', app, { scope: 'nobody-has-this' }],
      ['unsupported_response_type', app, { response_type: 'bogus' }],
      ['unsupported_response_type', app, { response_type: 'code code' }],
      ['unsupported_response_type', app, { response_type: 'CODE' }],
      ['invalid_request', app, { response_type: '' }],
      ['unauthorized_client', app, { response_type: 'token' }],
      ['unauthorized_client', app, { response_type: 'id_token', nonce: 'n' }],
      ['invalid_request', app, { response_mode: 'web_message' }],
      ['invalid_request_object', app, { request: 'e30.e30.' }],
      ['invalid_request', app, { request: 'e30.e30.', request_uri: 'https://evil.test/request' }],
      ['request_uri_not_supported', app, { request_uri: 'https://evil.test/request' }],
      ['invalid_request', app, { max_age: '1.5' }],
      ['invalid_request', app, { prompt: 'none login' }],
      ['invalid_request', singlePage, { response_type: 'token id_token', response_mode: 'query', nonce: 'n' }],
      ['invalid_scope', singlePage, { response_type: 'id_token', scope: 'profile', nonce: 'n' }],
      ['invalid_request', singlePage, { response_type: 'token id_token' }],
      ['invalid_request', singlePage, {}],
      ['invalid_request', singlePage, { code_challenge: pair.verifier, code_challenge_method: 'plain' }],
    ]
    for (const [error, client, parameters] of table) {
      const answer = await authorize(codeRequest(client, { state: 'st at/e?', ...parameters }))
      const location = answer.headers.get('location') ?? ''
      const isFragment = /token/.test(parameters['response_type'] ?? '')
      assert.ok(location.startsWith(`${client.redirectUri}${isFragment ? '#' : '?'}error=`), location)
      const parts = told(answer)
      assert.equal(parts.get('error'), error, JSON.stringify(parameters))
      assert.equal(parts.get('state'), 'st at/e?')
      assert.equal(parts.get('iss'), stile.issuer)
      assert.match(
        parts.get('error_description') ?? '',
        /^[\x20-\x21\x23-\x5b\x5d-\x7e]+\(Correlation ID: [0-9a-f-]{36}\)$/,
      )
    }
  })

  test('A20, D10: with pi.flow they are PingOne JSON; without details where nothing may be told', async () => {
    const request = piFlowRequest(stile, pkce().challenge)
    for (const parameters of [
      { ...request, client_id: randomUUID() },
      { ...request, redirect_uri: 'https://evil.test/cb' },
    ]) {
      const body = expectStatus(await authorize(parameters), 400)
      assert.deepEqual(Object.keys(body), ['id', 'code', 'message'])
    }
    const body = expectStatus(await authorize({ ...request, scope: '"' }), 400)
    assert.equal(body.code, 'INVALID_DATA')
    assert.equal(body.details.length, 1)
  })

  test('A21: pages have no way to anywhere else, whatever the address carries', async () => {
    const browser = new Browser(stile)
    const flowId = flowOf(await browser.authorize(codeRequest(app)))
    const own = new URL(stile.authUrl).origin
    const elsewhere = [
      '//evil.test',
      '/\\evil.test',
      '/\t/evil.test',
      'https:evil.test',
      '\\/evil.test',
      '/%2f%2fevil.test',
      '///evil.test',
      'https://evil.test',
    ]
    const names = [
      'returnTo',
      'return_to',
      'redirect',
      'redirect_uri',
      'next',
      'resumeUrl',
      'post_logout_redirect_uri',
      'RelayState',
      'error',
    ]
    for (const address of elsewhere) {
      const more = new URLSearchParams(Object.fromEntries(names.map((name) => [name, address])))
      const answers = [
        await browser.send(`/${stile.environmentId}/signon/?flowId=${flowId}&${more}`),
        await browser.send(`/${stile.environmentId}/as/resume?flowId=${flowId}&${more}`),
        await browser.send(`/${stile.environmentId}/signon/?flowId=${randomUUID()}&${more}`),
        await browser.send(`/${stile.environmentId}/as/authorize?${more}`),
      ]
      for (const { headers, text } of answers) {
        const location = headers.get('location')
        if (location !== null) assert.equal(new URL(location, stile.authUrl).origin, own, location)
        assert.ok(!text.includes('evil.test'), text)
      }
    }
  })

  test('A22: a request built to fail bounces to a registered address and to no other', async () => {
    const bounced = await authorize(codeRequest(app, { scope: '"', state: 's' }))
    assert.equal(new URL(bounced.headers.get('location') ?? '').origin, 'https://app.test')
    expectErrorPage(await authorize({ ...codeRequest(app, { scope: '"' }), redirect_uri: 'https://evil.test/' }))
  })

  test('A23: state comes back as it was, encoded for where it stands', async () => {
    const states = [
      '"><script>alert(1)</script>',
      'a\r\nlocation: https://evil.test',
      `ü\u{1f511}${'é&=#?'.repeat(300)}`,
      "'`{}|\\^",
    ]
    const implicit = { response_type: 'token id_token', nonce: 'n', prompt: 'none' }
    for (const state of states) {
      const inQuery = await authorize(codeRequest(app, { prompt: 'none', state }))
      assert.equal(told(inQuery).get('state'), state)
      const inFragment = await authorize(codeRequest(singlePage, { ...implicit, state }))
      assert.equal(told(inFragment).get('state'), state)
      for (const { headers } of [inQuery, inFragment]) assert.match(headers.get('location') ?? '', /^[\x21-\x7e]+$/)
      const posted = await stile.send(`/${stile.environmentId}/as/authorize`, {
        body: new URLSearchParams(codeRequest(singlePage, { ...implicit, response_mode: 'form_post', state })),
      })
      assert.equal(postedForm(posted).parameters.get('state'), state)
      assert.ok(!posted.text.includes('<script>alert'))
    }
  })

  test('A24: whoever signs on by the page is sent on by 303 and 302, never by 307 or 308', async () => {
    // submitSignOnPage expects 303, told 302.
    assert.ok(told(await authorizeBySignOnPage(new Browser(stile), codeRequest(app))).get('code'))
  })

  test('A25: the sign-on page tells nobody where it was opened, and loads nothing from elsewhere', async () => {
    const browser = new Browser(stile)
    const page = await browser.send(
      `/${stile.environmentId}/signon/?flowId=${flowOf(await browser.authorize(codeRequest(app)))}`,
    )
    assert.match(page.headers.get('referrer-policy') ?? '', /^(no-referrer|same-origin)$/)
    assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'/)
    const addresses = [...page.text.matchAll(/(?:src|href|action|content)="([^"]*)"/g)].map(
      ([, address]) => address ?? '',
    )
    assert.ok(addresses.length > 2)
    for (const address of addresses) {
      if (/^[a-z]+:\/\/|^\/\//i.test(address))
        assert.equal(new URL(address, stile.authUrl).origin, stile.authUrl, address)
    }
  })

  test('A26: unknown, disabled and deleted clients get the same page', async () => {
    const disabled = await register(stile)
    await change(stile, disabled.clientId, { enabled: false })
    const deleted = await register(stile)
    expectStatus(await stile.api('DELETE', `/applications/${deleted.clientId}`), 204)
    const pages: string[] = []
    for (const client_id of [randomUUID(), disabled.clientId, deleted.clientId]) {
      const answer = await authorize({ ...codeRequest(app), client_id })
      expectErrorPage(answer)
      pages.push(answer.text.replaceAll(/[0-9a-f-]{36}/g, ''))
    }
    assert.equal(pages[1], pages[0])
    assert.equal(pages[2], pages[0])
  })

  test('B18: a code stands in the redirect that brings it, and nowhere else', async () => {
    const browser = new Browser(stile)
    const seen: string[] = []
    const send = browser.send.bind(browser)
    browser.send = async (path, call) => {
      const answer = await send(path, call)
      seen.push(path, JSON.stringify([...answer.headers]), answer.text)
      return answer
    }
    const answer = await authorizeBySignOnPage(browser, codeRequest(app))
    const code = told(answer).get('code') ?? ''
    assert.equal(code.length, 36)
    assert.deepEqual(
      seen.filter((text) => text.includes(code)),
      [JSON.stringify([...answer.headers])],
    )
    // The browser tells the application nothing of where it comes from, and keeps nothing.
    assert.equal(answer.headers.get('referrer-policy'), 'no-referrer')
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    await stile.node.kernel.volumeEvents.flush()
    for (const table of Object.keys(environmentTables)) {
      const rows = await stile.node.kernel.storage.read({ text: `SELECT * FROM ${table}`, values: [] })
      assert.ok(!JSON.stringify(rows).includes(code), table)
    }
  })

  test('RFC 6749 section 3.1: a parameter without a value counts as left out', async () => {
    const empty = {
      prompt: '',
      max_age: '',
      acr_values: '',
      response_mode: '',
      code_challenge: '',
      code_challenge_method: '',
      request: '',
      login_hint: '',
    }
    flowOf(await authorize(codeRequest(app, empty)))
    const refused = told(await authorize(codeRequest(app, { ...empty, state: '', prompt: 'none' })))
    assert.equal(refused.get('error'), 'login_required')
    assert.equal(refused.has('state'), false)
  })
})
