/**
 * The race words: what a unit is built of when several callers may want the same thing. Architecture, law 4.
 *
 * | word | who wins | the others |
 * |---|---|---|
 * | `insert`, `insertAll` | the first to hold the unique value | throw `UniquenessViolation` |
 * | `consume`, `consumeByMark` | exactly one caller gets the row | throw `AlreadyConsumed` |
 * | `compareAndSet` | the first to move this version | throw `Stale` |
 * | `hold` | whoever finds this version; nobody moves it before the unit is over | throw `Stale` |
 * | `increment` | the first `bound` callers of a window | are told that the bound is reached, and until when |
 *
 * Each is one statement, the same text on both engines, used as `yield* consume(…)` inside a unit; a unit of one word
 * alone may be declared `single`. There is no find-then-write here and none may be built beside it.
 */
import { checkTenant, identifier } from './identifiers.ts'
import { run, type Row, type SqlValue, type Statement } from './port.ts'
import { AlreadyConsumed, Stale, UniquenessViolation } from './refusals.ts'

/** Column names to values. */
export type Columns = Readonly<Record<string, SqlValue>>

/** Column names to the values that name one row. A key never holds null: nothing equals null in SQL. */
export type Key = Readonly<Record<string, string | number>>

/** A word of this file, inside the body of a unit. */
export type Word<T> = Generator<Statement<object>, T, readonly object[]>

/**
 * Adds a row.
 * @throws UniquenessViolation when a row with the same key or unique value exists
 */
export function* insert(table: string, row: Columns): Word<void> {
  yield* insertAll(table, [row])
}

/**
 * Adds rows of one shape, all or none.
 * @param rows at least one; all with the same columns in the same order
 * @throws UniquenessViolation when one of them is taken
 */
export function* insertAll(table: string, rows: readonly Columns[]): Word<void> {
  const columns = Object.keys(rows[0] ?? {})
  if (columns.length === 0) throw new TypeError(`There is nothing to insert into ${identifier(table)}`)
  const list = columns.join(', ')
  const values: SqlValue[] = []
  for (const row of rows) {
    checkTenant(table, row)
    const isAlike = row === rows[0] || Object.keys(row).join(', ') === list
    if (!isAlike) throw new TypeError(`The rows for ${table} differ in their columns`)
    for (const column of columns) values.push(bindable(row[column]))
  }
  const inserted = yield* run({ text: insertText(table, columns, list, rows.length), values, counts: true })
  if (inserted.length < rows.length) throw new UniquenessViolation(table)
}

/** Texts by table, columns and number of rows: few, used for every request, and not cheap to put together. */
const insertTexts = new Map<string, string>()

function insertText(table: string, columns: readonly string[], list: string, rows: number): string {
  const key = `${table} ${rows} ${list}`
  let text = insertTexts.get(key)
  if (text === undefined) {
    for (const column of columns) identifier(column)
    const tuple = (row: number) => `(${columns.map((_, at) => `$${row * columns.length + at + 1}`).join(', ')})`
    const tuples = Array.from({ length: rows }, (_, row) => tuple(row)).join(', ')
    text = `INSERT INTO ${identifier(table)} (${list}) VALUES ${tuples} ON CONFLICT DO NOTHING`
    insertTexts.set(key, text)
  }
  return text
}

/**
 * Takes a single-use row away: exactly one caller gets it.
 * @returns the row as it was
 * @throws AlreadyConsumed when nothing is there
 */
export function* consume<R extends object = Row>(table: string, key: Key): Word<R> {
  const values: SqlValue[] = []
  const rows = yield* run<R>({
    text: `DELETE FROM ${identifier(table)} WHERE ${matching(table, key, values)} RETURNING *`,
    values,
  })
  const [row] = rows
  if (!row) throw new AlreadyConsumed(table)
  return row
}

/**
 * Marks a single-use row as used and leaves it in place, so that a second use can be told from a thing that never was:
 * exactly one caller gets it.
 * @param mark the column that is null until the use, and what it becomes: a time in epoch milliseconds
 * @returns the row, already marked
 * @throws AlreadyConsumed when it is marked, or not there
 */
export function* consumeByMark<R extends object = Row>(
  table: string,
  key: Key,
  mark: { readonly column: string; readonly at: number },
): Word<R> {
  const values: SqlValue[] = []
  const column = identifier(mark.column)
  const rows = yield* run<R>({
    text: `UPDATE ${identifier(table)} SET ${column} = ${bind(values, mark.at)} WHERE ${matching(table, key, values)} AND ${column} IS NULL RETURNING *`,
    values,
  })
  const [row] = rows
  if (!row) throw new AlreadyConsumed(table)
  return row
}

/**
 * Changes a row that is still at the version the caller read, and moves it to the next version.
 * @param version the version that was read
 * @param set the other columns to change
 * @param versionColumn where the version is kept
 * @returns the new version
 * @throws Stale when the row has moved on, or is gone
 */
export function* compareAndSet(
  table: string,
  key: Key,
  version: number,
  set: Columns,
  versionColumn = 'version',
): Word<number> {
  const values: SqlValue[] = []
  const column = identifier(versionColumn)
  if (Object.hasOwn(set, column)) throw new TypeError(`compareAndSet itself moves ${column}`)
  const changes = [...assignments(set, values), `${column} = ${column} + 1`].join(', ')
  const rows = yield* run<{ readonly version: number }>({
    text: `UPDATE ${identifier(table)} SET ${changes} WHERE ${matching(table, key, values)} AND ${column} = ${bind(values, version)} RETURNING ${column} AS version`,
    values,
  })
  const [row] = rows
  if (!row) throw new Stale(table)
  return row.version
}

/**
 * Keeps a row at the version the caller read until the unit is over: what the unit does besides stands on it.
 * @param version the version that was read
 * @throws Stale when the row has moved on, or is gone
 */
export function* hold(table: string, key: Key, version: number): Word<void> {
  const values: SqlValue[] = []
  const held = yield* run({
    text: `UPDATE ${identifier(table)} SET version = version WHERE ${matching(table, key, values)} AND version = ${bind(values, version)}`,
    values,
    counts: true,
  })
  if (held.length === 0) throw new Stale(table)
}

/** What `increment` found. */
export interface Counted {
  /** False when the bound had been reached before: this caller must not go on. */
  readonly allowed: boolean
  /** How many callers were allowed in this window, this one included if it was. */
  readonly count: number
  /** When the window ends and counting begins anew, epoch milliseconds. */
  readonly until: number
}

/** A bounded counter: its columns `count` and `expires_at` belong to `increment`. */
export interface Bound {
  /** How many callers a window allows. */
  readonly bound: number
  /** Length of a window in milliseconds; it begins with the first caller and is not moved by later ones. */
  readonly window: number
  /** The present moment, epoch milliseconds. */
  readonly now: number
}

/**
 * Counts the caller in, if the bound allows one more in the present window. Never throws for a reached bound: the unit
 * that counts a guess has to be committed.
 * @param key the whole primary key of the counter
 */
export function* increment(table: string, key: Key, { bound, window, now }: Bound): Word<Counted> {
  const name = identifier(table)
  const values: SqlValue[] = []
  checkTenant(table, key)
  const columns = Object.keys(key).map(identifier)
  const keys = Object.values(key).map((value) => bind(values, value))
  const until = bind(values, now + window)
  const present = bind(values, now)
  const most = bind(values, bound)
  // One beyond the bound is what a refused caller leaves behind, so that it can be told from the last allowed one.
  const [row] = yield* run<{ readonly count: number; readonly expires_at: number }>({
    text: `INSERT INTO ${name} (${columns.join(', ')}, count, expires_at) VALUES (${keys.join(', ')}, 1, ${until})
      ON CONFLICT (${columns.join(', ')}) DO UPDATE SET
        count = CASE WHEN ${name}.expires_at <= ${present} THEN 1
          WHEN ${name}.count <= ${most} THEN ${name}.count + 1 ELSE ${name}.count END,
        expires_at = CASE WHEN ${name}.expires_at <= ${present} THEN ${until} ELSE ${name}.expires_at END
      RETURNING count, expires_at`,
    values,
  })
  if (!row) throw new TypeError(`${name} did not return its counter`)
  return { allowed: row.count <= bound, count: Math.min(row.count, bound), until: row.expires_at }
}

/**
 * Changes the row of a key, whatever its version: only for what nobody races for.
 * @returns whether there was one
 * @throws UniquenessViolation when the change would take a unique value of another row
 */
export function* update(table: string, key: Key, set: Columns): Word<boolean> {
  const values: SqlValue[] = []
  const changes = assignments(set, values).join(', ')
  const rows = yield* run({
    text: `UPDATE ${identifier(table)} SET ${changes} WHERE ${matching(table, key, values)}`,
    values,
    counts: true,
  })
  return rows.length > 0
}

/**
 * Removes every row that matches a key.
 * @returns how many there were
 */
export function* remove(table: string, key: Key): Word<number> {
  const values: SqlValue[] = []
  const rows = yield* run({
    text: `DELETE FROM ${identifier(table)} WHERE ${matching(table, key, values)}`,
    values,
    counts: true,
  })
  return rows.length
}

function bind(values: SqlValue[], value: SqlValue | undefined): string {
  return `$${values.push(bindable(value))}`
}

function bindable(value: SqlValue | undefined): SqlValue {
  if (value === undefined) throw new TypeError('A column without a value cannot be bound (bind null)')
  return value
}

function assignments(set: Columns, values: SqlValue[]): string[] {
  return Object.entries(set).map(([column, value]) => `${identifier(column)} = ${bind(values, value)}`)
}

function matching(table: string, key: Key, values: SqlValue[]): string {
  checkTenant(table, key)
  return Object.entries(key)
    .map(([column, value]) => `${identifier(column)} = ${bind(values, value)}`)
    .join(' AND ')
}
