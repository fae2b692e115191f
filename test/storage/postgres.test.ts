/** The PostgreSQL engine: conformance, with two nodes on one database. What only this engine promises is in `postgres/`. */
import { after, suite, test } from 'node:test'
import { openPostgres } from '../../src/storage/postgres/engine.ts'
import { absent } from './absent.ts'
import { conformance } from './conformance.ts'
import { startPostgres } from './postgres-cluster.ts'

const cluster = await startPostgres()

if ('missing' in cluster) {
  test('PostgreSQL engine', (context) => absent(context, cluster.missing))
} else {
  suite('PostgreSQL engine', () => {
    after(() => cluster.stop())
    conformance({
      async open() {
        const connectionString = await cluster.createDatabase()
        return Promise.all([openPostgres({ connectionString }), openPostgres({ connectionString })])
      },
    })
  })
}
