/**
 * IDENTIFIER_FIRST over HTTP: authentication-api 4.2 `user.lookup`, 5.3; decision D7. A name that nobody has is treated
 * like one that somebody has, to the last header (rows J26, J29, K09, K11).
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { addressOf, begin, enable, inboxOf, newPerson, offeringOf, type Person, rows } from './arrange.ts'

suite('IDENTIFIER_FIRST', () => {
  let stile: Stile
  let request: Readonly<Record<string, string>>
  before(async () => {
    stile = await startStile()
    const { clients, identifierFirst } = await offeringOf(stile)
    request = { client_id: clients['pi.flow'], acr_values: identifierFirst }
  })
  after(() => stile.close())

  const path = (flowId: string) => `/${stile.environmentId}/flows/${flowId}`

  async function named(username: string) {
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', request)
    // Without the cookie, as a native client begins.
    browser.cookie = undefined
    const answer = await browser.act(flowId, 'user.lookup', { username })
    return { browser, flowId, answer }
  }

  /** What an answer tells, with what differs from flow to flow taken out. */
  function told({ status, text, headers }: Answer, username: string): unknown {
    const anonymous = (value: string) =>
      value
        .replaceAll(username, 'NAME')
        .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
        .replaceAll(/Expires=[^;]+/g, 'Expires')
    const kept = [...headers].filter(([name]) => !['date', 'correlation-id', 'content-length'].includes(name))
    return { status, text: anonymous(text), headers: kept.map(([name, value]) => [name, anonymous(value)]) }
  }

  test('asks for the name, then for the password, and signs on', async () => {
    const person = await newPerson(stile, { name: { given: 'Ada', family: 'Byron' } })
    const { browser, flowId, answer } = await named(person.username.toUpperCase())
    assert.deepEqual([answer.status, answer.json.status], [200, 'PASSWORD_REQUIRED'], answer.text)
    assert.deepEqual(
      Object.keys(answer.json._links).filter((name) => name.includes('.')),
      ['usernamePassword.check', 'password.forgot', 'session.reset'],
    )
    const done = await browser.act(flowId, 'usernamePassword.check', { password: person.password })
    assert.equal(done.json.status, 'COMPLETED', done.text)
    assert.equal(done.json._embedded.user.username, person.username)
  })

  test('J26: before the password, the flow says nothing of whom it is about', async () => {
    const person = await newPerson(stile, { name: { given: 'Ada', family: 'Byron' } })
    const { browser, flowId, answer } = await named(person.username)
    for (const { text, json } of [answer, await browser.send(path(flowId))]) {
      assert.equal(json._embedded.user, undefined)
      for (const secret of [person.id, 'Ada', 'Byron', 'example.com']) assert.ok(!text.includes(secret), secret)
    }
  })

  test('J29, K09, K11: unknown, disabled, locked and known read the same, until the password is right', async () => {
    const known = await newPerson(stile)
    const disabled = await newPerson(stile)
    await enable(stile, disabled, false)
    const locked = await newPerson(stile)
    const lock = { mediaType: 'application/vnd.pingidentity.account.lock+json' }
    assert.equal((await stile.api('POST', `/users/${locked.id}`, {}, lock)).status, 200)
    const noPassword = await newPerson(stile, { password: null })
    const unknown = `person-${randomUUID()}`

    async function story(username: string): Promise<unknown[]> {
      const { browser, flowId, answer } = await named(username)
      const wrong = { password: 'wrong' }
      return [
        told(answer, username),
        told(await browser.send(path(flowId)), username),
        told(await new Browser(stile).send(path(flowId)), username),
        told(await browser.act(flowId, 'usernamePassword.check', wrong), username),
        told(await browser.act(flowId, 'usernamePassword.check', { ...wrong, username: 'somebody-else' }), username),
        told(await browser.act(flowId, 'usernamePassword.check', { ...wrong, username }), username),
        told(await browser.resume(flowId), username),
        told(await browser.act(flowId, 'session.reset', {}), username),
      ]
    }
    const expected = await story(unknown)
    for (const { username } of [known, disabled, locked, noPassword]) assert.deepEqual(await story(username), expected)
    assert.deepEqual((expected[2] as { status: number }).status, 404, 'bound to the browser that typed the name')
  })

  test('J29, K12: a recovery is of whoever was named first; another name is refused, whoever has either', async () => {
    const [known, other] = [await newPerson(stile), await newPerson(stile)]
    const unknown = `person-${randomUUID()}`
    const story = async (username: string) => {
      const { browser, flowId } = await named(username)
      const asOther = await browser.act(flowId, 'password.forgot', { username: other.username })
      const page = () => browser.send(`/${stile.environmentId}/signon/?flowId=${flowId}`)
      const before = await page()
      const asNamed = await browser.act(flowId, 'password.forgot', { username: ` ${username.toUpperCase()}` })
      return [asOther, before, asNamed, await page()].map((answer) => told(answer, username))
    }
    const [expected, ...others] = [await story(unknown), await story(known.username)]
    for (const each of others) assert.deepEqual(each, expected)
    assert.deepEqual(
      expected.map((answer) => (answer as { status: number }).status),
      [400, 200, 200, 200],
    )
    assert.deepEqual(await inboxOf(stile, addressOf(other)), [], 'nobody else is written to')
    assert.equal((await inboxOf(stile, addressOf(known))).length, 1)
  })

  test('nobody is signed on by a name that nobody has, or by that of another', async () => {
    const [person, other] = [await newPerson(stile), await newPerson(stile)]
    for (const username of [`nobody-${randomUUID()}`, other.username]) {
      const { browser, flowId } = await named(username)
      const { password } = person
      for (const body of [{ password }, { username: person.username, password }]) {
        const answer = await browser.act(flowId, 'usernamePassword.check', body)
        assert.equal(answer.status, 400, answer.text)
      }
      assert.deepEqual(await sessionsOf(person), [])
      const reset = await browser.act(flowId, 'session.reset', {})
      assert.equal(reset.json.status, 'SIGN_ON_REQUIRED', 'another name may be given')
      await browser.act(flowId, 'user.lookup', { username: person.username })
      const done = await browser.act(flowId, 'usernamePassword.check', { password })
      assert.equal(done.json.status, 'COMPLETED', done.text)
      await stile.api('DELETE', `/users/${person.id}`)
      return
    }
  })

  test('a name alone signs nobody on, even where the policy asks for nothing else', async () => {
    const person = await newPerson(stile)
    const { clients } = await offeringOf(stile)
    const created = await stile.api('POST', '/signOnPolicies', { name: `Names_${randomUUID().slice(0, 8)}` })
    const action = { type: 'IDENTIFIER_FIRST', priority: 1 }
    await stile.api('POST', `/signOnPolicies/${created.json.id}/actions`, action)
    const assignment = { priority: 9, signOnPolicy: { id: created.json.id } }
    await stile.api('POST', `/applications/${clients['pi.flow']}/signOnPolicyAssignments`, assignment)
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', { ...request, acr_values: created.json.name })
    const answer = await browser.act(flowId, 'user.lookup', { username: person.username })
    assert.equal(answer.json.status, 'FAILED')
    assert.equal(answer.json.error.code, 'POLICY_NOT_SATISFIED')
    assert.deepEqual(await sessionsOf(person), [])
  })

  const sessionsOf = ({ id }: Person) => rows<object>(stile, 'sessions', 'user_id = $2', id)
})
