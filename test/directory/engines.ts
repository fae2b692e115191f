/** Both engines with the tables of the product, for tests that race: PostgreSQL with two nodes on one database. */
import { after, suite, test } from 'node:test'
import { migrate } from '../../src/storage/migrate.ts'
import type { Storage } from '../../src/storage/port.ts'
import { openPostgres } from '../../src/storage/postgres/engine.ts'
import { openSqlite } from '../../src/storage/sqlite/engine.ts'
import { realWorld } from '../../src/world.ts'
import { absent } from '../storage/absent.ts'
import { startPostgres } from '../storage/postgres-cluster.ts'
import { temporaryDirectory } from '../storage/temporary-directory.ts'

/** Runs `tests` as a suite for each engine. `nodes` are open stores on one database. */
export async function onBothEngines(name: string, tests: (nodes: readonly Storage[]) => void): Promise<void> {
  const directory = await temporaryDirectory()
  const embedded = [await openSqlite({ directory: directory.path })]
  await migrate(embedded[0] as Storage, realWorld)
  suite(`${name}, embedded engine`, () => {
    tests(embedded)
    after(async () => {
      for (const node of embedded) await node.close()
      await directory.remove()
    })
  })

  const cluster = await startPostgres()
  if ('missing' in cluster) {
    test(`${name}, PostgreSQL`, (context) => absent(context, cluster.missing))
    return
  }
  const connectionString = await cluster.createDatabase({ copyOf: cluster.migrated })
  const nodes = await Promise.all([openPostgres({ connectionString }), openPostgres({ connectionString })])
  await migrate(nodes[0], realWorld)
  suite(`${name}, PostgreSQL`, () => {
    tests(nodes)
    after(async () => {
      await Promise.all(nodes.map((node) => node.close()))
      await cluster.stop()
    })
  })
}
