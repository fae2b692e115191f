import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { constantTimeEqual } from '../../src/keys/constant-time.ts'

test('agrees with plain equality, whatever the lengths', () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => constantTimeEqual(a, b) === (a === b)))
  fc.assert(fc.property(fc.string(), (a) => constantTimeEqual(a, a)))
})

test('text and its UTF-8 bytes are the same secret', () => {
  assert.equal(constantTimeEqual('schlüssel', Buffer.from('schlüssel')), true)
  assert.equal(constantTimeEqual('schlüssel', Buffer.from('schlüsse')), false)
})
