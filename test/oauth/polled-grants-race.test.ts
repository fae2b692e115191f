/**
 * Polls of one grant, guesses at user codes and answers of users, all at once, on both engines; on PostgreSQL half of them at
 * a second node. Rows Q04-Q06.
 */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { rows } from '../flow-runtime/arrange.ts'
import { Browser } from '../harness/sign-on.ts'
import type { Answer, Stile } from '../harness/stile.ts'
import { approve, answer, comeToTheQuestion, newDevice, poll, tv, visit } from './device-journeys.ts'
import { expectRefusal, isLive, submitSignOnPage } from './journeys.ts'
import { raceOnBothEngines } from './race.ts'
import { person, type Registered, register } from './registrations.ts'

const polls = 50

await raceOnBothEngines('Q05: the race for what a device gets', (started) => {
  let nodes: readonly Stile[]
  let stile: Stile
  let app: Registered
  before(async () => {
    nodes = started()
    stile = nodes[0] ?? assert.fail()
    app = await register(stile, tv)
  })

  const nodeOf = (at: number) => nodes[at % nodes.length] ?? stile
  const together = <T>(count: number, act: (at: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: count }, (_, at) => act(at)))
  /** The same browser at several nodes. */
  const copies = (browser: Browser, count: number) =>
    Array.from({ length: count }, (_, at) => Object.assign(new Browser(nodeOf(at)), { cookie: browser.cookie }))
  const errorsOf = (answers: readonly Answer[]) => answers.map(({ json }) => json.error as string)

  test('fifty polls of an approved grant: one set of tokens, which lives', async () => {
    const browser = new Browser(stile)
    const who = await person(stile)
    for (let round = 0; round < 5; round++) {
      const device = await newDevice(stile, app)
      await approve(browser, device, round === 0 ? who : undefined)
      const answers = await together(polls, (at) => poll(nodeOf(at), app, device.device_code))
      const won = answers.filter(({ status }) => status === 200)
      assert.equal(won.length, 1, `${won.length} of ${polls} polls got tokens`)
      assert.ok(errorsOf(answers).every((error) => error === undefined || error === 'invalid_grant'))
      assert.ok(await isLive(stile, won[0]?.json.access_token))
    }
    assert.equal((await rows(stile, 'token_families', 'user_id = $2', who.id)).length, 5)
  })

  test('fifty polls of one that waits: one is in time, and each of the others makes the interval longer', async () => {
    const device = await newDevice(stile, app)
    const errors = errorsOf(await together(polls, (at) => poll(nodeOf(at), app, device.device_code)))
    assert.equal(errors.filter((error) => error === 'authorization_pending').length, 1)
    assert.equal(errors.filter((error) => error === 'slow_down').length, polls - 1)
    const grants = await rows<{ interval_seconds: number }>(stile, 'polled_grants', 'client_id = $2', app.clientId)
    assert.ok(grants.some((grant) => grant.interval_seconds === 5 + 5 * (polls - 1)))
  })

  test('a code that two users enter at once is one’s', async () => {
    const people = await Promise.all([0, 1, 2, 3].map(() => person(stile)))
    const browsers = people.map((who, at) => ({ browser: new Browser(nodeOf(at)), who }))
    const winners: string[] = []
    for (let round = 0; round < 3; round++) {
      const device = await newDevice(stile, app)
      const flowIds: string[] = []
      for (const { browser, who } of browsers) {
        const flowId = await visit(browser, device.verification_uri)
        assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
        flowIds.push(flowId)
      }
      const entered = await together(4, async (at) => {
        const { browser } = browsers[at] ?? assert.fail()
        return browser.act(flowIds[at] ?? '', 'deviceAuthGrant.userCode.verify', { userCode: device.user_code })
      })
      const won = browsers.filter((_, at) => entered[at]?.status === 200)
      assert.equal(won.length, 1, entered.map(({ text }) => text).join('\n'))
      winners.push(won[0]?.who.id ?? '')
      for (const { id } of people) {
        const grants = await rows(stile, 'polled_grants', 'user_id = $2', id)
        assert.equal(grants.length, winners.filter((winner) => winner === id).length)
      }
    }
  })

  test('of twenty guesses at once five are looked at', async () => {
    const device = await newDevice(stile, app)
    const browser = new Browser(stile)
    const flowId = await visit(browser, device.verification_uri)
    assert.equal((await submitSignOnPage(browser, flowId, await person(stile))).status, 303)
    const wrong = { userCode: 'BBBB-2222' }
    const answers = await Promise.all(
      copies(browser, 20).map((each) => each.act(flowId, 'deviceAuthGrant.userCode.verify', wrong)),
    )
    const codes = answers.map(({ json }) => json.details[0].code as string)
    assert.equal(codes.filter((code) => code === 'INVALID_VALUE').length, 5)
    assert.equal(codes.filter((code) => code === 'LIMIT_EXCEEDED').length, 15)
  })

  test('yes and no at once: the page and the device are told the same', async () => {
    const who = await person(stile)
    const browser = new Browser(stile)
    for (let round = 0; round < 4; round++) {
      const device = await newDevice(stile, app)
      const flowId = await comeToTheQuestion(browser, device, who)
      const twenty = copies(browser, 20)
      await Promise.all(twenty.map((each, at) => answer(each, flowId, at % 2 === 0)))
      // Whoever won has the cookie of the flow from then on: a new one where the sign-on was completed.
      const last = twenty.find(({ cookie }) => cookie !== browser.cookie) ?? browser
      const resumed = await Promise.all(copies(last, 10).map((each) => each.resume(flowId)))
      const said = resumed.filter(({ status }) => status === 200).map(({ text }) => /<h1>([^<]*)/.exec(text)?.[1])
      assert.equal(new Set(said).size, 1, said.join())
      const told = await poll(stile, app, device.device_code)
      if (said[0] === 'Done') assert.equal(told.status, 200)
      else expectRefusal(told, 'access_denied')
      browser.cookie = undefined
    }
  })
})
