/**
 * One connection and its prepared statements, by text. The one place that knows how `node:sqlite` binds and returns:
 * parameters by position, each `$n` written as `?` (bound as an object keyed "1", "2" they cost twice as much: 17 µs
 * against 9 for a row of 13 columns); whole numbers as 64-bit integers, since it binds a plain number as REAL and
 * `$1 / 2` or `'a' || $1` would then differ from PostgreSQL; rows as plain objects, as the other engine returns them, built
 * here from arrays, since the rows that it builds itself have no prototype and cost twice as much. A statement's rows are
 * made by a function written for its columns (20 to 40 ns): named one by one they cost three to ten times that, and beyond
 * twenty columns more than a microsecond, since the engine then gives up on a fixed shape.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { checkBindable, checkCount, parameterCount } from '../binding.ts'
import { emptyRows, type Row, type SqlValue, type Statement } from '../port.ts'

/** Texts that are compiled from a filter are many; the rest of the product has some hundreds. */
const capacity = 1000

interface Prepared {
  readonly statement: StatementSync
  readonly parameters: number
  /** For each `?` in order, the index of its value. */
  readonly order: readonly number[]
  /** Makes a row of the values of its columns. */
  readonly row: RowMaker
}

type RowMaker = (values: readonly SqlValue[]) => Row

/** The prepared statements of one connection; the least recently used goes first. */
export class Statements {
  readonly #connection: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()

  constructor(connection: DatabaseSync) {
    this.#connection = connection
  }

  /**
   * Runs one statement.
   * @returns its rows; none unless it is a query, has RETURNING or counts
   * @throws Unbindable; the engine's own error, untranslated
   */
  all(statement: Statement<object>): readonly object[] {
    checkBindable(statement)
    const { statement: compiled, parameters, order, row } = this.#prepare(statement.text)
    checkCount(statement, parameters)
    const bound = order.map((at) => {
      const value = statement.values[at] ?? null
      return typeof value === 'number' ? BigInt(value) : value
    })
    if (statement.counts) return emptyRows(Number(compiled.run(...bound).changes))
    return (compiled.all(...bound) as unknown as SqlValue[][]).map(row)
  }

  #prepare(text: string): Prepared {
    const found = this.#prepared.get(text)
    if (found) {
      // Nothing can be dropped soon while it is half empty, and moving an entry costs more than finding it.
      if (this.#prepared.size * 2 > capacity) {
        this.#prepared.delete(text)
        this.#prepared.set(text, found)
      }
      return found
    }
    const order: number[] = []
    const positional = text.replaceAll(/\$(\d+)/g, (_, number: string) => {
      order.push(Number(number) - 1)
      return '?'
    })
    const statement = this.#connection.prepare(positional)
    statement.setReturnArrays(true)
    const row = rowMaker(statement.columns().map(({ name }) => name))
    const made = { statement, parameters: parameterCount(text), order, row }
    this.#prepared.set(text, made)
    const [oldest] = this.#prepared.keys()
    if (this.#prepared.size > capacity && oldest !== undefined) this.#prepared.delete(oldest)
    return made
  }
}

/** @param columns names, in order; where two are the same the last one counts */
function rowMaker(columns: readonly string[]): RowMaker {
  const members = columns.map((name, at) => `${JSON.stringify(name)}: values[${at}]`)
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- all that varies is names, written as JSON texts
  return new Function('values', `return { ${members.join(', ')} }`) as RowMaker
}
