/** E-mail by the settings of an environment: SMTP with and without TLS, HTTP, and servers that are away, slow or refuse. */
import assert from 'node:assert/strict'
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { smtpOptions } from '../../src/delivery/email.ts'
import { smtpSettings } from '../../src/delivery/email-settings.ts'
import { serverCertificate } from '../external/certificate.ts'
import { rows } from '../flow-runtime/arrange.ts'
import { type ProviderServer, startProviderServer } from '../harness/provider-server.ts'
import { type SmtpServer, type SmtpServerOptions, startSmtpServer } from '../harness/smtp-server.ts'
import { code, failed, type Sending, sent, startSending, until } from './sending.ts'

const path = '/notificationsSettings/emailDeliverySettings'

suite('e-mail by the settings of an environment', () => {
  let sending: Sending
  let ofNode: SmtpServer
  before(async () => {
    ofNode = await startSmtpServer()
    const environment = { STILE_SMTP_URL: ofNode.url, STILE_EMAIL_FROM: 'Node <node@stile.example>' }
    sending = await startSending(environment, { dns: { texts: async () => [], aliases: async () => [] } })
  })
  after(async () => {
    await sending.close()
    await ofNode.close()
  })

  async function set(settings: object): Promise<void> {
    const answer = await sending.stile.api('PUT', path, settings)
    assert.equal(answer.status, 200, answer.text)
  }
  async function server(context: { after(run: () => Promise<void>): void }, options: SmtpServerOptions = {}) {
    const started = await startSmtpServer(options)
    context.after(async () => {
      await sending.stile.api('DELETE', path)
      await started.close()
    })
    const own = { host: '127.0.0.1', port: started.port, from: { name: 'Own', address: 'own@example.com' } }
    await set({ ...own, ...loginOf(options) })
    return { server: started, own }
  }
  function loginOf({ login }: SmtpServerOptions) {
    const [username, password] = login?.split(':') ?? []
    return login === undefined ? {} : { username, password }
  }

  test('an address that is not public is no server', async () => {
    for (const host of ['10.0.0.1', '169.254.169.254', '::1%lo', '0x7f.1', 'a b', 'mail.example\r\nX: y', '[::1]']) {
      const answer = await sending.stile.api('PUT', path, { host, from: { address: 'a@example.com' } })
      assert.equal(answer.status, 400, host)
      assert.equal(answer.json.details[0].target, 'host')
    }
  })

  test('goes by its own server with its own sender; by that of the node where it has none', async (context) => {
    const { server: own } = await server(context, { login: 'me:secret' })
    const userId = await sending.promise()
    assert.deepEqual(await sending.ending(userId), sent)
    assert.equal(own.received.length, 1)
    assert.equal(own.received[0]?.login, 'me:secret')
    assert.equal(own.received[0]?.from, 'own@example.com')
    assert.match(own.received[0]?.content ?? '', /^From: Own <own@example\.com>$/m)
    assert.equal(ofNode.received.length, 0)
    await sending.stile.api('DELETE', path)
    assert.deepEqual(await sending.ending(await sending.promise()), sent)
    assert.equal(ofNode.received.at(-1)?.from, 'node@stile.example')
  })

  test('a content may say the name of the sender, but not the address from which the server of the node sends', async () => {
    const content = await sending.stile.api('POST', '/templates/recovery_code_template/contents', {
      deliveryMethod: 'Email',
      locale: 'en',
      subject: 'Own ${user.name}',
      body: '<p>${code}</p>',
      from: { name: 'Help', address: 'ceo@bank.example' },
      replyTo: { name: 'Desk', address: 'desk@example.com' },
    })
    assert.equal(content.status, 201, content.text)
    const userId = await sending.promise({
      variables: { code, 'user.name': 'Ada\r\nBcc: evil@example.com' },
    })
    assert.deepEqual(await sending.ending(userId), sent)
    const mail = ofNode.received.at(-1)
    assert.equal(mail?.from, 'node@stile.example')
    assert.deepEqual(mail?.to, [`${userId}@example.com`], 'W08: no header begins in a name')
    assert.match(mail?.content ?? '', /^From: Help <node@stile\.example>$/m)
    assert.match(mail?.content ?? '', /^Reply-To: Desk <desk@example\.com>$/m)
    assert.doesNotMatch(mail?.content ?? '', /^Bcc:/im)
    assert.equal(
      (await sending.stile.api('DELETE', content.json._links.self.href.replace(/^.*\/v1/, '/v1'))).status,
      204,
    )
  })

  test('an address that the environment has proved is a sender of the server of the node, and signs', async (context) => {
    const domain = await sending.stile.api('POST', '/emailDomains', { domainName: 'acme.example' })
    assert.equal(domain.status, 201, domain.text)
    const one = `/emailDomains/${domain.json.id}`
    context.after(async () => {
      await sending.stile.api('DELETE', one)
    })
    const address = await sending.stile.api('POST', `${one}/trustedEmails`, { emailAddress: 'Help@acme.example' })
    assert.equal(address.status, 201, address.text)
    await sending.emptied()
    const verification = ofNode.received.at(-1)
    assert.deepEqual([verification?.from, verification?.to], ['node@stile.example', ['Help@acme.example']])
    const content = await sending.stile.api('POST', '/templates/recovery_code_template/contents', {
      deliveryMethod: 'Email',
      locale: 'en',
      body: '<p>${code}</p>',
      from: { address: 'help@acme.example' },
    })
    assert.equal(content.status, 201, content.text)
    context.after(async () => {
      await sending.stile.api('DELETE', content.json._links.self.href.replace(/^.*\/v1/, '/v1'))
    })
    const mail = async () => {
      assert.deepEqual(await sending.ending(await sending.promise()), sent)
      return ofNode.received.at(-1)
    }
    assert.equal((await mail())?.from, 'node@stile.example', 'not proved yet')

    const [verificationCode] = /^[0-9A-Z]{8}$/m.exec(verification?.content ?? '') ?? []
    const activated = await sending.stile.api(
      'POST',
      `${one}/trustedEmails/${address.json.id}`,
      { verificationCode },
      { mediaType: 'application/vnd.pingidentity.trustedEmail.activate+json' },
    )
    assert.deepEqual([activated.status, activated.json.status], [200, 'ACTIVE'], activated.text)
    const signed = await mail()
    assert.equal(signed?.from, 'help@acme.example')
    assert.match(signed?.content ?? '', /^From: help@acme\.example$/m)
    const signature = /^DKIM-Signature: [^]*?\n(?=\S)/m.exec(signed?.content ?? '')?.[0].replaceAll(/\s/g, '') ?? ''
    const { key, value } = (await sending.stile.api('GET', `${one}/dkim`)).json.regions[0].tokens[0]
    const [, selector] = /;s=([^;]+);/.exec(signature) ?? []
    assert.deepEqual([/;d=([^;]+);/.exec(signature)?.[1], `${selector}._domainkey.acme.example`], ['acme.example', key])
    const publicKey = createPublicKey({
      key: Buffer.from(value.replace(/^.*p=/, ''), 'base64'),
      format: 'der',
      type: 'spki',
    })
    assert.ok(isSignedBy(signed?.content ?? '', publicKey))
    assert.ok(!isSignedBy((signed?.content ?? '').replace('To: ', 'To: x'), publicKey))

    await sending.stile.api('DELETE', one)
    assert.equal((await mail())?.from, 'node@stile.example')
  })

  test('STARTTLS is used where it is offered; a certificate that does not fit gets nothing', async (context) => {
    const certificate = await serverCertificate({ host: 'mail.example' })
    const { server: own } = await server(context, { tls: certificate, login: 'me:secret' })
    const before = await rows(sending.stile, 'outbox')
    await sending.promise()
    await until('it is tried', () => own.connections > 0)
    await until('it waits', async () => (await rows(sending.stile, 'outbox', 'attempts > 0')).length > before.length)
    await sending.later(300_000)
    assert.deepEqual(own.received, [])
    await sending.later(1_800_000)
    await sending.emptied()
    assert.deepEqual(own.received, [], 'neither the message nor the password was said without TLS')
  })

  test('TLS is demanded on every port of a server that the operator does not list', () => {
    const settings = (more: object) =>
      smtpSettings.parse({ protocol: 'SMTP', host: 'mail.example', username: 'u', password: 'p', ...more })
    const found = { address: '192.0.2.1', isListed: false }
    const rowsOfPorts = [
      [{}, { secure: true, requireTLS: false }],
      [{ port: 465 }, { secure: true, requireTLS: false }],
      [{ port: 587 }, { secure: false, requireTLS: true }],
      [{ port: 25 }, { secure: false, requireTLS: true }],
    ] as const
    for (const [more, expected] of rowsOfPorts) {
      const { secure, requireTLS, host, tls } = smtpOptions(settings(more), found)
      assert.deepEqual({ secure, requireTLS }, expected)
      assert.deepEqual([host, tls], ['192.0.2.1', { rejectUnauthorized: true, servername: 'mail.example' }])
    }
    assert.equal(smtpOptions(settings({ port: 2525 }), { ...found, isListed: true }).requireTLS, false)
  })

  test('a server that is away gets it when it is back', async (context) => {
    const { server: own, own: settings } = await server(context)
    await own.close()
    const userId = await sending.promise()
    await until('it waits', async () => (await rows(sending.stile, 'outbox', 'attempts = 1')).length > 0)
    const back = await startSmtpServer({ port: own.port })
    context.after(() => back.close())
    await set(settings)
    await until('the attempt is over', async () => {
      await sending.later(31_000)
      return back.received.length > 0
    })
    assert.deepEqual(await sending.ending(userId), sent)
  })

  test('a server that breaks off after it has taken the message may get it twice, under the same id', async (context) => {
    const { server: own } = await server(context)
    own.cuts = true
    const userId = await sending.promise()
    // Another test's message may come late, by the same server.
    const received = () => own.received.filter(({ content }) => content.includes(userId))
    await until('it is taken', () => received().length > 0)
    own.cuts = false
    await until('it is tried again', async () => {
      await sending.later(31_000)
      return received().length > 1
    })
    assert.deepEqual(await sending.ending(userId), sent)
    const ids = received().map(({ content }) => /^Message-ID: (<.*>)$/im.exec(content)?.[1])
    assert.equal(new Set(ids).size, 1)
    assert.ok(
      received().every(({ content }) => content.includes(code)),
      'duplicates carry the same code',
    )
  })

  test('a wrong password is for somebody to mend; a refused recipient is final', async (context) => {
    const { server: own, own: settings } = await server(context, { login: 'me:secret' })
    await set({ ...settings, username: 'me', password: 'wrong' })
    const userId = await sending.promise()
    await until('it waits', async () => (await rows(sending.stile, 'outbox', 'attempts = 1')).length > 0)
    await set({ ...settings, username: 'me', password: 'secret' })
    await until('it is sent', async () => {
      await sending.later(31_000)
      return own.received.length > 0
    })
    assert.deepEqual(await sending.ending(userId), sent)
    own.answer = '550 no such user'
    assert.deepEqual(await sending.ending(await sending.promise()), failed('refused'))
  })

  test('R27: the slow server of one environment delays no other', async (context) => {
    const { server: own } = await server(context)
    own.mute = true
    const licenses = await sending.stile.api('GET', `/v1/organizations/${sending.stile.organizationId}/licenses`)
    const other = await sending.stile.api('POST', '/v1/environments', {
      name: 'Other',
      type: 'SANDBOX',
      region: 'NA',
      license: { id: licenses.json._embedded.licenses[0].id },
    })
    assert.equal(other.status, 201, other.text)
    for (let each = 0; each < 12; each += 1) await sending.promise()
    await until('some are under way', () => own.connections > 0)
    const began = performance.now()
    const before = ofNode.received.length
    await sending.promise({}, other.json.id)
    await until('it is sent', () => ofNode.received.length > before)
    assert.ok(performance.now() - began < 1000, 'at once')
    assert.ok(own.connections <= 4, 'few at a time for one environment')
    await own.close()
    await sending.later(1_800_001)
    await sending.emptied()
  })
})

/** Whether the headers of a message are signed (RFC 6376 section 3.7, relaxed). */
function isSignedBy(content: string, key: KeyObject): boolean {
  const [head = ''] = content.split('\n\n')
  const fields = head.replaceAll(/\n[ \t]+/g, ' ').split('\n')
  const relaxed = (field: string) => {
    const at = field.indexOf(':')
    return `${field.slice(0, at).trim().toLowerCase()}:${field
      .slice(at + 1)
      .replaceAll(/\s+/g, ' ')
      .trim()}`
  }
  const named = (name: string) => relaxed(fields.find((field) => field.toLowerCase().startsWith(`${name}:`)) ?? '')
  const signature = named('dkim-signature')
  const names = /; ?h=([^;]+)/.exec(signature)?.[1]?.replaceAll(' ', '').split(':') ?? []
  const value = /; ?b=([^;]+)/.exec(signature)?.[1] ?? ''
  const signed = [...names.map(named), signature.replace(value, '').trim()].join('\r\n')
  return verify('sha256', Buffer.from(signed), key, Buffer.from(value.replaceAll(' ', ''), 'base64'))
}

suite('e-mail over HTTP', () => {
  let sending: Sending
  let provider: ProviderServer
  before(async () => {
    provider = await startProviderServer()
    sending = await startSending()
  })
  after(async () => {
    await sending.close()
    await provider.close()
  })

  const settings = (more: object = {}, request: object = {}) => ({
    protocol: 'HTTP',
    provider: 'CUSTOM_PROVIDER',
    name: 'Post',
    authentication: { method: 'BEARER', authToken: 'hidden-token' },
    from: { address: 'own@example.com' },
    requests: [
      {
        deliveryMethod: 'EMAIL',
        method: 'POST',
        url: `${provider.url}/send`,
        headers: { 'content-type': 'application/json' },
        body: '{"to":"${to}","from":"${from}","subject":"${subject}","html":"${message}"}',
        ...request,
      },
    ],
    ...more,
  })

  test('is asked with the values written as JSON, and a key by which it can tell a second attempt', async () => {
    assert.equal((await sending.stile.api('PUT', path, settings())).status, 200)
    const userId = await sending.promise({ variables: { code, 'user.name': '"},{"to":"evil@example.com' } })
    assert.deepEqual(await sending.ending(userId), sent)
    const [request] = provider.received
    assert.equal(request?.headers.authorization, 'Bearer hidden-token')
    assert.match(String(request?.headers['idempotency-key']), /^[0-9a-f-]{36}$/)
    const body = JSON.parse(request?.body ?? '')
    assert.deepEqual(Object.keys(body), ['to', 'from', 'subject', 'html'])
    assert.equal(body.to, `${userId}@example.com`)
    assert.match(body.html, new RegExp(code))
  })

  test('is tried again when it fails, with the same key, and given up when it refuses', async () => {
    provider.status = 503
    const userId = await sending.promise()
    const before = provider.received.length
    await until('it is tried', () => provider.received.length > before)
    provider.status = 200
    await until('it is tried again', async () => {
      await sending.later(31_000)
      return provider.received.length > before + 1
    })
    assert.deepEqual(await sending.ending(userId), sent)
    const keys = provider.received.slice(before).map(({ headers }) => headers['idempotency-key'])
    assert.equal(new Set(keys).size, 1)
    provider.status = 422
    assert.deepEqual(await sending.ending(await sending.promise()), failed('refused'))
    provider.status = 302
    const moved = await sending.promise()
    await until('it is asked', async () => (await rows(sending.stile, 'outbox', 'attempts = 1')).length > 0)
    await sending.later(1_800_001)
    assert.deepEqual(await sending.ending(moved), failed('too-late'))
  })

  test('what it may not be is refused: rows G16, W08', async () => {
    const wrong: readonly (readonly [object, string])[] = [
      [settings({}, { url: 'https://${to}/send' }), 'requests.0.url'],
      [settings({}, { url: 'https://a.${to}.example/' }), 'requests.0.url'],
      [settings({}, { url: 'https://10.0.0.1/send' }), 'requests.0.url'],
      [settings({}, { url: 'ftp://post.example/send' }), 'requests.0.url'],
      [settings({}, { method: 'GET', url: 'https://post.example/send?to=${to}', body: undefined }), 'requests.0.url'],
      [settings({}, { body: '{"to":${to},"html":"${message}"}' }), 'requests.0.body'],
      [settings({}, { body: '{"to":"${to}"}' }), 'requests.0.body'],
    ]
    for (const [body, target] of wrong) {
      const answer = await sending.stile.api('PUT', path, body)
      assert.deepEqual([answer.status, answer.json.details[0].target], [400, target], answer.text)
    }
    for (const headers of [
      { Host: 'x' },
      { 'X-A': 'a\r\nb: c' },
      { 'X A': 'b' },
      { 'content-length': '1' },
      { 'X-A': 'ä' },
    ]) {
      const answer = await sending.stile.api('PUT', path, settings({}, { headers }))
      assert.equal(answer.status, 400, JSON.stringify(headers))
    }
  })
})
