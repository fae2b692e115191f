/** Apps that race for a pairing key, and answers that race for a push request, on each engine: rows L03, L12, L35. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MobileApp } from '../harness/mobile-app.ts'
import { Browser } from '../harness/sign-on.ts'
import { onEachEngine } from '../platform/people.ts'
import {
  addMobileApp,
  assign,
  begin,
  bodyOf,
  enableMfa,
  mobileApplicationOf,
  newApplication,
  newPairingKey,
  newPerson,
  newPolicy,
  rows,
} from './arrange.ts'

await onEachEngine('races for a push', (stile) => {
  const made = Array.from({ length: 20 })

  async function waiting() {
    const person = await newPerson(stile())
    await enableMfa(stile(), person)
    const app = await addMobileApp(stile(), person)
    const client = await newApplication(stile())
    await assign(stile(), client, await newPolicy(stile(), { type: 'LOGIN' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }))
    const browser = new Browser(stile())
    const flowId = await begin(browser, 'pi.flow', { client_id: client })
    const { json } = await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    const [request] = await app.requests()
    assert.ok(request)
    return { person, app, browser, flowId, request, number: json.numberMatching.number as string }
  }

  test('L03: of apps that claim one key at once, one is paired', async () => {
    const applicationId = await mobileApplicationOf(stile())
    const person = await newPerson(stile())
    const code = await newPairingKey(stile(), person, applicationId)
    // Ten at a time is what one address may try.
    const apps = made.slice(10).map(() => new MobileApp(stile(), () => stile().node.kernel.world.now()))
    const answers = await Promise.all(apps.map((app) => app.pair(code, applicationId)))
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, ...made.slice(11).map(() => 400)])
    assert.equal((await rows(stile(), 'devices', 'user_id = $2', person.id)).length, 1)
    assert.equal((await rows(stile(), 'mobile_devices', 'user_id = $2', person.id)).length, 1)
  })

  test('of keys that are made at once, no more than a user may have', async () => {
    const applicationId = await mobileApplicationOf(stile())
    const person = await newPerson(stile())
    const body = { applications: [{ id: applicationId }] }
    const answers = await Promise.all(
      [...made, ...made].map(() => stile().api('POST', `/users/${person.id}/pairingKeys`, body)),
    )
    assert.equal(answers.filter(({ status }) => status === 201).length, 20)
    assert.equal((await rows(stile(), 'pairing_keys', 'user_id = $2', person.id)).length, 20)
  })

  test('L12: of answers that come at once, one is taken; and the flow is resumed once', async () => {
    const { person, app, browser, flowId, request, number } = await waiting()
    const answers = await Promise.all(
      made.map((_, at) => app.answer(request, at % 2 === 0 ? 'APPROVE' : 'DENY', number)),
    )
    assert.equal(answers.filter(({ status }) => status === 204).length, 1)
    assert.ok(answers.every(({ status }) => status === 204 || status === 404))
    const first = answers.findIndex(({ status }) => status === 204)
    const { json } = await browser.flow(flowId)
    assert.equal(json.status, first % 2 === 0 ? 'COMPLETED' : 'FAILED')
    const { cookie } = browser
    const resumed = await Promise.all(made.map(() => Object.assign(new Browser(stile()), { cookie }).resume(flowId)))
    const won = resumed.filter((answer) => answer.json?.authorizeResponse)
    assert.equal(won.length, first % 2 === 0 ? 1 : 0)
    assert.equal((await rows(stile(), 'sessions', 'user_id = $2', person.id)).length, won.length)
    assert.equal((await rows(stile(), 'authorization_codes', 'user_id = $2', person.id)).length, won.length)
  })

  test('L35: an answer and another choice at once: what was chosen last is what is approved', async () => {
    for (const _ of made.slice(15)) {
      const { app, browser, flowId, request, number } = await waiting()
      const cancelling = Object.assign(new Browser(stile()), { cookie: browser.cookie })
      const [answer, cancelled] = await Promise.all([
        app.answer(request, 'APPROVE', number),
        cancelling.act(flowId, 'cancel.push.authentication', { reason: 'CHANGE_DEVICE' }),
      ])
      const { json } = await browser.flow(flowId)
      if (answer.status === 204) assert.deepEqual([json.status, cancelled.status], ['COMPLETED', 400])
      else assert.deepEqual([json.status, answer.status], ['DEVICE_SELECTION_REQUIRED', 404])
      assert.deepEqual(await app.requests(), [])
    }
  })

  test('L35: of requests that are asked for at once, no more than three are made', async () => {
    const { person, app, browser, flowId } = await waiting()
    const { cookie } = browser
    await Promise.all(
      made.map(() =>
        Object.assign(new Browser(stile()), { cookie }).act(flowId, 'device.select', { device: { id: app.deviceId } }),
      ),
    )
    const [limit] = await rows<{ count: number }>(stile(), 'limits', 'kind = $2 AND subject = $3', 'push', person.id)
    assert.ok(limit && limit.count >= 3)
    assert.ok((await app.requests()).length <= 1)
  })
})
