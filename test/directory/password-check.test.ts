import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkPassword, type PasswordTry } from '../../src/directory/password-check.ts'
import { HashingOverloaded } from '../../src/directory/passwords/pool.ts'
import { userWithPasswordById } from '../../src/directory/users.ts'
import type { Storage, UnitBody } from '../../src/storage/port.ts'
import { onBothEngines } from './engines.ts'
import { addUser, countingPool, DAY, environmentWith, masterKeys, now } from './rig.ts'

await onBothEngines('password check', (nodes) => {
  const storage = nodes[0] as Storage
  const environment = environmentWith()

  function checker(at = 0) {
    const passwords = countingPool()
    const kernel = { storage: nodes[at % nodes.length] as Storage, passwords, masterKeys }
    const check = (attempt: Partial<PasswordTry>) =>
      checkPassword(kernel, environment, { now, username: null, userId: null, password: 'Wrong-1', ...attempt })
    return { passwords, check }
  }
  const save = (body: () => UnitBody<void>) => storage.commit({ name: 'test.save', run: body })

  test('the right password is accepted; settling forgets the guesses', async () => {
    const { check } = checker()
    const user = await addUser(storage, environment)
    for (const failuresRemaining of [4, 3]) {
      const wrong = await check({ username: user.username })
      assert(wrong.result === 'rejected')
      assert.equal(wrong.failuresRemaining, failuresRemaining)
    }
    const right = await check({ username: user.username, password: 'Correct-1' })
    assert(right.result === 'accepted')
    assert.deepEqual([right.user.id, right.state], [user.id, 'OK'])
    await save(right.settle)
    const again = await check({ username: user.username })
    assert(again.result === 'rejected')
    assert.equal(again.failuresRemaining, 4)
  })

  test('K03: one counter for all spellings of a name and for the id', async () => {
    const { check, passwords } = checker()
    const user = await addUser(storage, environment, { username: `Ann.\u00c9lan ${Math.random()}` })
    const spellings = [
      { username: user.username.toUpperCase() },
      { username: user.username.normalize('NFD') },
      { username: ` ${user.username} ` },
      { username: user.username.replace('Ann', '\uff21nn') },
      { userId: user.id },
      { username: user.username, userId: user.id },
    ]
    const results = []
    for (const spelling of spellings) results.push((await check(spelling)).result)
    assert.deepEqual(results, [...Array<string>(5).fill('rejected'), 'lockedOut'])
    assert.equal(passwords.verified.length, 5)
  })

  test('a locked password is not tried, not even the right one, until the window ends', async () => {
    const { check, passwords } = checker()
    const user = await addUser(storage, environment)
    for (let count = 0; count < 5; count += 1) await check({ userId: user.id })
    const locked = await check({ userId: user.id, password: 'Correct-1', now: now + 1000 })
    assert(locked.result === 'lockedOut')
    assert.equal(locked.secondsUntilUnlock, 899)
    assert.equal(passwords.verified.length, 5)
    const unlocked = await check({ userId: user.id, password: 'Correct-1', now: now + 900_000 })
    assert.equal(unlocked.result, 'accepted')
  })

  test('K02: of 50 parallel guesses over all nodes no more than the bound are hashed', async () => {
    for (const username of [(await addUser(storage, environment)).username, `nobody-${Math.random()}`]) {
      const checkers = Array.from({ length: 50 }, (_, at) => checker(at))
      const results = await Promise.all(
        checkers.map(({ check }, at) => check({ username, password: at === 25 ? 'Correct-1' : `Wrong-${at}` })),
      )
      assert.equal(checkers.flatMap(({ passwords }) => passwords.verified).length, 5)
      assert.equal(results.filter(({ result }) => result === 'lockedOut').length, 45)
    }
  })

  test('D6, K09, K11: unknown, disabled, locked, without a password and wrong take the same steps', async () => {
    const subjects = {
      wrong: await addUser(storage, environment),
      disabled: await addUser(storage, environment, { enabled: false }),
      locked: await addUser(storage, environment, { lockedAt: now }),
      passwordless: await addUser(storage, environment, { password: null }),
      unknown: { username: `nobody-${Math.random()}` },
    }
    for (const [name, { username }] of Object.entries(subjects)) {
      const { check, passwords } = checker()
      const before = storage.counts()
      // The right password of a disabled or locked user is no better than a wrong one.
      const password = name === 'disabled' || name === 'locked' ? 'Correct-1' : 'Wrong-1'
      const first = await check({ username, password })
      const after = storage.counts()
      assert.equal(after.reads - before.reads, 1, name)
      assert.equal(after.commits - before.commits, 1, name)
      assert.equal(passwords.verified.length, 1, name)
      assert.equal(first.result, name === 'passwordless' ? 'noPassword' : 'rejected')
      assert('failuresRemaining' in first && first.failuresRemaining === 4, name)
      for (let count = 0; count < 4; count += 1) await check({ username, password })
      assert.equal((await check({ username, password })).result, 'lockedOut', name)
    }
  })

  test('a name beside an id must be the name of that user, and costs no guess', async () => {
    const { check, passwords } = checker()
    const [user, other] = [await addUser(storage, environment), await addUser(storage, environment)]
    for (const username of [other.username, 'nobody']) {
      assert.deepEqual(await check({ userId: user.id, username, password: 'Correct-1' }), { result: 'otherUser' })
    }
    assert.deepEqual(passwords.verified, [])
    const right = await check({ userId: user.id, username: user.username.toUpperCase(), password: 'Correct-1' })
    assert.equal(right.result, 'accepted')
  })

  test('the state of an accepted password: to be changed, expired', async () => {
    const { check } = checker()
    const policy = environment.passwordPolicies.values().next().value?.policy
    assert.equal(policy?.maxAgeDays, undefined)
    const must = await addUser(storage, environment, { mustChange: true })
    const forced = await check({ userId: must.id, password: 'Correct-1' })
    assert(forced.result === 'accepted')
    assert.equal(forced.state, 'MUST_CHANGE_PASSWORD')

    const ageing = environmentWith({ maxAgeDays: 30 })
    const old = await addUser(storage, ageing, { changedAt: now - 31 * DAY })
    const kernel = { storage, passwords: countingPool(), masterKeys }
    const attempt = { now, username: null, userId: old.id, password: 'Correct-1' }
    const expired = await checkPassword(kernel, ageing, attempt)
    assert(expired.result === 'accepted')
    assert.equal(expired.state, 'PASSWORD_EXPIRED')
  })

  test('K27: an old hash is replaced when the success is saved, unless the password was changed meanwhile', async () => {
    const { check } = checker()
    const user = await addUser(storage, environment, { oldHash: true })
    const first = await check({ userId: user.id, password: 'Correct-1' })
    const second = await check({ userId: user.id, password: 'Correct-1' })
    assert(first.result === 'accepted' && second.result === 'accepted')
    await save(first.settle)
    const kept = (await userWithPasswordById({ storage }, environment.id, user.id))?.password?.hash
    assert.match(kept ?? '', /^hash:Correct-1:/)
    await save(second.settle)
    assert.equal((await userWithPasswordById({ storage }, environment.id, user.id))?.password?.hash, kept)
  })

  test('a full pool gives the guess back', async () => {
    const user = await addUser(storage, environment)
    const passwords = { ...countingPool(), verify: () => Promise.reject(new HashingOverloaded(2)) }
    for (let count = 0; count < 10; count += 1) {
      await assert.rejects(
        checkPassword({ storage, passwords, masterKeys }, environment, {
          now,
          username: null,
          userId: user.id,
          password: 'Correct-1',
        }),
        HashingOverloaded,
      )
    }
    const { check } = checker()
    const wrong = await check({ userId: user.id })
    assert(wrong.result === 'rejected')
    assert.equal(wrong.failuresRemaining, 4)
  })

  test('K23: what cannot be a password is rejected without a guess', async () => {
    const { check, passwords } = checker()
    const user = await addUser(storage, environment)
    for (const password of ['', 'a\u0000b', 'a\ud800', 'x'.repeat(5000)]) {
      const result = await check({ userId: user.id, password })
      assert(result.result === 'rejected')
      assert.equal(result.failuresRemaining, undefined)
    }
    assert.deepEqual(passwords.verified, [])
  })

  test('a policy without a lock-out still has a ceiling', async () => {
    const { lockout: _lockout, ...open } = environmentWith().passwordPolicies.values().next().value?.policy ?? {}
    const lax = environmentWith()
    const [id, stored] = lax.passwordPolicies.entries().next().value ?? []
    assert(id && stored)
    const unlimited = { ...lax, passwordPolicies: new Map([[id, { ...stored, policy: open as typeof stored.policy }]]) }
    const user = await addUser(storage, lax)
    const passwords = countingPool()
    const attempt = { now, username: null, userId: user.id, password: 'Wrong-1' }
    for (let count = 0; count < 101; count += 1)
      await checkPassword({ storage, passwords, masterKeys }, unlimited, attempt)
    assert.equal(passwords.verified.length, 100)
  })
})
