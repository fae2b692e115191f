/**
 * Registration and verification in a flow, over HTTP: authentication-api 4.2 `user.register`, `user.verify`; decision D9;
 * rows J20, J33, J34, K13, K28, K29, K32, K35, L04, L13.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { testWorld, type TestWorld } from '../../src/world.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import {
  addressOf,
  assign,
  begin,
  codeSentTo,
  inboxOf,
  newApplication,
  newPassword,
  newPerson,
  newPolicy,
  offeringOf,
  rows,
} from './arrange.ts'

suite('registration', () => {
  let stile: Stile
  let request: Readonly<Record<string, string>>
  let world: TestWorld
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    const { clients, login } = await offeringOf(stile)
    request = { client_id: clients['pi.flow'], acr_values: login }
  })
  after(() => stile.close())

  const newcomer = () => {
    const username = `new-${randomUUID()}`
    return { username, email: `${username}@example.com`, password: newPassword() }
  }
  async function register(body: object) {
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', request)
    return { browser, flowId, answer: await browser.act(flowId, 'user.register', body) }
  }
  /** Lets time pass; a node that has not looked at its configuration for that long looks. */
  async function pass(milliseconds: number): Promise<void> {
    world.advance(milliseconds)
    await stile.node.kernel.environments.poll()
  }
  const userNamed = async (username: string) => {
    const { json } = await stile.api('GET', `/users?filter=${encodeURIComponent(`username eq "${username}"`)}`)
    return json._embedded.users[0]
  }

  test('L04: codes go to the address that the flow has established, whatever a body says', async () => {
    const evil = `evil-${randomUUID()}@example.com`
    const elsewhere = { email: evil, to: evil, phone: '+15125550100', user: { email: evil }, device: { email: evil } }
    const person = newcomer()
    const { browser, flowId, answer } = await register({ ...person, to: evil, user: { email: evil } })
    assert.equal(answer.json.status, 'VERIFICATION_CODE_REQUIRED', answer.text)
    assert.equal((await browser.act(flowId, 'user.sendVerificationCode', elsewhere)).status, 200)
    const known = await newPerson(stile)
    const forgetful = new Browser(stile)
    const forgotten = await begin(forgetful, 'pi.flow', request)
    const forgot = await forgetful.act(forgotten, 'password.forgot', { username: known.username, ...elsewhere })
    assert.equal(forgot.json.status, 'RECOVERY_CODE_REQUIRED', forgot.text)
    assert.equal((await forgetful.act(forgotten, 'password.sendRecoveryCode', elsewhere)).status, 200)
    assert.equal((await inboxOf(stile, person.email)).length, 2)
    assert.equal((await inboxOf(stile, addressOf(known))).length, 2)
    assert.deepEqual(await inboxOf(stile, evil), [])
  })

  test('an account may be made elsewhere: whoever has none is shown where, and nobody registers here (J33)', async () => {
    const href = 'https://corp.example/register?from=stile'
    for (const type of ['LOGIN', 'IDENTIFIER_FIRST']) {
      const client = await newApplication(stile)
      const action = { type, recovery: { enabled: true }, registration: { enabled: false, external: { href } } }
      const more = type === 'LOGIN' ? [] : [{ type: 'LOGIN' }]
      await assign(stile, client, await newPolicy(stile, action, ...more))
      const browser = new Browser(stile)
      const flowId = await begin(browser, 'pi.flow', { client_id: client })
      const { json } = await browser.flow(flowId)
      assert.deepEqual(json._embedded.registration, { external: { href } })
      assert.ok(!('user.register' in json._links))
      assert.equal((await browser.act(flowId, 'user.register', newcomer())).status, 400)
      const page = await browser.send(`/${stile.environmentId}/signon/?flowId=${flowId}`)
      assert.match(page.text, /<a class="link" href="https:\/\/corp\.example\/register\?from=stile">/)
      const person = await newPerson(stile)
      for (const username of [person.username, randomUUID()]) {
        const another = await begin(browser, 'pi.flow', { client_id: client })
        const forgot = await browser.act(another, 'password.forgot', { username })
        assert.equal(forgot.json._embedded.registration, undefined, 'D7: whoever was named, whether anybody is')
      }
    }
    const { json: policy } = await stile.api('POST', '/signOnPolicies', { name: randomUUID() })
    for (const [registration, target] of [
      [{ enabled: true, external: { href } }, 'registration.external'],
      [{ enabled: false, external: { href: 'javascript:alert(1)' } }, 'registration.external.href'],
    ] as const) {
      const body = { type: 'LOGIN', priority: 1, registration }
      const { status, json } = await stile.api('POST', `/signOnPolicies/${policy.id}/actions`, body)
      assert.deepEqual([status, json.details?.[0]?.target], [400, target])
    }
  })

  test('J20: nothing counts before the address is proved; then the new user is signed on', async () => {
    const body = newcomer()
    const { browser, flowId, answer } = await register(body)
    assert.equal(answer.json.status, 'VERIFICATION_CODE_REQUIRED', answer.text)
    assert.equal(answer.json._embedded.user.username, body.username)
    assert.equal((await browser.resume(flowId)).json.authorizeResponse, undefined)
    const user = await userNamed(body.username)
    assert.deepEqual(
      [user.lifecycle.status, user.emailVerified, user.population.id, user.enabled],
      ['VERIFICATION_REQUIRED', false, stile.populationId, true],
    )
    assert.deepEqual(await rows(stile, 'sessions', 'user_id = $2', user.id), [])

    const wrong = await browser.act(flowId, 'user.verify', { verificationCode: 'AAAAAAAA' })
    assert.deepEqual([wrong.status, wrong.json.details[0].target], [400, 'verificationCode'])
    const code = await codeSentTo(stile, body.email)
    const done = await browser.act(flowId, 'user.verify', { verificationCode: code })
    assert.equal(done.json.status, 'COMPLETED', done.text)
    assert.ok((await browser.resume(flowId)).json.authorizeResponse.code)
    const verified = await userNamed(body.username)
    assert.deepEqual([verified.lifecycle.status, verified.emailVerified], ['ACCOUNT_OK', true])
  })

  test('J20: who left before that has to prove the address at the next sign-on', async () => {
    const body = newcomer()
    await register(body)
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', request)
    const { username, password } = body
    const checked = await browser.act(flowId, 'usernamePassword.check', { username, password })
    assert.equal(checked.json.status, 'VERIFICATION_CODE_REQUIRED', checked.text)
    const resent = await browser.act(flowId, 'user.sendVerificationCode', {})
    assert.equal(resent.json.status, 'VERIFICATION_CODE_REQUIRED')
    assert.equal((await inboxOf(stile, body.email)).length, 3)
    const verificationCode = await codeSentTo(stile, body.email)
    assert.equal((await browser.act(flowId, 'user.verify', { verificationCode })).json.status, 'COMPLETED')
  })

  test('J34: what decides what a user may do is never taken from them', async () => {
    const body = newcomer()
    const id = randomUUID()
    await register({
      ...body,
      id,
      enabled: false,
      emailVerified: true,
      mfaEnabled: true,
      population: { id: randomUUID() },
      lifecycle: { status: 'ACCOUNT_OK' },
      account: { status: 'LOCKED' },
      externalId: 'x',
      verifyStatus: 'ENABLED',
      roles: ['admin'],
      identityProvider: { id: randomUUID() },
      name: { given: 'Ada' },
    })
    const user = await userNamed(body.username)
    assert.notEqual(user.id, id)
    assert.deepEqual(
      [user.enabled, user.emailVerified, user.mfaEnabled, user.population.id, user.lifecycle.status],
      [true, false, false, stile.populationId, 'VERIFICATION_REQUIRED'],
    )
    assert.deepEqual(
      [user.account.status, user.externalId, user.verifyStatus, user.name],
      ['OK', undefined, 'NOT_INITIATED', { given: 'Ada' }],
    )
  })

  test('K28, K29: a username that somebody has, in any spelling, or as an e-mail address, is taken', async () => {
    const person = await newPerson(stile)
    const { email } = (await stile.api('GET', `/users/${person.id}`)).json
    for (const username of [person.username, person.username.toUpperCase(), ` ${person.username}`, email]) {
      const { answer } = await register({ ...newcomer(), username })
      assert.equal(answer.status, 400, username)
      const [detail] = answer.json.details
      assert.deepEqual([detail.code, detail.target], ['UNIQUENESS_VIOLATION', 'username'])
    }
  })

  test('K28: a username or an address that looks like those of somebody is refused, and an event tells of it', async () => {
    const mine = `admin-${randomUUID()}`
    const { id } = (await stile.api('POST', '/users', { username: mine, email: `${mine}@example.com` })).json
    const like = mine.replace('a', '\u0430')
    const capitals = mine.toUpperCase().replace('I', '\u0130')
    for (const [members, target] of [
      [{ username: like }, 'username'],
      [{ username: capitals }, 'username'],
      [{ username: `${like}@example.com` }, 'username'],
      [{ email: `${like}@example.com` }, 'email'],
    ] as const) {
      const { answer } = await register({ ...newcomer(), ...members })
      const [detail] = answer.json.details ?? []
      assert.deepEqual([answer.status, detail?.code, detail?.target], [400, 'UNIQUENESS_VIOLATION', target])
    }
    await stile.node.kernel.volumeEvents.flush()
    const events = await rows<{ document: string }>(stile, 'events', 'action = $2', 'USER.CONFUSABLE')
    assert.deepEqual(
      events.map(({ document }) => JSON.parse(document).resembles),
      [id, id, id, id],
    )
    const free = await register({ ...newcomer(), username: `\u0430\u043d\u043d\u0430-${randomUUID()}` })
    assert.equal(free.answer.json.status, 'VERIFICATION_CODE_REQUIRED', free.answer.text)
  })

  test('K13, D9: an address that somebody has is taken, as the documented error says; one that nobody proved is not', async () => {
    const [person, mover] = [await newPerson(stile), await newPerson(stile)]
    const { email } = (await stile.api('GET', `/users/${person.id}`)).json
    for (const spelling of [email, email.toUpperCase()]) {
      const { answer } = await register({ ...newcomer(), email: spelling })
      const [detail] = answer.json.details
      assert.deepEqual([answer.status, detail.code, detail.target], [400, 'UNIQUENESS_VIOLATION', 'email'])
      assert.equal(detail.message, 'is unique but a non-unique value is provided')
    }
    const claimed = `claimed-${randomUUID()}@example.com`
    assert.equal((await stile.api('PATCH', `/users/${mover.id}`, { email: claimed })).status, 200)
    const { answer } = await register({ ...newcomer(), email: claimed, username: claimed })
    assert.equal(answer.json.status, 'VERIFICATION_CODE_REQUIRED', answer.text)
  })

  test('K35: what somebody set up for an address that is not theirs is gone when its owner registers', async () => {
    const email = `victim-${randomUUID()}@example.com`
    const attacker = { ...newcomer(), email, username: email }
    assert.equal((await register(attacker)).answer.json.status, 'VERIFICATION_CODE_REQUIRED')
    const early = await register({ ...newcomer(), email })
    assert.equal(early.answer.json.details[0].target, 'email', 'while a code is on its way')
    await pass(300_001)
    const victim = { ...attacker, password: newPassword() }
    const { browser, flowId, answer } = await register(victim)
    assert.equal(answer.json.status, 'VERIFICATION_CODE_REQUIRED', answer.text)
    const verificationCode = await codeSentTo(stile, email)
    assert.equal((await browser.act(flowId, 'user.verify', { verificationCode })).json.status, 'COMPLETED')
    const users = await rows<{ id: string }>(stile, 'users', 'email_key = $2', email)
    assert.equal(users.length, 1)
    assert.equal((await rows(stile, 'passwords', 'user_id = $2', users[0]?.id ?? '')).length, 1)
    const check = async (password: string) => {
      const other = new Browser(stile)
      const began = await begin(other, 'pi.flow', request)
      return (await other.act(began, 'usernamePassword.check', { username: email, password })).status
    }
    assert.deepEqual([await check(attacker.password), await check(victim.password)], [400, 200])
    await pass(300_001)
    const late = await register({ ...newcomer(), email })
    assert.equal(late.answer.json.details[0].code, 'UNIQUENESS_VIOLATION', 'an address that was proved stays')
  })

  test('K35: nor does it outlive that the owner of the address recovers the password', async () => {
    const email = `victim-${randomUUID()}@example.com`
    const attacker = { ...newcomer(), email, username: email }
    await register(attacker)
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', request)
    await browser.act(flowId, 'password.forgot', { username: email })
    const password = newPassword()
    const body = { recoveryCode: await codeSentTo(stile, email), newPassword: password }
    const done = await browser.act(flowId, 'password.recover', body)
    assert.equal(done.json.status, 'COMPLETED', done.text)
    const user = await userNamed(email)
    assert.deepEqual([user.emailVerified, user.lifecycle.status], [true, 'ACCOUNT_OK'])
    const other = new Browser(stile)
    const second = await begin(other, 'pi.flow', request)
    const { username } = attacker
    const wrong = await other.act(second, 'usernamePassword.check', { username, password: attacker.password })
    assert.equal(wrong.status, 400)
  })

  test('an address that was registered and given up can be registered again', async () => {
    const body = newcomer()
    const { browser, flowId } = await register(body)
    await browser.act(flowId, 'user.verify', { verificationCode: await codeSentTo(stile, body.email) })
    const user = await userNamed(body.username)
    await stile.api('PATCH', `/users/${user.id}`, { email: `moved-${randomUUID()}@example.com` })
    const { answer } = await register({ ...newcomer(), email: body.email })
    assert.equal(answer.json.status, 'VERIFICATION_CODE_REQUIRED', answer.text)
  })

  test('what does not fit is named, and no account is made', async () => {
    const refused: readonly (readonly [object, string, string])[] = [
      [{ email: 'not an address' }, 'email', 'INVALID_VALUE'],
      [{ password: 'short' }, 'password', 'INVALID_VALUE'],
      [{ username: '' }, 'username', 'REQUIRED_VALUE'],
    ]
    for (const [change, target, code] of refused) {
      const body = newcomer()
      const { answer } = await register({ ...body, ...change })
      assert.equal(answer.status, 400)
      assert.deepEqual([answer.json.details[0].target, answer.json.details[0].code], [target, code])
      assert.equal(await userNamed(body.username), undefined)
      assert.deepEqual(await inboxOf(stile, body.email), [])
    }
  })

  test('J33: where the policy does not offer it, nobody registers', async () => {
    const browser = new Browser(stile)
    const flowId = await begin(browser)
    const body = newcomer()
    const answer = await browser.act(flowId, 'user.register', body)
    assert.deepEqual([answer.status, answer.json.code], [400, 'INVALID_REQUEST'])
    assert.equal(await userNamed(body.username), undefined)
  })

  test('K32: a code that was sent to one address does not prove another', async () => {
    const body = newcomer()
    const { browser, flowId } = await register(body)
    const verificationCode = await codeSentTo(stile, body.email)
    const user = await userNamed(body.username)
    const moved = `moved-${randomUUID()}@example.com`
    assert.equal((await stile.api('PATCH', `/users/${user.id}`, { email: moved })).status, 200)
    const refused = await browser.act(flowId, 'user.verify', { verificationCode })
    assert.equal(refused.status, 400, refused.text)
    assert.equal((await userNamed(body.username)).emailVerified, false)
    await browser.act(flowId, 'user.sendVerificationCode', {})
    const fresh = await codeSentTo(stile, moved)
    assert.equal((await browser.act(flowId, 'user.verify', { verificationCode: fresh })).json.status, 'COMPLETED')
  })

  test('L13: a recovery code verifies nothing, a verification code recovers nothing', async () => {
    const body = newcomer()
    const { browser, flowId } = await register(body)
    const verificationCode = await codeSentTo(stile, body.email)
    await browser.act(flowId, 'user.verify', { verificationCode })
    const other = new Browser(stile)
    const second = await begin(other, 'pi.flow', request)
    await other.act(second, 'password.forgot', { username: body.username })
    const recoveryCode = await codeSentTo(stile, body.email)
    assert.notEqual(recoveryCode, verificationCode)
    const recover = { recoveryCode: verificationCode, newPassword: newPassword() }
    assert.equal((await other.act(second, 'password.recover', recover)).status, 400)

    const another = newcomer()
    const third = await register(another)
    const wrong = await third.browser.act(third.flowId, 'user.verify', { verificationCode: recoveryCode })
    assert.equal(wrong.status, 400)
  })
})
