/** How codes are made (row F14): each symbol as likely as any other, and none to be foretold by those before it. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type CodeForm, newCode } from '../../src/directory/one-time-codes.ts'
import { realWorld } from '../../src/world.ts'

/** The randomness of the operating system, asked for a mebibyte at a time. */
function pooled(): Parameters<typeof newCode>[0] {
  let pool: Buffer = Buffer.alloc(0)
  return {
    bytes(size) {
      if (pool.length < size) pool = realWorld.bytes(1_048_576)
      const taken = pool.subarray(0, size)
      pool = pool.subarray(size)
      return taken
    },
  }
}

/** Pearson's chi-squared of how often each of `kinds` symbols occurs. */
function chiSquared(symbols: string, kinds: number): number {
  const counts = new Map<string, number>()
  for (const symbol of symbols) counts.set(symbol, (counts.get(symbol) ?? 0) + 1)
  assert.equal(counts.size, kinds)
  const expected = symbols.length / kinds
  return [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

suite('F14: codes that are sent', () => {
  const world = pooled()
  // Missed by chance alone once in more than 10^9 runs.
  const forms: readonly (readonly [form: CodeForm, kinds: number, highest: number])[] = [
    [{ kind: 'digits', length: 6 }, 10, 70],
    [{ kind: 'letters-and-digits', length: 8 }, 28, 110],
  ]
  for (const [form, kinds, highest] of forms) {
    test(`${form.kind}: every symbol is as likely as any other, and so is every pair of neighbours`, () => {
      const codes = Array.from({ length: 100_000 }, () => newCode(world, form))
      assert.ok(codes.every((code) => code.length === form.length))
      const symbols = chiSquared(codes.join(''), kinds)
      assert.ok(symbols < highest, `chi-squared of ${symbols}`)
      // Kinds of neighbours, counted by how far apart in the alphabet they stand.
      const alphabet = [...new Set(codes.join(''))]
      const at = new Map(alphabet.map((symbol, place) => [symbol, place]))
      const steps = codes.map((code) => {
        const [first = '', second = ''] = code
        return String.fromCodePoint(((at.get(first) ?? 0) - (at.get(second) ?? 0) + kinds) % kinds)
      })
      const neighbours = chiSquared(steps.join(''), kinds)
      assert.ok(neighbours < highest, `chi-squared of ${neighbours} for neighbours`)
    })
  }

  test('of a hundred thousand codes of six digits as many are alike as chance has it; of ids none', () => {
    const count = 100_000
    const codes = new Set(Array.from({ length: count }, () => newCode(world, { kind: 'digits', length: 6 })))
    const expected = 1e6 * (1 - Math.exp(-count / 1e6))
    assert.ok(Math.abs(codes.size - expected) < 600, `${codes.size} different ones`)
    const ids = Array.from({ length: count }, () => realWorld.uuid())
    assert.equal(new Set(ids).size, count)
    assert.notDeepEqual(ids.slice(0, 100), ids.slice(0, 100).toSorted())
  })
})
