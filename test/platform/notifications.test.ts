/** Policies, settings and providers of notifications (platform-api 3.18). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { echoOf } from './echo.ts'
import { onEachEngine } from './people.ts'

const off = { enabled: false }
/** As Terraform sends it. */
const strict = {
  default: false,
  quotas: [
    { type: 'USER', deliveryMethods: ['SMS', 'Voice'], claimed: 10, unclaimed: 5 },
    { type: 'ENVIRONMENT', deliveryMethods: ['Email'], total: 1000 },
  ],
  countryLimit: { type: 'ALLOWED', deliveryMethods: ['SMS', 'Voice'], countries: ['DE', 'AT'] },
  cooldownConfiguration: {
    email: {
      enabled: true,
      periods: [
        { duration: 30, timeUnit: 'SECONDS' },
        { duration: 2, timeUnit: 'MINUTES' },
      ],
      groupBy: 'USER_ID',
      resendLimit: 3,
    },
    sms: off,
    voice: off,
    whatsApp: off,
  },
  providerConfiguration: {
    conditions: [{ deliveryMethods: ['SMS'], countries: ['DE'], fallbackChain: [{ id: 'PINGONE_TWILIO' }] }],
  },
}
const uniqueName = () => `Policy ${randomUUID()}`

await onEachEngine('notifications policies', (stile) => {
  const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
  const path = '/notificationsPolicies'
  const all = async () => (await api('GET', path)).json._embedded.notificationsPolicies

  test('there is a default one from the beginning', async () => {
    const [policy, ...others] = await all()
    assert.deepEqual([policy.name, policy.default, others], ['Default Notification Policy', true, []])
    assert.equal(policy.environment.id, stile().environmentId)
  })

  test('come back as they were sent', async () => {
    const sentPolicy = { name: uniqueName(), ...strict }
    const { status, json, headers } = await api('POST', path, sentPolicy)
    assert.equal(status, 200)
    assert.deepEqual(echoOf(json), sentPolicy)
    assert.equal(headers.get('location'), json._links.self.href)
    assert.deepEqual((await api('GET', `${path}/${json.id}`)).json, json)
    const small = await api('POST', path, { name: uniqueName(), quotas: [] })
    assert.deepEqual(small.json.countryLimit, { type: 'NONE', countries: [] })
    assert.equal((await api('DELETE', `${path}/${json.id}`)).status, 204)
    assert.equal((await api('GET', `${path}/${json.id}`)).status, 404)
  })

  test('exactly one is the default, whoever asks at the same time', async () => {
    const created = await Promise.all(
      Array.from({ length: 10 }, () => api('POST', path, { name: uniqueName(), quotas: [], default: true })),
    )
    assert.ok(created.every(({ status }) => status === 200))
    const defaults = (await all()).filter((policy: { default: boolean }) => policy.default)
    assert.equal(defaults.length, 1)
    const [{ id, name }] = defaults
    const dropped = await api('PUT', `${path}/${id}`, { name, quotas: [], default: false })
    assert.deepEqual([dropped.status, dropped.json.details[0].target], [400, 'default'])
    const removed = await api('DELETE', `${path}/${id}`)
    assert.deepEqual([removed.status, removed.json.details[0].code], [400, 'CONSTRAINT_VIOLATION'])
    assert.equal((await api('PUT', `${path}/${id}`, { name, quotas: [] })).json.default, true)
  })

  test('what makes no sense is refused, and nothing is changed', async () => {
    const before = await all()
    const [{ name }] = before
    const bad: readonly (readonly [object, string])[] = [
      [{ quotas: undefined }, 'quotas'],
      [{ name }, 'name'],
      [{ quotas: [{ type: 'USER', deliveryMethods: ['SMS'] }] }, 'quotas.0'],
      [{ quotas: [{ type: 'USER', deliveryMethods: ['SMS'], claimed: 1 }] }, 'quotas.0'],
      [{ quotas: [{ type: 'USER', deliveryMethods: ['SMS'], total: 1, claimed: 1, unclaimed: 1 }] }, 'quotas.0'],
      [{ quotas: [{ type: 'USER', deliveryMethods: ['WhatsApp'], total: 1 }] }, 'quotas.0.deliveryMethods.0'],
      [{ countryLimit: { type: 'SOME', countries: [] } }, 'countryLimit.type'],
      [{ countryLimit: { type: 'ALLOWED', countries: ['Germany'] } }, 'countryLimit.countries.0'],
      [
        { cooldownConfiguration: { ...strict.cooldownConfiguration, sms: { enabled: true } } },
        'cooldownConfiguration.sms',
      ],
      [
        {
          cooldownConfiguration: {
            ...strict.cooldownConfiguration,
            sms: { enabled: true, periods: [{ duration: 9, timeUnit: 'SECONDS' }] },
          },
        },
        'cooldownConfiguration.sms.periods.0',
      ],
    ]
    for (const [more, target] of bad) {
      const { status, json, text } = await api('POST', path, { name: uniqueName(), quotas: [], ...more })
      assert.deepEqual([status, json.details?.[0].target], [400, target], text)
    }
    assert.deepEqual(await all(), before)
  })
})

await onEachEngine('notifications settings', (stile) => {
  const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
  const path = '/notificationsSettings'
  const email = `${path}/emailDeliverySettings`
  const phone = `${path}/phoneDeliverySettings`
  const stored = async () => {
    const { storage } = stile().node.kernel
    const tables = ['notifications_settings', 'phone_delivery_settings', 'events']
    return JSON.stringify(
      await Promise.all(tables.map((table) => storage.read({ text: `SELECT * FROM ${table}`, values: [] }))),
    )
  }
  const account = { provider: 'CUSTOM_TWILIO', sid: 'AC1', authToken: 'hidden-phone', numbers: [] }

  test('are always there, and the defaults come back', async () => {
    const before = await api('GET', path)
    assert.deepEqual([before.status, before.json.deliveryMode], [200, 'ALL'])
    assert.equal(before.json.environment.id, stile().environmentId)
    const settings = { deliveryMode: 'ALL', restrictions: { smsVoiceQuota: { daily: 50 } }, from: { name: 'Acme' } }
    const after = await api('PUT', path, settings)
    assert.equal(after.status, 200, after.text)
    assert.deepEqual(echoOf(after.json), settings)
    assert.deepEqual((await api('GET', path)).json, after.json)
    const unknown = await api('PUT', path, { smsProvidersFallbackChain: [randomUUID()] })
    assert.deepEqual([unknown.status, unknown.json.details[0].target], [400, 'smsProvidersFallbackChain.0'])
    assert.equal((await api('DELETE', path)).status, 204)
    assert.deepEqual((await api('GET', path)).json, before.json)
  })

  test('an SMTP server: its password is sealed and never answered, and belongs to one account at one place', async () => {
    assert.equal((await api('GET', email)).status, 404)
    const settings = {
      protocol: 'SMTP',
      host: 'mail.example',
      port: 587,
      username: 'me',
      from: { name: 'Acme', address: 'no-reply@acme.example' },
    }
    const set = await api('PUT', email, { ...settings, password: 'hidden-mail' })
    assert.equal(set.status, 200, set.text)
    assert.deepEqual(echoOf(set.json), settings)
    for (const text of [set.text, (await api('GET', email)).text, await stored()]) assert.ok(!text.includes('hidden'))

    assert.equal((await api('PUT', email, { ...settings, port: 465 })).status, 200, 'the password stays')
    for (const more of [{ host: 'evil.example' }, { username: 'other' }]) {
      const { status, json } = await api('PUT', email, { ...settings, ...more })
      assert.deepEqual([status, json.details[0].target], [400, 'password'], JSON.stringify(more))
    }
    const { protocol: _, ...unnamed } = settings
    assert.equal((await api('PUT', email, { ...unnamed, password: 'hidden' })).json.protocol, 'SMTP')
    assert.equal((await api('DELETE', email)).status, 204)
    assert.equal((await api('GET', email)).status, 404)
    assert.equal((await api('PUT', email, settings)).status, 400, 'nothing is left of it')
  })

  test('a provider over HTTP: the same', async () => {
    const url = 'https://post.example/send'
    const request = { deliveryMethod: 'EMAIL', method: 'POST', url, body: 'to=${to}&from=${from}&text=${message}' }
    const settings = {
      name: 'Post',
      authentication: { method: 'BASIC', username: 'me' },
      requests: [request],
      from: { address: 'no-reply@acme.example' },
    }
    const authentication = { ...settings.authentication, password: 'hidden-post' }
    const set = await api('PUT', email, { ...settings, authentication })
    assert.equal(set.status, 200, set.text)
    assert.deepEqual(echoOf(set.json), { ...settings, protocol: 'HTTP', provider: 'CUSTOM_PROVIDER' })
    assert.ok(!(await stored()).includes('hidden'))
    assert.equal((await api('PUT', email, settings)).status, 200)
    const elsewhere = { ...settings, requests: [{ ...request, url: 'https://evil.example/send' }] }
    const { status, json } = await api('PUT', email, elsewhere)
    assert.deepEqual([status, json.details[0].target], [400, 'authentication.password'])
    await api('DELETE', email)
  })

  test('providers of SMS and calls: the same', async () => {
    const created = await api('POST', phone, account)
    assert.equal(created.status, 201, created.text)
    const { authToken: _, ...shown } = account
    assert.deepEqual(echoOf(created.json), shown)
    const one = `${phone}/${created.json.id}`
    assert.deepEqual((await api('GET', one)).json, created.json)
    assert.deepEqual((await api('GET', phone)).json._embedded.phoneDeliverySettings, [created.json])
    const numbers = [{ number: '+15005550006', type: 'PHONE_NUMBER', selected: true, capabilities: ['SMS', 'VOICE'] }]
    const changed = await api('PUT', one, { ...shown, numbers })
    assert.deepEqual([changed.status, echoOf(changed.json)], [200, { ...shown, numbers }])
    const other = await api('PUT', one, { ...shown, sid: 'AC2' })
    assert.deepEqual([other.status, other.json.details[0].target], [400, 'authToken'])
    assert.equal((await api('POST', phone, shown)).status, 400)
    const { sid: __, ...syniverse } = { ...shown, provider: 'CUSTOM_SYNIVERSE' }
    const moved = await api('PUT', one, syniverse)
    assert.deepEqual([moved.status, moved.json.details[0].target], [400, 'authToken'], 'another provider')
    assert.equal((await api('PUT', one, { ...syniverse, authToken: 'hidden-other' })).status, 200)
    assert.deepEqual(echoOf((await api('PUT', one, { ...syniverse, numbers })).json), { ...syniverse, numbers })
    assert.equal((await api('PUT', one, shown)).status, 400)
    assert.ok(!(await stored()).includes('hidden'))
    assert.equal((await api('DELETE', one)).status, 204)
    assert.equal((await api('GET', one)).status, 404)
    assert.equal((await api('DELETE', one)).status, 404)
  })
})
