/** The lock-out of users who fail their second factor, on both engines: platform-api 3.14.2; rows L10, L11. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { testWorld } from '../../src/world.ts'
import {
  addEmailDevice,
  addressOf,
  assign,
  begin,
  bodyOf,
  codeSentTo,
  enableMfa,
  newApplication,
  newDevicePolicy,
  newPerson,
  newPolicy,
  type Person,
  rows,
} from '../flow-runtime/arrange.ts'
import { Browser, userToken } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { onEachEngine, vendor } from './people.ts'

/** What the tests do to one node. */
function acting(stile: Stile) {
  const lockoutOf = async (lockout: object) => {
    const { status, text } = await stile.api('PUT', '/mfaSettings', { lockout })
    assert.equal(status, 200, text)
  }
  const account = async ({ id }: Person) => (await stile.api('GET', `/users/${id}`)).json.account
  const unlockDevices = async (person: Person, device: string) => {
    const path = `/users/${person.id}/devices/${device}`
    assert.equal((await stile.api('POST', path, {}, vendor('device.unlock'))).status, 200)
  }
  const start = async ({ id }: Person) =>
    stile.send(`/${stile.environmentId}/deviceAuthentications`, {
      token: await stile.workerToken(),
      body: { user: { id } },
    })
  const check = async (id: string, otp: string) =>
    stile.send(`/${stile.environmentId}/deviceAuthentications/${id}`, {
      token: await stile.workerToken(),
      body: { otp },
      ...vendor('otp.check'),
    })
  return { lockoutOf, account, unlockDevices, start, check }
}

async function personWithDevice(stile: Stile) {
  const person = await newPerson(stile)
  await enableMfa(stile, person)
  return { person, device: await addEmailDevice(stile, person) }
}

await onEachEngine('MFA lock-out', (node) => {
  test('wrong tries in flows and outside of them are counted together, and lock the account once', async () => {
    const stile = node()
    const { lockoutOf, account, unlockDevices, start, check } = acting(stile)
    await lockoutOf({ failureCount: 4 })
    const { person, device } = await personWithDevice(stile)
    const application = await newApplication(stile)
    await assign(stile, application, await newPolicy(stile, { type: 'LOGIN' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }))
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', { client_id: application })
    await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    for (let wrong = 0; wrong < 2; wrong++) await browser.act(flowId, 'otp.check', { otp: '12345x' })
    const { json } = await start(person)
    await check(json.id, '12345x')
    assert.equal((await account(person)).status, 'OK')
    // No more are looked at for a while, which is no failure.
    for (let held = 0; held < 3; held++) await check(json.id, '12345x')
    assert.equal((await account(person)).status, 'OK')
    await unlockDevices(person, device)

    const otp = await codeSentTo(stile, addressOf(person))
    await check(json.id, '12345x')
    const { status, canAuthenticate, lockedAt, unlockAt } = await account(person)
    assert.deepEqual([status, canAuthenticate, typeof lockedAt, unlockAt], ['LOCKED', false, 'string', undefined])
    const locked = await rows(stile, 'events', `action = 'USER.LOCKED' AND subject_id = $2`, person.id)
    assert.equal(locked.length, 1)
    assert.equal((await check(json.id, otp)).json.error?.code, 'ACCOUNT_NOT_USABLE')
    const inFlow = await browser.act(flowId, 'otp.check', { otp })
    assert.deepEqual([inFlow.json.status, inFlow.json.error?.code], ['FAILED', 'ACCOUNT_NOT_USABLE'])
    const again = await stile.api('POST', `/users/${person.id}`, {}, vendor('account.unlock'))
    assert.deepEqual([again.json.account.status, again.json.account.canAuthenticate], ['OK', true])
    assert.equal((await start(person)).json.status, 'OTP_REQUIRED')
  })

  test('a right try ends the count', async () => {
    const stile = node()
    const { lockoutOf, account, start, check } = acting(stile)
    await lockoutOf({ failureCount: 3, durationSeconds: 600 })
    const { person } = await personWithDevice(stile)
    for (let round = 0; round < 2; round++) {
      const { json } = await start(person)
      for (let wrong = 0; wrong < 2; wrong++) await check(json.id, '12345x')
      const right = await check(json.id, await codeSentTo(stile, addressOf(person)))
      assert.equal(right.json.status, 'COMPLETED', right.text)
    }
    assert.equal((await account(person)).status, 'OK')
  })

  test('of wrong tries at once none is lost, and the account is locked once', async () => {
    const stile = node()
    const { lockoutOf, account, check } = acting(stile)
    const otp = {
      lifeTime: { duration: 30, timeUnit: 'MINUTES' },
      failure: { count: 7, coolDown: { duration: 2, timeUnit: 'MINUTES' } },
    }
    const policy = { id: await newDevicePolicy(stile, { email: { enabled: true, otp } }) }
    const token = await stile.workerToken()
    // Seven are looked at: with the last of them the account is locked, or with the third, and not with the sixth again.
    for (const failureCount of [7, 3]) {
      await lockoutOf({ failureCount, durationSeconds: 600 })
      const { person } = await personWithDevice(stile)
      const body = { user: { id: person.id }, policy }
      const { json } = await stile.send(`/${stile.environmentId}/deviceAuthentications`, { token, body })
      await Promise.all(Array.from({ length: 20 }, () => check(json.id, '12345x')))
      const { status, secondsUntilUnlock } = await account(person)
      assert.equal(status, 'LOCKED')
      assert.ok(secondsUntilUnlock > 590 && secondsUntilUnlock <= 600)
      const events = await rows(stile, 'events', `action = 'USER.LOCKED' AND subject_id = $2`, person.id)
      assert.equal(events.length, 1)
    }
  })
})

suite('the end of an MFA lock-out', () => {
  test('a lock with a duration ends by itself, and sessions and tokens with it count again', async () => {
    const world = testWorld()
    const stile = await startStile({ world })
    try {
      const { lockoutOf, account, start, check } = acting(stile)
      await lockoutOf({ failureCount: 1, durationSeconds: 300 })
      const user: Person = { ...stile.user }
      await enableMfa(stile, user)
      await stile.api('POST', `/users/${user.id}/devices`, { type: 'EMAIL', email: 'demo-device@example.com' })
      const token = await userToken(stile)
      const userinfo = async () => (await stile.send(`/${stile.environmentId}/as/userinfo`, { token })).status
      assert.equal(await userinfo(), 200)
      await check((await start(user)).json.id, '12345x')
      assert.equal((await account(user)).secondsUntilUnlock, 300)
      assert.equal(await userinfo(), 401)
      world.advance(299_999)
      await stile.node.kernel.environments.poll()
      assert.equal((await account(user)).status, 'LOCKED')
      world.advance(1)
      await stile.node.kernel.environments.poll()
      assert.deepEqual(await account(user), { canAuthenticate: true, status: 'OK' })
      assert.equal(await userinfo(), 200)

      // An administrator's lock stays, also where one by wrong tries came before.
      await check((await start(user)).json.id, '12345x')
      const path = `/users/${user.id}`
      const locked = await stile.api('POST', path, {}, vendor('account.lock'))
      assert.deepEqual([locked.json.account.status, locked.json.account.unlockAt], ['LOCKED', undefined])
      world.advance(400_000)
      await stile.node.kernel.environments.poll()
      assert.equal((await account(user)).status, 'LOCKED')
    } finally {
      await stile.close()
    }
  })
})
