/** Migrations: each step once, whoever starts when; interrupted ones go on; newer ones are refused. Catalogue R15, R16. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { takeLease } from '../../../src/storage/lease.ts'
import { DatabaseTooNew, migrate } from '../../../src/storage/migrate.ts'
import type { Migration } from '../../../src/storage/migration.ts'
import { migrations as released } from '../../../src/storage/migrations/index.ts'
import type { Statement, Storage, Unit } from '../../../src/storage/port.ts'
import { StatementFailed } from '../../../src/storage/statement-failed.ts'
import { realWorld } from '../../../src/world.ts'
import type { Subject } from '../conformance.ts'

const first: Migration = {
  number: 1,
  name: 'first',
  steps: [
    'CREATE TABLE IF NOT EXISTS things (environment_id TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (environment_id, id))',
    'CREATE INDEX IF NOT EXISTS things_id ON things (id)',
  ],
}
const second: Migration = {
  number: 2,
  name: 'second',
  steps: {
    sqlite: ['CREATE TABLE IF NOT EXISTS more (n INTEGER) STRICT'],
    postgres: ['CREATE TABLE IF NOT EXISTS more (n INTEGER)'],
  },
}

/** A store that notes the DDL of migrations it runs, and may fail before a chosen unit. */
function watched(store: Storage, seen: string[], fail?: (unit: Unit<unknown>) => boolean): Storage {
  return {
    engine: store.engine,
    read: (statement) => store.read(statement),
    counts: () => store.counts(),
    close: () => store.close(),
    commit(unit) {
      if (fail?.(unit)) return Promise.reject(new RangeError('the node died here'))
      return store.commit({
        ...unit,
        *run() {
          const body = unit.run()
          let step = body.next([])
          while (!step.done) {
            const statement: Statement<object> = step.value
            if (unit.ddl) seen.push(statement.text)
            step = body.next(yield statement)
          }
          return step.value
        },
      })
    },
  }
}

const ofThings = (seen: readonly string[]) => seen.filter((text) => /things|more/.test(text))

async function recorded(store: Storage): Promise<readonly object[]> {
  return store.read({ text: 'SELECT number, step, name FROM migrations ORDER BY number, step', values: [] })
}

const complete = [
  { number: 1, step: 1, name: 'first' },
  { number: 1, step: 2, name: 'first' },
  { number: 2, step: 1, name: 'second' },
]

export function migrating(subject: Subject): void {
  suite('migrations', () => {
    let nodes: readonly Storage[] = []
    before(async () => {
      nodes = await subject.open()
    })
    after(() => Promise.all(nodes.map((node) => node.close())))
    const at = (turn: number): Storage => {
      const node = nodes[turn % nodes.length]
      assert.ok(node)
      return node
    }

    test('a node that dies between a step and its record: the next one runs that step again and goes on', async () => {
      const seen: string[] = []
      const dying = watched(at(0), seen, (unit) => unit.name === 'migrate.record')
      await assert.rejects(migrate(dying, realWorld, [first]), RangeError)
      assert.equal(ofThings(seen).length, 1)
      await migrate(watched(at(1), seen), realWorld, [first])
      assert.equal(ofThings(seen).length, 3)
      assert.deepEqual(await recorded(at(0)), complete.slice(0, 2))
    })

    test('nodes that start together run each step once', async () => {
      const seen: string[] = []
      await Promise.all([0, 1, 2, 3].map((node) => migrate(watched(at(node), seen), realWorld, [first, second])))
      assert.equal(ofThings(seen).length, 1)
      assert.deepEqual(await recorded(at(0)), complete)
    })

    test('a database of a newer release is refused, naming both', async () => {
      await assert.rejects(migrate(at(0), realWorld, [first]), (error) => {
        assert.ok(error instanceof DatabaseTooNew)
        assert.match(error.message, /migration 2 \(second\).*up to 1/)
        return true
      })
    })

    test('a lease left by a dead node runs out', async () => {
      const third: Migration = {
        number: 3,
        name: 'third',
        steps: ['CREATE TABLE IF NOT EXISTS more_still (n INTEGER)'],
      }
      const left = takeLease({ name: 'migrations', owner: 'dead', duration: 700, now: realWorld.now() })
      assert.equal(await at(0).commit(left), true)
      const began = performance.now()
      await migrate(at(1), realWorld, [first, second, third])
      assert.ok(performance.now() - began > 400)
    })

    test('a step that is refused stops the start and is not recorded', async () => {
      const wrong: Migration = { number: 4, name: 'wrong', steps: ['CREATE TABLE (broken'] }
      const fourth = [first, second, { number: 3, name: 'third', steps: [] }, wrong]
      await assert.rejects(migrate(at(0), realWorld, fourth), StatementFailed)
      assert.equal((await recorded(at(0))).length, 4)
    })
  })

  test('the migrations of this release run, and running them again does nothing', async () => {
    const [node, ...others] = await subject.open()
    assert.ok(node)
    try {
      await migrate(node, realWorld)
      const seen: string[] = []
      await migrate(watched(node, seen), realWorld)
      assert.equal(seen.length, 2)
      assert.equal(
        (await node.read({ text: 'SELECT DISTINCT number FROM migrations', values: [] })).length,
        released.length,
      )
    } finally {
      await Promise.all([node, ...others].map((store) => store.close()))
    }
  })
}
