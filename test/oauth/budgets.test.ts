/**
 * Statement budgets (architecture section 5), asserted by counting what the store was asked. The node's own background
 * work counts along now and then, so the least of several runs is what the request itself costs.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { Browser, piFlowRequest, pkce, redeem, signOn } from '../harness/sign-on.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import {
  authorizeBySignOnPage,
  codeRequest,
  flowOf,
  obtainCode,
  pushed,
  redeemCode,
  refreshTokens,
  told,
} from './journeys.ts'
import { type Registered, register, spa, web } from './registrations.ts'

interface Cost {
  readonly reads: number
  readonly commits: number
}

const runs = 8

suite('statement budgets', () => {
  let stile: Stile
  let app: Registered
  let browser: Browser
  before(async () => {
    stile = await startStile()
    app = await register(stile, { ...spa, redirectUris: ['https://spa.test/cb'] })
    browser = new Browser(stile)
    await signOn(browser)
  })
  after(() => stile.close())

  /** What one run costs, after a first one that warms the caches. */
  async function costOf(run: () => Promise<unknown>): Promise<Cost> {
    const { storage } = stile.node.kernel
    await run()
    let least: Cost = { reads: Number.POSITIVE_INFINITY, commits: Number.POSITIVE_INFINITY }
    for (let at = 0; at < runs; at++) {
      const earlier = storage.counts()
      await run()
      const { reads, commits } = storage.counts()
      least = {
        reads: Math.min(least.reads, reads - earlier.reads),
        commits: Math.min(least.commits, commits - earlier.commits),
      }
    }
    return least
  }

  function within(cost: Cost, budget: Cost): void {
    assert.ok(cost.reads <= budget.reads, `${cost.reads} reads, of ${budget.reads}`)
    assert.equal(cost.commits, budget.commits, 'commits')
  }

  const silently = async () => {
    const { verifier, challenge } = pkce()
    const { json } = await browser.authorize(piFlowRequest(stile, challenge))
    return { verifier, code: json.authorizeResponse.code as string }
  }

  test('client credentials, warm: no read, no commit', async () => {
    const { clientId, clientSecret } = stile.worker
    const cost = await costOf(async () => {
      const answer = await stile.send(`/${stile.environmentId}/as/token`, {
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        headers: { authorization: basic(clientId, clientSecret) },
      })
      assert.equal(answer.status, 200)
    })
    within(cost, { reads: 0, commits: 0 })
  })

  test('authorize with a session to a code, pi.flow and redirect: 2 reads, 1 commit', async () => {
    within(await costOf(silently), { reads: 2, commits: 1 })
    const { challenge } = pkce()
    const request = codeRequest(app, { code_challenge: challenge, code_challenge_method: 'S256' })
    const cost = await costOf(async () => assert.ok(told(await browser.authorize(request)).get('code')))
    within(cost, { reads: 2, commits: 1 })
  })

  test('authorize with a session to tokens, or to tokens and a code: no more than to a code', async () => {
    const { challenge } = pkce()
    for (const response_type of ['token id_token', 'code token id_token']) {
      const more = response_type.startsWith('code') ? { code_challenge: challenge, code_challenge_method: 'S256' } : {}
      const request = codeRequest(app, { response_type, nonce: 'n', ...more })
      const cost = await costOf(async () => assert.ok(told(await browser.authorize(request)).get('id_token')))
      within(cost, { reads: 2, commits: 1 })
    }
  })

  test('a pushed request: 1 commit to push it; using it is part of the commit of what comes of it', async () => {
    const { challenge } = pkce()
    const request = codeRequest(app, { code_challenge: challenge, code_challenge_method: 'S256' })
    within(await costOf(() => pushed(stile, app, request)), { reads: 0, commits: 1 })
    const waiting = await Promise.all(Array.from({ length: 2 * (runs + 1) }, () => pushed(stile, app, request)))
    const slim = () => waiting.pop() ?? assert.fail()
    const toCode = await costOf(async () => assert.ok(told(await browser.authorize(slim())).get('code')))
    within(toCode, { reads: 3, commits: 1 })
    const toFlow = await costOf(async () => assert.ok(flowOf(await new Browser(stile).authorize(slim()))))
    within(toFlow, { reads: 1, commits: 1 })
  })

  test('code redemption: 2 reads, 1 commit', async () => {
    const codes = await Promise.all(Array.from({ length: runs + 1 }, silently))
    const cost = await costOf(async () => {
      const { code, verifier } = codes.pop() ?? assert.fail()
      assert.equal((await redeem(stile, code, verifier)).status, 200)
    })
    within(cost, { reads: 2, commits: 1 })
  })

  test('code redemption and refresh, with refresh tokens: 2 reads, 1 commit', async () => {
    const grantTypes = ['AUTHORIZATION_CODE', 'REFRESH_TOKEN']
    const client = await register(stile, { ...web, grantTypes })
    const codes = await Promise.all(Array.from({ length: runs + 1 }, () => obtainCode(browser, codeRequest(client))))
    let token = ''
    const redemption = await costOf(async () => {
      const answer = await redeemCode(stile, client, codes.pop() ?? assert.fail())
      token = answer.json.refresh_token
    })
    within(redemption, { reads: 2, commits: 1 })
    const refresh = await costOf(async () => {
      const answer = await refreshTokens(stile, client, token)
      assert.equal(answer.status, 200)
      token = answer.json.refresh_token
    })
    within(refresh, { reads: 2, commits: 1 })
  })

  test('password sign-on from authorize to code, by pi.flow: 4 commits', async () => {
    const cost = await costOf(() => signOn(new Browser(stile)))
    assert.equal(cost.commits, 4)
  })

  test('password sign-on from authorize to code, by the sign-on page: 4 commits', async () => {
    const { challenge } = pkce()
    const request = codeRequest(app, { code_challenge: challenge, code_challenge_method: 'S256' })
    const cost = await costOf(async () =>
      assert.ok(told(await authorizeBySignOnPage(new Browser(stile), request)).get('code')),
    )
    assert.equal(cost.commits, 4)
  })

  test('userinfo: 1 read, no commit', async () => {
    const { code, verifier } = await silently()
    const { access_token: token } = (await redeem(stile, code, verifier)).json
    const cost = await costOf(async () => {
      assert.equal((await stile.send(`/${stile.environmentId}/as/userinfo`, { token })).status, 200)
    })
    within(cost, { reads: 1, commits: 0 })
  })

  test('discovery and keys, warm: nothing', async () => {
    const cost = await costOf(async () => {
      for (const path of ['.well-known/openid-configuration', 'jwks']) {
        assert.equal((await stile.send(`/${stile.environmentId}/as/${path}`)).status, 200)
      }
    })
    within(cost, { reads: 0, commits: 0 })
  })
})
