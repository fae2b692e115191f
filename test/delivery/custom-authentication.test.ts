/** How a provider of one's own knows the sender: access tokens by client credentials, and a header of its own. G01, W08. */
import assert from 'node:assert/strict'
import { after, afterEach, before, suite, test } from 'node:test'
import { rows } from '../flow-runtime/arrange.ts'
import { type ProviderServer, startProviderServer } from '../harness/provider-server.ts'
import { failed, type Sending, sent, startSending, until } from './sending.ts'

const phonePath = '/notificationsSettings/phoneDeliverySettings'
const emailPath = '/notificationsSettings/emailDeliverySettings'
const sms = { deliveryMethod: 'SMS', to: '+4915123456789' } as const

suite('how a provider of one’s own knows the sender', () => {
  let sending: Sending
  let provider: ProviderServer
  let issuer: ProviderServer
  let issued = 0
  let lifetime: unknown
  before(async () => {
    provider = await startProviderServer()
    issuer = await startProviderServer()
    sending = await startSending()
  })
  after(async () => {
    await sending.close()
    await provider.close()
    await issuer.close()
  })
  afterEach(async () => {
    const { json } = await sending.stile.api('GET', phonePath)
    for (const { id } of json._embedded.phoneDeliverySettings) await sending.stile.api('DELETE', `${phonePath}/${id}`)
  })

  const tokensAsked = () => issuer.received.length
  const authorizations = () => provider.received.map(({ headers }) => headers.authorization)
  const oauth = (more: object = {}) => ({
    method: 'OAUTH2',
    authUrl: `${issuer.url}/token`,
    clientId: 'me+1',
    clientSecret: 'hidden: one',
    scopes: ['sms', 'voice'],
    ...more,
  })
  const settings = (authentication: object, headers: object = {}) => ({
    provider: 'CUSTOM_PROVIDER',
    name: 'Own',
    authentication,
    requests: [
      { deliveryMethod: 'SMS', method: 'POST', url: `${provider.url}/send`, headers, body: 'to=${to}&text=${message}' },
    ],
  })
  async function add(authentication: object, headers: object = {}): Promise<string> {
    const { status, json, text } = await sending.stile.api('POST', phonePath, settings(authentication, headers))
    assert.equal(status, 201, text)
    assert.ok(!text.includes('hidden'))
    return `${phonePath}/${json.id}`
  }
  function issue() {
    issuer.answer = () => {
      issued += 1
      const body = { access_token: `token-${issued}`, token_type: 'bearer', expires_in: lifetime }
      return { status: 200, body }
    }
    issuer.status = 400
  }

  test('an access token is asked for once by messages that go at the same time, and kept until shortly before it expires', async () => {
    lifetime = 600
    issue()
    await add(oauth())
    const users = await Promise.all(Array.from({ length: 8 }, () => sending.promise(sms)))
    for (const userId of users) assert.deepEqual(await sending.ending(userId), sent)
    assert.equal(tokensAsked(), 1)
    assert.deepEqual(new Set(authorizations()), new Set(['Bearer token-1']))
    const [asked] = issuer.received
    assert.deepEqual(asked?.form, { grant_type: 'client_credentials', scope: 'sms voice' })
    assert.equal(asked?.headers.authorization, `Basic ${Buffer.from('me%2B1:hidden%3A+one').toString('base64')}`)

    await sending.emptied()
    await sending.later(569_000)
    assert.deepEqual(await sending.ending(await sending.promise(sms)), sent)
    assert.equal(tokensAsked(), 1)
    await sending.emptied()
    await sending.later(1_000)
    assert.deepEqual(await sending.ending(await sending.promise(sms)), sent)
    assert.equal(tokensAsked(), 2, 'half a minute before its end')
    assert.equal(authorizations().at(-1), 'Bearer token-2')
  })

  test('a token that the provider refuses is asked for anew, once', async () => {
    await add(oauth())
    const refused = authorizations().at(-1)
    provider.answer = ({ headers }) => (headers.authorization === refused ? { status: 401, body: {} } : undefined)
    const before = tokensAsked()
    assert.deepEqual(await sending.ending(await sending.promise(sms)), sent)
    assert.equal(tokensAsked(), before + 1)
    assert.deepEqual(await sending.ending(await sending.promise(sms)), sent)
    assert.equal(tokensAsked(), before + 1, 'the new one is kept')

    provider.answer = () => ({ status: 401, body: {} })
    const tried = provider.received.length
    assert.deepEqual(await sending.ending(await sending.promise(sms)), failed('refused'))
    assert.equal(provider.received.length, tried + 2)
    provider.answer = undefined
  })

  test('a message waits while there is no token, and another client gets a token of its own', async () => {
    const answers = [
      { status: 401, body: { error: 'invalid_client' } },
      { status: 200, body: { token_type: 'Bearer' } },
      { status: 200, body: { access_token: 'a\r\nx: y' } },
      { status: 200, body: { access_token: 'mac-token', token_type: 'mac' } },
    ]
    await sending.emptied()
    await add(oauth({ clientSecret: 'hidden: two', scopes: undefined }))
    const before = provider.received.length
    issuer.answer = () => answers.shift()
    issuer.status = 500
    const userId = await sending.promise(sms)
    for (let left = 4; left >= 0; left -= 1) {
      const asked = tokensAsked()
      await until('it is tried', async () => {
        await sending.later(31_000)
        return tokensAsked() > asked
      })
      if (answers.length === 0) break
    }
    assert.equal(provider.received.length, before, 'nothing went without a token')
    lifetime = undefined
    issue()
    await until('it goes', async () => {
      await sending.later(31_000)
      return provider.received.length > before
    })
    assert.deepEqual(await sending.ending(userId), sent)
    assert.equal(issuer.received.at(-1)?.form['scope'], undefined)
  })

  test('a header of its own takes the place of one that the request names', async () => {
    const header = { method: 'CUSTOM_HEADER', headerName: 'X-Api-Key', headerValue: 'hidden-key' }
    await add(header, { 'x-api-key': 'other' })
    assert.deepEqual(await sending.ending(await sending.promise(sms)), sent)
    const request = provider.received.at(-1)
    assert.equal(request?.headers['x-api-key'], 'hidden-key')
    assert.equal(request?.headers.authorization, undefined)
  })

  test('W08: a secret is sealed, is never answered, and stays for the same account in the same place alone', async () => {
    const kinds = [
      {
        authentication: oauth(),
        member: 'clientSecret',
        others: [{ authUrl: `${issuer.url}/other` }, { clientId: 'other' }, { scopes: ['all'] }],
      },
      {
        authentication: { method: 'CUSTOM_HEADER', headerName: 'X-Api-Key', headerValue: 'hidden-key' },
        member: 'headerValue',
        others: [{ headerName: 'X-Other' }],
      },
    ]
    for (const { authentication, member, others } of kinds) {
      const one = await add(authentication)
      const bare: Record<string, unknown> = { ...authentication }
      delete bare[member]
      const { json, text } = await sending.stile.api('GET', one)
      assert.deepEqual(json.authentication, bare)
      const stored = JSON.stringify(await rows(sending.stile, 'phone_delivery_settings'))
      for (const each of [text, stored]) assert.ok(!each.includes('hidden'), each)

      const missing = await sending.stile.api('POST', phonePath, settings(bare))
      assert.deepEqual([missing.status, missing.json.details[0].target], [400, `authentication.${member}`])
      assert.equal((await sending.stile.api('PUT', one, settings(bare))).status, 200)
      for (const more of others) {
        const answer = await sending.stile.api('PUT', one, settings({ ...bare, ...more }))
        assert.deepEqual([answer.status, answer.json.details[0].target], [400, `authentication.${member}`])
      }
      const [request] = settings(bare).requests
      const elsewhere = { ...settings(bare), requests: [{ ...request, url: 'https://evil.example/send' }] }
      assert.equal((await sending.stile.api('PUT', one, elsewhere)).status, 400)

      const email = {
        protocol: 'HTTP',
        name: 'Post',
        authentication,
        from: { address: 'own@example.com' },
        requests: [{ method: 'POST', url: `${provider.url}/mail`, body: 'to=${to}&text=${message}' }],
      }
      const set = await sending.stile.api('PUT', emailPath, email)
      assert.equal(set.status, 200, set.text)
      assert.ok(!set.text.includes('hidden'))
      assert.equal((await sending.stile.api('PUT', emailPath, { ...email, authentication: bare })).status, 200)
      const other = { ...email, authentication: { ...bare, ...others[0] } }
      assert.equal((await sending.stile.api('PUT', emailPath, other)).status, 400)
      await sending.stile.api('DELETE', emailPath)
    }
  })

  test('G01: a token endpoint that is not public, and a header that is ours, are refused', async () => {
    for (const authUrl of [
      'https://169.254.169.254/token',
      'https://10.0.0.1/token',
      'https://me:secret@auth.example/token',
      'ftp://auth.example/token',
    ]) {
      const { status, json } = await sending.stile.api('POST', phonePath, settings(oauth({ authUrl })))
      assert.deepEqual([status, json.details[0].target], [400, 'authentication.authUrl'], authUrl)
    }
    for (const headerName of ['Host', 'content-length', 'Content-Type', 'Transfer-Encoding', 'X Y', 'a:b', '']) {
      const header = { method: 'CUSTOM_HEADER', headerName, headerValue: 'hidden' }
      const { status, json } = await sending.stile.api('POST', phonePath, settings(header))
      assert.deepEqual([status, json.details[0].target], [400, 'authentication.headerName'], headerName)
    }
    const broken = { method: 'CUSTOM_HEADER', headerName: 'X-Key', headerValue: 'a\r\nHost: evil' }
    assert.equal((await sending.stile.api('POST', phonePath, settings(broken))).status, 400)
  })
})
