/**
 * What every engine promises, fired 50 at a time (architecture, law 4). `sqlite.test.ts` and `postgres.test.ts` run it;
 * PostgreSQL with two nodes on one database, so that half of every race comes from each.
 */
import { after, before, suite } from 'node:test'
import type { Migration } from '../../src/storage/migration.ts'
import { migrate } from '../../src/storage/migrate.ts'
import type { Storage } from '../../src/storage/port.ts'
import { realWorld } from '../../src/world.ts'
import { dialect } from './conformance/dialect.ts'
import { leases } from './conformance/leases.ts'
import { migrating } from './conformance/migrating.ts'
import { races } from './conformance/races.ts'
import { units } from './conformance/units.ts'

/** The engine under test. */
export interface Subject {
  /** Stores on the same empty database: one, or two nodes. Closed by the suite. */
  open(): Promise<readonly Storage[]>
}

/** Stores that are open, for the parts of the suite. */
export interface Nodes {
  /** One of the stores. */
  readonly store: Storage
  /** Store `turn`, counted around. */
  at(turn: number): Storage
}

/** The tables of the suite. */
export const tables: Migration = {
  number: 1,
  name: 'conformance',
  steps: [
    `CREATE TABLE IF NOT EXISTS single_use (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, owner TEXT, used_at BIGINT, PRIMARY KEY (environment_id, id))`,
    `CREATE TABLE IF NOT EXISTS documents (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, document TEXT, version INTEGER NOT NULL,
      PRIMARY KEY (environment_id, id))`,
    `CREATE TABLE IF NOT EXISTS names (
      environment_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, enabled INTEGER NOT NULL,
      PRIMARY KEY (environment_id, id), UNIQUE (environment_id, name))`,
    `CREATE TABLE IF NOT EXISTS counters (
      environment_id TEXT NOT NULL, subject TEXT NOT NULL, count INTEGER NOT NULL, expires_at BIGINT NOT NULL,
      PRIMARY KEY (environment_id, subject))`,
  ],
}

/** The suite, for one engine. */
export function conformance(subject: Subject): void {
  suite('conformance', () => {
    let open: readonly Storage[] = []
    const nodes: Nodes = {
      get store() {
        return this.at(0)
      },
      at(turn) {
        const store = open[turn % open.length]
        if (!store) throw new Error('The stores are not open')
        return store
      },
    }
    before(async () => {
      open = await subject.open()
      await migrate(nodes.store, realWorld, [tables])
    })
    after(() => Promise.all(open.map((store) => store.close())))

    races(nodes)
    units(nodes)
    dialect(nodes)
    leases(nodes)
  })
  migrating(subject)
}
