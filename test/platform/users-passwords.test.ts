import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rows } from '../flow-runtime/arrange.ts'
import { vectorPassword, vectors } from '../directory/passwords/vectors.ts'
import { addUser, onEachEngine, password, userToken, vendor } from './people.ts'

const another = 'Other-Horse-28-Staple'

await onEachEngine(
  'passwords of users',
  (stile) => {
    const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
    const withPassword = (properties: object = {}) => addUser(stile(), { password: { value: password }, ...properties })
    const call = (method: string, id: string, operation: string, body?: unknown, token?: string) =>
      api(method, `/users/${id}/password`, body, { ...vendor(operation), ...(token ? { token } : {}) })
    const check = (id: string, value: string) => call('POST', id, 'password.check', { password: value })
    const state = async (id: string) => (await api('GET', `/users/${id}/password`)).json

    test('the state of a password: its status, policy and times, never the password', async () => {
      const { id } = await withPassword()
      const { status, json, text } = await api('GET', `/users/${id}/password`)
      assert.equal(status, 200)
      const { _links, lastChangedAt, passwordPolicy, ...rest } = json
      assert.deepEqual(rest, { environment: { id: stile().environmentId }, user: { id }, status: 'OK' })
      assert(_links.passwordPolicy.href.endsWith(`/passwordPolicies/${passwordPolicy.id}`))
      assert.equal((await api('GET', `/passwordPolicies/${passwordPolicy.id}`)).status, 200)
      assert(Date.now() - Date.parse(lastChangedAt) < 60_000)
      assert(!/argon2|hash|Horse/.test(text))
      const none = await addUser(stile())
      assert.deepEqual(
        [(await state(none.id)).status, (await state(none.id)).lastChangedAt],
        ['NO_PASSWORD', undefined],
      )
    })

    test('password.check: right, wrong, empty, without a password, disabled', async () => {
      const { id } = await withPassword()
      assert.deepEqual((await check(id, password)).json, await state(id))
      const wrong = await check(id, 'Wrong-1')
      assert.deepEqual(
        [wrong.status, wrong.json.code, wrong.json.details],
        [
          400,
          'INVALID_DATA',
          [
            {
              code: 'INVALID_VALUE',
              target: 'password',
              message: 'The provided password did not match provisioned password',
              innerError: { failuresRemaining: 4 },
            },
          ],
        ],
      )
      const empty = await check(id, '')
      assert.deepEqual(empty.json.details, [{ code: 'EMPTY_VALUE', target: 'password', message: 'must not be empty' }])
      const missing = await call('POST', id, 'password.check', {})
      assert.deepEqual([missing.status, missing.json.details[0].code], [400, 'REQUIRED_VALUE'])
      assert.equal((await check(id, password)).status, 200)
      assert.equal((await check(id, 'Wrong-1')).json.details[0].innerError.failuresRemaining, 4)

      const none = await addUser(stile())
      const noPassword = await check(none.id, password)
      assert.deepEqual([noPassword.status, noPassword.json.details[0].code], [400, 'NO_PASSWORD'])
      await api('PUT', `/users/${id}/enabled`, { enabled: false })
      const disabled = await check(id, password)
      assert.deepEqual([disabled.status, disabled.json.code], [400, 'REQUEST_FAILED'])
    })

    test('K02, K04: 50 parallel checks lock the password; the account shows it; unlocking ends it', async () => {
      const { id } = await withPassword()
      const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => check(id, `Wrong-${at}`)))
      const codes = answers.map(({ json }) => json.details[0].code)
      assert.equal(codes.filter((code) => code === 'INVALID_VALUE').length, 5)
      assert.equal(codes.filter((code) => code === 'PASSWORD_LOCKED_OUT').length, 45)
      const right = await check(id, password)
      assert.equal(right.json.details[0].code, 'PASSWORD_LOCKED_OUT')
      assert(right.json.details[0].innerError.secondsUntilUnlock <= 900)

      const locked = await state(id)
      assert.equal(locked.status, 'PASSWORD_LOCKED_OUT')
      assert(locked.secondsUntilUnlock > 800)
      const { account } = (await api('GET', `/users/${id}`)).json
      assert.deepEqual([account.status, account.canAuthenticate], ['LOCKED', false])
      assert(Date.parse(account.unlockAt) > Date.now() && account.secondsUntilUnlock > 800)

      for (const operation of ['password.unlock', 'account.unlock']) {
        const unlocked = await (operation === 'password.unlock'
          ? call('POST', id, operation)
          : api('POST', `/users/${id}`, undefined, vendor(operation)))
        assert.equal(unlocked.status, 200, unlocked.text)
        assert.equal((await check(id, password)).status, 200)
        assert.deepEqual((await api('GET', `/users/${id}`)).json.account, { canAuthenticate: true, status: 'OK' })
        for (let count = 0; count < 5; count += 1) await check(id, 'Wrong-1')
        assert.equal((await state(id)).status, 'PASSWORD_LOCKED_OUT')
      }
      assert.equal((await call('PUT', id, 'password.set', { value: another })).json.status, 'OK')
      assert.equal((await check(id, another)).status, 200)
    })

    test('password.set: the policy holds unless it is passed by; forceChange says so', async () => {
      const { id } = await addUser(stile(), { name: { given: 'Bartholomew' } })
      const weak = await call('PUT', id, 'password.set', { value: 'weak' })
      assert.deepEqual([weak.status, weak.json.details[0].target], [400, 'password'])
      assert(weak.json.details[0].innerError.unsatisfiedRequirements.includes('length'))
      assert.equal((await state(id)).status, 'NO_PASSWORD')
      const passed = await call('PUT', id, 'password.set', { value: 'weak', bypassPolicy: true })
      assert.deepEqual([passed.status, passed.json.status], [200, 'OK'])
      const forced = await call('PUT', id, 'password.set', { value: another, forceChange: true })
      assert.equal(forced.json.status, 'MUST_CHANGE_PASSWORD')
      assert.deepEqual(await state(id), forced.json)
      assert.equal((await check(id, another)).json.status, 'MUST_CHANGE_PASSWORD')
      const again = await call('PUT', id, 'password.set', { value: another })
      assert.deepEqual(again.json.details[0].innerError.unsatisfiedRequirements, ['history'])
      for (const value of ['{BCRYPT}$2b$31$abc', 'a\u0007b', 'x'.repeat(5000), 7, null]) {
        assert.equal((await call('PUT', id, 'password.set', { value })).status, 400)
      }
      assert.equal((await api('PUT', `/users/${id}/password`, { value: another })).status, 415)
    })

    test('K26, K27: a password that another system encoded signs on, and is hashed anew when it first does', async () => {
      const stored = async (id: string) => {
        const text = 'SELECT hash FROM passwords WHERE user_id = $1'
        const [row] = await stile().node.kernel.storage.read<{ readonly hash: string }>({ text, values: [id] })
        return row?.hash ?? ''
      }
      for (const value of [vectors[0], vectors[4], vectors[11]]) {
        const imported = await addUser(stile(), { password: { value } })
        const set = await addUser(stile())
        const answer = await call('PUT', set.id, 'password.set', { value, forceChange: true })
        assert.deepEqual([answer.status, answer.json.status], [200, 'MUST_CHANGE_PASSWORD'], answer.text)
        for (const { id } of [imported, set]) {
          assert.match(await stored(id), /^\{"kdf".*\$argon2id\$/)
          const wrong = await check(id, 'Wrong-1')
          assert.equal(wrong.json.details[0].innerError.failuresRemaining, 4)
          assert.equal((await check(id, value ?? '')).status, 400)
          assert.equal((await check(id, vectorPassword)).status, 200)
          assert.match(await stored(id), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
          assert.equal((await check(id, vectorPassword)).status, 200)
        }
        assert.equal((await state(imported.id)).status, 'OK')
        assert.equal((await state(set.id)).status, 'MUST_CHANGE_PASSWORD')
      }
      const dear = '$2b$31$abcdefghijklmnopqrstuuo5JLH.ZPBwrhflpufPRCZUx0ooaG20q'
      const { id } = await withPassword()
      const refused = await call('PUT', id, 'password.set', { value: dear, bypassPolicy: true })
      assert.deepEqual([refused.status, refused.json.details[0].target], [400, 'value'])
      assert.ok(!refused.text.includes('abcdefgh'))
      assert.equal((await check(id, password)).status, 200)
      const encoded = await call('PUT', id, 'password.reset', { newPassword: vectors[0] })
      assert.deepEqual([encoded.status, encoded.json.details[0].target], [400, 'newPassword'])
    })

    test('K40: password.reset by an administrator: it must be changed at the next sign-on, and cannot stay', async () => {
      const { id } = await withPassword()
      const reset = await call('PUT', id, 'password.reset', { newPassword: another })
      assert.deepEqual([reset.status, reset.json.status], [200, 'MUST_CHANGE_PASSWORD'])
      assert.equal((await check(id, another)).status, 200)
      const weak = await call('PUT', id, 'password.reset', { newPassword: 'weak' })
      const token = await userToken(stile(), id, 'p1:reset:userPassword')
      const kept = await call('PUT', id, 'password.reset', { currentPassword: another, newPassword: another }, token)
      assert.ok(kept.json.details[0].innerError.unsatisfiedRequirements.includes('history'))
      assert.equal(weak.json.details[0].target, 'newPassword')
      assert.equal(weak.json.details[0].message, 'New password did not satisfy password policy requirements')
    })

    test('K22: a user resets the own password with the present one; wrong ones count, refused new ones do not', async () => {
      const { id } = await withPassword({ password: { value: password, forceChange: true } })
      const token = await userToken(stile(), id, 'p1:reset:userPassword')
      const reset = (body: object) => call('PUT', id, 'password.reset', body, token)
      const without = await reset({ newPassword: another })
      assert.deepEqual([without.status, without.json.details[0].target], [400, 'currentPassword'])
      const wrong = await reset({ currentPassword: 'Wrong-1', newPassword: another })
      assert.deepEqual([wrong.status, wrong.json.details[0].target], [400, 'currentPassword'])
      assert.equal(wrong.json.details[0].innerError.failuresRemaining, 4)
      for (let count = 0; count < 6; count += 1) {
        const weak = await reset({ currentPassword: password, newPassword: 'weak' })
        assert.equal(weak.json.details[0].target, 'newPassword', weak.text)
      }
      const similar = await reset({ currentPassword: password, newPassword: `${password}1` })
      assert.deepEqual(similar.json.details[0].innerError.unsatisfiedRequirements, ['notSimilarToCurrent'])
      const done = await reset({ currentPassword: password, newPassword: another })
      assert.deepEqual([done.status, done.json.status], [200, 'OK'], done.text)
      assert.equal((await check(id, another)).status, 200)
      const young = await reset({ currentPassword: another, newPassword: 'Third-Camel-93-Button' })
      assert.deepEqual(young.json.details[0].innerError.unsatisfiedRequirements, ['minAgeDays'])
      assert.equal((await call('PUT', id, 'password.set', { value: password }, token)).status, 403)
      for (let count = 0; count < 5; count += 1) await reset({ currentPassword: 'Wrong-1', newPassword: another })
      assert.equal(
        (await reset({ currentPassword: another, newPassword: password })).json.details[0].code,
        'PASSWORD_LOCKED_OUT',
      )
    })

    test('K39: of parallel resets none is lost: whichever finds the password changed since it was read is refused', async () => {
      const { id } = await withPassword({ password: { value: password, forceChange: true } })
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, at) =>
          call('PUT', id, 'password.reset', { newPassword: `Camel-${at}4-Button-Run` }),
        ),
      )
      const done = answers.filter(({ status }) => status === 200)
      const [stored] = await rows<{ readonly history: string }>(stile(), 'passwords', 'user_id = $2', id)
      assert.ok(done.length >= 1)
      assert.equal(JSON.parse(stored?.history ?? '[]').length, done.length, 'each that applied replaced the one before')
      for (const { status, json } of answers) assert(status === 200 || json.code === 'REQUEST_FAILED')
    })

    test('password.forceChange and password.unlock, with and without +json', async () => {
      const { id } = await withPassword()
      const bare = { mediaType: 'application/vnd.pingidentity.password.forceChange' }
      const forced = await api('POST', `/users/${id}/password`, undefined, bare)
      assert.deepEqual([forced.status, forced.json.status], [200, 'MUST_CHANGE_PASSWORD'])
      assert.deepEqual(await state(id), forced.json)
      const none = await addUser(stile())
      assert.equal((await call('POST', none.id, 'password.forceChange')).json.details[0].code, 'NO_PASSWORD')
      assert.equal((await call('POST', none.id, 'password.unlock', {})).status, 200)
      assert.equal((await call('POST', id, 'password.forgot', {})).status, 415)
    })

    test('locking is idempotent, and said by the account', async () => {
      const { id } = await withPassword()
      const lock = () => api('POST', `/users/${id}`, { canAuthenticate: true, status: 'OK' }, vendor('account.lock'))
      const first = await lock()
      const { account } = first.json
      assert.deepEqual([first.status, account.status, account.canAuthenticate], [200, 'LOCKED', false])
      assert.equal((await lock()).json.account.lockedAt, account.lockedAt)
      const unlocked = await api('POST', `/users/${id}`, undefined, vendor('account.unlock'))
      assert.deepEqual(unlocked.json.account, { canAuthenticate: true, status: 'OK' })
      assert.equal((await api('POST', `/users/${id}`, {})).status, 415)
    })

    test('N32: every change leaves an event with the actor, and no event holds a secret', async () => {
      const { id } = await withPassword()
      await check(id, password)
      await check(id, 'Wrong-1')
      await call('PUT', id, 'password.set', { value: another })
      await call('POST', id, 'password.forceChange')
      await call('POST', id, 'password.unlock')
      await api('PATCH', `/users/${id}`, { nickname: 'Secret-Nickname' })
      await api('PUT', `/users/${id}/enabled`, { enabled: false })
      await api('DELETE', `/users/${id}`)
      const rows = await stile().node.kernel.storage.read<Readonly<Record<string, string>>>({
        text: 'SELECT * FROM events WHERE subject_id = $1 ORDER BY recorded_at, id',
        values: [id],
      })
      assert.deepEqual(rows.map(({ action }) => String(action)).toSorted(), [
        'PASSWORD.CHECK_FAILED',
        'PASSWORD.CHECK_SUCCEEDED',
        'PASSWORD.FORCED_CHANGE',
        'PASSWORD.SET',
        'PASSWORD.SET',
        'PASSWORD.UNLOCKED',
        'USER.CREATED',
        'USER.DELETED',
        'USER.UPDATED',
        'USER.UPDATED',
      ])
      for (const row of rows) assert.equal(row['actor_client_id'], stile().worker.clientId)
      assert(!/Horse|Wrong-1|Secret-Nickname|argon2/.test(JSON.stringify(rows)))
    })
  },
  { hashesAsInProduction: true },
)
