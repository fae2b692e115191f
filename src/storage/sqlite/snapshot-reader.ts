/**
 * Reads outside units, through a connection of their own that holds a read transaction open. What it sees moves forward
 * only when a sync has returned: never a group that is still open, never one that a power cut could undo. An answer
 * built on a read is as durable as an acknowledged write.
 */
import { DatabaseSync } from 'node:sqlite'
import type { Statement } from '../port.ts'
import { Statements } from './statements.ts'

/** The reading connection. */
export class SnapshotReader {
  readonly #connection: DatabaseSync
  readonly #statements: Statements
  readonly #end
  readonly #begin
  readonly #look

  /** Opens a connection to the database at `path` and takes the first snapshot. */
  constructor(path: string) {
    this.#connection = new DatabaseSync(path, { timeout: 0 })
    this.#connection.exec('PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -16000')
    this.#statements = new Statements(this.#connection)
    this.#end = this.#connection.prepare('COMMIT')
    this.#begin = this.#connection.prepare('BEGIN')
    // A query of a table would read the whole schema anew after each change of it: half of what a first start takes.
    this.#look = this.#connection.prepare('PRAGMA schema_version')
    this.#take()
  }

  /** Runs a query on the snapshot. @throws Unbindable; the engine's own error, untranslated */
  all(statement: Statement<object>): readonly object[] {
    return this.#statements.all(statement)
  }

  /** Moves the snapshot to the last commit. To be called when all commits are durable. */
  advance(): void {
    this.#end.run()
    this.#take()
  }

  /** Closes the connection. */
  close(): void {
    this.#connection.close()
  }

  #take(): void {
    this.#begin.run()
    // BEGIN alone takes no snapshot: the first query does.
    this.#look.get()
  }
}
