/** SMS and calls by an account at Syniverse, against a gateway of its shape. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import { type ProviderServer, startProviderServer } from '../harness/provider-server.ts'
import { code, failed, type Sending, sent, startSending, until } from './sending.ts'

const path = '/notificationsSettings/phoneDeliverySettings'
const sms = { deliveryMethod: 'SMS', to: '+4915123456789' } as const
const call = { template: 'strong_authentication', deliveryMethod: 'Voice', to: '+4915123456789' } as const
const api = '/scg-external-api/api/v1/messaging'

suite('SMS and calls by Syniverse', () => {
  let sending: Sending
  let gateway: ProviderServer
  let senderIds: readonly object[]
  before(async () => {
    gateway = await startProviderServer()
    sending = await startSending({ STILE_SYNIVERSE_URL: gateway.url })
    const settings = {
      provider: 'CUSTOM_SYNIVERSE',
      authToken: 'hidden-token',
      numbers: [{ number: '+15551230002', type: 'PHONE_NUMBER', selected: true, capabilities: ['SMS', 'VOICE'] }],
    }
    const { status, text } = await sending.stile.api('POST', path, settings)
    assert.equal(status, 201, text)
  })
  beforeEach(() => {
    senderIds = [
      { id: 'other', address: '+15551230001', capabilities: ['SMS', 'VOICE'] },
      { id: 'callsOnly', address: '15551230002', capabilities: ['VOICE'] },
      { id: 'textsOnly', address: '15551230002', capabilities: ['SMS', 'MMS'] },
    ]
    gateway.status = 200
    gateway.answer = ({ target }) => {
      const { pathname, searchParams } = new URL(target, gateway.url)
      if (pathname !== `${api}/sender_ids`) return undefined
      const offset = Number(searchParams.get('offset'))
      return { status: 200, body: { list: senderIds.slice(offset, offset + Number(searchParams.get('limit'))) } }
    }
  })
  after(async () => {
    await sending.close()
    await gateway.close()
  })

  test('a message goes out in the name of the sender id that has the number and can do it', async () => {
    assert.deepEqual(await sending.ending(await sending.promise(sms)), sent)
    const request = gateway.received.at(-1)
    assert.equal(request?.target, `${api}/message_requests`)
    assert.equal(request?.headers.authorization, 'Bearer hidden-token')
    const { from, to, body, external_id } = JSON.parse(request?.body ?? '')
    assert.deepEqual([from, to], ['sender_id:textsOnly', [sms.to]])
    assert.match(body, new RegExp(code))
    assert.match(external_id, /^[0-9a-f-]{36}$/)

    assert.deepEqual(await sending.ending(await sending.promise(call)), sent)
    const spoken = JSON.parse(gateway.received.at(-1)?.body ?? '')
    assert.deepEqual([spoken.from, spoken.to], ['sender_id:callsOnly', [`voice:${sms.to}`]])
    assert.match(spoken.body, /C, A, N, A, R, Y, 7, Q/)
    const asked = gateway.received.length
    assert.deepEqual(await sending.ending(await sending.promise({ ...call, extension: '1' })), failed('no-provider'))
    assert.equal(gateway.received.length, asked, 'an extension cannot be dialled')
  })

  test('a sender id is found behind many others; without one there is no sender', async () => {
    const many = Array.from({ length: 150 }, (_, at) => ({
      id: `id${at}`,
      address: `+1444${at}`,
      capabilities: ['SMS'],
    }))
    senderIds = [...many, ...senderIds]
    assert.deepEqual(await sending.ending(await sending.promise(sms)), sent)
    assert.equal(JSON.parse(gateway.received.at(-1)?.body ?? '').from, 'sender_id:textsOnly')
    senderIds = many
    assert.deepEqual(await sending.ending(await sending.promise(sms)), failed('no-sender'))
  })

  test('W05: a name that a user chose is no template of the gateway', async () => {
    const content = { deliveryMethod: 'SMS', locale: 'en', content: '${user.name}: ${code}' }
    const created = await sending.stile.api('POST', '/templates/strong_authentication/contents', content)
    assert.equal(created.status, 201, created.text)
    for (const name of [
      '#set($x="y")',
      '#parse("Other")',
      '${x}',
      '$!x',
      '$x.class',
      '#[[x]]#',
      '##',
      '#*x*#',
      '#{set}(1)',
    ]) {
      const variables = { code, 'user.name': name }
      assert.deepEqual(
        await sending.ending(await sending.promise({ ...sms, template: 'strong_authentication', variables })),
        sent,
      )
      const { body } = JSON.parse(gateway.received.at(-1)?.body ?? '')
      assert.doesNotMatch(body, /[#$][A-Za-z_{!#*[]/, name)
    }
  })

  test('a gateway that refuses ends it; one that fails, or answers without a list, makes it wait', async () => {
    gateway.status = 403
    assert.deepEqual(await sending.ending(await sending.promise(sms)), failed('refused'))
    await sending.emptied()
    gateway.status = 500
    const tried = gateway.received.length
    const waiting = await sending.promise(sms)
    await until('it is tried', () => gateway.received.length === tried + 2)
    gateway.status = 200
    const answer = gateway.answer
    gateway.answer = () => ({ status: 200, body: {} })
    await until('it is tried without a list', async () => {
      await sending.later(31_000)
      return gateway.received.length > tried + 2
    })
    gateway.answer = answer
    await until('it goes', async () => {
      await sending.later(31_000)
      return gateway.received.at(-1)?.target === `${api}/message_requests`
    })
    assert.deepEqual(await sending.ending(waiting), sent)
  })
})
