/**
 * Recovery of a password in a flow, over HTTP: authentication-api 4.2 `password.forgot`, `password.recover`; decisions D4,
 * D7; rows I21, J15, K05, K07, K12, K15-K17, K21, L13.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { testWorld, type TestWorld } from '../../src/world.ts'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  addressOf,
  begin,
  codeSentTo,
  enable,
  inboxOf,
  newPassword,
  newPerson,
  offeringOf,
  type Person,
  rows,
} from './arrange.ts'
import { watchStorage } from './watch-storage.ts'

suite('recovery of a password', () => {
  let stile: Stile
  let world: TestWorld
  let request: Readonly<Record<string, string>>
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    const { clients, login } = await offeringOf(stile)
    request = { client_id: clients['pi.flow'], acr_values: login }
  })
  after(() => stile.close())

  /** Lets time pass; a node that has not looked at its configuration for that long looks. */
  async function pass(milliseconds: number): Promise<void> {
    world.advance(milliseconds)
    await stile.node.kernel.environments.poll()
  }
  async function forgot(person: Pick<Person, 'username'>, browser = new Browser(stile)) {
    const flowId = await begin(browser, 'pi.flow', request)
    const answer = await browser.act(flowId, 'password.forgot', { username: person.username })
    return { browser, flowId, answer }
  }
  const codeOf = (person: Person) => codeSentTo(stile, addressOf(person))
  const tableOf = (text: string) => /FROM (\w+)/.exec(text)?.[1]
  const wrongCode = ({ json }: Answer) => [json.details?.[0]?.code, json.details?.[0]?.target]

  test('a code is sent; with it a new password is set, which signs on then and later', async () => {
    const person = await newPerson(stile)
    const { browser, flowId, answer } = await forgot(person)
    assert.equal(answer.json.status, 'RECOVERY_CODE_REQUIRED', answer.text)
    assert.deepEqual(
      Object.keys(answer.json._links).filter((name) => name.includes('.')),
      ['password.recover', 'password.sendRecoveryCode', 'session.reset'],
    )
    assert.equal(answer.json._embedded.passwordPolicy.history.count, 6)
    assert.equal(answer.json._embedded.user, undefined)
    const [message] = await inboxOf(stile, addressOf(person))
    assert.equal(message?.template, 'recovery_code_template')
    const code = await codeOf(person)
    assert.ok(!answer.text.includes(code))

    const password = newPassword()
    const done = await browser.act(flowId, 'password.recover', {
      recoveryCode: ` ${code.toLowerCase()} `,
      newPassword: password,
    })
    assert.equal(done.json.status, 'COMPLETED', done.text)
    assert.equal(done.json._embedded.user.username, person.username)
    assert.ok((await browser.resume(flowId)).json.authorizeResponse.code)

    const check = async (typed: string) => {
      const other = new Browser(stile)
      const { status } = await other.act(await begin(other, 'pi.flow', request), 'usernamePassword.check', {
        username: person.username,
        password: typed,
      })
      return status
    }
    assert.deepEqual([await check(person.password), await check(password)], [400, 200])
  })

  test('K12, D7: unknown, disabled, locked, no password, no address, unproved address: the same, and nothing is sent', async () => {
    const disabled = await newPerson(stile)
    await enable(stile, disabled, false)
    const locked = await newPerson(stile)
    const lock = { mediaType: 'application/vnd.pingidentity.account.lock+json' }
    await stile.api('POST', `/users/${locked.id}`, {}, lock)
    const unproved = await newPerson(stile)
    const address = `moved-${randomUUID()}@example.com`
    const imported = { mediaType: 'application/vnd.pingidentity.user.import+json' }
    const body = { username: `unproved-${randomUUID()}`, email: address, emailVerified: false }
    await stile.api('POST', '/users', { ...body, population: { id: stile.populationId } }, imported)
    const people = [
      disabled,
      locked,
      await newPerson(stile, { password: null }),
      { username: `nobody-${randomUUID()}` },
    ]
    const known = await forgot(unproved)
    const shape = ({ answer }: { readonly answer: Answer }) => [
      answer.status,
      answer.json.status,
      Object.keys(answer.json),
      Object.keys(answer.json._links),
      answer.json._embedded.passwordPolicy,
      answer.headers.getSetCookie().length,
    ]
    for (const person of [...people, { username: body.username }]) {
      const story = await forgot(person)
      assert.deepEqual(shape(story), shape(known))
      const refused = await story.browser.act(story.flowId, 'password.recover', {
        recoveryCode: 'AAAAAAAA',
        newPassword: newPassword(),
      })
      assert.deepEqual(wrongCode(refused), ['INVALID_VALUE', 'recoveryCode'])
      const again = await story.browser.act(story.flowId, 'password.sendRecoveryCode', {})
      assert.deepEqual(shape({ answer: again }).slice(0, 4), shape(known).slice(0, 4))
    }
    for (const to of [addressOf(disabled), addressOf(locked), address]) assert.deepEqual(await inboxOf(stile, to), [])
  })

  test('K15: a code is good once, for five minutes, and until there is a newer one', async () => {
    const person = await newPerson(stile)
    const first = await forgot(person)
    const old = await codeOf(person)
    await first.browser.act(first.flowId, 'password.sendRecoveryCode', {})
    const code = await codeOf(person)
    assert.notEqual(code, old)
    const recover = ({ browser, flowId }: typeof first, recoveryCode: string) =>
      browser.act(flowId, 'password.recover', { recoveryCode, newPassword: newPassword() })
    assert.deepEqual(wrongCode(await recover(first, old)), ['INVALID_VALUE', 'recoveryCode'])
    assert.equal((await recover(first, code)).json.status, 'COMPLETED')
    const second = await forgot(person)
    assert.deepEqual(wrongCode(await recover(second, code)), ['INVALID_VALUE', 'recoveryCode'])
    const third = await codeOf(person)
    await pass(300_001)
    assert.deepEqual(wrongCode(await recover(second, third)), ['INVALID_VALUE', 'recoveryCode'])
    assert.deepEqual(
      await rows(stile, 'one_time_codes', "subject = $2 AND expires_at > 0 AND code_hash = ''", person.id),
      [],
    )
  })

  test('K16: five tries per user and five minutes, whatever flow, browser or code they are made with', async () => {
    const person = await newPerson(stile)
    const tries: Answer[] = []
    for (let at = 0; at < 4; at += 1) {
      const { browser, flowId } = await forgot(person)
      for (const recoveryCode of ['AAAAAAAA', 'BBBBBBBB']) {
        tries.push(await browser.act(flowId, 'password.recover', { recoveryCode, newPassword: newPassword() }))
      }
    }
    assert.deepEqual(
      tries.map(({ json }) => json.details[0].code),
      [...Array<string>(5).fill('INVALID_VALUE'), ...Array<string>(3).fill('PASSWORD_LOCKED_OUT')],
    )
    const { browser, flowId } = await forgot(person)
    const body = { recoveryCode: await codeOf(person), newPassword: newPassword() }
    const right = await browser.act(flowId, 'password.recover', body)
    assert.equal(right.json.details[0].code, 'PASSWORD_LOCKED_OUT', 'the right one is not looked at either')
    await pass(299_000)
    assert.equal((await browser.act(flowId, 'password.recover', body)).json.details[0].code, 'PASSWORD_LOCKED_OUT')
  })

  test('a new password that the policy does not take leaves the code good and costs no try', async () => {
    const person = await newPerson(stile)
    const { browser, flowId } = await forgot(person)
    const recoveryCode = await codeOf(person)
    for (let at = 0; at < 7; at += 1) {
      const refused = await browser.act(flowId, 'password.recover', { recoveryCode, newPassword: 'short' })
      assert.deepEqual([refused.status, ...wrongCode(refused)], [400, 'INVALID_VALUE', 'newPassword'])
      assert.ok(refused.json.details[0].innerError.unsatisfiedRequirements.includes('length'))
    }
    const done = await browser.act(flowId, 'password.recover', { recoveryCode, newPassword: newPassword() })
    assert.equal(done.json.status, 'COMPLETED', done.text)
  })

  test('K17: the code of one user is nothing in a flow about another', async () => {
    const [attacker, victim] = [await newPerson(stile), await newPerson(stile)]
    await forgot(attacker)
    const recoveryCode = await codeOf(attacker)
    const { browser, flowId } = await forgot(victim)
    const body = { recoveryCode, newPassword: newPassword(), username: attacker.username, userId: attacker.id }
    assert.deepEqual(wrongCode(await browser.act(flowId, 'password.recover', body)), ['INVALID_VALUE', 'recoveryCode'])
  })

  test('L14: five codes in fifteen minutes; then 429, with the same words for a name that nobody has', async () => {
    for (const person of [await newPerson(stile), { username: `nobody-${randomUUID()}` }]) {
      const { browser, flowId } = await forgot(person)
      for (let at = 0; at < 4; at += 1) {
        assert.equal((await browser.act(flowId, 'password.sendRecoveryCode', {})).status, 200)
      }
      const refused = await browser.act(flowId, 'password.sendRecoveryCode', {})
      assert.deepEqual([refused.status, refused.json.code], [429, 'REQUEST_LIMITED'])
      assert.ok(Number(refused.headers.get('retry-after')) > 0)
      assert.equal((await forgot(person)).answer.status, 429)
    }
  })

  test('J15: without the code no order of other actions reaches a new password or a session', async () => {
    const person = await newPerson(stile)
    const actions: readonly (readonly [string, object])[] = [
      ['session.reset', {}],
      ['password.forgot', { username: person.username }],
      ['password.recover', { recoveryCode: 'AAAAAAAA', newPassword: newPassword() }],
      ['password.reset', { currentPassword: 'x', newPassword: newPassword() }],
      ['usernamePassword.check', { username: person.username, password: 'wrong' }],
      ['user.verify', { verificationCode: 'AAAAAAAA' }],
    ]
    const { browser, flowId } = await forgot(person)
    for (const [first, ...one] of actions) {
      for (const [second, ...other] of actions) {
        for (const [name, body] of [
          [first, one[0]],
          [second, other[0]],
        ] as const) {
          assert.notEqual((await browser.act(flowId, name, body)).json.status, 'COMPLETED')
          assert.equal((await browser.resume(flowId)).json.authorizeResponse, undefined)
        }
      }
    }
    assert.deepEqual(await rows(stile, 'sessions', 'user_id = $2', person.id), [])
    const other = new Browser(stile)
    await pass(900_001)
    const { username, password } = person
    const check = await other.act(await begin(other, 'pi.flow', request), 'usernamePassword.check', {
      username,
      password,
    })
    assert.equal(check.json.status, 'COMPLETED', 'the password is what it was')
  })

  test('I21: other browsers are signed off, and the one that recovers is signed on', async () => {
    const person = await newPerson(stile)
    const signedOn = new Browser(stile)
    const { username, password } = person
    const first = await begin(signedOn, 'pi.flow', request)
    await signedOn.act(first, 'usernamePassword.check', { username, password })
    const [before] = await rows<{ id: string }>(stile, 'sessions', 'user_id = $2', person.id)
    assert.ok(before)
    const { browser, flowId } = await forgot(person)
    const body = { recoveryCode: await codeOf(person), newPassword: newPassword() }
    assert.equal((await browser.act(flowId, 'password.recover', body)).json.status, 'COMPLETED')
    const after = await rows<{ id: string }>(stile, 'sessions', 'user_id = $2', person.id)
    assert.equal(after.length, 1)
    assert.notEqual(after[0]?.id, before.id)
    assert.equal((await signedOn.authorize({ ...piFlowRequest(stile, pkce().challenge), prompt: 'none' })).status, 400)

    const again = await begin(browser, 'pi.flow', { ...request, max_age: '0' })
    await browser.act(again, 'password.forgot', {})
    const second = { recoveryCode: await codeOf(person), newPassword: newPassword() }
    const done = await browser.act(again, 'password.recover', second)
    assert.equal(done.json.status, 'COMPLETED', done.text)
    const kept = await rows<{ id: string }>(stile, 'sessions', 'user_id = $2', person.id)
    assert.deepEqual(
      kept.map(({ id }) => id),
      [after[0]?.id],
      'the own session goes on',
    )
  })

  test('K05, K07: asking for a code forgets no wrong password; the code itself gets in and ends the lock', async () => {
    const person = await newPerson(stile)
    const guess = async (password: string) => {
      const browser = new Browser(stile)
      const flowId = await begin(browser, 'pi.flow', request)
      const { json } = await browser.act(flowId, 'usernamePassword.check', { username: person.username, password })
      return json.details?.[0]?.code ?? json.status
    }
    for (let at = 0; at < 4; at += 1) assert.equal(await guess('wrong'), 'INVALID_CREDENTIALS')
    const { browser, flowId } = await forgot(person)
    await browser.act(flowId, 'session.reset', {})
    assert.equal(await guess('wrong'), 'INVALID_CREDENTIALS')
    assert.equal(await guess(person.password), 'PASSWORD_LOCKED_OUT')
    const other = await forgot(person)
    const body = { recoveryCode: await codeOf(person), newPassword: newPassword() }
    assert.equal((await other.browser.act(other.flowId, 'password.recover', body)).json.status, 'COMPLETED')
    assert.equal(await guess(body.newPassword), 'COMPLETED')
  })

  test('K12: asking for a code and trying one cost the same reads and commits, whoever is meant', async () => {
    const disabled = await newPerson(stile)
    await enable(stile, disabled, false)
    const people = [
      await newPerson(stile),
      disabled,
      await newPerson(stile, { password: null }),
      { username: 'nobody-x' },
    ]
    const watch = watchStorage(stile.node.kernel)
    const costs = []
    for (const { username } of people) {
      const browser = new Browser(stile)
      const flowId = await begin(browser, 'pi.flow', request)
      const cost: unknown[] = []
      const bill = () => {
        cost.push(watch.reads.map(tableOf), [...watch.commits])
        watch.clear()
      }
      watch.clear()
      for (const [action, body] of [
        ['password.forgot', { username }],
        ['password.recover', { recoveryCode: 'AAAAAAAA', newPassword: newPassword() }],
        ['usernamePassword.check', { password: 'wrong' }],
        ['password.sendRecoveryCode', {}],
      ] as const) {
        await browser.act(flowId, action, body)
        bill()
      }
      await browser.send(`/${stile.environmentId}/flows/${flowId}`)
      bill()
      costs.push(cost)
    }
    watch.stop()
    for (const cost of costs) assert.deepEqual(cost, costs[0])
  })

  test('where the policy does not offer it, there is no link and no way', async () => {
    const browser = new Browser(stile)
    const flowId = await begin(browser)
    const answer = await browser.act(flowId, 'password.forgot', { username: stile.user.username })
    assert.deepEqual([answer.status, answer.json.code], [400, 'INVALID_REQUEST'])
  })
})
