/** Deletion of an environment (architecture section 5, row N31). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { enqueue } from '../../src/delivery/outbox.ts'
import { insertEnvironment, prepareEnvironment } from '../../src/environment/bootstrap.ts'
import { deleteEnvironment, settlingMilliseconds } from '../../src/jobs/delete-environment.ts'
import { startJobs } from '../../src/jobs/jobs.ts'
import { insertAll } from '../../src/storage/operations.ts'
import { run } from '../../src/storage/port.ts'
import { type EnvironmentTable, environmentTables, stampDeletion } from '../../src/storage/sql/deletion.ts'
import { onEachEngine, type Ports } from './on-each-engine.ts'
import { rowOf, tables } from './rows.ts'

const day = 86_400_000
const names = Object.keys(environmentTables) as EnvironmentTable[]

suite('the tables of an environment', () => {
  test('are all in the list, but for the environment itself and the outbox', () => {
    const withEnvironment = [...tables].filter(([, columns]) => columns.some(({ name }) => name === 'environment_id'))
    assert.deepEqual(
      withEnvironment.map(([name]) => name).toSorted(),
      [...names, 'outbox'].toSorted(),
      'a table that is missing here keeps its rows for ever when its environment is deleted',
    )
  })
})

async function environmentWithRows(
  { storage, world, masterKeys }: Ports,
  name: string,
  rowsPerTable: number,
): Promise<string> {
  const prepared = await prepareEnvironment(
    { world, masterKeys },
    { organizationId: world.uuid(), licenseId: world.uuid(), name, type: 'SANDBOX', region: 'NA', now: world.now() },
  )
  await storage.commit({ name: 'create', run: () => insertEnvironment(prepared) })
  for (const table of names) {
    const rows = Array.from({ length: rowsPerTable }, () =>
      rowOf(table, { environment_id: prepared.id, deleted_at: null }),
    )
    await storage.commit({ name: 'fill', run: () => insertAll(table, rows) })
  }
  return prepared.id
}

/** Stamps an environment and promises the removal, as the operation does. */
async function requestDeletion({ storage, world }: Ports, environmentId: string): Promise<void> {
  await storage.commit({
    name: 'stamp',
    *run() {
      yield* run(stampDeletion(environmentId, world.now()))
      const notBefore = world.now() + settlingMilliseconds
      yield enqueue(world, { kind: 'environment.delete', environmentId, notBefore }, world.now())
    },
  })
}

async function countRows({ storage }: Ports, environmentId: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const table of names) {
    const text = `SELECT COUNT(*) AS rows FROM ${table} WHERE environment_id = $1`
    const [row] = await storage.read<{ rows: number }>({ text, values: [environmentId] })
    counts[table] = row?.rows ?? -1
  }
  return counts
}

const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, count) => sum + count, 0)

async function environmentRow({ storage }: Ports, id: string) {
  const [row] = await storage.read<{ name: string; settings: string }>({
    text: 'SELECT name, settings FROM environments WHERE id = $1',
    values: [id],
  })
  return row
}

onEachEngine('deletion of an environment', (open) => {
  test('removes every row of the environment and none of another; the tombstone goes a day later', async () => {
    const ports = await open()
    const gone = await environmentWithRows(ports, 'gone', 3)
    const kept = await environmentWithRows(ports, 'kept', 3)
    await ports.storage.commit({
      name: 'role-elsewhere',
      run: () =>
        insertAll('role_assignments', [
          rowOf('role_assignments', { scope_environment_id: gone, environment_id: kept }),
        ]),
    })
    const before = await countRows(ports, kept)
    const jobs = startJobs(ports, { 'backchannel.reach': async () => 'done' })
    await requestDeletion(ports, gone)
    await jobs.runOnce()
    assert.ok(total(await countRows(ports, gone)) > 0, 'nothing is removed while requests may be under way')

    ports.world.advance(settlingMilliseconds)
    await jobs.runOnce()
    assert.equal(total(await countRows(ports, gone)), 0)
    const { role_assignments, ...others } = await countRows(ports, kept)
    assert.equal(
      role_assignments,
      (before['role_assignments'] ?? 0) - 1,
      'only the role in the deleted environment goes',
    )
    assert.deepEqual({ ...others, role_assignments }, { ...before, role_assignments })
    assert.deepEqual(await environmentRow(ports, gone), { name: '', settings: '{}' })

    ports.world.advance(day)
    await jobs.runOnce()
    assert.equal(await environmentRow(ports, gone), undefined)
    assert.equal((await environmentRow(ports, kept))?.name, 'kept')
    const waiting = await ports.storage.read({ text: 'SELECT id FROM outbox', values: [] })
    assert.equal(waiting.length, 0)
    await jobs.stop()
  })

  test('goes on after a kill, and in turns when there is much to remove', async () => {
    const ports = await open()
    const id = await environmentWithRows(ports, 'large', 40)
    for (let many = 0; many < 220; many += 1) {
      const rows = Array.from({ length: 100 }, () => rowOf('limits', { environment_id: id }))
      await ports.storage.commit({ name: 'fill', run: () => insertAll('limits', rows) })
    }
    await requestDeletion(ports, id)
    ports.world.advance(settlingMilliseconds)

    // Killed after its third batch: the row of the outbox is taken, some rows are gone.
    const killed = new AbortController()
    let batches = 0
    const dying: Ports = {
      ...ports,
      storage: {
        ...ports.storage,
        read: (statement) => ports.storage.read(statement),
        commit(unit) {
          batches += 1
          if (batches > 3) return Promise.reject(new Error('killed'))
          return ports.storage.commit(unit)
        },
      },
    }
    await assert.rejects(
      deleteEnvironment(dying)(
        { environmentId: id, id: 'any', payload: '{}', createdAt: 0, attempts: 1 },
        killed.signal,
      ),
      /killed/,
    )
    const left = total(await countRows(ports, id))
    assert.ok(left > 21_000)

    const jobs = startJobs(ports, { 'backchannel.reach': async () => 'done' })
    await jobs.runOnce()
    assert.equal(total(await countRows(ports, id)), 0)
    await jobs.stop()
  })

  test('never touches an environment that is not stamped', async () => {
    const ports = await open()
    const id = await environmentWithRows(ports, 'living', 2)
    const before = await countRows(ports, id)
    await ports.storage.commit({
      name: 'mistake',
      *run() {
        yield enqueue(ports.world, { kind: 'environment.delete', environmentId: id }, ports.world.now())
        yield enqueue(ports.world, { kind: 'environment.forget', environmentId: id }, ports.world.now())
      },
    })
    const jobs = startJobs(ports, { 'backchannel.reach': async () => 'done' })
    await jobs.runOnce()
    await jobs.stop()
    assert.deepEqual(await countRows(ports, id), before)
    assert.equal((await environmentRow(ports, id))?.name, 'living')
  })
})
