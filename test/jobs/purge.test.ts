/** Purge of transient rows (architecture section 5, "Deletion"). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { purge } from '../../src/jobs/purge.ts'
import { takeLease } from '../../src/storage/lease.ts'
import { insertAll } from '../../src/storage/operations.ts'
import { type TransientTable, transientTables } from '../../src/storage/sql/purge.ts'
import { onEachEngine, type Ports } from './on-each-engine.ts'
import { rowOf } from './rows.ts'

const minute = 60_000
const names = Object.keys(transientTables) as TransientTable[]
const never = new AbortController().signal

async function fill({ storage, world }: Ports, table: TransientTable, time: number, rowCount: number): Promise<void> {
  const environment_id = world.uuid()
  for (let done = 0; done < rowCount; done += 100) {
    const rows = Array.from({ length: Math.min(100, rowCount - done) }, () =>
      rowOf(table, { environment_id, [transientTables[table].time]: time }),
    )
    await storage.commit({ name: 'fill', run: () => insertAll(table, rows) })
  }
}

async function count({ storage }: Ports, table: TransientTable): Promise<number> {
  const [row] = await storage.read<{ rows: number }>({ text: `SELECT COUNT(*) AS rows FROM ${table}`, values: [] })
  return row?.rows ?? -1
}

onEachEngine('purge', (open) => {
  test('removes what is over, in several batches, and leaves what is not', async () => {
    const ports = await open()
    const now = ports.world.now()
    const longer: Partial<Record<TransientTable, number>> = {
      environment_changes: 1440 * minute,
      device_authentications: 60 * minute,
    }
    const kept = (table: TransientTable) => longer[table] ?? minute
    for (const table of names) {
      await fill(ports, table, now - kept(table), 3)
      await fill(ports, table, now - kept(table) + 1, 2)
    }
    await fill(ports, 'flows', now - 2 * minute, 1_203)
    await purge(ports, never)
    for (const table of names) assert.equal(await count(ports, table), 2, table)
  })

  test('writes nothing when nothing is over', async () => {
    const ports = await open()
    for (const table of names) await fill(ports, table, ports.world.now(), 1)
    const before = ports.storage.counts().commits
    await purge(ports, never)
    assert.equal(ports.storage.counts().commits, before)
  })

  test('leaves a row that is prolonged while it is being looked at', async () => {
    const ports = await open()
    const { storage, world } = ports
    await fill(ports, 'sessions', world.now() - 2 * minute, 1)
    // On PostgreSQL the purge finds the row and then waits for its lock; the embedded engine runs one after the other.
    const pause = storage.engine === 'postgres' ? 'SELECT CAST(pg_sleep(0.4) AS TEXT) AS paused' : 'SELECT 1 AS paused'
    const prolonged = storage.commit({
      name: 'test.prolong',
      *run() {
        yield { text: 'UPDATE sessions SET expires_at = $1', values: [world.now() + minute] }
        yield { text: pause, values: [] }
      },
    })
    await setTimeout(100)
    await Promise.all([prolonged, purge(ports, never)])
    assert.equal(await count(ports, 'sessions'), 1)
  })

  test('leaves the work to the node that holds the lease', async () => {
    const ports = await open()
    const { storage, world } = ports
    await fill(ports, 'sessions', world.now() - 2 * minute, 1)
    await storage.commit(takeLease({ name: 'purge', owner: 'another node', duration: minute, now: world.now() }))
    await purge(ports, never)
    assert.equal(await count(ports, 'sessions'), 1)
    world.advance(minute)
    await purge(ports, never)
    assert.equal(await count(ports, 'sessions'), 0)
  })
})
