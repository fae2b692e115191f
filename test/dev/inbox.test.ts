/** The inbox of dev, as a page and as JSON: what would have been sent, since no mail server is set. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { suite, test } from 'node:test'
import { renderInbox } from '../../src/dev/inbox.ts'
import { quickstartSchema } from '../../src/dev/quickstart.ts'
import { runStile } from '../harness/process.ts'
import { basic } from '../harness/stile.ts'

suite('the inbox', () => {
  test('shows what was sent to a user, newest first, and only as text', () => {
    const page = renderInbox([
      { id: 'b', template: 't', to: 'b@example.com', subject: '<b>two</b>', text: 'code\n\nBCDF2345', createdAt: '2' },
      { id: 'a', template: 't', to: 'a@example.com', subject: 'one', text: '<script>', createdAt: '1' },
    ])
    assert.ok(page.indexOf('two') < page.indexOf('one'))
    assert.match(page, /&lt;b>two|&lt;b&gt;two/)
    assert.doesNotMatch(page, /<script>\n?<\/pre>|<pre><script/)
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
          messages: readonly { template: string; text: string }[]
        }
      ).messages
    for (let waited = 0; (await inbox()).length === 0; waited += 20) {
      assert.ok(waited < 3000, 'a message comes')
      await pause(20)
    }
    const [message] = await inbox()
    assert.equal(message?.template, 'recovery_code_template')
    assert.match(message?.text ?? '', /^[0-9A-Z]{8}$/m)
    const page = await fetch(`${facts.authUrl}/dev/inbox`)
    assert.match(await page.text(), /Your recovery code/)
  })
})
