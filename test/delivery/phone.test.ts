/** SMS and calls: a Twilio-shaped API and a provider of one's own; refusing, failing, and one after another. Row L14. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { addMobileApp, newPerson, rows } from '../flow-runtime/arrange.ts'
import { type ProviderServer, startProviderServer } from '../harness/provider-server.ts'
import { code, failed, type Sending, sent, startSending, until } from './sending.ts'

const path = '/notificationsSettings/phoneDeliverySettings'
const sms = { deliveryMethod: 'SMS', to: '+4915123456789' } as const
const call = { template: 'strong_authentication', deliveryMethod: 'Voice', to: '+4915123456789' } as const

suite('SMS and calls', () => {
  let sending: Sending
  let twilio: ProviderServer
  before(async () => {
    twilio = await startProviderServer()
    sending = await startSending({
      STILE_TWILIO_URL: twilio.url,
      STILE_TWILIO_ACCOUNT_SID: 'AC1',
      STILE_TWILIO_AUTH_TOKEN: 'node-token',
      STILE_TWILIO_FROM: '+15005550006',
    })
  })
  after(async () => {
    await sending.close()
    await twilio.close()
  })

  async function add(context: { after(run: () => Promise<void>): void }, settings: object): Promise<string> {
    const answer = await sending.stile.api('POST', path, settings)
    assert.equal(answer.status, 201, answer.text)
    const id = answer.json.id as string
    context.after(async () => {
      await sending.stile.api('DELETE', `${path}/${id}`)
    })
    return id
  }
  const account = (more: object = {}) => ({
    provider: 'CUSTOM_TWILIO',
    sid: 'AC2',
    authToken: 'own-token',
    numbers: [{ number: '+4930123456', type: 'PHONE_NUMBER', selected: true, capabilities: ['SMS'] }],
    ...more,
  })

  test('go by the account of the server where the environment has none', async () => {
    assert.deepEqual(await sending.ending(await sending.promise(sms)), sent)
    const [request] = twilio.received
    assert.equal(request?.target, '/2010-04-01/Accounts/AC1/Messages.json')
    assert.equal(request?.headers.authorization, `Basic ${Buffer.from('AC1:node-token').toString('base64')}`)
    assert.match(String(request?.headers['idempotency-key']), /^[0-9a-f-]{36}$/)
    assert.deepEqual({ ...request?.form, Body: '' }, { To: sms.to, From: '+15005550006', Body: '' })
    assert.match(request?.form['Body'] ?? '', new RegExp(code))
  })

  test('a call spells the code, and a name is text in it', async () => {
    const content = {
      deliveryMethod: 'Voice',
      locale: 'en',
      voice: 'alice',
      content: '${user.name}: <sayCharValue>${code}</sayCharValue>',
    }
    const created = await sending.stile.api('POST', '/templates/strong_authentication/contents', content)
    assert.equal(created.status, 201, created.text)
    const variables = { code: 'A1', 'user.name': '</Say><Dial>+1900</Dial>' }
    assert.deepEqual(await sending.ending(await sending.promise({ ...call, variables })), sent)
    const request = twilio.received.at(-1)
    assert.equal(request?.target, '/2010-04-01/Accounts/AC1/Calls.json')
    const twiml = request?.form['Twiml'] ?? ''
    assert.deepEqual(twiml.match(/<\/?\w+/g), ['<Response', '<Say', '</Say', '<Say', '</Say', '</Response'])
    assert.match(twiml, /<Say language="en" voice="alice">A, 1<\/Say>/)
  })

  test('an extension is dialled once the call is taken', async () => {
    assert.deepEqual(await sending.ending(await sending.promise({ ...call, extension: '1,2992#' })), sent)
    assert.equal(twilio.received.at(-1)?.form['SendDigits'], 'W1W2992#')
    assert.deepEqual(await sending.ending(await sending.promise(call)), sent)
    assert.equal(twilio.received.at(-1)?.form['SendDigits'], undefined)
  })

  test('without the extension a call is not made: a code would be told to whoever takes it', async (context) => {
    const own = await startProviderServer()
    context.after(() => own.close())
    const request = {
      deliveryMethod: 'VOICE',
      method: 'POST',
      url: `${own.url}/call`,
      body: 'to=${to}&text=${message}',
    }
    const provider = { provider: 'CUSTOM_PROVIDER', name: 'Own', authentication: { method: 'BEARER', authToken: 'x' } }
    const id = await add(context, { ...provider, requests: [request] })
    const withExtension = { ...call, extension: '2992' }
    assert.deepEqual(await sending.ending(await sending.promise(withExtension)), failed('no-provider'))
    assert.equal(own.received.length, 0)
    assert.deepEqual(await sending.ending(await sending.promise(call)), sent)
    const dialling = { ...request, body: `${request.body}&extension=\${extension}` }
    await sending.stile.api('PUT', `${path}/${id}`, { ...provider, requests: [dialling] })
    assert.deepEqual(await sending.ending(await sending.promise(withExtension)), sent)
    assert.equal(own.received.at(-1)?.form['extension'], '2992')
  })

  test('go by the account of the environment, from a number that can do it', async (context) => {
    await add(context, account())
    assert.deepEqual(await sending.ending(await sending.promise(sms)), sent)
    assert.equal(twilio.received.at(-1)?.target, '/2010-04-01/Accounts/AC2/Messages.json')
    assert.equal(twilio.received.at(-1)?.form['From'], '+4930123456')
    assert.deepEqual(await sending.ending(await sending.promise(call)), failed('no-sender'), 'no number can call')
  })

  test('a refusal ends it, a failure or too many requests make it wait; every attempt has the same key', async () => {
    twilio.status = 400
    assert.deepEqual(await sending.ending(await sending.promise(sms)), failed('refused'))
    for (const status of [500, 429]) {
      await sending.emptied()
      twilio.status = status
      const before = twilio.received.length
      const userId = await sending.promise(sms)
      await until('it is tried', () => twilio.received.length > before)
      twilio.status = 201
      await until('it is tried again', async () => {
        await sending.later(31_000)
        return twilio.received.length > before + 1
      })
      assert.deepEqual(await sending.ending(userId), sent)
      const keys = twilio.received.slice(before).map(({ headers }) => headers['idempotency-key'])
      assert.equal(new Set(keys).size, 1)
    }
  })

  test('several are tried in the order of the settings, or in that of the policy for a country', async (context) => {
    const own = await startProviderServer()
    context.after(() => own.close())
    const custom = await add(context, {
      provider: 'CUSTOM_PROVIDER',
      name: 'Own',
      authentication: { method: 'BASIC', username: 'me', password: 'hidden' },
      requests: [
        {
          deliveryMethod: 'SMS',
          method: 'GET',
          url: `${own.url}/send?to=\${to}&text=\${message}`,
          phoneNumberFormat: 'NUMBER_ONLY',
        },
        {
          deliveryMethod: 'VOICE',
          method: 'POST',
          url: `${own.url}/call`,
          headers: { 'content-type': 'application/xml' },
          body: '<call to="${to}">${message}</call>',
        },
      ],
    })
    const settings = { smsProvidersFallbackChain: [custom, 'PINGONE_TWILIO'] }
    assert.equal((await sending.stile.api('PUT', '/notificationsSettings', settings)).status, 200)
    context.after(async () => {
      await sending.stile.api('DELETE', '/notificationsSettings')
    })

    const before = twilio.received.length
    assert.deepEqual(await sending.ending(await sending.promise(sms)), sent)
    const asked = new URL(own.received[0]?.target ?? '', own.url)
    assert.equal(asked.searchParams.get('to'), '4915123456789')
    assert.match(asked.searchParams.get('text') ?? '', new RegExp(code))
    assert.equal(own.received[0]?.headers.authorization, `Basic ${Buffer.from('me:hidden').toString('base64')}`)
    assert.equal(twilio.received.length, before)

    assert.deepEqual(await sending.ending(await sending.promise({ ...call, variables: { code: '<&' } })), sent)
    assert.match(own.received.at(-1)?.body ?? '', /^<call to="\+4915123456789">[^<>]*&lt;[^<>]*&amp;[^<>]*<\/call>$/)

    own.status = 500
    assert.deepEqual(await sending.ending(await sending.promise(sms)), sent, 'the next one takes it')
    assert.equal(twilio.received.length, before + 1)

    const policies = (await sending.stile.api('GET', '/notificationsPolicies')).json._embedded.notificationsPolicies
    const providerConfiguration = { conditions: [{ countries: ['DE'], fallbackChain: [{ id: 'PINGONE_TWILIO' }] }] }
    const { id, name, quotas } = policies[0]
    await sending.stile.api('PUT', `/notificationsPolicies/${id}`, { name, quotas, providerConfiguration })
    const askedBefore = own.received.length
    assert.deepEqual(await sending.ending(await sending.promise(sms)), sent)
    assert.equal(own.received.length, askedBefore, 'the policy names another for Germany')
    await sending.stile.api('PUT', `/notificationsPolicies/${id}`, { name, quotas })
  })

  test('a template without content is not sent, and says so', async () => {
    assert.deepEqual(
      await sending.ending(await sending.promise({ template: 'credential_issued' })),
      failed('no-content'),
    )
  })

  test('what a newer release may write waits for it, and not for ever', async () => {
    const newer = { ...sms, deliveryMethod: 'WhatsApp' as 'SMS' }
    const userId = await sending.promise(newer)
    await until('it waits', async () => (await rows(sending.stile, 'outbox', 'attempts = 1')).length > 0)
    await sending.later(1_800_001)
    assert.deepEqual(await sending.ending(userId), failed('too-late'))
  })
})

suite('SMS, calls and pushes of a development server without a provider', () => {
  test('are kept in the inbox', async (context) => {
    const sending = await startSending()
    context.after(() => sending.close())
    await sending.promise(sms)
    await sending.promise(call)
    const { id: userId } = await newPerson(sending.stile)
    const { deviceId } = await addMobileApp(sending.stile, { id: userId }, { pushToken: 'token' })
    await sending.promise({ template: 'strong_authentication', deliveryMethod: 'Push', to: 'token', deviceId, userId })
    await until('all are there', async () => (await rows(sending.stile, 'inbox')).length === 3)
    const kept = await rows<{ delivery_method: string; recipient: string; body: string }>(sending.stile, 'inbox')
    const byMethod = new Map(kept.map((row) => [row.delivery_method, row]))
    assert.match(byMethod.get('SMS')?.body ?? '', new RegExp(code))
    assert.match(byMethod.get('Voice')?.body ?? '', /C, A, N, A, R, Y, 7, Q/)
    assert.equal(byMethod.get('SMS')?.recipient, sms.to)
    assert.equal(byMethod.get('Push')?.recipient, 'token')
  })
})
