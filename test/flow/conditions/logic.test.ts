import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type CompiledCondition, evaluate, type Truth } from '../../../src/flow/condition.ts'
import { and } from '../../../src/flow/conditions/and.ts'
import { not } from '../../../src/flow/conditions/not.ts'
import { or } from '../../../src/flow/conditions/or.ts'

const leaf = (truth: unknown): CompiledCondition => ({
  reads: [],
  evaluate: () => {
    if (truth === 'throws') throw new Error('evaluation failed')
    return truth as Truth
  },
})
const nothing = { session: null, user: null, request: null, now: 0 }

/** Rows: the inner results; then what `and` and `or` come to. */
const table: readonly (readonly [readonly string[], Truth, Truth])[] = [
  [['true'], 'true', 'true'],
  [['false'], 'false', 'false'],
  [['unknown'], 'unknown', 'unknown'],
  [['true', 'true'], 'true', 'true'],
  [['true', 'false'], 'false', 'true'],
  [['false', 'false'], 'false', 'false'],
  [['true', 'unknown'], 'unknown', 'true'],
  [['false', 'unknown'], 'false', 'unknown'],
  [['true', 'throws'], 'unknown', 'true'],
  [['false', 'throws'], 'false', 'unknown'],
  [['throws', 'throws'], 'unknown', 'unknown'],
]

suite('and, or, not', () => {
  test('follow the three-valued table in every order', () => {
    for (const [inner, all, some] of table) {
      for (const parts of [inner, inner.toReversed()]) {
        const compiled = [and.compile({ and: [...parts] }, leaf), or.compile({ or: [...parts] }, leaf)]
        assert.deepEqual(
          compiled.map((condition) => evaluate(condition, nothing)),
          [all, some],
          parts.join(),
        )
      }
    }
  })

  test('not turns true and false around and leaves unknown alone', () => {
    for (const [inner, outer] of [
      ['true', 'false'],
      ['false', 'true'],
      ['unknown', 'unknown'],
      ['throws', 'unknown'],
    ]) {
      assert.equal(evaluate(not.compile({ not: inner }, leaf), nothing), outer)
    }
  })

  test('a result outside the closed union is unknown', () => {
    for (const truth of [undefined, null, true, false, 'False', 0]) {
      assert.equal(evaluate(leaf(truth), nothing), 'unknown')
      assert.equal(evaluate(not.compile({ not: truth }, leaf), nothing), 'unknown')
    }
  })
})
