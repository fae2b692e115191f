/** C09: of twenty browsers that come with one reference at once, one is answered; on both engines, and two nodes. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { Browser } from '../harness/sign-on.ts'
import type { Answer, Stile } from '../harness/stile.ts'
import { authorizeBySignOnPage, codeRequest, pushed } from './journeys.ts'
import { raceOnBothEngines } from './race.ts'
import { type Registered, register, rowsOf } from './registrations.ts'

const rounds = 8
const browsers = 20

await raceOnBothEngines('C09: the race for a pushed request', (nodes) => {
  let stile: Stile
  let app: Registered
  let cookie: string | undefined
  before(async () => {
    stile = nodes()[0] ?? assert.fail()
    app = await register(stile)
    const browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(app))
    cookie = browser.cookie
  })

  /** Every browser is under way before the first answer is looked at. */
  async function answers(request: Record<string, string>, hasSession: boolean): Promise<readonly string[]> {
    const slim = await pushed(stile, app, request)
    const sent = Array.from({ length: browsers }, (_, at): Promise<Answer> => {
      const browser = new Browser(nodes()[at % nodes().length] ?? stile)
      browser.cookie = hasSession ? cookie : undefined
      return browser.authorize(slim)
    })
    return (await Promise.all(sent)).map(({ status, headers }) => headers.get('location') ?? String(status))
  }

  test('with a session: one code', async () => {
    const codes = await rowsOf(stile, 'authorization_codes')
    for (let round = 0; round < rounds; round++) {
      const got = await answers(codeRequest(app), true)
      assert.equal(got.filter((location) => location.includes('?code=')).length, 1)
      assert.equal(got.filter((status) => status === '400').length, browsers - 1)
    }
    assert.equal((await rowsOf(stile, 'authorization_codes')) - codes, rounds)
  })

  test('without one: one flow', async () => {
    const flows = await rowsOf(stile, 'flows')
    for (let round = 0; round < rounds; round++) {
      const got = await answers(codeRequest(app), false)
      assert.equal(got.filter((location) => location.includes('/signon/?flowId=')).length, 1)
      assert.equal(got.filter((status) => status === '400').length, browsers - 1)
    }
    assert.equal((await rowsOf(stile, 'flows')) - flows, rounds)
  })

  test('where it comes to nothing: one is told so', async () => {
    const got = await answers(codeRequest(app, { prompt: 'none' }), false)
    assert.equal(got.filter((location) => location.includes('error=login_required')).length, 1)
    assert.equal(got.filter((status) => status === '400').length, browsers - 1)
  })
})
