import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { newDataKey, rewrapDataKey, unwrapDataKey, wrapDataKey } from '../../src/keys/data-key.ts'
import { type MasterKeys, parseMasterKeys } from '../../src/keys/master-key.ts'
import { open, seal, UnsealFailed } from '../../src/keys/sealing.ts'
import { realWorld } from '../../src/world.ts'

const oldText = randomBytes(32).toString('base64url')
const newText = randomBytes(32).toString('base64url')
const before: MasterKeys = parseMasterKeys(oldText)
const during: MasterKeys = parseMasterKeys(newText, oldText)
const after: MasterKeys = parseMasterKeys(newText)
const context = { environmentId: 'env-1', table: 'keys', row: 'k', column: 'pkcs8' }

suite('data key', () => {
  test('is 32 bytes and comes back from its wrapping', () => {
    const dataKey = newDataKey(realWorld)
    const wrapped = wrapDataKey(before.current, dataKey, 'env-1', realWorld)
    assert.equal(dataKey.symmetricKeySize, 32)
    assert.ok(wrapped.startsWith(`v1.${before.current.id}.`))
    assert.ok(unwrapDataKey(before, wrapped, 'env-1').equals(dataKey))
  })

  test('R18: a rotation re-wraps the data key, and sealed values stay as they are', () => {
    const dataKey = newDataKey(realWorld)
    const sealed = seal(dataKey, 'seed', context, realWorld)
    const wrapped = wrapDataKey(before.current, dataKey, 'env-1', realWorld)

    assert.equal(open(unwrapDataKey(during, wrapped, 'env-1'), sealed, context).toString(), 'seed')
    const moved = rewrapDataKey(during, wrapped, 'env-1', realWorld)
    assert.ok(moved !== undefined && moved.startsWith(`v1.${after.current.id}.`))
    assert.equal(open(unwrapDataKey(after, moved, 'env-1'), sealed, context).toString(), 'seed')
    assert.equal(rewrapDataKey(during, moved, 'env-1', realWorld), undefined)

    assert.throws(() => unwrapDataKey(after, wrapped, 'env-1'), UnsealFailed)
    assert.throws(() => unwrapDataKey(before, moved, 'env-1'), UnsealFailed)
  })

  test('F13: a wrapped key of one environment does not open in another', () => {
    const wrapped = wrapDataKey(before.current, newDataKey(realWorld), 'env-1', realWorld)
    assert.throws(() => unwrapDataKey(before, wrapped, 'env-2'), UnsealFailed)
  })

  test('a wrapping relabelled with the other master key does not open', () => {
    const wrapped = wrapDataKey(before.current, newDataKey(realWorld), 'env-1', realWorld)
    const relabelled = wrapped.replace(before.current.id, during.current.id)
    assert.throws(() => unwrapDataKey(during, relabelled, 'env-1'), UnsealFailed)
  })

  test('misshapen texts are refused', () => {
    const wrapped = wrapDataKey(before.current, newDataKey(realWorld), 'env-1', realWorld)
    for (const text of [
      '',
      'v1',
      `v1.${before.current.id}`,
      wrapped.replace('v1', 'v2'),
      `${wrapped}.x`,
      wrapped.slice(0, -1),
    ]) {
      assert.throws(() => unwrapDataKey(before, text, 'env-1'), UnsealFailed)
    }
  })
})
