/** What the embedded engine promises beyond the conformance suite: durability seen by reads, its files, its log, its pace. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { suite, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { migrate } from '../../../src/storage/migrate.ts'
import { insert } from '../../../src/storage/operations.ts'
import { run, type Storage, StorageUnavailable, type Unit, type UnitBody } from '../../../src/storage/port.ts'
import { DirectoryInUse } from '../../../src/storage/sqlite/directory-lock.ts'
import { openSqlite } from '../../../src/storage/sqlite/engine.ts'
import { realWorld } from '../../../src/world.ts'
import { tables } from '../conformance.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const environment_id = 'engine'

/** Runs a test on a store of its own. */
async function withStore(body: (store: Storage, directory: string) => Promise<void>): Promise<void> {
  const temporary = await temporaryDirectory()
  const directory = join(temporary.path, 'made', 'by', 'the engine')
  const store = await openSqlite({ directory })
  try {
    await migrate(store, realWorld, [tables])
    await body(store, directory)
  } finally {
    await store.close()
    await temporary.remove()
  }
}

function writing(id: string, document = ''): Unit<void> {
  return { name: 'write', run: () => insert('documents', { environment_id, id, document, version: 1 }) }
}

async function count(store: Storage): Promise<unknown> {
  const [row] = await store.read<{ n: number }>({ text: 'SELECT COUNT(*) AS n FROM documents', values: [] })
  return row?.n
}

function outcomeOf(result: PromiseSettledResult<string>): string {
  return result.status === 'fulfilled' ? result.value : String(result.reason)
}

suite('embedded engine', () => {
  test('a read never sees what is not durable yet, neither in the open group nor during its sync', () =>
    withStore(async (store) => {
      let told = false
      const commit = store.commit(writing('a')).then(() => (told = true))
      let seenEarly = 0
      for (let turns = 0; !told; turns += 1) {
        if ((await count(store)) !== 0 && !told) seenEarly += 1
        await turn()
        assert.ok(turns < 100_000)
      }
      await commit
      assert.equal(seenEarly, 0)
      assert.equal(await count(store), 1)
    }))

  test('a loser is told only when the winner can be read', () =>
    withStore(async (store) => {
      for (let round = 0; round < 50; round += 1) {
        const results = await Promise.allSettled([
          store.commit(writing(`${round}`)),
          store.commit(writing(`${round}`)).catch(async (error: unknown) => {
            assert.equal(await count(store), round + 1)
            throw error
          }),
        ])
        assert.deepEqual(
          results.map(({ status }) => status),
          ['fulfilled', 'rejected'],
        )
      }
    }))

  test('a unit that gives up after a change has its group run again; one that changed nothing does not', () =>
    withStore(async (store) => {
      const runs: string[] = []
      const unit = (id: string, body: () => UnitBody<string>): Promise<string> =>
        store.commit({
          name: id,
          run: () => {
            runs.push(id)
            return body()
          },
        })
      const inserting = (id: string) =>
        unit(id, function* () {
          yield* insert('documents', { environment_id, id, document: '', version: 1 })
          return id
        })
      const reading = (id: string) =>
        unit(id, function* (): UnitBody<string> {
          const rows = yield* run<{ id: string }>({ text: 'SELECT id FROM documents ORDER BY id', values: [] })
          throw new RangeError(rows.map(({ id: each }) => each).join())
        })
      const losing = (id: string) =>
        unit(id, function* () {
          yield* insert('documents', { environment_id, id, document: '', version: 1 })
          throw new RangeError(`${id} gives up`)
        })

      const calm = await Promise.allSettled([inserting('a'), reading('b'), inserting('c')])
      assert.deepEqual(runs.splice(0), ['a', 'b', 'c'])
      assert.deepEqual(calm.map(outcomeOf), ['a', 'RangeError: a', 'c'])

      const undone = await Promise.allSettled([inserting('d'), reading('e'), losing('f'), losing('g'), inserting('h')])
      assert.deepEqual(runs.splice(0), ['d', 'e', 'f', 'd', 'e', 'f', 'g', 'h'])
      const told = ['d', 'RangeError: a,c,d', 'RangeError: f gives up', 'RangeError: g gives up', 'h']
      assert.deepEqual(undone.map(outcomeOf), told)
      assert.equal(await count(store), 4)
    }))

  test('the directory is made for its owner alone', () =>
    withStore(async (_, directory) => {
      assert.equal(statSync(directory).mode & 0o777, 0o700)
    }))

  test('one process opens a directory once; closing frees it', () =>
    withStore(async (store, directory) => {
      await assert.rejects(openSqlite({ directory }), DirectoryInUse)
      await store.commit(writing('still works'))
      await store.close()
      const again = await openSqlite({ directory })
      assert.equal(await count(again), 1)
      await again.close()
    }))

  test('closing finishes what is under way and refuses what comes after', () =>
    withStore(async (store, directory) => {
      const under = Array.from({ length: 20 }, (_, at) => store.commit(writing(`${at}`)))
      const closing = store.close()
      await assert.rejects(store.commit(writing('late')), StorageUnavailable)
      await Promise.all([...under, closing])
      await assert.rejects(store.read({ text: 'SELECT 1 AS one', values: [] }), StorageUnavailable)
      assert.deepEqual(readdirSync(directory).toSorted(), ['lock.db', 'stile.db', 'stile.db-seal'])
    }))

  test('a log that is removed or replaced stops all writes, and reads go on', () =>
    withStore(async (store, directory) => {
      await store.commit(writing('a'))
      renameSync(join(directory, 'stile.db-wal'), join(directory, 'elsewhere'))
      const [first, second] = await Promise.allSettled([store.commit(writing('b')), store.commit(writing('c'))])
      for (const result of [first, second]) {
        assert.ok(result.status === 'rejected' && result.reason instanceof StorageUnavailable)
      }
      renameSync(join(directory, 'elsewhere'), join(directory, 'stile.db-wal'))
      await assert.rejects(store.commit(writing('d')), StorageUnavailable)
      assert.equal(await count(store), 1)
    }))

  test('a database that is missing beside its log, or damaged, is refused and left as it is', () =>
    withStore(async (store, directory) => {
      await store.commit(writing('a'))
      await store.close()
      const path = join(directory, 'stile.db')
      renameSync(path, `${path}-wal`)
      await assert.rejects(openSqlite({ directory }), /integrity check failed.*missing/)
      assert.ok(existsSync(`${path}-wal`) && !existsSync(path))
      renameSync(`${path}-wal`, path)
      writeFileSync(path, 'x'.repeat(8192))
      await assert.rejects(openSqlite({ directory }), (error) => {
        return error instanceof StorageUnavailable && /integrity check failed.*restore a backup/.test(error.message)
      })
      assert.equal(readFileSync(path, 'utf8'), 'x'.repeat(8192))
    }))

  test('the log stays bounded and the event loop free under load', () =>
    withStore(async (store, directory) => {
      const delay = monitorEventLoopDelay({ resolution: 1 })
      const document = 'x'.repeat(4000)
      // Several times what the log grows by while its first pages are copied, however fast the machine is.
      const rounds = 2500
      let largest = 0
      delay.enable()
      await Promise.all(
        Array.from({ length: 16 }, async (_, writer) => {
          for (let round = 0; round < rounds; round += 1) {
            await store.commit(writing(`${writer}.${round}`, document))
            await turn()
          }
          largest = Math.max(largest, statSync(join(directory, 'stile.db-wal')).size)
        }),
      )
      delay.disable()
      const written = 16 * rounds * document.length
      assert.ok(largest < written / 2, `the log grew to ${largest} bytes`)
      assert.ok(statSync(join(directory, 'stile.db')).size > written / 2, 'pages were copied into the database')
      assert.ok(delay.percentile(50) < 20e6, `half of the turns took ${delay.percentile(50)} ns`)
      assert.ok(delay.percentile(99) < 300e6, `1 % of the turns took ${delay.percentile(99)} ns`)
      assert.equal(await count(store), 16 * rounds)
    }))
})
