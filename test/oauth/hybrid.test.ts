/**
 * Hybrid responses: OpenID Connect Core section 3.3, OAuth 2.0 Multiple Response Types sections 3 and 5; rows B01, B17,
 * B19, C01-C03, C05, C06, D13 of the decisions.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { Browser, pkce, piFlowRequest } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  authorizeBySignOnPage,
  codeRequest,
  codeRequestWithPkce,
  expectErrorPage,
  expectRefusal,
  isLive,
  postedForm,
  redeemCode,
  told,
} from './journeys.ts'
import { expectStatus, type Person, person, type Registered, register, rowsOf, spa, web } from './registrations.ts'
import { verifiedClaims } from './token-claims.ts'

const hybrid = {
  ...web,
  grantTypes: ['AUTHORIZATION_CODE', 'IMPLICIT'],
  responseTypes: ['CODE', 'TOKEN', 'ID_TOKEN'],
}
const types = ['code id_token', 'code token', 'code token id_token'] as const

/** The left half of a SHA-256, as the hash claims have it. */
const halfHash = (text: string) => createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url')

suite('hybrid responses', () => {
  let stile: Stile
  let app: Registered
  let browser: Browser
  let someone: Person
  before(async () => {
    stile = await startStile()
    app = await register(stile, hybrid)
    someone = await person(stile, { email: 'ada@example.com' })
    browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(app), someone)
  })
  after(() => stile.close())

  const redeemed = async (parts: URLSearchParams, client = app, more: Readonly<Record<string, string>> = {}) =>
    expectStatus(await redeemCode(stile, client, parts.get('code') ?? '', more), 200)

  test('B19: each type brings its parts in the fragment, and the ID token vouches for all of them', async () => {
    for (const response_type of types) {
      const parts = told(await browser.authorize(codeRequest(app, { response_type, nonce: 'n1', state: 's 1' })))
      const wanted = response_type.split(' ')
      const names = [
        'code',
        ...(wanted.includes('token') ? ['access_token', 'token_type', 'expires_in', 'scope'] : []),
        ...(wanted.includes('id_token') ? ['id_token'] : []),
        'state',
        'iss',
      ]
      assert.deepEqual([...parts.keys()], names)
      assert.deepEqual([parts.get('state'), parts.get('iss')], ['s 1', stile.issuer])
      const [code, accessToken, idToken] = ['code', 'access_token', 'id_token'].map((name) => parts.get(name) ?? '')
      const tokens = await redeemed(parts)
      const later = await verifiedClaims(stile, tokens.id_token)
      assert.equal(later['c_hash'], undefined)
      assert.equal(later['at_hash'], halfHash(tokens.access_token))
      assert.equal(later['nonce'], 'n1')
      if (accessToken) {
        const claims = await verifiedClaims(stile, accessToken)
        assert.deepEqual([claims.sub, claims['client_id']], [someone.id, app.clientId])
        assert.notEqual(claims['p1.gid'], (await verifiedClaims(stile, tokens.access_token))['p1.gid'])
        assert.ok(await isLive(stile, accessToken))
      }
      if (idToken) {
        const claims = await verifiedClaims(stile, idToken)
        assert.equal(claims['c_hash'], halfHash(code ?? ''))
        assert.equal(claims['s_hash'], halfHash('s 1'))
        assert.equal(claims['at_hash'], accessToken ? halfHash(accessToken) : undefined)
        assert.equal(claims['nonce'], 'n1')
        for (const name of ['iss', 'sub', 'aud', 'sid', 'auth_time', 'acr']) assert.equal(claims[name], later[name])
      }
    }
  })

  test('without state there is no s_hash', async () => {
    const request = codeRequest(app, { response_type: 'code id_token', nonce: 'n1' })
    const claims = await verifiedClaims(stile, told(await browser.authorize(request)).get('id_token') ?? '')
    assert.equal('s_hash' in claims, false)
    assert.ok(claims['c_hash'])
  })

  test('B19: the code stays bound to PKCE, and is demanded where the application demands it', async () => {
    const singlePage = await register(stile, { ...spa, redirectUris: ['https://spa.test/cb'] })
    for (const response_type of types) {
      const { request, verifier } = codeRequestWithPkce(app, { response_type, nonce: 'n' })
      const parts = told(await browser.authorize(request))
      expectRefusal(await redeemCode(stile, app, parts.get('code') ?? ''), 'invalid_grant')
      expectRefusal(
        await redeemCode(stile, app, parts.get('code') ?? '', { code_verifier: pkce().verifier }),
        'invalid_grant',
      )
      await redeemed(parts, app, { code_verifier: verifier })
      const without = await browser.authorize(codeRequest(singlePage, { response_type, nonce: 'n' }))
      assert.equal(told(without).get('error'), 'invalid_request')
    }
  })

  test('C01: each part has to be allowed by itself', async () => {
    const table: readonly (readonly [Partial<typeof hybrid>, readonly string[]])[] = [
      [{ grantTypes: ['AUTHORIZATION_CODE'], responseTypes: ['CODE'] }, types],
      [{ responseTypes: ['CODE', 'ID_TOKEN'] }, ['code token', 'code token id_token']],
      [{ responseTypes: ['CODE', 'TOKEN'] }, ['code id_token', 'code token id_token']],
      [{ grantTypes: ['IMPLICIT'], responseTypes: ['TOKEN', 'ID_TOKEN'] }, types],
    ]
    for (const [members, refused] of table) {
      const client = await register(stile, { ...hybrid, ...members })
      for (const response_type of refused) {
        const answer = await browser.authorize(codeRequest(client, { response_type, nonce: 'n' }))
        assert.equal(told(answer).get('error'), 'unauthorized_client', `${JSON.stringify(members)} ${response_type}`)
      }
    }
  })

  test('C02: words in any order, each once', async () => {
    for (const response_type of ['id_token code', 'token code', 'id_token token code']) {
      const parts = told(await browser.authorize(codeRequest(app, { response_type, nonce: 'n' })))
      assert.deepEqual(
        ['code', 'token', 'id_token'].filter((word) => parts.has(word === 'token' ? 'access_token' : word)).toSorted(),
        response_type.split(' ').toSorted(),
      )
    }
    for (const response_type of ['code code', 'code none', 'code token code', 'code  token']) {
      const answer = await browser.authorize(codeRequest(app, { response_type, nonce: 'n' }))
      assert.equal(told(answer).get('error'), 'unsupported_response_type', response_type)
    }
  })

  test('C03: no part of it in a query, and its errors neither', async () => {
    for (const response_type of types) {
      const asked = codeRequest(app, { response_type, nonce: 'n', response_mode: 'query' })
      const { hash, search } = new URL((await browser.authorize(asked)).headers.get('location') ?? '')
      assert.equal(search, '')
      assert.match(hash, /^#error=invalid_request&/)
    }
  })

  test('C05: by form_post the same parts are posted', async () => {
    const more = { response_type: 'code token id_token', nonce: 'n', state: '"><b>', response_mode: 'form_post' }
    const { action, parameters } = postedForm(await browser.authorize(codeRequest(app, more)))
    assert.equal(action, app.redirectUri)
    assert.equal(parameters.get('state'), '"><b>')
    const claims = await verifiedClaims(stile, parameters.get('id_token') ?? '')
    assert.equal(claims['c_hash'], halfHash(parameters.get('code') ?? ''))
    await redeemed(parameters)
  })

  test('by pi.flow the parts are members of authorizeResponse, at once and after signing on', async () => {
    const native = await register(stile, { ...spa, pkceEnforcement: 'OPTIONAL' })
    const asked = piFlowRequest(stile, pkce().challenge, {
      client_id: native.clientId,
      response_type: 'code token id_token',
    })
    const parts = expectStatus(await browser.authorize(asked), 200).authorizeResponse
    assert.deepEqual(Object.keys(parts), ['code', 'access_token', 'token_type', 'expires_in', 'scope', 'id_token'])
    const fresh = new Browser(stile)
    const { id } = expectStatus(await fresh.authorize(asked), 200)
    const { username, password } = someone
    expectStatus(await fresh.act(id, 'usernamePassword.check', { username, password }), 200)
    const { authorizeResponse } = expectStatus(await fresh.resume(id), 200)
    const claims = await verifiedClaims(stile, authorizeResponse.id_token)
    assert.equal(claims['c_hash'], halfHash(authorizeResponse.code))
    assert.equal(claims['at_hash'], halfHash(authorizeResponse.access_token))
  })

  test('B01: a code that is used twice takes the token beside it along', async () => {
    const request = codeRequest(app, { response_type: 'code token', nonce: 'n' })
    const [kept, lost] = [told(await browser.authorize(request)), told(await browser.authorize(request))]
    const tokens = await redeemed(lost)
    assert.ok(await isLive(stile, lost.get('access_token') ?? ''))
    expectRefusal(await redeemCode(stile, app, lost.get('code') ?? ''), 'invalid_grant')
    assert.equal(await isLive(stile, tokens.access_token), false)
    assert.equal(await isLive(stile, lost.get('access_token') ?? ''), false)
    assert.ok(await isLive(stile, kept.get('access_token') ?? ''), 'a grant of its own')
  })

  test('D13: a wildcard redirect URI is for a code alone', async () => {
    const client = await register(stile, {
      ...hybrid,
      redirectUris: ['https://app.test/*/cb'],
      allowWildcardInRedirectUris: true,
    })
    const at = (response_type: string): Promise<Answer> => {
      const redirect_uri = 'https://app.test/one/cb'
      return browser.authorize(codeRequestWithPkce(client, { response_type, nonce: 'n', redirect_uri }).request)
    }
    assert.ok(told(await at('code')).get('code'))
    for (const response_type of types) expectErrorPage(await at(response_type))
  })

  test('a request that is refused leaves nothing behind', async () => {
    const count = async () => [await rowsOf(stile, 'authorization_codes'), await rowsOf(stile, 'token_families')]
    const earlier = await count()
    const asked = codeRequest(app, { response_type: 'code token id_token', nonce: 'n', prompt: 'none', max_age: '0' })
    assert.equal(told(await browser.authorize(asked)).get('error'), 'login_required')
    assert.deepEqual(await count(), earlier)
  })
})
