/**
 * Stand-alone MFA by the app on a MOBILE device, over HTTP: authentication-api 6.2 to 6.4, docs/reference/mobile-devices.md; rows
 * L01, L02, L12, L35.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { testWorld, type TestWorld } from '../../src/world.ts'
import {
  addEmailDevice,
  addMobileApp,
  addressOf,
  codeSentTo,
  enableMfa,
  inboxOf,
  mobileApplicationOf,
  mobilePolicy,
  newApplication,
  newDevicePolicy,
  newPerson,
  type Person,
  rows,
} from '../flow-runtime/arrange.ts'
import type { MobileApp, ShownRequest } from '../harness/mobile-app.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { authenticationClient } from './device-authentication-client.ts'
import { onEachEngine } from './people.ts'

type Client = ReturnType<typeof authenticationClient>

async function personWithApp(stile: Stile, more: object = {}): Promise<{ person: Person; app: MobileApp }> {
  const person = await newPerson(stile)
  await enableMfa(stile, person)
  return { person, app: await addMobileApp(stile, person, more) }
}

/** An authentication that waits for an app. */
async function waiting(stile: Stile, mfa: Client, more: object = {}) {
  const { person, app } = await personWithApp(stile)
  const { status, json, text } = await mfa.start(person, more)
  assert.deepEqual([status, json.status], [201, 'PUSH_CONFIRMATION_REQUIRED'], text)
  const [request, ...others] = await app.requests()
  assert.ok(request)
  assert.equal(others.length, 0)
  return { person, app, request, id: json.id as string, number: json.numberMatching?.number as string, json }
}

suite('stand-alone MFA by an app', () => {
  let stile: Stile
  let world: TestWorld
  let mfa: Client
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    await mobileApplicationOf(stile)
    mfa = authenticationClient(stile)
  })
  after(() => stile.close())

  async function wait(milliseconds: number): Promise<void> {
    world.advance(milliseconds)
    await stile.node.kernel.environments.poll()
  }
  const statusOf = async (id: string) => (await mfa.read(id)).json.status
  const only = async (app: MobileApp): Promise<ShownRequest> => {
    const requests = await app.requests()
    assert.equal(requests.length, 1)
    return requests[0] as ShownRequest
  }
  const select = (id: string, deviceId: string) => mfa.act(id, 'device.select', { device: { id: deviceId } })
  const eventsOf = async (id: string) =>
    (await rows<{ action: string; result: string }>(stile, 'events', 'subject_id = $2', id))
      .map(({ action, result }) => `${action} ${result}`)
      .toSorted()

  test('begun, read until the app has approved the number that is shown; COMPLETED is the end', async () => {
    const application = await newApplication(stile, { name: `Lantern ${randomUUID()}` })
    const { person, app, request, id, number, json } = await waiting(stile, mfa, { application: { id: application } })
    assert.match(number, /^[0-9]{2}$/)
    assert.deepEqual(json.selectedDevice, { id: app.deviceId })
    assert.deepEqual(Object.keys(json._links), ['self', 'device.select', 'otp.check', 'cancel.push.authentication'])
    assert.deepEqual([request.flow.id, request.application.id, request.numberMatching], [id, application, true])
    const members = ['id', 'flow', 'application', 'numberMatching', 'remoteAddress', 'createdAt', 'expiresAt']
    assert.deepEqual(Object.keys(request), members, 'the number is where the user is asked')
    assert.deepEqual((await mfa.read(id)).json, json)

    const approved = await app.answer(request, 'APPROVE', number)
    assert.equal(approved.status, 204, approved.text)
    const done = (await mfa.read(id)).json
    assert.deepEqual([done.status, done.numberMatching, Object.keys(done._links)], ['COMPLETED', undefined, ['self']])
    assert.equal((await app.answer(request, 'DENY')).status, 404)
    assert.equal(await statusOf(id), 'COMPLETED')
    assert.deepEqual(await rows(stile, 'sessions', 'user_id = $2', person.id), [], 'it opens no session')
    assert.deepEqual(await eventsOf(id), [
      'DEVICE_AUTHENTICATION.COMPLETED SUCCESS',
      'DEVICE_AUTHENTICATION.CREATED SUCCESS',
      'PUSH.ANSWERED SUCCESS',
    ])
  })

  test('the app is told what the application tells it, also when it is asked again', async () => {
    const clientContext = { header: 'Approve?', order: { id: 42 } }
    const { app, request, id } = await waiting(stile, mfa, { clientContext })
    assert.deepEqual((request as { clientContext?: unknown }).clientContext, clientContext)
    await select(id, app.deviceId)
    assert.deepEqual(((await only(app)) as { clientContext?: unknown }).clientContext, clientContext)
  })

  test('denied: FAILED, and nothing is asked any more', async () => {
    const { app, request, id, number } = await waiting(stile, mfa)
    assert.equal((await app.answer(request, 'DENY')).status, 204)
    const { json } = await mfa.read(id)
    assert.deepEqual([json.status, json.error.code, json.numberMatching], ['FAILED', 'PUSH_DENIED', undefined])
    assert.equal((await app.answer(request, 'APPROVE', number)).status, 404)
    assert.equal((await select(id, app.deviceId)).status, 400)
  })

  test('L35: an answer without the number, or with another one, approves nothing', async () => {
    const { app, request, id, number } = await waiting(stile, mfa)
    assert.equal((await app.answer(request, 'APPROVE')).json.details[0].code, 'REQUIRED_VALUE')
    assert.equal(await statusOf(id), 'PUSH_CONFIRMATION_REQUIRED')
    const wrong = number === '42' ? '43' : '42'
    assert.equal((await app.answer(request, 'APPROVE', wrong)).json.details[0].code, 'INVALID_VALUE')
    assert.equal(await statusOf(id), 'PUSH_CONFIRMATION_TIMED_OUT')
    assert.equal((await app.answer(request, 'APPROVE', number)).status, 404, 'there is no second guess')
    assert.ok((await eventsOf(id)).includes('PUSH.ANSWERED FAILED'))
  })

  test('L35: an answer that comes too late approves nothing; the device may be asked again', async () => {
    const { app, request, id, number } = await waiting(stile, mfa)
    await wait(40_000)
    const { json } = await mfa.read(id)
    assert.deepEqual([json.status, json.numberMatching], ['PUSH_CONFIRMATION_TIMED_OUT', undefined])
    assert.equal((await app.answer(request, 'APPROVE', number)).status, 404)
    const again = await select(id, app.deviceId)
    assert.equal(again.json.status, 'PUSH_CONFIRMATION_REQUIRED', again.text)
    const second = await only(app)
    assert.notEqual(second.id, request.id)
    assert.equal((await app.answer(request, 'APPROVE', again.json.numberMatching.number)).status, 404)
    assert.equal((await app.answer(second, 'APPROVE', again.json.numberMatching.number)).status, 204)
    assert.equal(await statusOf(id), 'COMPLETED')
  })

  test('L35: nobody gets more requests than the policy says, here and in flows together', async () => {
    const { person, app } = await personWithApp(stile)
    for (const _ of [1, 2, 3]) assert.equal((await mfa.start(person)).json.status, 'PUSH_CONFIRMATION_REQUIRED')
    const limited = await mfa.start(person)
    assert.deepEqual([limited.status, limited.json.status], [201, 'PUSH_CONFIRMATION_TIMED_OUT'])
    assert.equal((await app.requests()).length, 3)
    await wait(1_800_001)
    const later = await mfa.start(person)
    assert.equal(later.json.status, 'PUSH_CONFIRMATION_REQUIRED')
    assert.equal((await app.answer(await only(app), 'APPROVE', later.json.numberMatching.number)).status, 204)
    for (const _ of [1, 2, 3]) assert.equal((await mfa.start(person)).json.status, 'PUSH_CONFIRMATION_REQUIRED')
  })

  test('another device is chosen instead: the request is taken back', async () => {
    const { person, app } = await personWithApp(stile)
    const email = await addEmailDevice(stile, person)
    const { json } = await mfa.start(person)
    const request = await only(app)
    const cancelled = await mfa.act(json.id, 'cancel.push.authentication', { reason: 'CHANGE_DEVICE' })
    assert.deepEqual([cancelled.json.status, await app.requests()], ['DEVICE_SELECTION_REQUIRED', []])
    const asked = await select(json.id, app.deviceId)
    assert.equal(asked.json.status, 'PUSH_CONFIRMATION_REQUIRED')
    assert.equal((await select(json.id, email)).json.status, 'OTP_REQUIRED')
    assert.deepEqual(await app.requests(), [])
    assert.equal((await app.answer(request, 'APPROVE', json.numberMatching.number)).status, 404)
    const otp = await codeSentTo(stile, addressOf(person))
    assert.equal((await mfa.act(json.id, 'otp.check', { otp })).json.status, 'COMPLETED')
  })

  test('a passcode of the app will do where the policy takes it, and is not asked for where not', async () => {
    const { app, id, request, number } = await waiting(stile, mfa)
    assert.equal((await mfa.act(id, 'otp.check', { otp: app.passcode() })).json.status, 'COMPLETED')
    assert.equal((await app.answer(request, 'APPROVE', number)).status, 404)
    const mobile = mobilePolicy({ id: await mobileApplicationOf(stile), otp: { enabled: false } })
    const policy = await newDevicePolicy(stile, { mobile })
    const without = await waiting(stile, mfa, { policy: { id: policy } })
    assert.deepEqual(Object.keys(without.json._links), ['self', 'device.select', 'cancel.push.authentication'])
    const typed = await mfa.act(without.id, 'otp.check', { otp: without.app.passcode() })
    assert.deepEqual([typed.status, typed.json.code], [400, 'INVALID_REQUEST'])
    await wait(40_000)
    const { json } = await mfa.read(without.id)
    assert.deepEqual(
      [json.status, Object.keys(json._links)],
      ['PUSH_CONFIRMATION_TIMED_OUT', ['self', 'device.select', 'cancel.push.authentication']],
    )
  })

  test('without numbers where the policy says so; the app is woken by a message that says nothing of the request', async () => {
    const mobile = mobilePolicy({
      id: await mobileApplicationOf(stile),
      push: { enabled: true, numberMatching: { enabled: false } },
    })
    const policy = await newDevicePolicy(stile, { mobile })
    const pushToken = `token-${randomUUID()}`
    const { person, app } = await personWithApp(stile, { pushToken })
    const { json } = await mfa.start(person, { policy: { id: policy } })
    assert.equal(json.numberMatching, undefined)
    const request = await only(app)
    assert.equal(request.numberMatching, false)
    const [message, ...others] = await inboxOf(stile, pushToken)
    assert.deepEqual([message?.delivery_method, others.length], ['Push', 0])
    for (const secret of [request.id, json.id]) assert.ok(!message?.body.includes(secret))
    assert.equal((await app.answer(request, 'APPROVE')).status, 204)
    assert.equal(await statusOf(json.id), 'COMPLETED')
  })

  test('L01, L02: a device of somebody else, blocked or removed meanwhile, or whose user is disabled, approves nothing', async () => {
    const one = await waiting(stile, mfa)
    const stranger = await personWithApp(stile)
    assert.equal((await stranger.app.answer(one.request, 'APPROVE', one.number)).status, 404)
    const foreign = await select(one.id, stranger.app.deviceId)
    assert.equal(foreign.status, 400, foreign.text)
    const at = (person: Person, app: MobileApp) => `/users/${person.id}/devices/${app.deviceId}`
    const blocked = await stile.api(
      'POST',
      at(one.person, one.app),
      {},
      {
        mediaType: 'application/vnd.pingidentity.device.block+json',
      },
    )
    assert.equal(blocked.status, 200, blocked.text)
    assert.equal((await one.app.answer(one.request, 'APPROVE', one.number)).status, 401)
    const two = await waiting(stile, mfa)
    assert.equal((await stile.api('DELETE', at(two.person, two.app))).status, 204)
    assert.equal((await two.app.answer(two.request, 'APPROVE', two.number)).status, 401)
    const three = await waiting(stile, mfa)
    await stile.api('PUT', `/users/${three.person.id}/enabled`, { enabled: false })
    await three.app.answer(three.request, 'APPROVE', three.number)
    const statuses = await Promise.all([one, two, three].map(({ id }) => statusOf(id)))
    assert.ok(!statuses.includes('COMPLETED'), statuses.join())
  })

  test('an authentication that has expired, or is gone, takes no answer', async () => {
    const { app, request, id, number, person } = await waiting(stile, mfa)
    assert.equal((await stile.api('DELETE', `/users/${person.id}`)).status, 204)
    assert.equal((await app.answer(request, 'APPROVE', number)).status, 401)
    assert.equal((await mfa.read(id)).status, 404)
    assert.deepEqual(await rows(stile, 'push_requests', 'flow_id = $2', id), [])
  })
})

await onEachEngine('stand-alone MFA by an app, at once', (stile) => {
  const made = Array.from({ length: 20 })

  test('L12: of answers that come at once, one is taken', async () => {
    const mfa = authenticationClient(stile())
    const { app, request, id, number } = await waiting(stile(), mfa)
    const answers = await Promise.all(
      made.map((_, at) => app.answer(request, at % 2 === 0 ? 'APPROVE' : 'DENY', number)),
    )
    assert.equal(answers.filter(({ status }) => status === 204).length, 1)
    assert.ok(answers.every(({ status }) => status === 204 || status === 404))
    const first = answers.findIndex(({ status }) => status === 204)
    assert.equal((await mfa.read(id)).json.status, first % 2 === 0 ? 'COMPLETED' : 'FAILED')
    const ended = await rows(stile(), 'events', "subject_id = $2 AND action <> 'DEVICE_AUTHENTICATION.CREATED'", id)
    assert.equal(ended.length, 2, 'one answer, one end')
  })

  test('L35: an answer and another choice at once: what was chosen last is what is approved', async () => {
    const mfa = authenticationClient(stile())
    for (const _ of made.slice(15)) {
      const { app, request, id, number } = await waiting(stile(), mfa)
      const [answer, cancelled] = await Promise.all([
        app.answer(request, 'APPROVE', number),
        mfa.act(id, 'cancel.push.authentication', { reason: 'CHANGE_DEVICE' }),
      ])
      const { json } = await mfa.read(id)
      if (answer.status === 204) assert.deepEqual([json.status, cancelled.status], ['COMPLETED', 400])
      else assert.deepEqual([json.status, answer.status], ['DEVICE_SELECTION_REQUIRED', 404])
      assert.deepEqual(await app.requests(), [])
    }
  })
})
