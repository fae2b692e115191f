/** Leases: one owner at a time, taken over when they run out. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { heldElsewhere, releaseLease, renewLease, takeLease, underLease } from '../../../src/storage/lease.ts'
import { realWorld, testWorld } from '../../../src/world.ts'
import type { Nodes } from '../conformance.ts'

export function leases(nodes: Nodes): void {
  suite('leases', () => {
    test('of 50 that want a lease exactly one gets it', async () => {
      const name = randomUUID()
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, at) =>
          nodes.at(at).commit(takeLease({ name, owner: `${at}`, duration: 1000, now: 0 })),
        ),
      )
      assert.equal(answers.filter(Boolean).length, 1)
    })

    test('an owner renews and gives back; another takes over only what has run out', async () => {
      const { store } = nodes
      const lease = { name: randomUUID(), owner: 'one', duration: 1000 }
      const other = { ...lease, owner: 'two' }
      assert.equal(await store.commit(takeLease({ ...lease, now: 0 })), true)
      assert.equal(await store.commit(renewLease({ ...lease, now: 500 })), true)
      assert.equal(await store.commit(takeLease({ ...other, now: 1499 })), false)
      await store.commit(releaseLease(other))
      assert.equal(await store.commit(takeLease({ ...other, now: 1499 })), false)
      assert.equal(await store.commit(takeLease({ ...other, now: 1500 })), true)
      assert.equal(await store.commit(renewLease({ ...lease, now: 1500 })), false)
      await store.commit(releaseLease(other))
      assert.equal(await store.commit(takeLease({ ...lease, now: 1501 })), true)
    })

    test('underLease runs one at a time, renews, and gives back also after a failure', async () => {
      const lease = { name: randomUUID(), duration: 600 }
      const work = async (lost: AbortSignal) => {
        await pause(1000)
        return lost.aborted
      }
      const first = underLease(nodes.at(0), realWorld, lease, work)
      await pause(750)
      assert.equal(await underLease(nodes.at(1), realWorld, lease, work), heldElsewhere)
      assert.equal(await first, false)
      await assert.rejects(
        underLease(nodes.store, realWorld, lease, async () => {
          throw new RangeError('failed')
        }),
        RangeError,
      )
      assert.equal(await underLease(nodes.at(1), realWorld, lease, async () => 'free again'), 'free again')
    })

    test('underLease tells its work that the lease was lost', async () => {
      const lease = { name: randomUUID(), duration: 60 }
      const world = testWorld()
      const told = await underLease(nodes.store, world, lease, async (lost) => {
        const taken = takeLease({ ...lease, owner: 'a node that woke up', now: world.now() + 1000 })
        assert.equal(await nodes.at(1).commit(taken), true)
        if (!lost.aborted) await once(lost, 'abort', { signal: AbortSignal.timeout(5000) })
        return lost.aborted
      })
      assert.equal(told, true)
    })
  })
}
