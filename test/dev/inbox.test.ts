/** The inbox of dev, as a page and as JSON: what would have been sent, since no mail server is set. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { suite, test } from 'node:test'
import { type InboxItem, renderInbox, renderInboxItem } from '../../src/dev/inbox.ts'
import { quickstartSchema } from '../../src/dev/quickstart.ts'
import { runStile } from '../harness/process.ts'
import { basic } from '../harness/stile.ts'

suite('the inbox', () => {
  const item = (more: Partial<InboxItem>): InboxItem => ({
    id: randomUUID(),
    template: 'recovery_code_template',
    deliveryMethod: 'Email',
    to: 'a@example.com',
    subject: 'one',
    text: 'text',
    createdAt: '1',
    ...more,
  })

  test('shows what was sent to a user, newest first, and only as text', () => {
    const two = item({ subject: '<b>two</b>', text: 'code\n\nBCDF2345', to: '"><script>' })
    const page = renderInbox([two, item({ text: '<script>' })])
    assert.ok(page.indexOf('two') < page.indexOf('>one<'))
    for (const html of [page, renderInboxItem(two), renderInboxItem(item({ text: '<script>' }))]) {
      assert.doesNotMatch(html, /<script|<b>/)
    }
    assert.match(renderInboxItem(two), /BCDF2345/)
    assert.match(renderInbox([item({ subject: '', deliveryMethod: 'SMS' })]), /SMS: recovery_code_template/)
    assert.match(renderInbox([]), /none yet/)
  })

  test('a code that a flow sends is there to be read', async (context) => {
    const directory = await mkdtemp(join(tmpdir(), 'stile-inbox-'))
    const running = runStile(['dev', '--data', join(directory, 'data'), '--port', '0', '--json'])
    context.after(async () => {
      await running.stop()
      await rm(directory, { recursive: true, force: true })
    })
    const facts = quickstartSchema.parse(JSON.parse(await running.firstLine))
    const { access_token } = (await fetch(`${facts.issuer}/token`, {
      method: 'POST',
      headers: { authorization: basic(facts.worker.clientId, facts.worker.clientSecret) },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    }).then((answer) => answer.json())) as { access_token: string }
    const api = (path: string, body: object) =>
      fetch(`${facts.apiUrl}/v1/environments/${facts.environmentId}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }).then((answer) => answer.json() as Promise<{ id: string }>)
    const policy = await api('/signOnPolicies', { name: 'Recovery' })
    await api(`/signOnPolicies/${policy.id}/actions`, { type: 'LOGIN', priority: 1, recovery: { enabled: true } })
    const assignment = { priority: 1, signOnPolicy: { id: policy.id } }
    await api(`/applications/${facts.nativeApp.clientId}/signOnPolicyAssignments`, assignment)
    const query = {
      client_id: facts.nativeApp.clientId,
      response_type: 'code',
      response_mode: 'pi.flow',
      scope: 'openid',
      acr_values: 'Recovery',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    }
    const flow = (await fetch(`${facts.issuer}/authorize?${new URLSearchParams(query)}`).then((answer) =>
      answer.json(),
    )) as { _links: Record<string, { href: string }> }
    await fetch(flow._links['password.forgot']?.href ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.pingidentity.password.forgot+json' },
      body: JSON.stringify({ username: facts.user.username }),
    })
    const inbox = async () =>
      (
        (await fetch(`${facts.authUrl}/dev/inbox.json`).then((answer) => answer.json())) as {
          messages: readonly InboxItem[]
        }
      ).messages
    for (let waited = 0; (await inbox()).length === 0; waited += 20) {
      assert.ok(waited < 3000, 'a message comes')
      await pause(20)
    }
    const [message] = await inbox()
    assert.equal(message?.template, 'recovery_code_template')
    assert.match(message?.text ?? '', /^[0-9A-Z]{8}$/m)
    assert.equal(message?.deliveryMethod, 'Email')
    const page = await fetch(facts.inboxUrl).then((answer) => answer.text())
    assert.match(page, /Your recovery code/)
    const link = /href="([^"]*\/dev\/inbox\/[^"]*)"/.exec(page)?.[1] ?? ''
    const one = await fetch(new URL(link, facts.authUrl))
    assert.equal(one.status, 200)
    assert.ok((await one.text()).includes(/^[0-9A-Z]{8}$/m.exec(message?.text ?? '')?.[0] ?? 'no code'))
    assert.equal((await fetch(`${facts.inboxUrl}/${randomUUID()}`)).status, 404)
    const elsewhere = await fetch(`${facts.inboxUrl}.json?environmentId=${randomUUID()}`)
    assert.deepEqual(await elsewhere.json(), { messages: [] })

    const data = join(directory, 'data')
    const printed = await runStile(['inbox', '--data', data]).finished
    assert.equal(printed.code, 0, printed.stderr)
    assert.match(printed.stdout, /Email {2}\S+@\S+ {2}Your recovery code\n[^]*^ {2}[0-9A-Z]{8}$/m)
    const json = await runStile(['inbox', '--data', data, '--json']).finished
    assert.deepEqual(
      json.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
      [message],
    )
    const wrong = await runStile(['inbox', '--data', data, '--limit', '0']).finished
    assert.deepEqual([wrong.code, wrong.stdout], [64, ''])
    const away = await runStile(['inbox', '--data', join(directory, 'nothing')]).finished
    assert.equal(away.code, 69)
    assert.match(away.stderr, /npm start/)
  })
})
