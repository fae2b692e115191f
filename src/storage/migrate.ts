/**
 * Brings the tables up to this release. Architecture section 5, "Migrations"; catalogue R15, R16.
 *
 * Every step that took effect is recorded, so a migration that was interrupted goes on where it stopped. Nodes that
 * start together run each step once: one holds the lease, the others wait until everything is recorded. A database
 * that holds a newer migration is refused, since this release does not know what its rows mean.
 *
 * Never: DDL and data in one unit. A step is recorded after it took effect, in a unit of its own; what dies in between
 * is run again, which is why steps are idempotent.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { World } from '../world.ts'
import { forPostgres, forSqlite, stepsFor } from './dialect.ts'
import { heldElsewhere, underLease } from './lease.ts'
import type { Migration } from './migration.ts'
import { migrations as released } from './migrations/index.ts'
import { insert } from './operations.ts'
import { run, type Storage, StorageUnavailable, type Unit } from './port.ts'
import { UniquenessViolation } from './refusals.ts'

/** The database was migrated by a newer release. The process must not start. */
export class DatabaseTooNew extends Error {
  override readonly name = 'DatabaseTooNew'
}

const ownTables = [
  'CREATE TABLE IF NOT EXISTS leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, expires_at BIGINT NOT NULL)',
  `CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER NOT NULL, step INTEGER NOT NULL, name TEXT NOT NULL, applied_at BIGINT NOT NULL,
    PRIMARY KEY (number, step))`,
]

const leaseDuration = 30_000
const pollInterval = 200
/** How often a step is tried that cannot get its locks at once: nothing waits long for a lock, so that nothing queues behind it. */
const lockAttempts = 10

/**
 * Runs what is missing, or waits until another node has.
 * @param migrations numbered 1, 2, 3 …; this release's own unless a test says otherwise
 * @throws DatabaseTooNew; StorageUnavailable; StatementFailed when a step is refused
 */
export async function migrate(storage: Storage, world: World, migrations = released): Promise<void> {
  migrations.forEach((migration, at) => {
    if (migration.number !== at + 1) throw new TypeError(`Migration ${migration.name} must have number ${at + 1}`)
  })
  for (const ddl of ownTables) {
    await define(storage, 'migrate.own-tables', storage.engine === 'sqlite' ? forSqlite(ddl) : forPostgres(ddl))
  }
  for (;;) {
    if ((await missingSteps(storage, migrations)).length === 0) return
    const outcome = await underLease(storage, world, { name: 'migrations', duration: leaseDuration }, (lost) =>
      runMissing(storage, world, migrations, lost),
    )
    if (outcome === heldElsewhere) await pause(pollInterval)
  }
}

/** One step of one migration. */
interface Step {
  readonly number: number
  readonly name: string
  readonly step: number
  readonly ddl: string
}

async function missingSteps(storage: Storage, migrations: readonly Migration[]): Promise<readonly Step[]> {
  const recorded = await storage.read<{ readonly number: number; readonly step: number; readonly name: string }>({
    text: 'SELECT number, step, name FROM migrations ORDER BY number, step',
    values: [],
  })
  const newest = recorded.at(-1)
  if (newest && newest.number > migrations.length) {
    throw new DatabaseTooNew(
      `The database holds migration ${newest.number} (${newest.name}); this release knows migrations up to ${migrations.length}. Start the newer release, or restore a backup made before it ran.`,
    )
  }
  const done = new Set(recorded.map(({ number, step }) => `${number}.${step}`))
  return migrations
    .flatMap((migration) =>
      stepsFor(storage.engine, migration).map((ddl, at) => {
        return { number: migration.number, name: migration.name, step: at + 1, ddl }
      }),
    )
    .filter(({ number, step }) => !done.has(`${number}.${step}`))
}

async function runMissing(
  storage: Storage,
  world: World,
  migrations: readonly Migration[],
  lost: AbortSignal,
): Promise<void> {
  for (const step of await missingSteps(storage, migrations)) {
    if (lost.aborted) return
    await define(storage, `migrate.${step.name}`, step.ddl)
    await storage.commit(record(step, world.now()))
  }
}

function record({ number, step, name }: Step, now: number): Unit<void> {
  return {
    name: 'migrate.record',
    *run() {
      try {
        yield* insert('migrations', { number, step, name, applied_at: now })
      } catch (error) {
        // A node that lost its lease in the middle of a step may have recorded it as well.
        if (!(error instanceof UniquenessViolation)) throw error
      }
    },
  }
}

/** Runs one statement of DDL in a unit of its own. */
async function define(storage: Storage, name: string, ddl: string): Promise<void> {
  const unit: Unit<void> = {
    name,
    ddl: true,
    *run() {
      yield* run({ text: ddl, values: [] })
    },
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await storage.commit(unit)
    } catch (error) {
      // PostgreSQL answers a race of two CREATE … IF NOT EXISTS with a unique violation in its own catalogue.
      const passing = error instanceof UniquenessViolation || error instanceof StorageUnavailable
      if (!passing || attempt === lockAttempts) throw error
      await pause(pollInterval)
    }
  }
}
