/** WEBHOOK over real HTTP, with an endpoint that lies, hangs and never ends (D24; groups G and Q). On both engines. */
import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { PolicyAction } from '../../src/flow/policy.ts'
import { misdeeds, says, startWebhookEndpoint } from '../harness/webhook-endpoint.ts'
import { Browser } from '../harness/sign-on.ts'
import { onEachEngine } from '../platform/people.ts'
import {
  type ActionBody,
  assign,
  authorize,
  begin,
  enable,
  newApplication,
  newPerson,
  newPolicy,
  type Person,
  rows,
  stateOf,
} from './arrange.ts'

const endpoint = await startWebhookEndpoint()
after(() => endpoint.close())

type Webhook = Extract<PolicyAction, { type: 'WEBHOOK' }>['webhook']
const continues = says({ decision: 'CONTINUE' })
const unlessFresh = { secondsSince: '${session.lastSignOn.at}', greater: 600 } as const

await onEachEngine('webhooks of sign-on policies', (stile) => {
  beforeEach(() => {
    endpoint.asked.length = 0
    endpoint.answer = continues
  })

  const hook = (more: Partial<Webhook> = {}): ActionBody => ({
    type: 'WEBHOOK',
    webhook: { url: endpoint.url, timeoutMilliseconds: 2000, onError: 'DENY', ...more },
  })

  /** An application whose policy is LOGIN, then a webhook; after it, whatever else is given. */
  async function arrange(more: Partial<Webhook> = {}, login: Partial<ActionBody> = {}) {
    const client = await newApplication(stile())
    const actions = [{ type: 'LOGIN', ...login } as ActionBody, hook(more)]
    await assign(stile(), client, await newPolicy(stile(), ...actions), await newPolicy(stile(), { type: 'LOGIN' }))
    return client
  }

  async function signOn(client: string, person: Person, browser = new Browser(stile())) {
    const flowId = await begin(browser, 'pi.flow', { client_id: client })
    const { username, password } = person
    const { json, text } = await browser.act(flowId, 'usernamePassword.check', { username, password })
    return { browser, flowId, json, text }
  }

  const sessionsOf = ({ id }: Person) => rows(stile(), 'sessions', 'user_id = $2', id)

  async function publishedKeys() {
    const { json } = await stile().send(`/${stile().environmentId}/as/jwks`)
    return createLocalJWKSet(json)
  }

  test('Q01: the request is signed with a published key, for this endpoint alone, dated, and never twice the same', async () => {
    const client = await arrange()
    const person = await newPerson(stile())
    const [first, second] = [await signOn(client, person), await signOn(client, person)]
    assert.deepEqual([first.json.status, second.json.status], ['COMPLETED', 'COMPLETED'])
    const [asked, again] = endpoint.asked
    assert.ok(asked && again && endpoint.asked.length === 2)
    assert.equal(asked.target, '/judge')
    assert.equal(asked.headers['content-type'], 'application/jwt')
    const keys = await publishedKeys()
    const issuer = `${stile().authUrl}/${stile().environmentId}/as`
    const verify = (token: string) => jwtVerify(token, keys, { issuer, audience: endpoint.url, typ: 'webhook+jwt' })
    const { payload } = await verify(asked.body)
    const { iat = 0, exp = 0, jti, proofs, ...told } = payload
    assert.ok(Math.abs(Date.now() / 1000 - iat) < 30 && exp - iat === 60)
    assert.deepEqual(told, {
      iss: issuer,
      aud: endpoint.url,
      sub: person.id,
      environment: { id: stile().environmentId },
      flow: { id: first.flowId },
      application: { id: client },
      request: { remoteIp: '127.0.0.1' },
    })
    const [proof] = proofs as { method: string; at: string }[]
    assert.deepEqual(Object.keys(proof ?? {}), ['method', 'at'])
    assert.equal(proof?.method, 'pwd')
    assert.notEqual(jti, (await verify(again.body)).payload.jti)

    const [header, claims, signature] = asked.body.split('.')
    const forged = Buffer.from(JSON.stringify({ ...payload, sub: 'somebody' })).toString('base64url')
    await assert.rejects(verify(`${header}.${forged}.${signature}`))
    await assert.rejects(verify(`${header}.${claims}.${again.body.split('.')[2]}`))
    for (const each of endpoint.asked) {
      const all = JSON.stringify(each) + Buffer.from(each.body.split('.')[1] ?? '', 'base64url').toString()
      assert.ok(!all.includes('CANARY') && !all.includes(person.username) && each.headers.cookie === undefined)
    }
  })

  test('F19: what an endpoint is sent is no token of ours', async () => {
    const client = await arrange()
    await signOn(client, await newPerson(stile()))
    const token = endpoint.asked[0]?.body ?? ''
    const path = `/${stile().environmentId}/as/userinfo`
    assert.equal((await stile().send(path, { token })).status, 401)
    assert.equal((await stile().api('GET', '/users', undefined, { token })).status, 401)
    const hinted = await authorize(new Browser(stile()), 'pi.flow', { client_id: client, id_token_hint: token })
    assert.equal(hinted.status, 400, hinted.text)
  })

  test('G04, G07, G08, G09, Q03: whatever the endpoint does wrong ends the flow alike and in time, and opens nothing', async () => {
    const client = await arrange({ timeoutMilliseconds: 300 })
    const person = await newPerson(stile())
    for (const [name, answer] of Object.entries(misdeeds)) {
      endpoint.answer = answer
      endpoint.asked.length = 0
      const started = performance.now()
      const { json, flowId, browser } = await signOn(client, person)
      assert.ok(performance.now() - started < 3000, name)
      assert.deepEqual(
        [json.status, json.error],
        ['FAILED', { code: 'WEBHOOK_FAILED', message: 'The sign-on could not be judged.' }],
        name,
      )
      assert.deepEqual(
        endpoint.asked.map(({ target }) => target),
        ['/judge'],
        `${name}: asked once, and nothing is followed`,
      )
      const resumed = await browser.resume(flowId)
      assert.equal(resumed.json.authorizeResponse, undefined, name)
      assert.equal((await sessionsOf(person)).length, 0, name)
    }
  })

  test('what the endpoint does wrong passes only where the action says so; a no stays a no', async () => {
    const client = await arrange({ timeoutMilliseconds: 300, onError: 'CONTINUE' })
    const person = await newPerson(stile())
    for (const name of ['never answers', 'closes the connection', 'decides something unknown', 'redirects to a yes']) {
      const answer = misdeeds[name]
      assert.ok(answer)
      endpoint.answer = answer
      const { json, flowId } = await signOn(client, person)
      assert.equal(json.status, 'COMPLETED', name)
      const { trace } = await stateOf(stile(), flowId)
      assert.ok(trace.some(({ reason }) => reason === 'webhook-failed-open'))
    }
    endpoint.answer = says({ decision: 'DENY' })
    assert.equal((await signOn(client, person)).json.error.code, 'WEBHOOK_DENIED')
  })

  test('a no ends the flow with its reason, although the application has an easier policy', async () => {
    endpoint.answer = says({ decision: 'DENY', reason: 'COUNTRY_BLOCKED' })
    const person = await newPerson(stile())
    const { json, browser, flowId } = await signOn(await arrange(), person)
    assert.equal(json.status, 'FAILED')
    const message = 'The sign-on was refused.'
    assert.deepEqual(json.error, { code: 'WEBHOOK_DENIED', message, reason: 'COUNTRY_BLOCKED' })
    const resumed = await browser.resume(flowId)
    assert.match(resumed.text, /ACCESS_FAILED/)
    assert.equal((await sessionsOf(person)).length, 0)
    const events = await rows<{ action: string; document: string }>(stile(), 'events', 'subject_id = $2', flowId)
    assert.ok(JSON.stringify(events).includes('webhook-denied'), JSON.stringify(events))
  })

  test('a session is judged at every request; what is demanded is asked for, and refused with prompt=none', async () => {
    const client = await arrange({}, { condition: unlessFresh })
    const person = await newPerson(stile())
    const { browser, flowId } = await signOn(client, person)
    await browser.resume(flowId)
    const again = (more: Readonly<Record<string, string>> = {}) =>
      authorize(browser, 'pi.flow', { client_id: client, ...more })
    assert.ok((await again()).json.authorizeResponse.code)
    assert.equal(endpoint.asked.length, 2)

    endpoint.answer = says({ decision: 'STEP_UP', action: 'LOGIN' })
    assert.match((await again({ prompt: 'none' })).text, /login_required/i)
    const waiting = await again()
    assert.equal(waiting.json.status, 'PASSWORD_REQUIRED', waiting.text)
    const { id } = waiting.json
    const done = await browser.act(id, 'usernamePassword.check', { password: person.password })
    assert.equal(done.json.status, 'COMPLETED', done.text)
    assert.equal(endpoint.asked.length, 4, 'the same flow does not ask twice')

    endpoint.answer = says({ decision: 'STEP_UP', action: 'MULTI_FACTOR_AUTHENTICATION' })
    assert.match((await again()).text, /ACCESS_FAILED/, 'the policy has no such step')
    endpoint.answer = says({ decision: 'DENY' })
    assert.match((await again()).text, /ACCESS_FAILED/)
  })

  test('G08: a slow endpoint holds no connection of the storage and keeps nobody else waiting', async () => {
    const client = await arrange({ timeoutMilliseconds: 5000 }, { condition: unlessFresh })
    const person = await newPerson(stile())
    const { browser } = await signOn(client, person)
    const other = await newPerson(stile())
    const free = await newApplication(stile())
    await assign(stile(), free, await newPolicy(stile(), { type: 'LOGIN' }))
    endpoint.asked.length = 0
    const held: (() => void)[] = []
    endpoint.answer = (response, asked) =>
      new Promise<void>((resolve) => {
        held.push(() => resolve(continues(response, asked) as undefined))
      })
    const slow = Array.from({ length: 40 }, () => authorize(browser, 'pi.flow', { client_id: client }))
    for (let waited = 0; held.length < slow.length; waited += 10) {
      assert.ok(waited < 4500, `${held.length} of ${slow.length} calls arrived`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    assert.equal((await signOn(free, other)).json.status, 'COMPLETED')
    for (const release of held) release()
    for (const answer of await Promise.all(slow)) assert.ok(answer.json.authorizeResponse?.code, answer.text)
  })

  test('a user who is disabled while the endpoint thinks gets no code', async () => {
    const client = await arrange()
    const person = await newPerson(stile())
    endpoint.answer = async (response, asked) => {
      await enable(stile(), person, false)
      await continues(response, asked)
    }
    const { browser, flowId } = await signOn(client, person)
    const resumed = await browser.resume(flowId)
    assert.equal(resumed.json.authorizeResponse, undefined, resumed.text)
    assert.match(resumed.text, /ACCESS_FAILED/)
  })

  test('G01, G02, G05, G06, G15, N25: what must not be asked cannot be written, and nothing secret has a place there', async () => {
    const { id } = await newPolicy(stile(), { type: 'LOGIN' })
    const refused = [
      'http://8.8.8.8/judge',
      'https://8.8.8.8:5432/judge',
      'https://10.0.0.1/judge',
      'https://169.254.169.254/latest',
      'https://[fd00:ec2::254]/judge',
      'https://2130706433/judge',
      'ftp://hook.example/judge',
      'file:///etc/passwd',
      'https://user:CANARY@hook.example/judge',
      'https://hook.example/judge?token=CANARY',
      'https://hook.example/judge#CANARY',
      'https://hook.example/a\r\nX-CANARY: 1',
      'https://hook.example/{CANARY}',
      '',
    ]
    for (const url of refused) {
      const answer = await stile().api('POST', `/signOnPolicies/${id}/actions`, { ...hook({ url }), priority: 2 })
      assert.equal(answer.status, 400, url)
      assert.equal(answer.json.details[0].target, 'webhook.url', answer.text)
      assert.ok(!answer.text.includes('CANARY'), answer.text)
    }
    assert.equal(endpoint.asked.length, 0)
  })
})
