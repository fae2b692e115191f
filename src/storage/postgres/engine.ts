/**
 * The PostgreSQL engine, release 14 or later, through `pg`. Architecture section 5, "PostgreSQL".
 *
 * | file | what it is |
 * |---|---|
 * | connections | the pool, its limits, named prepared statements |
 * | failures | what an error means: has anything happened? |
 * | retry | running a unit again when nothing has |
 * | values | rows as the embedded engine returns them |
 *
 * A unit is one transaction at READ COMMITTED: the race words are single statements, which PostgreSQL judges again on
 * the newest row when they had to wait for a lock. A `single` unit is its statement alone, in one round trip.
 */
import { checkQuery } from '../binding.ts'
import { type Row, type Statement, type Storage, type StorageCounts, StorageUnavailable, type Unit } from '../port.ts'
import { UnitSteps } from '../unit-steps.ts'
import { type Connection, Connections } from './connections.ts'
import { PostgresFailure, unknownOutcome } from './failures.ts'
import { withRetries } from './retry.ts'

/** How to reach the database. */
export interface PostgresOptions {
  /** `postgres://user:password@host:port/database?sslmode=…`; TLS as it says. */
  readonly connectionString: string
  /** Connections of this node; 10 unless set. */
  readonly poolSize?: number
}

/**
 * Opens a PostgreSQL store and makes sure that the server is one we can use.
 * @throws StorageUnavailable when it cannot be reached, takes no writes, is too old, or is not UTF-8
 */
export async function openPostgres({ connectionString, poolSize = 10 }: PostgresOptions): Promise<Storage> {
  const storage = new PostgresStorage(new Connections(connectionString, poolSize))
  try {
    const [server] = await storage.read<{ readonly version: number; readonly encoding: string }>({
      text: `SELECT CAST(current_setting('server_version_num') AS INTEGER) AS version,
        current_setting('server_encoding') AS encoding`,
      values: [],
    })
    if (!server || server.version < 140_000) throw new StorageUnavailable('PostgreSQL must be release 14 or later')
    if (server.encoding !== 'UTF8') throw new StorageUnavailable('The encoding of the database must be UTF8')
    return storage
  } catch (error) {
    await storage.close()
    throw error
  }
}

class PostgresStorage implements Storage {
  readonly engine = 'postgres'
  readonly #connections: Connections
  readonly #counts = { reads: 0, commits: 0, statements: 0 }
  #closed: Promise<void> | undefined

  constructor(connections: Connections) {
    this.#connections = connections
  }

  async commit<T>(unit: Unit<T>): Promise<T> {
    if (this.#closed) throw closedStore()
    this.#counts.commits += 1
    return withRetries(() => this.#attempt(unit))
  }

  async read<R extends object = Row>(statement: Statement<R>): Promise<readonly R[]> {
    if (this.#closed) throw closedStore()
    checkQuery(statement)
    this.#counts.reads += 1
    const rows = await withRetries(() => this.#connections.lend((connection) => this.#ask(connection, statement)))
    return rows as readonly R[]
  }

  counts(): StorageCounts {
    return { ...this.#counts }
  }

  close(): Promise<void> {
    this.#closed ??= this.#connections.close()
    return this.#closed
  }

  #attempt<T>(unit: Unit<T>): Promise<T> {
    return this.#connections.lend((connection) => {
      const steps = new UnitSteps(unit)
      return unit.single && !unit.ddl ? this.#alone(connection, steps) : this.#transaction(connection, steps, unit)
    })
  }

  /** A `single` unit: its statement commits itself. */
  async #alone<T>(connection: Connection, steps: UnitSteps<T>): Promise<T> {
    const first = steps.advance()
    if (first.done) return first.value
    const rows = await this.#ask(connection, first.value).catch((error: unknown) => {
      throw error instanceof PostgresFailure && !error.definite ? unknownOutcome(error) : error
    })
    const last = steps.advance(rows)
    if (last.done) return last.value
    throw new TypeError('A single unit has no second statement')
  }

  async #transaction<T>(connection: Connection, steps: UnitSteps<T>, { ddl = false }: Unit<T>): Promise<T> {
    await connection.control('BEGIN ISOLATION LEVEL READ COMMITTED')
    let value: T
    try {
      if (ddl) await connection.control('SET LOCAL statement_timeout = 0')
      let step = steps.advance()
      while (!step.done) step = steps.advance(await this.#ask(connection, step.value, ddl))
      value = step.value
    } catch (error) {
      if (!(error instanceof PostgresFailure && error.poisoned)) await connection.control('ROLLBACK')
      throw error
    }
    const answer = await connection.control('COMMIT').catch((error: unknown) => {
      throw error instanceof PostgresFailure && !error.definite ? unknownOutcome(error) : error
    })
    if (answer !== 'COMMIT') throw new StorageUnavailable('PostgreSQL rolled a unit back instead of committing it')
    return value
  }

  #ask(connection: Connection, statement: Statement<object>, ddl = false): Promise<readonly object[]> {
    this.#counts.statements += 1
    return ddl ? connection.define(statement) : connection.all(statement)
  }
}

function closedStore(): StorageUnavailable {
  return new StorageUnavailable('The store is closed')
}
