/** HAL as PingOne writes it (platform-api 1.5-1.7). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection, collectionSchema, links } from '../../src/contract/hal.ts'

test('links: relation to address, nothing else', () => {
  assert.deepEqual(links({ self: 'https://a.example/1', 'password.set': 'https://a.example/2' }), {
    self: { href: 'https://a.example/1' },
    'password.set': { href: 'https://a.example/2' },
  })
})

test('a page: its items under their name even when there is none, next only while more follows', () => {
  const self = 'https://a.example/things'
  assert.deepEqual(collection('things', [], self), {
    _links: { self: { href: self } },
    _embedded: { things: [] },
    size: 0,
  })
  const next = `${self}?cursor=x`
  assert.deepEqual(collection('things', [{ id: 1 }, { id: 2 }], self, next, 7), {
    _links: { self: { href: self }, next: { href: next } },
    _embedded: { things: [{ id: 1 }, { id: 2 }] },
    count: 7,
    size: 2,
  })
})

test('a page fits its schema, and its schema nothing else', () => {
  const schema = collectionSchema('things', z.strictObject({ id: z.number() }))
  const page = collection('things', [{ id: 1 }], 'https://a.example', undefined, 1)
  assert.deepEqual(schema.parse(page), page)
  for (const other of [
    { ...page, _embedded: {} },
    { ...page, size: 'one' },
    { ...page, _embedded: { things: [{ id: 'x' }] } },
    { ...page, _links: { self: 'x' } },
  ]) {
    assert.equal(schema.safeParse(other).success, false, JSON.stringify(other))
  }
})
