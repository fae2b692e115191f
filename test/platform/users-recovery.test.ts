/** Recovery of passwords by the management API: platform-api 1.13, 3.6; rows I21, K07, K15-K17, K21, K38, L14. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { codeSentTo, inboxOf, newPassword } from '../flow-runtime/arrange.ts'
import { addUser, onEachEngine, password, userToken, vendor } from './people.ts'

await onEachEngine('recovery of passwords by the management API', (stile) => {
  const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
  const withAddress = async (properties: object = {}) => {
    const email = `${randomUUID()}@example.com`
    const { id } = await addUser(stile(), { email, password: { value: password }, ...properties })
    return { id: id as string, email }
  }
  const call = (id: string, operation: string, body?: unknown, token?: string) =>
    api('POST', `/users/${id}/password`, body, { ...vendor(operation), ...(token ? { token } : {}) })
  const send = (id: string) => call(id, 'password.sendRecoveryCode')
  const recover = (id: string, recoveryCode: string, value = newPassword()) =>
    call(id, 'password.recover', { recoveryCode, newPassword: value })
  const check = (id: string, value: string) => call(id, 'password.check', { password: value })
  const detail = (answer: Awaited<ReturnType<typeof recover>>) => answer.json.details?.[0]

  test('K38: a code is sent and never answered; with it the password is set, and other sessions end', async () => {
    const { id, email } = await withAddress()
    const token = await userToken(stile(), id, 'p1:read:user')
    assert.equal((await api('GET', `/users/${id}`, undefined, { token })).status, 200)
    const sent = await send(id)
    assert.deepEqual([sent.status, sent.json.status], [200, 'OK'], sent.text)
    const code = await codeSentTo(stile(), email)
    assert.ok(!sent.text.includes(code))
    const wrong = await recover(id, 'AAAAAAAA')
    assert.deepEqual([wrong.status, detail(wrong).code, detail(wrong).target], [400, 'INVALID_VALUE', 'recoveryCode'])
    const weak = await recover(id, code, 'weak')
    assert.deepEqual([weak.status, detail(weak).target], [400, 'newPassword'])
    assert.ok(detail(weak).innerError.unsatisfiedRequirements.includes('length'))
    const value = newPassword()
    const done = await recover(id, ` ${code.toLowerCase()} `, value)
    assert.deepEqual([done.status, done.json.status], [200, 'OK'], done.text)
    assert.deepEqual([(await check(id, password)).status, (await check(id, value)).status], [400, 200])
    assert.equal((await api('GET', `/users/${id}`)).json.emailVerified, true)
    assert.equal((await api('GET', `/users/${id}`, undefined, { token })).status, 401, 'I21')
    assert.equal(detail(await recover(id, code)).target, 'recoveryCode')
  })

  test('K15: of 20 at once with one code, one sets the password', async () => {
    const { id, email } = await withAddress()
    await send(id)
    const code = await codeSentTo(stile(), email)
    const answers = await Promise.all(Array.from({ length: 20 }, () => recover(id, code)))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    for (const answer of answers) if (answer.status !== 200) assert.equal(answer.status, 400, answer.text)
  })

  test('K16: of 60 guesses at once, over resends, five are looked at', async () => {
    const { id, email } = await withAddress()
    await send(id)
    await send(id)
    const answers = await Promise.all(Array.from({ length: 60 }, (_, at) => recover(id, `GUESS${at}`)))
    const codes = answers.map((answer) => detail(answer).code)
    assert.equal(codes.filter((code) => code === 'INVALID_VALUE').length, 5)
    assert.equal(codes.filter((code) => code === 'PASSWORD_LOCKED_OUT').length, 55)
    await send(id)
    assert.equal(detail(await recover(id, await codeSentTo(stile(), email))).code, 'PASSWORD_LOCKED_OUT')
  })

  test('nothing is sent to whom it must not be, and the answer says why', async () => {
    const disabled = await withAddress({ enabled: false })
    const locked = await withAddress({ account: { status: 'LOCKED' } })
    const passwordless = await withAddress({ password: undefined })
    const guessed = await withAddress()
    for (let at = 0; at < 5; at += 1) await check(guessed.id, 'Wrong-1')
    const unproved = await withAddress({ emailVerified: false })
    for (const [person, code, inner] of [
      [disabled, 'REQUEST_FAILED', 'CONSTRAINT_VIOLATION'],
      [locked, 'REQUEST_FAILED', 'CONSTRAINT_VIOLATION'],
      [passwordless, 'INVALID_DATA', 'NO_PASSWORD'],
      [guessed, 'INVALID_DATA', 'PASSWORD_LOCKED_OUT'],
      [unproved, 'REQUEST_FAILED', 'CONSTRAINT_VIOLATION'],
    ] as const) {
      const answer = await send(person.id)
      assert.deepEqual([answer.status, answer.json.code, detail(answer).code], [400, code, inner], answer.text)
      assert.deepEqual(await inboxOf(stile(), person.email), [])
    }
  })

  test('K07: a code that was sent before works although wrong passwords lock the password, and ends the lock', async () => {
    const { id, email } = await withAddress()
    await send(id)
    for (let at = 0; at < 5; at += 1) await check(id, 'Wrong-1')
    const value = newPassword()
    assert.equal((await recover(id, await codeSentTo(stile(), email), value)).status, 200)
    assert.equal((await check(id, value)).status, 200)
  })

  test('K17, K21: a code is nothing for another user, nor for the own one once the address has changed', async () => {
    const [one, other] = [await withAddress(), await withAddress()]
    await send(one.id)
    await send(other.id)
    const code = await codeSentTo(stile(), one.email)
    assert.equal(detail(await recover(other.id, code)).target, 'recoveryCode')
    await api('PATCH', `/users/${one.id}`, { email: other.email })
    assert.equal(detail(await recover(one.id, code)).target, 'recoveryCode')
    assert.equal((await api('GET', `/users/${one.id}`)).json.emailVerified, false)
    assert.equal((await send(one.id)).status, 400, 'an address that was not proved gets no code')
    await api('POST', `/users/${one.id}`, undefined, vendor('user.sendVerificationCode'))
    assert.equal(detail(await recover(one.id, code)).target, 'recoveryCode', 'a code is bound to its address')
    assert.equal((await api('GET', `/users/${one.id}`)).json.emailVerified, false)
  })

  test('L14: five codes in fifteen minutes', async () => {
    const { id } = await withAddress()
    for (let at = 0; at < 5; at += 1) assert.equal((await send(id)).status, 200)
    const refused = await send(id)
    assert.deepEqual([refused.status, refused.json.code], [429, 'REQUEST_LIMITED'])
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
  })

  test('a user may recover the own password with the scope for it, and nobody else', async () => {
    const [one, other] = [await withAddress(), await withAddress()]
    const token = await userToken(stile(), one.id, 'p1:reset:userPassword')
    assert.equal((await call(one.id, 'password.sendRecoveryCode', undefined, token)).status, 200)
    assert.notEqual((await call(other.id, 'password.sendRecoveryCode', undefined, token)).status, 200)
    const without = await userToken(stile(), one.id, 'p1:read:user')
    assert.equal((await call(one.id, 'password.sendRecoveryCode', undefined, without)).status, 403)
    const bare = { mediaType: 'application/vnd.pingidentity.password.sendRecoveryCode' }
    assert.equal((await api('POST', `/users/${one.id}/password`, undefined, bare)).status, 200)
  })
})
