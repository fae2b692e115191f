/**
 * The storage port: what every engine promises, with the races spelled out.
 *
 * All changes of one request are one *unit*, a named generator that yields statements and returns a value. An engine
 * runs it atomically: either every statement of the unit is durable when `commit` resolves, or none has happened.
 * Nothing but statements is awaited inside a unit, and a unit may be run again after a serialization failure or a
 * fail-over, so its body must be free of side effects.
 *
 * Decision: a unit gives up by throwing. Whatever it throws reaches the caller of `commit` unchanged, and its
 * statements are rolled back alone, without touching the other units of its group.
 */

/** What may be bound or read. Never a boolean (0 and 1 are bound), never `undefined`, never text that holds U+0000. */
export type SqlValue = string | number | null

/** One row as every engine returns it: int8 is a number, JSON is text. */
export type Row = Readonly<Record<string, SqlValue>>

/**
 * One statement of SQL, the same text for both engines, with parameters `$1`, `$2` … bound in order.
 * `R` is the shape of its rows, which its builder in `storage/sql/` answers for.
 */
export interface Statement<R extends object = Row> {
  readonly text: string
  readonly values: readonly SqlValue[]
  /**
   * Says that of a change only the number of its rows is wanted: as many empty rows come back, and the text has no
   * RETURNING, which costs more than the number on both engines.
   */
  readonly counts?: true
  /** Names the row type only; no engine ever sets it. */
  readonly row?: R
}

const emptyRow: Row = {}
const noRows: readonly Row[] = []
const oneRow: readonly Row[] = [emptyRow]

/** What an engine returns of a statement that `counts`. */
export function emptyRows(count: number): readonly Row[] {
  if (count === 0) return noRows
  return count === 1 ? oneRow : Array.from({ length: count }, () => emptyRow)
}

/** The body of a unit: yields statements, receives their rows, returns the unit's value. */
export type UnitBody<T> = Generator<Statement<object>, T, readonly object[]>

/** A named unit of change. The name appears in metrics and in the conformance suite. */
export interface Unit<T> {
  readonly name: string
  readonly run: () => UnitBody<T>
  /**
   * Says that `run` yields exactly one statement. PostgreSQL then sends it without BEGIN and COMMIT: one round trip.
   * An engine throws when such a unit yields a second statement.
   */
  readonly single?: boolean
  /**
   * Says that `run` yields one statement of DDL, for the migrator alone. PostgreSQL then lets it take longer than a
   * request may, and does not keep it prepared.
   */
  readonly ddl?: boolean
}

/** How much an engine was asked to do, for the budgets that tests assert by counting. */
export interface StorageCounts {
  readonly reads: number
  readonly commits: number
  readonly statements: number
}

/** An open store. Both operations are asynchronous for the caller, whatever the engine. */
export interface Storage {
  /** Which engine this is; only migrations and diagnostics look. */
  readonly engine: 'sqlite' | 'postgres'
  /**
   * Runs a unit and resolves with its value once its changes are durable.
   * Rejects with whatever the unit threw (nothing has changed then), or with `StorageUnavailable`.
   */
  commit<T>(unit: Unit<T>): Promise<T>
  /** Reads outside any unit; sees every acknowledged commit. */
  read<R extends object>(statement: Statement<R>): Promise<readonly R[]>
  /** Running totals since the store was opened. */
  counts(): StorageCounts
  /** Finishes what is under way and frees files, sockets and locks. */
  close(): Promise<void>
}

/** The engine cannot answer now (database away, disk failing, shutting down). Callers answer 503 with Retry-After. */
export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable'
}

/** Runs one statement inside a unit and types its rows: `const [user] = yield* run(userById(env, id))`. */
export function* run<R extends object>(
  statement: Statement<R>,
): Generator<Statement<object>, readonly R[], readonly object[]> {
  return (yield statement) as readonly R[]
}
