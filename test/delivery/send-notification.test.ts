/**
 * Notifications by e-mail, from the commit that promises them to a mail server: sent once, tried again, given up, and
 * never in the way of the flow (architecture section 5, "Events and outbox"; row K18).
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { after, before, suite, test } from 'node:test'
import { pino } from 'pino'
import { nodeEmail } from '../../src/delivery/email.ts'
import { notify } from '../../src/delivery/notification.ts'
import { openPush } from '../../src/delivery/push.ts'
import { sendNotification } from '../../src/delivery/send-notification.ts'
import { testWorld, type TestWorld } from '../../src/world.ts'
import { addressOf, begin, newPerson, offeringOf, rows } from '../flow-runtime/arrange.ts'
import { Browser } from '../harness/sign-on.ts'
import { type SmtpServer, startSmtpServer } from '../harness/smtp-server.ts'
import { type Stile, startStile } from '../harness/stile.ts'

suite('notifications by e-mail', () => {
  let stile: Stile
  let world: TestWorld
  let server: SmtpServer
  before(async () => {
    server = await startSmtpServer()
    world = testWorld()
    const environment = { STILE_SMTP_URL: server.url, STILE_EMAIL_FROM: 'Stile <noreply@stile.example>' }
    stile = await startStile({ world, environment: { ...environment, STILE_LOG_LEVEL: 'silent' } })
    // What a first sign-on makes is not what the tests below wait for.
    await offeringOf(stile)
  })
  after(async () => {
    await stile.close()
    await server.close()
  })

  async function forgot(headers: Readonly<Record<string, string>> = {}) {
    const person = await newPerson(stile)
    const { clients, login } = await offeringOf(stile)
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', { client_id: clients['pi.flow'], acr_values: login })
    const answer = await browser.act(flowId, 'password.forgot', { username: person.username }, headers)
    assert.equal(answer.json.status, 'RECOVERY_CODE_REQUIRED', answer.text)
    return { person, browser, flowId, mails: () => server.received.filter(({ to }) => to.includes(addressOf(person))) }
  }
  async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let waited = 0; !(await holds()); waited += 10) {
      assert.ok(waited < 3000, what)
      await pause(10)
    }
  }
  const eventsOf = (userId: string) =>
    rows<{ action: string; document: string }>(
      stile,
      'events',
      "actor_user_id = $2 AND action LIKE 'NOTIFICATION%'",
      userId,
    )

  test('goes out at once, in the language of the browser, from the sender that is set', async () => {
    const began = performance.now()
    const { person, mails } = await forgot({
      'accept-language': 'de-AT, en;q=0.5',
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
    })
    await until('it is sent', () => mails().length > 0)
    assert.ok(performance.now() - began < 1800, 'nobody waits for the next look at the outbox')
    const [mail] = mails()
    assert.equal(mail?.from, 'noreply@stile.example')
    assert.match(mail?.content ?? '', /^Subject: Ihr Wiederherstellungscode$/m)
    assert.match(mail?.content ?? '', /^Content-Type: multipart\/alternative/m)
    assert.match(mail?.content ?? '', /^[0-9A-Z]{8}$/m)
    assert.doesNotMatch(mail?.content ?? '', /evil/, 'K18')
    await until('it is noted', async () => (await eventsOf(person.id)).length > 0)
    const [event] = await eventsOf(person.id)
    assert.equal(event?.action, 'NOTIFICATION.SENT')
    assert.doesNotMatch(event?.document ?? '', /[0-9A-Z]{8}|@/, 'neither code nor address')
    assert.deepEqual(await rows(stile, 'inbox'), [])
  })

  test('a server that cannot take it now gets it later, once; the flow goes on meanwhile', async () => {
    server.answer = '451 try again'
    const before = server.refusals
    const { mails, browser, flowId } = await forgot()
    await until('it waits', () => server.refusals > before)
    assert.equal((await browser.send(`/${stile.environmentId}/flows/${flowId}`)).json.status, 'RECOVERY_CODE_REQUIRED')
    assert.equal(mails().length, 0)
    server.answer = '250 OK'
    world.advance(31_000)
    await stile.node.kernel.environments.poll()
    stile.node.kernel.wakeOutbox()
    await until('it is sent', () => mails().length > 0)
    await until('nothing is left', async () => (await rows(stile, 'outbox')).length === 0)
    assert.equal(mails().length, 1)
  })

  test('a server that will never take it ends it, with an event', async () => {
    server.answer = '550 no such user'
    const { person, mails } = await forgot()
    await until('it is given up', async () => (await eventsOf(person.id)).length > 0)
    server.answer = '250 OK'
    const [event] = await eventsOf(person.id)
    assert.deepEqual([event?.action, JSON.parse(event?.document ?? '').reason], ['NOTIFICATION.FAILED', 'refused'])
    assert.equal(mails().length, 0)
    await until('nothing is left', async () => (await rows(stile, 'outbox')).length === 0)
  })

  test('a message that is of no use any more is not sent', async () => {
    server.answer = '451 try again'
    const before = server.refusals
    const { person, mails } = await forgot()
    await until('it waits', () => server.refusals > before)
    server.answer = '250 OK'
    world.advance(1_800_001)
    await stile.node.kernel.environments.poll()
    stile.node.kernel.wakeOutbox()
    await until('it is given up', async () => (await eventsOf(person.id)).length > 0)
    assert.equal(JSON.parse((await eventsOf(person.id))[0]?.document ?? '').reason, 'too-late')
    assert.equal(mails().length, 0)
  })

  test('W09: no log line and no error holds the address, the code, or what a server answers', async () => {
    const { kernel } = stile.node
    const environment = await kernel.environments.get(stile.environmentId)
    assert.ok(environment)
    const lines: string[] = []
    const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
    const email = nodeEmail(server.url, 'Stile <noreply@stile.example>')
    const work = sendNotification({ ...kernel, log }, { email, push: openPush(kernel, kernel.config.pushUrls) })
    const address = 'canary-person@example.com'
    const notification = { to: address, userId: randomUUID(), locales: [], variables: { code: 'CANARY7Q' } }
    const whole = { template: 'recovery_code_template', ...notification } as const
    const [, id, , payload] = notify(world, environment, whole, world.now()).values
    const attempt = {
      environmentId: environment.id,
      id: String(id),
      payload: String(payload),
      createdAt: world.now(),
      attempts: 1,
    }
    server.answer = `451 4.2.1 <${address}> CANARY7Q is busy`
    await assert.rejects(work(attempt, new AbortController().signal), (error) => {
      log.error({ err: error }, 'a message waits and is tried again')
      return true
    })
    server.answer = `550 5.1.1 <${address}> CANARY7Q unknown`
    assert.equal(await work(attempt, new AbortController().signal), 'done')
    server.answer = '250 OK'
    email.close()
    assert.ok(lines.length >= 2)
    assert.doesNotMatch(lines.join(''), /canary/i)
  })

  test('what waits in storage cannot be read there', async () => {
    server.answer = '451 try again'
    const { person } = await forgot()
    const waiting = await rows<{ payload: string }>(stile, 'outbox')
    assert.equal(waiting.length, 1)
    assert.ok(!JSON.stringify(waiting).includes(person.username))
    server.answer = '250 OK'
  })
})
