/** `response_mode=pi.flow` and the origin it is asked from: row B22; decisions D2, D12. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { Browser } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { authorizeBySignOnPage, codeRequest } from './journeys.ts'
import { change, expectStatus, type Registered, register, rowsOf } from './registrations.ts'

suite('B22: pi.flow from an origin that is not allowed', () => {
  let stile: Stile
  let app: Registered
  let browser: Browser
  before(async () => {
    stile = await startStile()
    app = await register(stile)
    browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(app))
  })
  after(() => stile.close())

  const request = () => new URLSearchParams(codeRequest(app, { response_mode: 'pi.flow' }))
  const foreign: readonly Readonly<Record<string, string>>[] = [
    { origin: 'https://evil.test' },
    { origin: 'null' },
    { origin: 'https://app.test.evil.test' },
    { origin: 'https://app.test:8443' },
    { origin: 'http://app.test' },
    { origin: 'https://APP.test' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
    { 'sec-fetch-site': 'cross-site' },
  ]

  test('is refused before anything is made, with and without the session; the answer cannot be read', async () => {
    for (const headers of foreign) {
      for (const from of [browser, new Browser(stile)]) {
        for (const method of ['GET', 'POST']) {
          const earlier = [await rowsOf(stile, 'authorization_codes'), await rowsOf(stile, 'flows')]
          const answer = await from.send(`/${stile.environmentId}/as/authorize?${request()}`, { method, headers })
          assert.equal(answer.status, 403, JSON.stringify(headers))
          assert.equal(answer.headers.get('access-control-allow-origin'), null)
          assert.equal(answer.headers.get('access-control-allow-credentials'), null)
          assert.deepEqual(answer.headers.getSetCookie(), [])
          assert.deepEqual([answer.json.code, answer.json.authorizeResponse], ['ACCESS_FAILED', undefined])
          assert.deepEqual([await rowsOf(stile, 'authorization_codes'), await rowsOf(stile, 'flows')], earlier)
        }
      }
    }
  })

  test('an allowed origin reads the answer with credentials, and corsSettings decide', async () => {
    const send = (origin: string) =>
      browser.send(`/${stile.environmentId}/as/authorize?${request()}`, { headers: { origin } })
    const answer = await send('https://app.test')
    assert.ok(expectStatus(answer, 200).authorizeResponse.code)
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.test')
    assert.equal(answer.headers.get('access-control-allow-credentials'), 'true')
    assert.match(answer.headers.get('vary') ?? '', /Origin/)
    await change(stile, app.clientId, { corsSettings: { behavior: 'ALLOW_NO_ORIGINS' } })
    assert.equal((await send('https://app.test')).status, 403)
    const specific = { behavior: 'ALLOW_SPECIFIC_ORIGINS', origins: ['https://front.test'] }
    await change(stile, app.clientId, { corsSettings: specific })
    assert.equal((await send('https://app.test')).status, 403)
    assert.equal((await send('https://front.test')).status, 200)
  })
})
