/** Operations that are loaded when they are needed (src/http/served.ts). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Operation } from '../../src/contract/operation.ts'
import { allOperations } from '../../src/http/operations.ts'
import { operationLookup } from '../../src/http/served.ts'

const [token] = (await allOperations()).filter(({ id }) => id === 'token') as [Operation]
const at = (path: string): Operation => ({ ...token, path, aliases: [] })

suite('operations that are loaded later', () => {
  test('are asked for once, by the first request that is for none of the others', async () => {
    let asked = 0
    const find = operationLookup({
      operations: [at('/here')],
      management: async () => {
        asked += 1
        return [at('/there')]
      },
    })
    assert.ok(!(find('/here') instanceof Promise))
    assert.equal(asked, 0)
    const [there, nowhere] = await Promise.all([find('/there'), find('/nowhere')])
    assert.equal(there?.value[0]?.path, '/there')
    assert.equal(nowhere, undefined)
    assert.ok(!(find('/there') instanceof Promise))
    assert.equal(asked, 1)
  })

  test('are asked for again when they could not be loaded, and the others go on', async () => {
    let asked = 0
    const find = operationLookup({
      operations: [at('/here')],
      management: async () => {
        asked += 1
        if (asked === 1) throw new Error('too many open files')
        return [at('/there')]
      },
    })
    await assert.rejects(async () => find('/there'), /too many open files/)
    assert.ok(find('/here'))
    assert.equal((await find('/there'))?.value[0]?.path, '/there')
    assert.equal(asked, 2)
  })
})
