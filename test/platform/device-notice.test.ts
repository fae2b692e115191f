/** L36: users are told of MFA devices that are added and removed, where they can be reached already. platform-api 3.14.3. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { defaultDeviceAuthenticationPolicy } from '../../src/flow/factors/device-authentication-policy.ts'
import {
  addPasskey,
  addressOf,
  addTotpDevice,
  enableMfa,
  inboxOf,
  newPerson,
  type Person,
} from '../flow-runtime/arrange.ts'
import { type Stile, startStile } from '../harness/stile.ts'

suite('notices about devices', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  /** Sets what the default policy says. */
  async function say(newDeviceNotification: string): Promise<void> {
    const path = '/deviceAuthenticationPolicies'
    const { json } = await stile.api('GET', path)
    const standard = json._embedded.deviceAuthenticationPolicies.find((each: { default: boolean }) => each.default)
    const body = { ...defaultDeviceAuthenticationPolicy, name: standard.name, default: true, newDeviceNotification }
    const changed = await stile.api('PUT', `${path}/${standard.id}`, body)
    assert.equal(changed.status, 200, changed.text)
  }
  const add = async ({ id }: Person, body: object): Promise<string> => {
    const { status, json, text } = await stile.api('POST', `/users/${id}/devices`, body)
    assert.equal(status, 201, text)
    return json.id
  }
  const remove = async ({ id }: Person, device: string) =>
    assert.equal((await stile.api('DELETE', `/users/${id}/devices/${device}`)).status, 204)
  const told = async (address: string) => (await inboxOf(stile, address)).map(({ template }) => template)

  test('by e-mail or SMS, in the order of the policy, of whatever kind the device is', async () => {
    await say('EMAIL_THEN_SMS')
    const person = await newPerson(stile)
    await enableMfa(stile, person)
    const sms = await add(person, { type: 'SMS', phone: '+1.5125201234', nickname: 'Pocket' })
    const [message] = await inboxOf(stile, addressOf(person))
    assert.equal(message?.template, 'new_device_paired')
    assert.match(JSON.stringify(message), /Pocket/)
    await addTotpDevice(stile, person)
    await addPasskey(stile, person)
    await remove(person, sms)
    const expected = ['new_device_paired', 'new_device_paired', 'new_device_paired', 'device_removed']
    assert.deepEqual(await told(addressOf(person)), expected)

    await say('SMS_THEN_EMAIL')
    const number = `+1512${String(Date.now()).slice(-7)}`
    await add(person, { type: 'SMS', phone: number })
    assert.equal((await told(addressOf(person))).length, 5, 'the number is the new device: it is told elsewhere')
    await addTotpDevice(stile, person)
    assert.deepEqual(await told(number), ['new_device_paired'])
    assert.equal((await told(addressOf(person))).length, 5)
  })

  test('not the new device itself, not of one that waits to be activated, and not where nobody wants it', async () => {
    await say('EMAIL_THEN_SMS')
    const person = await newPerson(stile)
    await add(person, { type: 'EMAIL', email: addressOf(person).toUpperCase() })
    assert.deepEqual(await told(addressOf(person)), [])
    const pending = await add(person, { type: 'TOTP' })
    await remove(person, pending)
    assert.deepEqual(await told(addressOf(person)), [])
    await say('NONE')
    await addTotpDevice(stile, person)
    assert.deepEqual(await told(addressOf(person)), [])
  })

  test('no more than ten a day', async () => {
    await say('EMAIL_THEN_SMS')
    const person = await newPerson(stile)
    for (let round = 0; round < 7; round++)
      await remove(person, await add(person, { type: 'SMS', phone: '+15125201234' }))
    assert.equal((await told(addressOf(person))).length, 10)
    assert.equal((await stile.api('GET', `/users/${person.id}/devices`)).json.size, 0)
  })
})
