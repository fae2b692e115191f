import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changePassword, type PasswordChange } from '../../src/directory/password-change.ts'
import { checkPassword } from '../../src/directory/password-check.ts'
import type { PasswordPolicy } from '../../src/directory/passwords/policy.ts'
import { userWithPasswordById } from '../../src/directory/users.ts'
import type { Storage, UnitBody } from '../../src/storage/port.ts'
import { Stale } from '../../src/storage/refusals.ts'
import { onBothEngines } from './engines.ts'
import { addUser, countingPool, DAY, environmentWith, masterKeys, type NewUser, now } from './rig.ts'

await onBothEngines('password change', (nodes) => {
  const storage = nodes[0] as Storage
  const save = (body: () => UnitBody<void>, on = storage) => on.commit({ name: 'test.save', run: body })

  async function subject(policy: Partial<PasswordPolicy> = {}, properties: NewUser = {}) {
    const environment = environmentWith(policy)
    const { id } = await addUser(storage, environment, properties)
    const passwords = countingPool()
    const read = async () => {
      const found = await userWithPasswordById({ storage }, environment.id, id)
      assert(found)
      return found
    }
    const judge = async (change: Partial<PasswordChange>) => {
      const { user, password: stored } = await read()
      const given = { now, user, stored, newPassword: 'Another-2', by: 'user', mustChange: false, ...change } as const
      return changePassword({ passwords }, environment, given)
    }
    const missed = async (change: Partial<PasswordChange>) => {
      const verdict = await judge(change)
      return verdict.result === 'unsatisfied' ? verdict.requirements.map(({ name }) => name) : []
    }
    const set = async (newPassword: string, at = now) => {
      const verdict = await judge({ newPassword, by: 'administrator', now: at })
      assert(verdict.result === 'accepted', newPassword)
      await save(verdict.store)
    }
    const opens = async (password: string) => {
      const kernel = { storage, passwords, masterKeys }
      return (await checkPassword(kernel, environment, { now, username: null, userId: id, password })).result
    }
    return { environment, read, judge, missed, set, opens }
  }

  test('an accepted password is stored, the guesses at the old one are forgotten', async () => {
    const { judge, opens, read } = await subject()
    assert.equal(await opens('Wrong-1'), 'rejected')
    for (let count = 0; count < 4; count += 1) await opens('Wrong-1')
    assert.equal(await opens('Correct-1'), 'lockedOut')
    const verdict = await judge({ by: 'administrator', mustChange: true, now: now + 1 })
    assert(verdict.result === 'accepted')
    await save(verdict.store)
    assert.equal(await opens('Another-2'), 'accepted')
    assert.equal(await opens('Correct-1'), 'rejected')
    const { password } = await read()
    assert.deepEqual([password?.mustChange, password?.changedAt], [true, now + 1])
  })

  test('misses are named and explained', async () => {
    const { judge, missed } = await subject({ excludesProfileData: true }, { document: { nickname: 'Zaphod-42' } })
    assert.deepEqual(await missed({ newPassword: 'short' }), ['length', 'minCharacters'])
    assert.deepEqual(await missed({ newPassword: 'Common-2023' }), ['excludesCommonlyUsed'])
    assert.deepEqual(await missed({ newPassword: 'zAPHOD-42' }), ['excludesProfileData'])
    assert.deepEqual(await missed({ newPassword: '' }), ['length'])
    assert.deepEqual(await missed({ newPassword: 'x'.repeat(5000) }), ['length'])
    assert.deepEqual(await missed({ newPassword: 'Another-2\u0007' }), ['allowedCharacters'])
    const verdict = await judge({ newPassword: 'short' })
    assert(verdict.result === 'unsatisfied')
    assert.equal(verdict.requirements[0]?.message, 'Use 8 to 255 characters.')
  })

  test('likeness to the present password and minimum age bind the owner alone', async () => {
    const { missed } = await subject({ notSimilarToCurrent: true, minAgeDays: 1 })
    const own = { newPassword: 'Correct-12', currentPassword: 'Correct-1' }
    assert.deepEqual(await missed(own), ['notSimilarToCurrent', 'minAgeDays'])
    assert.deepEqual(await missed({ ...own, now: now + DAY }), ['notSimilarToCurrent'])
    assert.deepEqual(await missed({ ...own, by: 'administrator' }), [])
    const forced = await subject({ minAgeDays: 1 }, { mustChange: true })
    assert.deepEqual(await forced.missed({}), [])
  })

  test('the history remembers by count and by days, and forgets beyond', async () => {
    const { missed, read, set } = await subject({ history: { count: 2, retentionDays: 10 } })
    assert.deepEqual(await missed({ newPassword: 'Correct-1' }), ['history'])
    await set('Second-2', now + 1)
    await set('Third-33', now + 2)
    assert.deepEqual(await missed({ newPassword: 'Correct-1', now: now + 3 }), ['history'])
    await set('Fourth-4', now + 3)
    assert.deepEqual(await missed({ newPassword: 'Correct-1', now: now + 4 }), [])
    assert.deepEqual(await missed({ newPassword: 'Second-2', now: now + 4 }), ['history'])
    assert.deepEqual(await missed({ newPassword: 'Second-2', now: now + 11 * DAY }), [])
    assert.equal((await read()).password?.former.length, 2)
  })

  test('without a history only the present password is refused, and none is kept', async () => {
    const { missed, read, set } = await subject()
    assert.deepEqual(await missed({ newPassword: 'Correct-1' }), ['history'])
    await set('Second-2')
    assert.deepEqual(await missed({ newPassword: 'Correct-1' }), [])
    assert.deepEqual((await read()).password?.former, [])
  })

  test('an administrator may pass by the policy, never by what can be a password', async () => {
    const { missed } = await subject()
    assert.deepEqual(await missed({ newPassword: 'weak', by: 'administrator', bypassPolicy: true }), [])
    assert.deepEqual(await missed({ newPassword: 'a\u0000', by: 'administrator', bypassPolicy: true }), [
      'allowedCharacters',
    ])
  })

  test('K39: of 10 parallel changes one applies; the history holds what it replaced', async () => {
    for (const properties of [{}, { password: null }] satisfies NewUser[]) {
      const { judge, read } = await subject({ history: { count: 6, retentionDays: 365 } }, properties)
      const verdicts = await Promise.all(
        Array.from({ length: 10 }, (_, at) => judge({ newPassword: `Parallel-${at}`, by: 'administrator' })),
      )
      const saved = await Promise.allSettled(
        verdicts.map((verdict, at) => {
          assert(verdict.result === 'accepted')
          return save(verdict.store, nodes[at % nodes.length])
        }),
      )
      assert.equal(saved.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const outcome of saved) assert(outcome.status === 'fulfilled' || outcome.reason instanceof Stale)
      const { password } = await read()
      assert.equal(password?.former.length, 'password' in properties ? 0 : 1)
    }
  })
})
