/** Verification of users by the management API: platform-api 1.13, 3.5; rows K32, K33, K38, L13. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { codeSentTo, inboxOf } from '../flow-runtime/arrange.ts'
import { addUser, onEachEngine, password, userToken, vendor } from './people.ts'

await onEachEngine('verification of users', (stile) => {
  const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
  const withAddress = async (properties: object = {}) => {
    const email = `${randomUUID()}@example.com`
    const { id } = await addUser(stile(), { email, ...properties })
    return { id: id as string, email }
  }
  const call = (id: string, operation: string, body?: unknown, token?: string) =>
    api('POST', `/users/${id}`, body, { ...vendor(operation), ...(token ? { token } : {}) })
  const verify = (id: string, verificationCode: string) => call(id, 'user.verify', { verificationCode })
  const ask = (id: string, body?: object) =>
    api('POST', `/users/${id}/emailVerification`, body, vendor('user.emailVerification.send'))
  const stateOf = async (id: string) => {
    const { lifecycle, emailVerified } = (await api('GET', `/users/${id}`)).json
    return [lifecycle.status, emailVerified]
  }

  test('user.sendVerificationCode and user.verify: the lifecycle waits for the code', async () => {
    const { id, email } = await withAddress()
    const sent = await call(id, 'user.sendVerificationCode')
    assert.deepEqual([sent.status, sent.json.lifecycle.status], [200, 'VERIFICATION_REQUIRED'], sent.text)
    const code = await codeSentTo(stile(), email)
    assert.ok(!sent.text.includes(code), 'K38')
    const wrong = await verify(id, 'AAAAAAAA')
    assert.deepEqual([wrong.status, wrong.json.details[0].target], [400, 'verificationCode'])
    assert.deepEqual(await stateOf(id), ['VERIFICATION_REQUIRED', undefined])
    const done = await verify(id, code)
    assert.deepEqual([done.status, done.json.lifecycle.status, done.json.emailVerified], [200, 'ACCOUNT_OK', true])
    assert.equal((await verify(id, code)).status, 400)
  })

  test('of 20 at once with one code, one verifies', async () => {
    const { id, email } = await withAddress()
    await call(id, 'user.sendVerificationCode')
    const code = await codeSentTo(stile(), email)
    const answers = await Promise.all(Array.from({ length: 20 }, () => verify(id, code)))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    assert.deepEqual(await stateOf(id), ['ACCOUNT_OK', true])
  })

  test('five wrong codes, then none is looked at', async () => {
    const { id, email } = await withAddress()
    await call(id, 'user.sendVerificationCode')
    const answers = await Promise.all(Array.from({ length: 30 }, (_, at) => verify(id, `GUESS${at}`)))
    const codes = answers.map(({ json }) => json.details[0].code)
    assert.equal(codes.filter((code) => code === 'INVALID_VALUE').length, 5)
    assert.equal((await verify(id, await codeSentTo(stile(), email))).json.details[0].code, 'LIMIT_EXCEEDED')
  })

  test('an import may require it: a code goes out, unless that is suppressed', async () => {
    const lifecycle = { status: 'VERIFICATION_REQUIRED' }
    const told = await withAddress({ lifecycle })
    assert.deepEqual(await stateOf(told.id), ['VERIFICATION_REQUIRED', undefined])
    assert.equal((await verify(told.id, await codeSentTo(stile(), told.email))).status, 200)
    const untold = await withAddress({ lifecycle: { ...lifecycle, suppressVerificationCode: true } })
    assert.deepEqual(await inboxOf(stile(), untold.email), [])
    assert.deepEqual(await stateOf(untold.id), ['VERIFICATION_REQUIRED', undefined])
  })

  test('emailVerification: asks about the address alone, in the words for who asks', async () => {
    const { id, email } = await withAddress({ emailVerified: false })
    for (const [body, template] of [
      [undefined, 'email_verification_user'],
      [{ notificationType: 'admin' }, 'email_verification_admin'],
    ] as const) {
      const answer = await ask(id, body)
      assert.deepEqual([answer.status, answer.text], [204, ''])
      const messages = await inboxOf(stile(), email)
      assert.equal(messages.at(-1)?.template, template)
      assert.deepEqual(await stateOf(id), ['ACCOUNT_OK', false])
    }
    assert.equal((await ask(id, { notificationType: 'else' })).status, 400)
    assert.equal((await verify(id, await codeSentTo(stile(), email))).status, 200)
    assert.deepEqual(await stateOf(id), ['ACCOUNT_OK', true])
    const { id: nowhere } = await addUser(stile())
    const refused = await ask(nowhere)
    assert.deepEqual([refused.status, refused.json.details[0].target], [400, 'email'])
  })

  test('K32: a code for one address proves no other, and a change to the address of another is unproved', async () => {
    const [attacker, victim] = [await withAddress(), await withAddress({ emailVerified: true })]
    await ask(attacker.id)
    const code = await codeSentTo(stile(), attacker.email)
    await api('PATCH', `/users/${attacker.id}`, { email: victim.email })
    assert.equal((await verify(attacker.id, code)).status, 400)
    assert.deepEqual(await stateOf(attacker.id), ['ACCOUNT_OK', false])
    assert.deepEqual(await stateOf(victim.id), ['ACCOUNT_OK', true])
  })

  test('L13: a recovery code verifies nobody', async () => {
    const { id, email } = await withAddress({ password: { value: password } })
    await api('POST', `/users/${id}/password`, undefined, vendor('password.sendRecoveryCode'))
    assert.equal((await verify(id, await codeSentTo(stile(), email))).status, 400)
  })

  test('K33: a user verifies only themselves, with the scope for it and the code', async () => {
    const [one, other] = [await withAddress(), await withAddress()]
    const token = await userToken(stile(), one.id, 'p1:verify:user')
    assert.equal((await call(one.id, 'user.sendVerificationCode', undefined, token)).status, 200)
    assert.notEqual((await call(other.id, 'user.sendVerificationCode', undefined, token)).status, 200)
    const verificationCode = await codeSentTo(stile(), one.email)
    assert.notEqual((await call(other.id, 'user.verify', { verificationCode }, token)).status, 200)
    const updating = await userToken(stile(), one.id, 'p1:update:user')
    assert.equal((await call(one.id, 'user.verify', { verificationCode }, updating)).status, 403)
    assert.equal((await call(one.id, 'user.verify', { verificationCode }, token)).status, 200)
  })
})
