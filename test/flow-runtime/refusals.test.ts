/** What is wrong with a request to a flow, and how it is told (authentication-api 4.2, 7; decisions D5, D25). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { begin, flowIn, rowOf } from './arrange.ts'

const validation = 'The request could not be completed. One or more validation errors were in the request.'

suite('what is wrong with a request', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const flowPath = (flowId: string) => `/${stile.environmentId}/flows/${flowId}`
  const post = (flowId: string, body: unknown, path = flowPath(flowId), browser = new Browser(stile)) =>
    browser.send(path, {
      method: 'POST',
      body,
      mediaType: 'application/vnd.pingidentity.usernamePassword.check+json',
    })

  function refused(answer: Answer, status: number, code: string, ...details: readonly (readonly [string, string])[]) {
    assert.equal(answer.status, status, answer.text)
    assert.equal(answer.headers.get('content-type'), 'application/hal+json;charset=UTF-8')
    assert.equal(answer.json.id, answer.headers.get('correlation-id'))
    assert.equal(answer.json.code, code)
    if (code === 'INVALID_DATA') assert.equal(answer.json.message, validation)
    const told = (answer.json.details ?? []) as { code: string; target: string }[]
    assert.deepEqual(
      told.map((detail) => [detail.code, detail.target]),
      details,
    )
  }

  test('D5: what the status does not allow is told before what is wrong with its body', async () => {
    const browser = new Browser(stile)
    const flowId = await begin(browser)
    for (const [action, body] of [
      ['otp.check', {}],
      ['password.reset', { newPassword: 7 }],
      ['user.register', { username: '' }],
    ] as const) {
      refused(await browser.act(flowId, action, body), 400, 'INVALID_REQUEST')
    }
    refused(await browser.act(flowId, 'usernamePassword.check', {}), 400, 'INVALID_DATA', [
      'REQUIRED_VALUE',
      'password',
    ])
  })

  test('members that are missing, empty, too long or of another type are named', async () => {
    const flowId = await begin(new Browser(stile))
    refused(await post(flowId, {}), 400, 'INVALID_DATA', ['REQUIRED_VALUE', 'password'])
    refused(await post(flowId, { username: 'x', password: '' }), 400, 'INVALID_DATA', ['REQUIRED_VALUE', 'password'])
    refused(await post(flowId, { username: 'x', password: 7 }), 400, 'INVALID_DATA', ['INVALID_VALUE', 'password'])
    refused(await post(flowId, { username: ['x'], password: 'x' }), 400, 'INVALID_DATA', ['INVALID_VALUE', 'username'])
    refused(await post(flowId, { username: 'x', password: 'x'.repeat(1025) }), 400, 'INVALID_DATA', [
      'OUT_OF_RANGE',
      'password',
    ])
    refused(await post(flowId, { password: 'x' }), 400, 'INVALID_DATA', ['REQUIRED_VALUE', 'username'])
  })

  test('a body that is no JSON object is malformed', async () => {
    const flowId = await begin(new Browser(stile))
    for (const body of ['{', 'null', '[]', '"text"', '7', '{"password":"x","password":"y"}', '{"__proto__":{}}']) {
      const answer = await post(flowId, body)
      assert.deepEqual([answer.status, answer.json.code], [400, 'INVALID_REQUEST'], body)
    }
  })

  test('a wrong password: INVALID_CREDENTIALS, and the flow stays', async () => {
    const { browser, flowId, person } = await flowIn(stile, 'USERNAME_PASSWORD_REQUIRED')
    const stored = await rowOf(stile, flowId)
    const answer = await browser.act(flowId, 'usernamePassword.check', {
      username: person.username,
      password: 'wrong',
    })
    refused(answer, 400, 'INVALID_DATA', ['INVALID_CREDENTIALS', undefined as never])
    assert.equal(answer.json.details[0].message, 'Invalid username and/or password.')
    assert.deepEqual(await rowOf(stile, flowId), stored)
  })

  test('a new password that does not satisfy the policy: each requirement by name, with its text', async () => {
    const { browser, flowId, person } = await flowIn(stile, 'MUST_CHANGE_PASSWORD')
    const reset = (newPassword: string, currentPassword = person.password) =>
      browser.act(flowId, 'password.reset', { currentPassword, newPassword })
    const short = await reset('short')
    refused(short, 400, 'INVALID_DATA', ['INVALID_VALUE', 'newPassword'])
    const [{ message, innerError }] = short.json.details
    assert.equal(message, 'New password did not satisfy password policy requirements')
    assert.ok(innerError.unsatisfiedRequirements.includes('length'))
    for (const name of innerError.unsatisfiedRequirements) assert.equal(typeof innerError[name], 'string', name)
    refused(await reset('Other-Horse-27', 'wrong'), 400, 'INVALID_DATA', ['INVALID_VALUE', 'currentPassword'])
    const again = await reset(person.password)
    assert.ok(again.json.details[0].innerError.unsatisfiedRequirements.includes('history'), again.text)
    assert.equal((await reset('Other-Horse-27')).json.status, 'COMPLETED')
  })

  test('unknown flow, flow of another environment, unknown environment: the same 404', async () => {
    const license = (await stile.api('GET', `/v1/organizations/${stile.organizationId}/licenses`)).json._embedded
      .licenses[0].id
    const other = await stile.api('POST', '/v1/environments', {
      name: 'Other',
      type: 'SANDBOX',
      region: 'NA',
      license: { id: license },
    })
    const browser = new Browser(stile)
    const flowId = await begin(browser)
    const body = { username: 'x', password: 'x' }
    const places = [
      flowPath(randomUUID()),
      `/${other.json.id}/flows/${flowId}`,
      `/${randomUUID()}/flows/${flowId}`,
      flowPath('7'),
    ]
    for (const path of places) {
      for (const answer of [
        await browser.send(path),
        await post(flowId, body, path, browser),
        await browser.send(`${path}/steps`),
      ]) {
        refused(answer, 404, 'NOT_FOUND')
        assert.equal(answer.json.message, 'The request could not be completed. The requested resource was not found.')
      }
    }
  })

  test('D5: another method is 405 with Allow; another path 404', async () => {
    const flowId = await begin(new Browser(stile))
    for (const method of ['PUT', 'PATCH', 'DELETE', 'HEAD']) {
      const answer = await stile.send(flowPath(flowId), { method })
      assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'GET, POST'], method)
    }
    const steps = await stile.send(`${flowPath(flowId)}/steps`, { method: 'POST', body: {} })
    assert.deepEqual([steps.status, steps.headers.get('allow')], [405, 'GET'])
    assert.equal((await stile.send(`${flowPath(flowId)}/kerberos`, { body: {} })).status, 404, 'D25')
    assert.equal((await stile.send(`${flowPath(flowId)}/`)).status, 404)
  })
})
