import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { clearGuesses, type Guessed, returnGuess, secondsUntil, takeGuess } from '../../src/limits/guesses.ts'
import type { Storage } from '../../src/storage/port.ts'
import { onBothEngines } from '../directory/engines.ts'

const bound = { guesses: 5, seconds: 900 }
const now = 1_700_000_000_000

await onBothEngines('guess limits', (nodes) => {
  const node = nodes[0] as Storage
  const fresh = (): Guessed => ({ environmentId: 'e', kind: 'password', subject: randomUUID() })
  const take = (guessed: Guessed, at = now, on = node) => on.commit(takeGuess(guessed, bound, at))

  test('a window holds as many guesses as the bound, then refuses until it ends', async () => {
    const guessed = fresh()
    for (const remaining of [4, 3, 2, 1, 0]) {
      assert.deepEqual(await take(guessed), { allowed: true, remaining, until: now + 900_000 })
    }
    const refused = await take(guessed, now + 899_999)
    assert.deepEqual(refused, { allowed: false, remaining: 0, until: now + 900_000 })
    assert.equal(secondsUntil(refused.until, now + 899_999), 1)
    assert.deepEqual(await take(guessed, now + 900_000), { allowed: true, remaining: 4, until: now + 1_800_000 })
  })

  test('K02: of 100 parallel guesses, on all nodes, exactly the bound is allowed', async () => {
    const guessed = fresh()
    const taken = await Promise.all(
      Array.from({ length: 100 }, (_, at) => take(guessed, now, nodes[at % nodes.length] as Storage)),
    )
    assert.equal(taken.filter(({ allowed }) => allowed).length, 5)
  })

  test('clearing begins anew, and touches no other subject', async () => {
    const [guessed, other] = [fresh(), fresh()]
    await take(guessed)
    await take(other)
    await node.commit({
      name: 'test.clear',
      *run() {
        yield clearGuesses(guessed)
      },
    })
    assert.equal((await take(guessed)).remaining, 4)
    assert.equal((await take(other)).remaining, 3)
  })

  test('what is given back can be taken again, also after others were refused, and only in its own window', async () => {
    const guessed = fresh()
    const first = await take(guessed)
    for (let count = 0; count < 6; count += 1) await take(guessed)
    await node.commit(returnGuess(guessed, bound, first))
    assert.equal((await take(guessed)).allowed, true)
    assert.equal((await take(guessed)).allowed, false)

    const later = await take(guessed, now + 900_000)
    assert.equal(later.remaining, 4)
    await node.commit(returnGuess(guessed, bound, first))
    assert.equal((await take(guessed, now + 900_000)).remaining, 3)
  })
})
