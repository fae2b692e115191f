/** Who may reach a flow by which door (decision D2; rows I04, I05, J03, J04, J31). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { flowStatuses } from '../../src/flow/actions/index.ts'
import { Browser, piFlowRequest, pkce, redeem } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { begin, bodyOf, flowIn, newPerson, type Person, rowOf } from './arrange.ts'

suite('who may reach a flow (D2)', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const path = (flowId: string) => `/${stile.environmentId}/flows/${flowId}`
  const page = (flowId: string) => `/${stile.environmentId}/signon/?flowId=${flowId}`
  const check = (browser: Browser, flowId: string, person: Person = stile.user) =>
    browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
  const withCookie = (cookie: string | undefined) => Object.assign(new Browser(stile), { cookie })

  /** Every way to a flow, with what it answers. */
  const ways = (flowId: string) =>
    [
      [path(flowId), {}],
      [`${path(flowId)}/steps`, {}],
      [`${path(flowId)}/steps/x`, {}],
      [path(flowId), { body: {}, mediaType: 'application/vnd.pingidentity.session.reset+json' }],
      [
        path(flowId),
        {
          body: bodyOf('usernamePassword.check', stile.user),
          mediaType: 'application/vnd.pingidentity.usernamePassword.check+json',
        },
      ],
      [`/${stile.environmentId}/as/resume?flowId=${flowId}`, {}],
      [page(flowId), {}],
      [page(flowId), { body: new URLSearchParams({ action: 'session.reset' }) }],
    ] as const

  async function unreachable(strangers: readonly Browser[], flowId: string): Promise<void> {
    const stored = await rowOf(stile, flowId)
    for (const stranger of strangers) {
      for (const [at, call] of ways(flowId)) {
        const mine = await withCookie(stranger.cookie).send(at, call)
        const unknown = await withCookie(stranger.cookie).send(at.replace(flowId, randomUUID()), call)
        assert.equal(mine.status, 404, `${at}: ${mine.text}`)
        const told = ({ text, headers }: Answer) => [text.replaceAll(/[0-9a-f-]{36}/g, ''), headers.getSetCookie()]
        assert.deepEqual(told(mine), told(unknown), 'the same as for one that never was')
      }
    }
    assert.deepEqual(await rowOf(stile, flowId), stored)
  }

  async function strangers(): Promise<Browser[]> {
    const [signedOn, waiting] = [new Browser(stile), new Browser(stile)]
    await check(signedOn, await begin(signedOn))
    await begin(waiting)
    return [new Browser(stile), signedOn, waiting, withCookie(`ST=${randomUUID()}`)]
  }

  /** Statuses in which a flow may be about nobody. */
  const nobody: readonly string[] = [
    'USERNAME_PASSWORD_REQUIRED',
    'SIGN_ON_REQUIRED',
    'EXTERNAL_AUTHENTICATION_REQUIRED',
    'FAILED',
  ]

  for (const status of flowStatuses) {
    test(`J03, J04, I04: the redirect door, ${status}: not without the flow's own cookie`, async () => {
      const { browser, flowId } = await flowIn(stile, status, 'redirect')
      await unreachable(await strangers(), flowId)
      assert.equal((await browser.send(path(flowId))).json.status, status)
    })

    if (nobody.includes(status)) continue
    test(`J03: pi.flow, ${status}: not without the cookie that came when the user did`, async () => {
      const { browser, flowId } = await flowIn(stile, status, 'pi.flow')
      await unreachable(await strangers(), flowId)
      assert.equal((await browser.send(path(flowId))).json.status, status)
    })
  }

  test('pi.flow works without a cookie until the flow has a user; then only with the one that answer set', async () => {
    const person = await newPerson(stile, { forceChange: true })
    const flowId = await begin(new Browser(stile))
    assert.equal((await new Browser(stile).send(path(flowId))).status, 200)
    assert.equal((await check(new Browser(stile), flowId, { ...person, password: 'wrong' })).status, 400)
    const client = new Browser(stile)
    const known = await check(client, flowId, person)
    assert.equal(known.json.status, 'MUST_CHANGE_PASSWORD')
    assert.ok(client.cookie, 'the answer that names the user sets a cookie')
    assert.equal((await new Browser(stile).send(path(flowId))).status, 404)
    const afterUser = client.cookie
    const done = await client.act(flowId, 'password.reset', bodyOf('password.reset', person))
    assert.equal(done.json.status, 'COMPLETED')
    assert.notEqual(client.cookie, afterUser, 'and once more at the sign-on')
    assert.equal((await withCookie(afterUser).resume(flowId)).status, 404)
    const { verifier, challenge } = pkce()
    const again = await client.authorize(piFlowRequest(stile, challenge))
    assert.equal((await redeem(stile, again.json.authorizeResponse.code, verifier)).status, 200)
  })

  test('a pi.flow flow has a sign-on page for the browser that began it, and for no other', async () => {
    const browser = new Browser(stile)
    const flowId = await begin(browser)
    assert.equal((await browser.send(page(flowId))).status, 200)
    assert.equal((await new Browser(stile).send(page(flowId))).status, 404)
    const form = new URLSearchParams({ action: 'usernamePassword.check', username: 'x', password: 'x' })
    assert.equal((await new Browser(stile).send(page(flowId), { body: form })).status, 404)
  })

  test('I04: a link to a flow of another browser binds nothing, with and without a session', async () => {
    const attacker = new Browser(stile)
    const flowId = await begin(attacker, 'redirect')
    const [signedOn] = (await strangers()).slice(1) as [Browser]
    for (const victim of [new Browser(stile), signedOn]) {
      const before = victim.cookie
      const answer = await victim.send(page(flowId), { headers: { accept: 'text/html' } })
      assert.equal(answer.status, 404)
      assert.match(answer.headers.get('content-type') ?? '', /^text\/html/)
      assert.equal(victim.cookie, before)
    }
  })

  test('I05: credentials posted from another site sign nobody on', async () => {
    const attacker = new Browser(stile)
    const flowId = await begin(attacker, 'redirect')
    const form = new URLSearchParams({
      action: 'usernamePassword.check',
      ...bodyOf('usernamePassword.check', stile.user),
    })
    const victim = new Browser(stile)
    const fromElsewhere = {
      origin: 'https://evil.example',
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
    }
    const refusals = [
      [await victim.send(page(flowId), { body: form, headers: fromElsewhere }), 403],
      [await victim.send(page(flowId), { body: form }), 404],
      [await victim.send(path(flowId), { body: form, headers: fromElsewhere }), 401],
      [await victim.act(flowId, 'usernamePassword.check', Object.fromEntries(form), fromElsewhere), 403],
    ] as const
    for (const [answer, status] of refusals) assert.equal(answer.status, status)
    assert.equal(victim.cookie, undefined)
  })

  test('J31: what the query of the sign-on page says beside the flow changes nothing about where it leads', async () => {
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'redirect', { state: 'kept' })
    const more = `&environmentId=${randomUUID()}`
    assert.equal((await browser.send(page(flowId) + more)).status, 200)
    const form = new URLSearchParams({
      action: 'usernamePassword.check',
      ...bodyOf('usernamePassword.check', stile.user),
    })
    const posted = await browser.send(page(flowId) + more, { body: form })
    assert.equal(posted.headers.get('location'), `${stile.authUrl}${page(flowId)}`)
    const evil = `&client_id=${stile.nativeApp.clientId}&redirect_uri=https%3A%2F%2Fevil.example&state=other`
    const resumed = await browser.send(`/${stile.environmentId}/as/resume?flowId=${flowId}${evil}`)
    const to = new URL(resumed.headers.get('location') ?? '')
    assert.equal(to.origin + to.pathname, stile.webApp.redirectUri)
    assert.equal(to.searchParams.get('state'), 'kept')
  })
})
