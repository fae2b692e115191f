/**
 * Connections to PostgreSQL: a pool of few, each with the limits that keep one slow statement from stopping a node
 * (operating defaults, catalogue 4.6), each checked to be a server that takes writes.
 *
 * Every statement of ours runs as a named prepared statement: planned once per connection. Texts compiled from filters are
 * unbounded, and PostgreSQL keeps a name until the connection ends, so only the first `nameable` texts get one.
 */
import pg from 'pg'
import { checkBindable, checkCount, parameterCount } from '../binding.ts'
import { emptyRows, type Statement } from '../port.ts'
import { PostgresFailure } from './failures.ts'
import { columnTypes } from './values.ts'

const statementTimeout = 5_000
/** A little beyond the server's `deadlock_timeout` of a second, so that a deadlock is found as one and run again. */
const lockTimeout = 1_100
const idleInTransactionTimeout = 10_000
/** Beyond the server's own limit: only a server or network that has gone silent gets here. */
const answerTimeout = statementTimeout + 1_000
const connectTimeout = 2_000
const nameable = 1000

/** What is remembered of a text. */
interface Known {
  readonly parameters: number
  readonly name?: string
}

/** A connection that is checked out. */
export interface Connection {
  /** Runs a statement of ours. @throws PostgresFailure; Unbindable */
  all(statement: Statement<object>): Promise<readonly object[]>
  /** Runs DDL: unnamed, and without the client's time limit. @throws PostgresFailure */
  define(statement: Statement<object>): Promise<readonly object[]>
  /** Runs BEGIN, COMMIT and the like; returns what the server says it did. @throws PostgresFailure */
  control(text: string): Promise<string>
}

/** The pool of one store. */
export class Connections {
  readonly #pool: pg.Pool
  readonly #known = new Map<string, Known>()

  constructor(connectionString: string, size: number) {
    this.#pool = new pg.Pool({
      connectionString,
      max: size,
      application_name: 'stile',
      statement_timeout: statementTimeout,
      lock_timeout: lockTimeout,
      idle_in_transaction_session_timeout: idleInTransactionTimeout,
      query_timeout: answerTimeout,
      connectionTimeoutMillis: connectTimeout,
      idleTimeoutMillis: 60_000,
      keepAlive: true,
      verify: (client, done) => {
        checkWritable(client).then(
          () => done(),
          (error: Error) => done(error),
        )
      },
    })
    // A connection that dies while idle has no caller to tell, and the pool has dropped it. One that dies while it is
    // lent tells its statement, and says so a second time as an event, which would end the process if nobody listened.
    this.#pool.on('error', () => undefined)
    this.#pool.on('connect', (client) => client.on('error', () => undefined))
  }

  /**
   * Lends a connection to `work`. A connection that failed is not used again.
   * @throws PostgresFailure when none can be had; whatever `work` throws
   */
  async lend<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw new PostgresFailure(error)
    })
    let failure: PostgresFailure | undefined
    const ask = async (query: pg.QueryConfig): Promise<pg.QueryResult<object>> => {
      try {
        return await client.query<object>({ ...query, types: columnTypes })
      } catch (error) {
        failure = new PostgresFailure(error)
        throw failure
      }
    }
    try {
      return await work({
        all: async (statement) => {
          const { text, values, counts } = statement
          const { parameters, ...named } = this.#know(text)
          checkBindable(statement)
          checkCount(statement, parameters)
          const { rows, rowCount } = await ask({ text, ...named, values: [...values] })
          return counts ? emptyRows(rowCount ?? 0) : rows
        },
        define: async ({ text }) => (await ask({ text, ...unhurried })).rows,
        control: async (text) => (await ask({ text })).command,
      })
    } finally {
      client.release(failure?.poisoned ?? false)
    }
  }

  /** Waits for connections that are lent and closes all. */
  close(): Promise<void> {
    return this.#pool.end()
  }

  #know(text: string): Known {
    const found = this.#known.get(text)
    if (found) return found
    const parameters = parameterCount(text)
    if (this.#known.size >= nameable) return { parameters }
    const known = { parameters, name: `stile_${this.#known.size + 1}` }
    this.#known.set(text, known)
    return known
  }
}

/** Longer than any index takes; `query_timeout` is read per query too, which the types do not say. */
const unhurried: object = { query_timeout: 24 * 60 * 60 * 1000 }

/** Refuses a standby and a demoted server, as `target_session_attrs=read-write` does. */
async function checkWritable(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ transaction_read_only: string }>('SHOW transaction_read_only')
  if (rows[0]?.transaction_read_only === 'off') return
  throw new ReadOnlyServer('The server takes no writes')
}

/** Says what the server itself would say to the first write. */
class ReadOnlyServer extends Error {
  readonly code = '25006'
}
