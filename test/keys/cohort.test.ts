/** Work that is done together at the end of a turn of the event loop (src/keys/cohort.ts). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { inCohort } from '../../src/keys/cohort.ts'

suite('cohorts', () => {
  test('all the work of a turn is done before anybody who asked for it goes on', async () => {
    const happened: string[] = []
    const request = async (name: string, at: number) => {
      // Requests of a turn come to ask one after the other, and what is promised goes on in between.
      for (let hop = 0; hop < 10 * at; hop++) await Promise.resolve()
      const made = await inCohort(() => {
        happened.push(`made ${name}`)
        return name
      })
      happened.push(`went on with ${made}`)
    }
    await Promise.all(['a', 'b', 'c'].map(request))
    assert.deepEqual(happened, ['made a', 'made b', 'made c', 'went on with a', 'went on with b', 'went on with c'])
  })

  test('work that throws is its own asker’s refusal alone', async () => {
    const failure = new Error('no key')
    const outcomes = await Promise.allSettled([
      inCohort(() => 1),
      inCohort(() => {
        throw failure
      }),
      inCohort(() => 3),
    ])
    assert.deepEqual(outcomes, [
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: failure },
      { status: 'fulfilled', value: 3 },
    ])
  })

  test('work is asked for again while a cohort goes on, and in later turns', async () => {
    assert.equal(await inCohort(() => 1).then((first) => inCohort(() => first + 1)), 2)
    await nextTurn()
    assert.equal(await inCohort(() => 3), 3)
  })
})
