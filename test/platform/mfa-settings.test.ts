/** The MFA settings of an environment: platform-api 3.14.2. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { newPerson } from '../flow-runtime/arrange.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { sentMembers } from './members.ts'

suite('MFA settings', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const initial = {
    pairing: { maxAllowedDevices: 5, pairingKeyFormat: 'NUMERIC' },
    phoneExtensions: { enabled: false },
    users: { mfaEnabled: false },
  }
  const read = async () => sentMembers((await stile.api('GET', '/mfaSettings')).json)

  test('are read, replaced and put back', async () => {
    assert.deepEqual(await read(), initial)
    const lockout = { failureCount: 5, durationSeconds: 60 }
    const wanted = { ...initial, lockout, pairing: { maxAllowedDevices: 2, pairingKeyFormat: 'ALPHANUMERIC' } }
    const replaced = await stile.api('PUT', '/mfaSettings', wanted)
    assert.equal(replaced.status, 200, replaced.text)
    assert.deepEqual(sentMembers(replaced.json), wanted)
    assert.deepEqual(await read(), wanted)
    assert.equal((await stile.api('PUT', '/settings', {})).status, 200)
    const { json } = await stile.api('GET', '')
    await stile.api('PUT', '', { name: json.name, type: json.type, region: json.region, license: json.license })
    assert.deepEqual(await read(), wanted, 'other writes to the environment leave them alone')
    assert.equal((await stile.api('DELETE', '/mfaSettings')).status, 200)
    assert.deepEqual(await read(), initial)
  })

  test('the limit of devices and what new users have are kept', async () => {
    await stile.api('PUT', '/mfaSettings', { pairing: { maxAllowedDevices: 1 }, users: { mfaEnabled: true } })
    const person = await newPerson(stile)
    assert.equal((await stile.api('GET', `/users/${person.id}/mfaEnabled`)).json.mfaEnabled, true)
    const off = await stile.api('POST', '/users', {
      username: randomUUID(),
      email: 'a@example.com',
      population: { id: stile.populationId },
      mfaEnabled: false,
    })
    assert.equal(off.json.mfaEnabled, false)
    assert.equal((await stile.api('POST', `/users/${person.id}/devices`, { type: 'TOTP' })).status, 201)
    const second = await stile.api('POST', `/users/${person.id}/devices`, { type: 'TOTP' })
    assert.deepEqual(second.json.details[0].innerError, { maximumAllowed: 1 })
    await stile.api('DELETE', '/mfaSettings')
  })

  test('what cannot be kept is refused, and nothing is written', async () => {
    for (const [body, target] of [
      [{ lockout: { failureCount: 0 } }, 'lockout.failureCount'],
      [{ lockout: { failureCount: 5, durationSeconds: 0 } }, 'lockout.durationSeconds'],
      [{ authentication: { deviceSelection: 'PROMPT_TO_SELECT' } }, 'authentication.deviceSelection'],
      [{ pairing: { maxAllowedDevices: 16 } }, 'pairing.maxAllowedDevices'],
      [{ pairing: { pairingKeyFormat: 'EMOJI' } }, 'pairing.pairingKeyFormat'],
    ] as const) {
      const { status, json } = await stile.api('PUT', '/mfaSettings', body)
      assert.deepEqual([status, json.details[0].target], [400, target])
    }
    assert.deepEqual(await read(), initial)
  })
})
