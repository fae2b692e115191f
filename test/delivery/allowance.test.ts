/** What policies allow: quotas, cooldown, countries; exact however many messages come at once. Row L14. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { takeAllowance } from '../../src/delivery/allowance.ts'
import { defaultNotificationsSettings, notificationsSettingsSchema } from '../../src/delivery/notifications-settings.ts'
import {
  allowsCountry,
  bootstrapNotificationsPolicy,
  notificationsPolicySchema,
} from '../../src/delivery/rules/notifications-policy.ts'
import type { DeliveryMethod } from '../../src/delivery/rules/templates.ts'
import { onEachEngine, type Ports } from '../jobs/on-each-engine.ts'
import { failed, sent, startSending } from './sending.ts'

const policy = (more: object) => notificationsPolicySchema.parse({ quotas: [], ...more })
const off = { enabled: false }
const cooldowns = (sms: object) => policy({ cooldownConfiguration: { email: off, sms, voice: off, whatsApp: off } })
const seconds = (duration: number) => ({ duration, timeUnit: 'SECONDS' })

onEachEngine('allowances', (open) => {
  function taker({ storage, world }: Ports, wanted: object, settings: object = {}) {
    const environmentId = randomUUID()
    return (userId: string, deliveryMethod: DeliveryMethod = 'SMS', to = `+49${userId}`) =>
      takeAllowance(
        storage,
        {
          environmentId,
          notification: { userId, to },
          deliveryMethod,
          policy: notificationsPolicySchema.parse(wanted),
          settings: { ...defaultNotificationsSettings, ...notificationsSettingsSchema.parse(settings) },
        },
        world.now(),
      )
  }

  test('of 50 messages at once, as many as the quota allows', async () => {
    const ports = await open()
    const take = taker(ports, policy({ quotas: [{ type: 'USER', deliveryMethods: ['SMS', 'Voice'], total: 7 }] }))
    const taken = await Promise.all(Array.from({ length: 50 }, (_, at) => take('ada', at % 2 ? 'SMS' : 'Voice')))
    assert.equal(taken.filter((refusal) => refusal === undefined).length, 7)
    assert.ok(taken.every((refusal) => refusal === undefined || refusal === 'quota-reached'))
    assert.equal(await take('ada', 'Email'), undefined, 'e-mail is not part of it')
    assert.equal(await take('bob'), undefined, 'another person has their own')
    ports.world.advance(86_400_001)
    assert.equal(await take('ada'), undefined, 'the next day')
  })

  test('a quota of the environment is for all persons together; claimed and unclaimed add up', async () => {
    const quotas = [{ type: 'ENVIRONMENT', deliveryMethods: ['SMS'], claimed: 1, unclaimed: 2 }]
    const take = taker(await open(), policy({ quotas }))
    assert.deepEqual([await take('a'), await take('b'), await take('c')], [undefined, undefined, undefined])
    assert.equal(await take('d'), 'quota-reached')
  })

  test('the settings bound SMS and calls of the environment, but not for whom they except', async () => {
    const exempt = randomUUID()
    const settings = { restrictions: { smsVoiceQuota: { daily: 1 } }, whitelist: [{ user: { id: exempt } }] }
    const take = taker(await open(), policy({}), settings)
    assert.equal(await take('a'), undefined)
    assert.equal(await take('b', 'Voice'), 'quota-reached')
    assert.equal(await take('b', 'Email'), undefined)
    assert.equal(await take(exempt), undefined)
    const none = taker(await open(), policy({}), { restrictions: { smsVoiceQuota: { daily: 0 } } })
    assert.equal(await none('a'), 'quota-reached')
  })

  test('a message that one bound refuses is not counted by another', async () => {
    const quotas = [
      { type: 'ENVIRONMENT', deliveryMethods: ['SMS'], total: 2 },
      { type: 'USER', deliveryMethods: ['SMS'], total: 1 },
    ]
    const take = taker(await open(), policy({ quotas }))
    assert.equal(await take('a'), undefined)
    for (let each = 0; each < 5; each += 1) assert.equal(await take('a'), 'quota-reached')
    assert.equal(await take('b'), undefined, 'the refused ones took nothing from the environment')
  })

  test('L14: one message after another has to wait, longer each time, and not too many come', async () => {
    const ports = await open()
    const take = taker(ports, cooldowns({ enabled: true, periods: [seconds(10), seconds(60)], resendLimit: 2 }))
    const after = async (wait: number) => {
      ports.world.advance(wait * 1000)
      return take('ada')
    }
    assert.equal(await take('ada'), undefined)
    assert.equal(await after(9), 'cooldown')
    assert.equal(await after(2), undefined)
    assert.equal(await after(59), 'cooldown')
    assert.equal(await after(2), undefined)
    assert.equal(await after(600), 'cooldown', 'two resends in half an hour')
    assert.equal(await take('ada', 'SMS', '+4900'), undefined, 'another number counts apart')
    assert.equal(await take('ada', 'Email'), undefined)
    assert.equal(await after(1_800), undefined)
  })

  test('a cooldown by user counts all numbers of a person; of 50 at once, one', async () => {
    const take = taker(await open(), cooldowns({ enabled: true, periods: [seconds(10)], groupBy: 'USER_ID' }))
    const taken = await Promise.all(Array.from({ length: 50 }, (_, at) => take('ada', 'SMS', `+49${at}`)))
    assert.equal(taken.filter((refusal) => refusal === undefined).length, 1)
  })
})

suite('countries', () => {
  const limit = (type: string, countries: readonly string[], deliveryMethods?: readonly string[]) =>
    policy({ countryLimit: { type, countries, ...(deliveryMethods ? { deliveryMethods } : {}) } })

  test('by table: an unknown one is allowed only where none is asked about', () => {
    const rowsOfCountries: readonly (readonly [
      ReturnType<typeof limit>,
      DeliveryMethod,
      string | undefined,
      boolean,
    ])[] = [
      [limit('NONE', []), 'SMS', undefined, true],
      [limit('ALLOWED', ['DE']), 'SMS', 'DE', true],
      [limit('ALLOWED', ['DE']), 'SMS', 'AT', false],
      [limit('ALLOWED', ['DE']), 'SMS', undefined, false],
      [limit('ALLOWED', []), 'SMS', 'DE', false],
      [limit('DENIED', ['DE']), 'SMS', 'DE', false],
      [limit('DENIED', ['DE']), 'Voice', 'AT', true],
      [limit('DENIED', ['DE']), 'SMS', undefined, false],
      [limit('DENIED', ['DE'], ['Voice']), 'SMS', 'DE', true],
      [limit('DENIED', ['DE'], ['Voice']), 'Voice', 'DE', false],
      [limit('ALLOWED', ['DE']), 'Email', undefined, true],
      [limit('ALLOWED', ['DE']), 'Push', undefined, true],
    ]
    for (const [wanted, method, country, expected] of rowsOfCountries) {
      assert.equal(
        allowsCountry(wanted, method, country),
        expected,
        JSON.stringify([wanted.countryLimit, method, country]),
      )
    }
  })

  test('L14: a number of a country that is not allowed gets nothing; the policy that is named holds, or the default', async (context) => {
    const sending = await startSending()
    context.after(() => sending.close())
    const { api } = sending.stile
    const countryLimit = { type: 'ALLOWED', countries: ['DE'] }
    const created = await api('POST', '/notificationsPolicies', { name: 'Home', quotas: [], countryLimit })
    assert.equal(created.status, 200, created.text)
    const by = (to: string, notificationsPolicyId = created.json.id as string) =>
      sending.promise({ deliveryMethod: 'SMS', to, notificationsPolicyId })
    const refusal = failed('country-not-allowed')
    assert.deepEqual(await sending.ending(await by('+436641234567')), refusal, 'Austria')
    assert.deepEqual(await sending.ending(await by('+881612345678')), refusal, 'a satellite, of no country')
    assert.deepEqual(await sending.ending(await by('not a number')), refusal)
    const allowed = [await by('+4915123456789'), await by('+436641234567', randomUUID())]
    await sending.emptied()
    const kept = await sending.stile.node.kernel.storage.read({
      text: 'SELECT id FROM inbox WHERE environment_id = $1',
      values: [sending.stile.environmentId],
    })
    assert.equal(kept.length, allowed.length)
    assert.notDeepEqual(refusal, sent)
  })

  test('every environment begins with a policy that bounds what SMS and calls may cost', () => {
    assert.deepEqual(bootstrapNotificationsPolicy.quotas, [
      { type: 'USER', deliveryMethods: ['SMS', 'Voice'], total: 30 },
    ])
  })
})
