/** Recovery codes, an extension: made once, kept on paper, each good once. Row L21. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { Browser } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import {
  addEmailDevice,
  addressOf,
  assign,
  begin,
  bodyOf,
  enableMfa,
  inboxOf,
  newApplication,
  newDevicePolicy,
  newPerson,
  newPolicy,
  type Person,
  rows,
  stateOf,
} from './arrange.ts'

suite('L21: recovery codes', () => {
  let stile: Stile
  let client: string
  before(async () => {
    stile = await startStile()
    client = await newApplication(stile)
    const lenient = await newDevicePolicy(stile, {
      recoveryCodes: { enabled: true, failure: { count: 7, coolDown: { duration: 2, timeUnit: 'MINUTES' } } },
    })
    const action = { type: 'MULTI_FACTOR_AUTHENTICATION', deviceAuthenticationPolicy: { id: lenient } }
    await assign(stile, client, await newPolicy(stile, { type: 'LOGIN' }, action))
  })
  after(() => stile.close())

  async function newCodes({ id }: Person): Promise<{ readonly id: string; readonly codes: readonly string[] }> {
    const created = await stile.api('POST', `/users/${id}/devices`, { type: 'RECOVERY_CODE' })
    assert.equal(created.status, 201, created.text)
    return { id: created.json.id, codes: created.json.recoveryCodes }
  }

  async function personWithCodes() {
    const person = await newPerson(stile)
    await enableMfa(stile, person)
    return { person, ...(await newCodes(person)) }
  }

  async function pass(person: Person) {
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', { client_id: client })
    const answer = await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    assert.equal(answer.json.status, 'OTP_REQUIRED', answer.text)
    return { browser, flowId, answer }
  }

  test('ten are told once, and stored as hashes', async () => {
    const { person, id, codes } = await personWithCodes()
    assert.equal(new Set(codes).size, 10)
    for (const code of codes) assert.match(code, /^[2-9B-Z]{5}-[2-9B-Z]{5}$/)
    const device = await stile.api('GET', `/users/${person.id}/devices/${id}`)
    assert.deepEqual(
      [device.json.status, device.json.type, device.json.recoveryCodes],
      ['ACTIVE', 'RECOVERY_CODE', undefined],
    )
    const stored = JSON.stringify(await rows(stile, 'recovery_codes', 'user_id = $2', person.id))
    for (const code of codes) assert.ok(!stored.includes(code) && !stored.includes(code.replace('-', '')))
  })

  test('each completes a flow once, however it is typed', async () => {
    const { person, codes } = await personWithCodes()
    const [code = '', other = ''] = codes
    const first = await pass(person)
    const done = await first.browser.act(first.flowId, 'otp.check', {
      otp: ` ${code.toLowerCase().replace('-', ' ')} `,
    })
    assert.equal(done.json.status, 'COMPLETED', done.text)
    assert.deepEqual((await stateOf(stile, first.flowId)).outcome?.amr, ['pwd', 'otp', 'mfa'])
    const second = await pass(person)
    const again = await second.browser.act(second.flowId, 'otp.check', { otp: code })
    assert.deepEqual([again.status, again.json.details[0].code], [400, 'INVALID_OTP'])
    assert.equal((await second.browser.act(second.flowId, 'otp.check', { otp: other })).json.status, 'COMPLETED')
  })

  test('whoever it belongs to is told that one was used, once, and not of a wrong one', async () => {
    const { person, codes } = await personWithCodes()
    const notices = async () =>
      (await inboxOf(stile, addressOf(person))).filter(({ template }) => template === 'recovery_code_used').length
    const { browser, flowId } = await pass(person)
    await browser.act(flowId, 'otp.check', { otp: 'BBBBB-BBBBB' })
    assert.equal(await notices(), 0)
    assert.equal((await browser.act(flowId, 'otp.check', { otp: codes[0] })).json.status, 'COMPLETED')
    assert.equal(await notices(), 1)
  })

  test('one that many use at once is good for one of them', async () => {
    const { person, codes } = await personWithCodes()
    const flows = []
    for (let at = 0; at < 6; at++) flows.push(await pass(person))
    const answers = await Promise.all(
      flows.map(({ browser, flowId }) => browser.act(flowId, 'otp.check', { otp: codes[0] })),
    )
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 400, 400, 400, 400, 400])
  })

  test('guesses are held up', async () => {
    const { person, codes } = await personWithCodes()
    const { browser, flowId } = await pass(person)
    for (let guess = 0; guess < 7; guess++) await browser.act(flowId, 'otp.check', { otp: 'BBBBB-BBBBB' })
    const held = await browser.act(flowId, 'otp.check', { otp: codes[0] })
    assert.equal(held.json.details[0].code, 'LIMIT_EXCEEDED')
  })

  test('a new set is the only one; the old codes and those of a removed set are dead', async () => {
    const { person, id, codes } = await personWithCodes()
    const fresh = await newCodes(person)
    const listed = (await stile.api('GET', `/users/${person.id}/devices`)).json._embedded.devices
    assert.deepEqual([listed.length, listed[0].id], [1, fresh.id])
    assert.notEqual(fresh.id, id)
    const { browser, flowId } = await pass(person)
    assert.equal((await browser.act(flowId, 'otp.check', { otp: codes[0] })).status, 400)
    await stile.api('DELETE', `/users/${person.id}/devices/${fresh.id}`)
    assert.equal((await browser.act(flowId, 'otp.check', { otp: fresh.codes[0] })).status, 400)
    assert.deepEqual(await rows(stile, 'recovery_codes', 'user_id = $2', person.id), [])
  })

  test('is no password, nor the code of somebody else', async () => {
    const { person, codes } = await personWithCodes()
    const other = await personWithCodes()
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', { client_id: client })
    const login = { username: person.username, password: codes[0] }
    assert.equal((await browser.act(flowId, 'usernamePassword.check', login)).status, 400)
    const passed = await pass(person)
    assert.equal((await passed.browser.act(passed.flowId, 'otp.check', { otp: other.codes[0] })).status, 400)
  })

  test('they are the last resort: another device is asked for first, though it was added later', async () => {
    const { person, id } = await personWithCodes()
    const email = await addEmailDevice(stile, person)
    const { browser, flowId, answer } = await pass(person)
    assert.equal(answer.json.selectedDevice.id, email)
    const chosen = await browser.act(flowId, 'device.select', { device: { id } })
    assert.deepEqual([chosen.json.status, chosen.json.selectedDevice.id], ['OTP_REQUIRED', id])
  })
})
