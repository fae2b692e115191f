import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { randomUuid } from '../src/uuid.ts'

const many = 50_000

/** Collects garbage, whatever flags the process was started with. */
function collect(): void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  gc()
}

suite('random UUIDs (RFC 9562 section 5.4, decision D17)', () => {
  const made = Array.from({ length: many }, randomUuid)

  test('are written in lower case, with version 4 and the variant of the RFC', () => {
    const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
    assert.deepEqual(
      made.filter((uuid) => !form.test(uuid)),
      [],
    )
  })

  test('are all different, and every other digit has any value as often as any other', () => {
    assert.equal(new Set(made).size, many)
    for (let place = 0; place < 36; place += 1) {
      const counts = Map.groupBy(made, (uuid) => uuid[place])
      const values = { 8: 1, 13: 1, 18: 1, 23: 1, 14: 1, 19: 4 }[place] ?? 16
      assert.equal(counts.size, values, `place ${place}`)
      // Six standard deviations of a fair digit.
      const mean = many / values
      const most = 6 * Math.sqrt(mean * (1 - 1 / values))
      for (const [digit, { length }] of counts) {
        assert.ok(Math.abs(length - mean) <= most, `${digit} ${length} times at place ${place}`)
      }
    }
  })

  test('hold no more memory than their letters', () => {
    const kept = made.slice()
    collect()
    const before = process.memoryUsage().heapUsed
    for (let at = 0; at < many; at += 1) kept[at] = randomUuid()
    collect()
    const bytes = (process.memoryUsage().heapUsed - before) / kept.length
    assert.ok(bytes < 120, `${bytes.toFixed(0)} bytes each`)
  })
})
