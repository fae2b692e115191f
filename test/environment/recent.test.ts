/** A cache that stays bounded: what was used last is kept. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Recent } from '../../src/environment/recent.ts'

test('beyond its capacity it drops what was used longest ago', () => {
  const recent = new Recent<number>(3)
  for (const [at, key] of ['a', 'b', 'c'].entries()) recent.set(key, at)
  assert.equal(recent.get('a'), 0)
  recent.set('d', 3)
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => recent.get(key)),
    [0, undefined, 2, 3],
  )
  recent.set('c', 7)
  recent.set('e', 4)
  assert.deepEqual(
    ['a', 'c', 'd', 'e'].map((key) => recent.get(key)),
    [undefined, 7, 3, 4],
  )
})

test('entries are deleted by key and by the beginning of their key', () => {
  const recent = new Recent<number>(10)
  for (const key of ['x/1', 'x/2', 'xy/1', 'y']) recent.set(key, 1)
  recent.delete('y')
  recent.deletePrefix('x/')
  assert.deepEqual(
    ['x/1', 'x/2', 'xy/1', 'y'].map((key) => recent.get(key)),
    [undefined, undefined, 1, undefined],
  )
})
