/**
 * The sign-on page and the client of pingone-sample-custom-signon (authentication-api 8.1 rows 1, 2, 6, 10 and 12; 8.2):
 * the requests they send from an origin of their own, and what they read of the answers.
 */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { jwtVerify } from 'jose'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { change, expectStatus, type Person, person, type Registered, register, spa } from '../oauth/registrations.ts'

suite('custom-signon: a sign-on page of its own (8.1)', () => {
  /** The ids of the start address must look like this to the client. */
  const clientUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i
  const origin = 'https://login.app.test'
  let stile: Stile
  let app: Registered
  before(async () => {
    stile = await startStile()
    app = await register(stile, { ...spa, loginPageUrl: `${origin}/` })
  })

  after(() => stile.close())

  const vendor = (action: string) => `application/vnd.pingidentity.${action}+json`

  /** Row 1: the page is opened with both ids, and reads the flow. */
  async function open(browser: Browser, more: Readonly<Record<string, string>> = {}): Promise<Answer['json']> {
    const started = await browser.authorize({
      client_id: app.clientId,
      redirect_uri: app.redirectUri,
      response_type: 'token id_token',
      scope: 'openid profile',
      state: 'client-state',
      nonce: 'client-nonce',
      ...more,
    })
    assert.equal(started.status, 302, started.text)
    const page = new URL(started.headers.get('location') ?? '')
    assert.equal(page.origin, origin)
    const environmentId = page.searchParams.get('environmentId') ?? ''
    const flowId = page.searchParams.get('flowId') ?? ''
    for (const id of [environmentId, flowId]) assert.match(id, clientUuid)
    const answer = await browser.send(`/${environmentId}/flows/${flowId}`, {
      headers: { origin, 'content-type': 'application/json' },
    })
    assert.equal(answer.headers.get('access-control-allow-origin'), origin)
    assert.equal(answer.headers.get('access-control-allow-credentials'), 'true')
    const flow = expectStatus(answer, 200)
    for (const member of ['id', 'status', '_links', '_embedded', 'resumeUrl']) assert.ok(flow[member], member)
    return flow
  }

  /** Posts to the address that a link of the flow names. */
  function follow(browser: Browser, flow: Answer['json'], action: string, body: object): Promise<Answer> {
    const href = flow._links[action]?.href ?? assert.fail(`the flow has no link ${action}`)
    return browser.send(new URL(href).pathname, { body, mediaType: vendor(action), headers: { origin } })
  }

  const check = (browser: Browser, flow: Answer['json'], { username, password }: Omit<Person, 'id'>) =>
    follow(browser, flow, 'usernamePassword.check', { username, password })

  /** Row 12 and 8.2: the browser goes to `resumeUrl`; the client splits `location.hash` by `&` and `=`. */
  async function finish(browser: Browser, flow: Answer['json']): Promise<Map<string, string>> {
    const { pathname, search } = new URL(flow.resumeUrl)
    const resumed = await browser.send(pathname + search)
    assert.equal(resumed.status, 302, resumed.text)
    const [address, hash = ''] = (resumed.headers.get('location') ?? '').split('#')
    assert.equal(address, app.redirectUri)
    return new Map(
      hash.split('&').map((part) => [part.split('=')[0] ?? '', decodeURIComponent(part.split('=')[1] ?? '')]),
    )
  }

  test('rows 1, 2 and 12: read, check, resume; the ID token verifies by x5c[0]', async () => {
    const browser = new Browser(stile)
    const flow = await open(browser)
    assert.equal(flow.status, 'USERNAME_PASSWORD_REQUIRED')
    const completed = expectStatus(await check(browser, flow, stile.user), 200)
    assert.equal(completed.status, 'COMPLETED')
    const parts = await finish(browser, completed)
    assert.deepEqual(
      [parts.get('state'), parts.get('token_type'), parts.get('expires_in')],
      ['client-state', 'Bearer', '3600'],
    )
    const { keys } = expectStatus(await stile.send(`/${stile.environmentId}/as/jwks`), 200)
    const verdicts = await Promise.allSettled(
      keys.map(({ x5c: [certificate] }: { x5c: string[] }) => {
        const pem = `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----`
        return jwtVerify(parts.get('id_token') ?? '', new X509Certificate(pem).publicKey, {
          issuer: stile.issuer,
          audience: app.clientId,
        })
      }),
    )
    const verified = verdicts.filter((verdict) => verdict.status === 'fulfilled')
    assert.equal(verified.length, 1, 'the client tries every key, and one fits')
    assert.equal(verified[0]?.value.payload['nonce'], 'client-nonce')
  })

  test('row 1: links that are not allowed are absent, and _embedded is always an object', async () => {
    const flow = await open(new Browser(stile))
    for (const relation of ['password.forgot', 'user.register', 'session.reset', 'password.reset']) {
      assert.equal(flow._links[relation], undefined, relation)
    }
    assert.equal(typeof flow._embedded, 'object')
    assert.equal(flow._embedded.application.name.length > 0, true)
  })

  test('row 2: a wrong password is details[0].code INVALID_CREDENTIALS; a locked one says for how long', async () => {
    const someone = await person(stile)
    const browser = new Browser(stile)
    const flow = await open(browser)
    const codes: string[] = []
    let last: Answer | undefined
    for (let attempt = 0; attempt < 20 && codes.at(-1) !== 'PASSWORD_LOCKED_OUT'; attempt++) {
      last = await check(browser, flow, { ...someone, password: 'wrong' })
      assert.deepEqual([last.status, last.json.code], [400, 'INVALID_DATA'])
      assert.equal(last.headers.get('access-control-allow-origin'), origin, 'the page can read why')
      codes.push(last.json.details[0].code)
    }
    assert.equal(codes[0], 'INVALID_CREDENTIALS')
    assert.equal(codes.at(-1), 'PASSWORD_LOCKED_OUT')
    assert.ok(last?.json.details[0].innerError.secondsUntilUnlock > 0)
    const right = await check(browser, flow, someone)
    assert.equal(right.json.details[0].code, 'PASSWORD_LOCKED_OUT')
  })

  test('row 6: a password that must be changed; the first unsatisfied requirement is shown', async () => {
    const someone = await person(stile)
    const forceChange = vendor('password.forceChange')
    expectStatus(await stile.api('POST', `/users/${someone.id}/password`, {}, { mediaType: forceChange }), 200)
    const browser = new Browser(stile)
    const flow = expectStatus(await check(browser, await open(browser), someone), 200)
    assert.equal(flow.status, 'MUST_CHANGE_PASSWORD')
    assert.equal(typeof flow._embedded.passwordPolicy, 'object')
    const reset = (currentPassword: string, newPassword: string) =>
      follow(browser, flow, 'password.reset', { currentPassword, newPassword })

    const weak = await reset(someone.password, 'aaaa')
    const [detail] = expectStatus(weak, 400).details
    assert.deepEqual([weak.json.code, detail.code, detail.target], ['INVALID_DATA', 'INVALID_VALUE', 'newPassword'])
    const [first] = detail.innerError.unsatisfiedRequirements
    assert.equal(typeof detail.innerError[first], 'string')
    const wrong = await reset('wrong', 'Nine-Purple-Tigers-88')
    assert.deepEqual([expectStatus(wrong, 400).details[0].target], ['currentPassword'])

    const completed = expectStatus(await reset(someone.password, 'Nine-Purple-Tigers-88'), 200)
    assert.equal(completed.status, 'COMPLETED')
    assert.ok((await finish(browser, completed)).get('id_token'))
  })

  test('row 10: "Switch accounts" goes back to the beginning', async () => {
    const browser = new Browser(stile)
    const first = expectStatus(await check(browser, await open(browser), stile.user), 200)
    await finish(browser, first)
    const flow = await open(browser, { max_age: '0' })
    assert.equal(flow.status, 'PASSWORD_REQUIRED')
    assert.equal(flow._embedded.user.username, stile.user.username)
    const again = expectStatus(await follow(browser, flow, 'session.reset', {}), 200)
    assert.equal(again.status, 'USERNAME_PASSWORD_REQUIRED')
    assert.equal(again._embedded.user, undefined)
    const other = await person(stile)
    const completed = expectStatus(await check(browser, again, other), 200)
    assert.equal(completed._embedded.user.id, other.id)
    assert.ok((await finish(browser, completed)).get('access_token'))
  })

  test('row 12: the browser goes to resumeUrl on FAILED too', async () => {
    const browser = new Browser(stile)
    const flow = await open(browser)
    await change(stile, app.clientId, { accessControl: { role: { type: 'ADMIN_USERS_ONLY' } } })
    const failed = expectStatus(await check(browser, flow, await person(stile)), 200)
    assert.equal(failed.status, 'FAILED')
    const parts = await finish(browser, failed)
    assert.deepEqual([parts.get('error'), parts.get('state')], ['access_denied', 'client-state'])
  })
})
