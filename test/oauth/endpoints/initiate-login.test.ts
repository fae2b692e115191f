/** A login that begins here: OpenID Connect Core section 4; row A12. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { Browser } from '../../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../../harness/stile.ts'
import { change, expectStatus, type Registered, register, web } from '../registrations.ts'
import { signedOn } from './signed-on.ts'

suite('login that is initiated here', () => {
  let stile: Stile
  let app: Registered
  before(async () => {
    stile = await startStile()
    app = await register(stile, {
      ...web,
      initiateLoginUri: 'https://app.test/login?from=portal',
      targetLinkUri: 'https://app.test/home',
    })
  })
  after(() => stile.close())

  const begin = (
    parameters: Readonly<Record<string, string>>,
    browser: Pick<Browser, 'send'> = new Browser(stile),
  ): Promise<Answer> =>
    browser.send(`/${stile.environmentId}/as/initiateLogin?${new URLSearchParams(parameters)}`, {
      headers: { accept: 'text/html' },
    })

  test('the address is registered, read back, and begun at with issuer, target and hint', async () => {
    const read = expectStatus(await stile.api('GET', `/applications/${app.clientId}`), 200)
    assert.equal(read.initiateLoginUri, 'https://app.test/login?from=portal')
    const answer = await begin({ client_id: app.clientId, login_hint: 'ada byron' })
    assert.equal(answer.status, 302)
    const iss = encodeURIComponent(stile.issuer)
    const target = encodeURIComponent('https://app.test/home')
    assert.equal(
      answer.headers.get('location'),
      `https://app.test/login?from=portal&iss=${iss}&login_hint=ada%20byron&target_link_uri=${target}`,
    )
    assert.deepEqual(answer.headers.getSetCookie(), [])
  })

  test('A12: plain http is refused at registration, and so is what runs code', async () => {
    for (const initiateLoginUri of ['http://app.test/login', 'javascript:alert(1)', 'com.example.app:/login']) {
      const answer = await stile.api('POST', '/applications', { ...web, name: 'Plain', initiateLoginUri })
      assert.deepEqual([answer.status, answer.json.details?.[0].target], [400, 'initiateLoginUri'])
    }
  })

  test('a target of the request has to be at an origin of the application', async () => {
    const deep = await begin({ client_id: app.clientId, target_link_uri: 'https://app.test/orders/7' })
    assert.match(deep.headers.get('location') ?? '', /target_link_uri=https%3A%2F%2Fapp.test%2Forders%2F7$/)
    const foreign = await begin({ client_id: app.clientId, target_link_uri: 'https://evil.test/' })
    assert.deepEqual([foreign.status, foreign.headers.get('location')], [400, null])
  })

  test('whoever is signed on is not named to the application', async () => {
    const at = await signedOn(stile, app)
    const { headers } = await begin({ client_id: app.clientId }, at.browser)
    assert.ok(!headers.get('location')?.includes(stile.user.username))
    assert.ok(!headers.get('location')?.includes(at.userId))
  })

  test('an application that is unknown, disabled, or has no such address: a page', async () => {
    const plain = await register(stile)
    const disabled = await register(stile, { ...web, initiateLoginUri: 'https://app.test/login' })
    await change(stile, disabled.clientId, { enabled: false })
    for (const [client_id, key] of [
      [plain.clientId, 'unauthorized_client'],
      [disabled.clientId, 'unknown_client'],
      [randomUUID(), 'unknown_client'],
      ['x', 'unknown_client'],
    ] as const) {
      const answer = await begin({ client_id })
      assert.deepEqual([answer.status, answer.headers.get('location')], [400, null])
      assert.match(answer.text, new RegExp(`<code>${key}</code>`))
    }
    assert.equal((await begin({})).status, 400)
  })
})
