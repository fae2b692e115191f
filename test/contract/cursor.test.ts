/** Cursors of lists (row N22): they say where the next page begins, to whoever they were given and to nobody else. */
import assert from 'node:assert/strict'
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeCursor, encodeCursor } from '../../src/contract/cursor.ts'
import { Problem } from '../../src/errors/problem.ts'

const key = createSecretKey(randomBytes(32))
const binding = ['users', randomUUID(), 'actor', 'filter']
const place = { createdAt: 1_700_000_000_000, id: randomUUID() }

function refused(cursor: string, by: readonly string[] = binding, under = key): void {
  assert.throws(
    () => decodeCursor(under, by, cursor),
    (error) => error instanceof Problem && error.details[0]?.target === 'cursor',
    cursor.slice(0, 80),
  )
}

test('a cursor comes back as the place it was made from, and fits into a URL as it is', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.string({ maxLength: 40 }), fc.array(fc.string()), (createdAt, id, by) => {
      const cursor = encodeCursor(key, by, { createdAt, id })
      assert.match(cursor, /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/)
      assert.deepEqual(decodeCursor(key, by, cursor), { createdAt: createdAt, id: JSON.parse(JSON.stringify(id)) })
    }),
    { numRuns: 300 },
  )
})

test('another list, environment, actor or filter is refused, and so is another key', () => {
  const cursor = encodeCursor(key, binding, place)
  for (let at = 0; at < binding.length; at++) refused(cursor, binding.with(at, 'other'))
  refused(cursor, binding.slice(0, 3))
  refused(cursor, [...binding, ''])
  refused(cursor, [binding.slice(0, 2).join('","'), ...binding.slice(2)])
  refused(cursor, [])
  refused(cursor, binding, createSecretKey(randomBytes(32)))
})

test('a cursor with any one character changed, added or taken away is refused', () => {
  const cursor = encodeCursor(key, binding, place)
  for (let at = 0; at < cursor.length; at++) {
    for (const character of ['A', 'z', '0', '-', '.', '=', ' ']) {
      if (cursor[at] === character) continue
      refused(cursor.slice(0, at) + character + cursor.slice(at + 1))
    }
    refused(cursor.slice(0, at) + cursor.slice(at + 1))
  }
  for (const more of ['A', '=', '.', '.x', ' ']) refused(cursor + more)
})

test('what was never a cursor is refused', () => {
  for (const text of [
    '',
    '.',
    'x',
    'x.y',
    '..',
    'null',
    `${Buffer.from('[0,""]').toString('base64url')}.`,
    'x'.repeat(100_000),
  ]) {
    refused(text)
  }
})
