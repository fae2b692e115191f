/** How long a flow lives (decision D3; rows J12, J30), by a clock that stands still until a test moves it. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { update } from '../../src/storage/operations.ts'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { assign, begin, bodyOf, newApplication, newPerson, newPolicy, type Person, rowOf } from './arrange.ts'
import { watchStorage } from './watch-storage.ts'

const minute = 60_000

suite('the life of a flow', () => {
  let world: TestWorld
  let stile: Stile
  /** An application with three policies, and somebody who must change their password; made while the clock is young. */
  let application: string
  let mustChange: Person
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    application = await newApplication(stile)
    const login = { type: 'LOGIN' } as const
    await assign(
      stile,
      application,
      await newPolicy(stile, login),
      await newPolicy(stile, login),
      await newPolicy(stile, login),
    )
    mustChange = await newPerson(stile, { forceChange: true })
  })
  after(() => stile.close())

  /** Moves the clock; the node reads its configuration again, since one that is stale answers 503. */
  async function later(milliseconds: number): Promise<void> {
    world.advance(milliseconds)
    await stile.node.kernel.environments.poll()
  }

  async function switchUser({ id }: Person, enabled: 0 | 1): Promise<void> {
    await stile.node.kernel.storage.commit({
      name: 'test.switch-user',
      run: () => update('users', { environment_id: stile.environmentId, id }, { enabled }),
    })
  }

  const path = (flowId: string) => `/${stile.environmentId}/flows/${flowId}`
  const iso = (milliseconds: number) => new Date(milliseconds).toISOString()
  /** An accepted POST that leaves the flow waiting: another user wants to sign on. */
  const accepted = (browser: Browser, flowId: string) => browser.act(flowId, 'session.reset', {})

  /** A browser with a session, and a flow that asks for the password again. */
  async function waiting(): Promise<{ browser: Browser; flowId: string; began: number }> {
    const browser = new Browser(stile)
    const first = await begin(browser)
    await browser.act(first, 'usernamePassword.check', bodyOf('usernamePassword.check', stile.user))
    const began = world.now()
    return { browser, began, flowId: await begin(browser, 'pi.flow', { max_age: '0' }) }
  }

  test('J12, D3: GET never slides it; after 15 minutes it is gone', async () => {
    const { browser, flowId, began } = await waiting()
    const stored = await rowOf(stile, flowId)
    for (let passed = 0; passed < 14; passed += 7) {
      await later(7 * minute)
      for (const at of [path(flowId), `${path(flowId)}/steps`, `/${stile.environmentId}/as/resume?flowId=${flowId}`]) {
        const { status, json } = await browser.send(at)
        assert.equal(status, 200)
        if (json.expiresAt) assert.equal(json.expiresAt, iso(began + 15 * minute))
      }
    }
    assert.deepEqual(await rowOf(stile, flowId), stored)
    await later(minute - 1)
    assert.equal((await browser.send(path(flowId))).status, 200, 'one millisecond before')
    await later(1)
    for (const answer of [
      await browser.send(path(flowId)),
      await accepted(browser, flowId),
      await browser.resume(flowId),
    ]) {
      assert.deepEqual([answer.status, answer.json.code], [404, 'NOT_FOUND'])
    }
  })

  test('D3: an accepted POST slides it by 15 minutes; a refused one does not', async () => {
    const { browser, flowId, began } = await waiting()
    await later(10 * minute)
    const refused = await browser.act(flowId, 'usernamePassword.check', { password: 'wrong' })
    assert.equal(refused.status, 400)
    assert.equal((await browser.send(path(flowId))).json.expiresAt, iso(began + 15 * minute))
    const { json } = await accepted(browser, flowId)
    assert.deepEqual([json.status, json.expiresAt], ['USERNAME_PASSWORD_REQUIRED', iso(began + 25 * minute)])
    assert.equal(json.createdAt, iso(began))
    await later(14 * minute)
    const done = await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', stile.user))
    assert.deepEqual([done.json.status, done.json.expiresAt], ['COMPLETED', iso(began + 39 * minute)])
  })

  test('J12, D3: however often it slides, it ends 60 minutes after it began', async () => {
    const browser = new Browser(stile)
    const began = world.now()
    const flowId = await begin(browser, 'pi.flow', { client_id: application })
    const ends = async (minutes: number) => {
      assert.equal((await browser.send(path(flowId))).json.expiresAt, iso(began + minutes * minute))
    }
    const check = () => browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', mustChange))
    // A user who is switched off hands the flow over to the next of three policies: that is an accepted request too.
    const handOver = async () => {
      await switchUser(mustChange, 0)
      const { json } = await browser.act(flowId, 'password.reset', bodyOf('password.reset', mustChange))
      assert.equal(json.status, 'USERNAME_PASSWORD_REQUIRED')
      await switchUser(mustChange, 1)
    }
    for (const [accepted, minutes] of [
      [check, 29],
      [handOver, 43],
      [check, 57],
      [handOver, 60],
    ] as const) {
      await later(14 * minute)
      await accepted()
      await ends(minutes)
    }
    await later(4 * minute - 1)
    await ends(60)
    await later(1)
    assert.equal((await browser.send(path(flowId))).status, 404)
  })

  test('J30: a thousand reads change nothing and consume nothing', async () => {
    const { browser, flowId } = await waiting()
    await browser.act(flowId, 'usernamePassword.check', { password: stile.user.password })
    const stored = await rowOf(stile, flowId)
    const watch = watchStorage(stile.node.kernel)
    const at = [path(flowId), `${path(flowId)}/steps`, `/${stile.environmentId}/signon/?flowId=${flowId}`]
    const head = [...at, `/${stile.environmentId}/as/resume?flowId=${flowId}`]
    for (let round = 0; round < 125; round++) {
      await Promise.all([
        ...at.map((one) => browser.send(one)),
        ...head.map((one) => browser.send(one, { method: 'HEAD' })),
      ])
    }
    watch.stop()
    assert.deepEqual(watch.commits, [])
    assert.deepEqual(await rowOf(stile, flowId), stored)
    assert.equal((await browser.resume(flowId)).json.status, 'COMPLETED')
  })
})
