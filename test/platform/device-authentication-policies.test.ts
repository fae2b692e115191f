/** Device authentication policies through the management API: platform-api 3.14.3. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { defaultDeviceAuthenticationPolicy as standard } from '../../src/flow/factors/device-authentication-policy.ts'
import { newPerson, newPolicy } from '../flow-runtime/arrange.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { sentMembers } from './members.ts'

suite('device authentication policies', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const collection = '/deviceAuthenticationPolicies'
  const policy = (more: object = {}) => ({ ...standard, name: `Policy ${randomUUID()}`, default: false, ...more })
  const all = async (): Promise<{ id: string; name: string; default: boolean }[]> =>
    (await stile.api('GET', collection)).json._embedded.deviceAuthenticationPolicies

  test('are created, read, replaced, listed and deleted', async () => {
    const sent = policy({ authentication: { deviceSelection: 'ALWAYS_DISPLAY_DEVICES' } })
    const created = await stile.api('POST', collection, sent)
    assert.equal(created.status, 201, created.text)
    const { id, _embedded, forSignOnPolicy } = created.json
    assert.deepEqual([_embedded, forSignOnPolicy], [undefined, false])
    assert.deepEqual(sentMembers(created.json), { ...sent, forSignOnPolicy: false })
    const path = `${collection}/${id}`
    assert.deepEqual((await stile.api('GET', path)).json, created.json)
    const replaced = await stile.api('PUT', path, policy({ name: 'Renamed' }))
    assert.deepEqual([replaced.status, replaced.json.name], [200, 'Renamed'])
    assert.ok((await all()).some(({ name }) => name === 'Renamed'))
    assert.equal((await stile.api('DELETE', path)).status, 204)
    assert.equal((await stile.api('GET', path)).status, 404)
  })

  test('exactly one is the default, and it stays', async () => {
    const before = (await all()).find((each) => each.default)
    assert.ok(before)
    const { id } = (await stile.api('POST', collection, policy({ default: true }))).json
    assert.deepEqual(
      (await all()).filter((each) => each.default).map((each) => each.id),
      [id],
    )
    assert.equal((await stile.api('DELETE', `${collection}/${id}`)).status, 400)
    assert.equal((await stile.api('PUT', `${collection}/${id}`, policy())).json.details[0].target, 'default')
    await stile.api('PUT', `${collection}/${before.id}`, { ...standard, name: before.name, default: true })
    assert.deepEqual(
      (await all()).filter((each) => each.default).map((each) => each.id),
      [before.id],
    )
  })

  test('one that an action of a sign-on policy names is not deleted, and one that is not there cannot be named', async () => {
    const { id } = (await stile.api('POST', collection, policy())).json
    const action = { type: 'MULTI_FACTOR_AUTHENTICATION', deviceAuthenticationPolicy: { id } } as const
    const signOn = await newPolicy(stile, { type: 'LOGIN' }, action)
    assert.equal((await stile.api('DELETE', `${collection}/${id}`)).json.details[0].code, 'CONSTRAINT_VIOLATION')
    const unknown = { ...action, priority: 3, deviceAuthenticationPolicy: { id: randomUUID() } }
    const refused = await stile.api('POST', `/signOnPolicies/${signOn.id}/actions`, unknown)
    assert.deepEqual([refused.status, refused.json.details[0].target], [400, 'deviceAuthenticationPolicy.id'])
    assert.equal((await stile.api('DELETE', `/signOnPolicies/${signOn.id}`)).status, 204)
    assert.equal((await stile.api('DELETE', `${collection}/${id}`)).status, 204)
  })

  test('what cannot be kept is refused and named', async () => {
    const sms = { ...standard.sms, otp: { ...standard.sms.otp, otpLength: 5 } }
    const refused: readonly (readonly [object, string])[] = [
      [policy({ name: undefined }), 'name'],
      [policy({ sms: undefined }), 'sms'],
      [policy({ sms }), 'sms.otp.otpLength'],
      [policy({ whatsApp: { ...standard.sms, enabled: true } }), 'whatsApp.enabled'],
      [policy({ rememberMe: { web: { enabled: true } } }), 'rememberMe.web.lifeTime'],
      [policy({ authentication: { deviceSelection: 'ANY' } }), 'authentication.deviceSelection'],
    ]
    const before = await all()
    for (const [body, target] of refused) {
      const { status, json } = await stile.api('POST', collection, body)
      assert.deepEqual([status, json.details[0].target], [400, target])
    }
    const taken = await stile.api('POST', collection, policy({ name: 'Default MFA Policy' }))
    assert.equal(taken.json.details[0].code, 'UNIQUENESS_VIOLATION')
    assert.deepEqual(await all(), before)
  })

  test('what a policy does not let be paired cannot be given to a user', async () => {
    const person = await newPerson(stile)
    const totp = { ...standard.totp, pairingDisabled: true }
    const { id } = (await stile.api('POST', collection, policy({ totp }))).json
    const body = { type: 'TOTP', policy: { id } }
    assert.equal((await stile.api('POST', `/users/${person.id}/devices`, body)).json.details[0].target, 'type')
  })
})
