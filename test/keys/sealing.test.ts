import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { newDataKey } from '../../src/keys/data-key.ts'
import { open, type SealContext, seal, UnsealFailed } from '../../src/keys/sealing.ts'
import { realWorld } from '../../src/world.ts'

const dataKey = newDataKey(realWorld)
const context: SealContext = { environmentId: 'env-1', table: 'devices', row: 'device-a', column: 'seed' }

suite('sealing', () => {
  test('opens what it sealed, bytes and text alike', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const sealed = seal(dataKey, bytes, context, realWorld)
        assert.match(sealed, /^v1\.[A-Za-z0-9_-]+$/)
        assert.deepEqual([...open(dataKey, sealed, context)], [...bytes])
      }),
    )
    assert.equal(open(dataKey, seal(dataKey, 'pässword', context, realWorld), context).toString(), 'pässword')
  })

  test('F15: ten thousand seals of one secret have ten thousand nonces', () => {
    const nonces = Array.from({ length: 10_000 }, () => seal(dataKey, 'seed', context, realWorld).slice(3, 19))
    assert.equal(new Set(nonces).size, 10_000)
  })

  for (const [place, moved] of Object.entries({
    environmentId: { ...context, environmentId: 'env-2' },
    table: { ...context, table: 'users' },
    row: { ...context, row: 'device-b' },
    column: { ...context, column: 'secret' },
    'a border between two parts': { ...context, environmentId: 'env', table: '-1devices' },
  })) {
    test(`F16: a sealed text moved to another place does not open: ${place}`, () => {
      assert.throws(() => open(dataKey, seal(dataKey, 'seed', context, realWorld), moved), UnsealFailed)
    })
  }

  test('a place that could be confused with another is refused', () => {
    for (const row of ['', 'a|b']) {
      assert.throws(() => seal(dataKey, 'seed', { ...context, row }, realWorld), TypeError)
    }
  })

  test('F17: every flipped byte and every cut gives the one error', () => {
    const sealed = seal(dataKey, 'a secret', context, realWorld)
    const body = Buffer.from(sealed.slice(3), 'base64url')
    const broken = [...body.keys()].map((at) => {
      const copy = Buffer.from(body)
      copy[at] = (copy[at] ?? 0) ^ 1
      return `v1.${copy.toString('base64url')}`
    })
    const cut = [...body.keys()].map((at) => `v1.${body.subarray(0, at).toString('base64url')}`)
    const misshapen = ['', 'v1', 'v1.', `v2.${sealed.slice(3)}`, sealed.slice(3), `${sealed}.`, `${sealed}=`]
    for (const text of [...broken, ...cut, ...misshapen]) {
      assert.throws(
        () => open(dataKey, text, context),
        (error) => error instanceof UnsealFailed && error.message === 'a sealed value does not open',
      )
    }
  })

  test('F13: a key of another environment opens nothing', () => {
    assert.throws(() => open(newDataKey(realWorld), seal(dataKey, 'seed', context, realWorld), context), UnsealFailed)
  })
})
