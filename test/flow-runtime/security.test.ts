/** What flows must not do, told or stored: rows I16-I18, J01, J13, J21, J26, J36, and the https side of D1 and 4.1. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { flowStatuses } from '../../src/flow/actions/index.ts'
import { Browser, piFlowRequest, pkce, signOn } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  assign,
  authorize,
  begin,
  bodyOf,
  enable,
  flowIn,
  newApplication,
  newPassword,
  newPerson,
  newPolicy,
  type Person,
  rowOf,
  rows,
  setPassword,
  stateOf,
} from './arrange.ts'

suite('flows', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const path = (flowId: string) => `/${stile.environmentId}/flows/${flowId}`
  const check = (browser: Browser, flowId: string, person: Person = stile.user) =>
    browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
  const sessionsOf = ({ id }: Person) => rows<{ id: string }>(stile, 'sessions', 'user_id = $2', id)

  test('J01: ids are random and do not sort by time; guessing them finds nothing', async () => {
    const ids: string[] = []
    for (let round = 0; round < 20; round++) {
      ids.push(...(await Promise.all(Array.from({ length: 25 }, () => begin(new Browser(stile))))))
    }
    assert.equal(new Set(ids).size, 500)
    for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const rising = ids.filter((id, at) => at > 0 && id > (ids[at - 1] as string)).length
    assert.ok(rising > 200 && rising < 300, `${rising} of 499 follow their predecessor`)
    const guesses = Array.from({ length: 200 }, (_, at) => {
      const near = ids[at] as string
      const last = near.endsWith('0') ? '1' : '0'
      return at % 2 === 0 ? randomUUID() : near.slice(0, -1) + last
    })
    const answers = await Promise.all(guesses.map((id) => stile.send(path(id))))
    const faces = new Set(answers.map(({ status, json }) => JSON.stringify([status, { ...json, id: '' }])))
    assert.equal(faces.size, 1)
    assert.equal(answers[0]?.status, 404)
  })

  suite('J13: one flow, one person', () => {
    test('another name at a flow that has a user is refused, and costs neither of them a guess', async () => {
      const { browser, flowId, person } = await flowIn(stile, 'PASSWORD_REQUIRED')
      const other = await newPerson(stile)
      const stored = await rowOf(stile, flowId)
      for (const body of [
        bodyOf('usernamePassword.check', other),
        { username: other.username, password: person.password },
        { username: 'nobody', password: 'x' },
      ]) {
        const { status, json } = await browser.act(flowId, 'usernamePassword.check', body)
        assert.deepEqual([status, json.details[0].code, json.details[0].target], [400, 'INVALID_VALUE', 'username'])
      }
      for (const { id } of [person, other]) assert.deepEqual(await rows(stile, 'limits', 'subject = $2', id), [])
      const wrong = await browser.act(flowId, 'usernamePassword.check', { password: other.password })
      assert.equal(wrong.json.details[0].code, 'INVALID_CREDENTIALS')
      assert.deepEqual(await rowOf(stile, flowId), stored)
      assert.equal(
        (await check(browser, flowId, { ...person, username: person.username.toUpperCase() })).json.status,
        'COMPLETED',
      )
    })

    test('what somebody proved under a policy that failed is worth nothing to the next person', async () => {
      const policies = [await newPolicy(stile, { type: 'LOGIN' }), await newPolicy(stile, { type: 'LOGIN' })]
      const application = await newApplication(stile)
      await assign(stile, application, ...policies)
      const [first, second] = [await newPerson(stile, { forceChange: true }), await newPerson(stile)]
      const browser = new Browser(stile)
      const flowId = await begin(browser, 'pi.flow', { client_id: application })
      await check(browser, flowId, first)
      await enable(stile, first, false)
      await browser.act(flowId, 'password.reset', bodyOf('password.reset', first))
      await enable(stile, first, true)
      const done = await check(browser, flowId, second)
      assert.equal(done.json._embedded.user.id, second.id)
      const { proofs } = await stateOf(stile, flowId)
      assert.deepEqual([...new Set(proofs.map(({ userId }) => userId))], [second.id])
      assert.deepEqual([(await sessionsOf(first)).length, (await sessionsOf(second)).length], [0, 1])
    })
  })

  suite('J21: a password that must be changed', () => {
    test('blocks everything but changing it, which needs the present one', async () => {
      const { browser, flowId, person } = await flowIn(stile, 'MUST_CHANGE_PASSWORD', 'redirect')
      const silent = await browser.authorize(piFlowRequest(stile, pkce().challenge, { prompt: 'none' }))
      assert.equal(silent.json.details[0].code, 'LOGIN_REQUIRED')
      assert.equal(
        (await authorize(browser, 'pi.flow')).json.status,
        'USERNAME_PASSWORD_REQUIRED',
        'another application',
      )
      const resumed = await browser.resume(flowId)
      assert.ok(resumed.headers.get('location')?.includes('/signon/'))
      const wrong = await browser.act(flowId, 'password.reset', {
        currentPassword: 'wrong',
        newPassword: newPassword(),
      })
      assert.equal(wrong.json.details[0].target, 'currentPassword')
      const [limit] = await rows<{ count: number }>(stile, 'limits', 'subject = $2', person.id)
      assert.ok(limit && limit.count >= 1, 'the failure counts')
      assert.deepEqual(await sessionsOf(person), [])
      const same = await browser.act(flowId, 'password.reset', {
        currentPassword: person.password,
        newPassword: person.password,
      })
      assert.equal(same.status, 400)
      assert.equal(
        (await browser.act(flowId, 'password.reset', bodyOf('password.reset', person))).json.status,
        'COMPLETED',
      )
    })

    test('is asked for although a session would satisfy the policy', async () => {
      const person = await newPerson(stile)
      const browser = new Browser(stile)
      await signOn(browser, person)
      assert.equal((await authorize(browser, 'pi.flow')).json.status, 'COMPLETED')
      await setPassword(stile, person, { forceChange: true })
      const silent = await browser.authorize(piFlowRequest(stile, pkce().challenge, { prompt: 'none' }))
      assert.equal(silent.json.details[0].code, 'LOGIN_REQUIRED')
      const flowId = await begin(browser)
      assert.equal((await browser.send(path(flowId))).json.status, 'PASSWORD_REQUIRED')
      assert.equal((await check(browser, flowId, person)).json.status, 'MUST_CHANGE_PASSWORD')
    })
  })

  test('J26: before the password, a flow says nothing about anybody, not even whom the application expects', async () => {
    const person = await newPerson(stile, { name: { given: 'Grace', family: 'Hidden' } })
    const browser = new Browser(stile)
    const told: Answer[] = [await authorize(browser, 'pi.flow', { login_hint: person.username })]
    const flowId = told[0]?.json.id
    told.push(
      await browser.send(path(flowId)),
      await browser.send(`${path(flowId)}/steps`),
      await browser.resume(flowId),
    )
    told.push(await check(browser, flowId, { ...person, password: 'wrong' }))
    for (const { text } of told) {
      for (const part of [person.id, person.username, 'Grace', 'Hidden', 'example.com', 'passwordPolicy']) {
        assert.ok(!text.includes(part), `${part} in ${text}`)
      }
    }
    const unknown = await authorize(new Browser(stile), 'pi.flow', { login_hint: `nobody-${randomUUID()}` })
    const shape = ({ json }: Answer) =>
      JSON.stringify(json).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[^"]+/g, '')
    assert.equal(shape(told[0] as Answer), shape(unknown))
  })

  test('J36: nothing of a flow may be kept by a cache, and no code is told before it is resumed', async () => {
    for (const status of flowStatuses) {
      const { browser, flowId, person } = await flowIn(stile, status)
      const answers = [
        await browser.send(path(flowId)),
        await browser.send(`${path(flowId)}/steps`),
        await browser.act(flowId, 'usernamePassword.check', {}),
        await browser.send(path(flowId), { method: 'PUT' }),
        await new Browser(stile).send(path(randomUUID())),
      ]
      assert.deepEqual(await rows(stile, 'authorization_codes', 'user_id = $2', person.id), [])
      answers.push(await browser.resume(flowId), await browser.resume(flowId))
      for (const [at, { headers, text }] of answers.entries()) {
        assert.equal(headers.get('cache-control'), 'no-store')
        assert.equal(headers.get('pragma'), 'no-cache')
        assert.equal(text.includes('authorizeResponse'), status === 'COMPLETED' && at === 5)
      }
    }
  })

  suite('headers (catalogue 4.1)', () => {
    const html = { accept: 'text/html,application/xhtml+xml' }

    /** Every page that somebody may come to see. */
    async function pages(): Promise<Record<string, Answer>> {
      const found: Record<string, Answer> = {}
      const pageOf = (flowId: string) => `/${stile.environmentId}/signon/?flowId=${flowId}`
      for (const status of flowStatuses) {
        const { browser, flowId } = await flowIn(stile, status, 'redirect')
        found[status] = await browser.send(pageOf(flowId), { headers: html })
      }
      const browser = new Browser(stile)
      const flowId = await begin(browser, 'redirect')
      const post = (body: unknown, headers: Record<string, string> = {}, at = pageOf(flowId)) =>
        browser.send(at, { method: 'POST', body, headers: { ...html, ...headers } })
      const form = new URLSearchParams({ action: 'usernamePassword.check', username: 'x', password: 'x' })
      found['a wrong password'] = await post(form)
      found['a foreign form'] = await post(form, { origin: 'https://evil.example' })
      found['an unknown action'] = await post(new URLSearchParams({ action: 'x' }))
      found['no form'] = await post({})
      found['no media type'] = await browser.send(pageOf(flowId), {
        method: 'POST',
        body: 'x',
        mediaType: 'nonsense',
        headers: html,
      })
      found['a form too large'] = await post(new URLSearchParams({ action: 'x'.repeat(70_000) }))
      found['a broken form'] = await browser.send(pageOf(flowId), {
        method: 'POST',
        body: 'a=%zz',
        mediaType: 'application/x-www-form-urlencoded',
        headers: html,
      })
      found['another method'] = await browser.send(pageOf(flowId), { method: 'DELETE', headers: html })
      found['no flow'] = await browser.send(pageOf(randomUUID()), { headers: html })
      found['an unknown environment'] = await browser.send(`/${randomUUID()}/signon/?flowId=${flowId}`, {
        headers: html,
      })
      found['a query repeated'] = await browser.send(`${pageOf(flowId)}&flowId=x`, { headers: html })
      found['two cookies'] = await stile.send(pageOf(flowId), {
        headers: { ...html, cookie: `${browser.cookie}; ST=x` },
      })
      const asked = (query: Record<string, string>) =>
        browser.send(`/${stile.environmentId}/as/authorize?${new URLSearchParams(query)}`, { headers: html })
      found['an unknown client'] = await asked({ client_id: randomUUID() })
      const { clientId, redirectUri } = stile.webApp
      found['a foreign redirect URI'] = await asked({
        client_id: clientId,
        redirect_uri: 'https://evil.example/"><script>',
      })
      found['a response that is posted'] = await asked({
        client_id: clientId,
        redirect_uri: redirectUri,
        response_type: 'x',
        response_mode: 'form_post',
        state: '"><script>',
      })
      found['a resume of nothing'] = await browser.send(`/${stile.environmentId}/as/resume?flowId=${randomUUID()}`, {
        headers: html,
      })
      found['a resume by a foreign origin'] = await browser.send(`/${stile.environmentId}/as/resume?flowId=${flowId}`, {
        headers: { ...html, origin: 'null' },
      })
      return found
    }

    test('I16-I18: every page, those of failures included', async () => {
      for (const [name, { headers, text, status }] of Object.entries(await pages())) {
        const what = `${name} (${status})`
        assert.match(headers.get('content-type') ?? '', /^text\/html;charset=UTF-8$/, what)
        const policy = Object.fromEntries(
          (headers.get('content-security-policy') ?? '')
            .split('; ')
            .map((line) => [line.split(' ')[0], line.slice(line.indexOf(' ') + 1)]),
        )
        for (const [directive, value] of Object.entries({
          'default-src': "'none'",
          'script-src': "'self'",
          'style-src': "'self'",
          'frame-ancestors': "'none'",
          'base-uri': "'none'",
          'object-src': "'none'",
          'require-trusted-types-for': "'script'",
        })) {
          assert.equal(policy[directive], value, `${what}: ${directive}`)
        }
        const own = name === 'a response that is posted' ? new URL(stile.webApp.redirectUri).origin : "'self'"
        assert.ok([own, "'none'"].includes(policy['form-action'] ?? ''), `${what}: ${policy['form-action']}`)
        assert.doesNotMatch(JSON.stringify(policy), /unsafe|\*|https?:\/\/evil/, what)
        assert.equal(headers.get('x-frame-options'), 'DENY', what)
        assert.equal(headers.get('x-content-type-options'), 'nosniff', what)
        assert.equal(headers.get('cache-control'), 'no-store', what)
        assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin', what)
        assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin', what)
        assert.match(headers.get('referrer-policy') ?? '', /^(no-referrer|same-origin)$/, what)
        assert.match(headers.get('permissions-policy') ?? '', /camera=\(\)/, what)
        assert.ok(headers.get('correlation-id'), what)
        assert.doesNotMatch(text, /<script(?![^>]*\bsrc=)|<style|\son\w+=|style="|javascript:/i, `${what}: inline code`)
        assert.doesNotMatch(text, /"><script>/, `${what}: not escaped`)
      }
    })

    test('every JSON answer: HAL on flows, plain JSON on /as and /v1 (authentication-api 1.6)', async () => {
      const browser = new Browser(stile)
      const flowId = await begin(browser)
      const as = `/${stile.environmentId}/as`
      const hal = [
        await stile.send(path(flowId)),
        await stile.send(path(randomUUID())),
        await stile.send(path(flowId), { method: 'PUT' }),
        await stile.send(path(flowId), { body: {} }),
      ]
      const plain = [
        await authorize(browser, 'pi.flow'),
        await browser.resume(flowId),
        await browser.resume(randomUUID()),
        await stile.send(`${as}/resume`, { method: 'PUT' }),
        await stile.send(`${as}/authorize?client_id=x&response_mode=pi.flow`),
        await stile.send(`${as}/token`, { body: new URLSearchParams() }),
        await stile.send('/nowhere'),
        await stile.api('GET', '/users'),
        await stile.api('GET', '/users', undefined, { token: null }),
      ]
      for (const { headers } of [...hal, ...plain]) {
        assert.equal(headers.get('content-security-policy'), "default-src 'none'; frame-ancestors 'none'")
        assert.equal(headers.get('x-content-type-options'), 'nosniff')
        assert.equal(headers.get('x-frame-options'), 'DENY')
        assert.equal(headers.get('cache-control'), 'no-store')
        assert.match(headers.get('correlation-id') ?? '', /^[0-9a-f-]{36}$/)
        assert.equal(headers.get('server'), null)
        assert.equal(headers.get('x-powered-by'), null)
      }
      const types = (answers: readonly Answer[]) => [
        ...new Set(answers.map(({ headers }) => headers.get('content-type'))),
      ]
      assert.deepEqual(types(hal), ['application/hal+json;charset=UTF-8'])
      assert.deepEqual(types(plain), ['application/json;charset=UTF-8'])
    })
  })
})

suite('flows under https', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile({ environment: { STILE_PUBLIC_URL: 'https://auth.example.com' } })
  })
  after(() => stile.close())

  test('I01, D1: the cookie is Secure and SameSite=None', async () => {
    const answer = await authorize(new Browser(stile), 'pi.flow')
    const [cookie = ''] = answer.headers.getSetCookie()
    assert.match(
      cookie,
      new RegExp(
        `^ST=[0-9a-f-]{36}; Path=/${stile.environmentId}; Max-Age=2592000; Expires=[^;]+ GMT; Secure; HttpOnly; SameSite=None$`,
      ),
    )
  })

  test('I18, I28: HSTS for a year; links are https, whatever the request claims to have come by', async () => {
    const headers = {
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'evil.example',
      forwarded: 'proto=http;host=evil.example',
    }
    const answer = await new Browser(stile).send(
      `/${stile.environmentId}/as/authorize?${new URLSearchParams(piFlowRequest(stile, pkce().challenge))}`,
      { headers },
    )
    assert.match(answer.headers.get('strict-transport-security') ?? '', /^max-age=31536000/)
    const links = [...JSON.stringify(answer.json).matchAll(/https?:\/\/[^/"]+/g)].map(([origin]) => origin)
    assert.deepEqual([...new Set(links)], ['https://auth.example.com'])
    assert.match(answer.headers.getSetCookie()[0] ?? '', /Secure/)
  })
})
