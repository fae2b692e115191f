/**
 * One connection and its prepared statements, by text. The one place that knows how `node:sqlite` binds and returns:
 * parameters by position, each `$n` written as `?` (bound as an object keyed "1", "2" they cost twice as much: 17 µs
 * against 9 for a row of 13 columns); whole numbers as 64-bit integers, since it binds a plain number as REAL and
 * `$1 / 2` or `'a' || $1` would then differ from PostgreSQL; rows as plain objects, as the other engine returns them.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { checkBindable, checkCount, parameterCount } from '../binding.ts'
import type { Statement } from '../port.ts'

/** Texts that are compiled from a filter are many; the rest of the product has some hundreds. */
const capacity = 1000

interface Prepared {
  readonly statement: StatementSync
  readonly parameters: number
  /** For each `?` in order, the index of its value. */
  readonly order: readonly number[]
}

/** The prepared statements of one connection; the least recently used goes first. */
export class Statements {
  readonly #connection: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()

  constructor(connection: DatabaseSync) {
    this.#connection = connection
  }

  /**
   * Runs one statement.
   * @returns its rows; none unless it is a query or has RETURNING
   * @throws Unbindable; the engine's own error, untranslated
   */
  all(statement: Statement<object>): readonly object[] {
    checkBindable(statement)
    const { statement: compiled, parameters, order } = this.#prepare(statement.text)
    checkCount(statement, parameters)
    const bound = order.map((at) => {
      const value = statement.values[at] ?? null
      return typeof value === 'number' ? BigInt(value) : value
    })
    return compiled.all(...bound).map((row) => ({ ...row }))
  }

  #prepare(text: string): Prepared {
    const found = this.#prepared.get(text)
    if (found) {
      this.#prepared.delete(text)
      this.#prepared.set(text, found)
      return found
    }
    const order: number[] = []
    const positional = text.replaceAll(/\$(\d+)/g, (_, number: string) => {
      order.push(Number(number) - 1)
      return '?'
    })
    const made = { statement: this.#connection.prepare(positional), parameters: parameterCount(text), order }
    this.#prepared.set(text, made)
    const [oldest] = this.#prepared.keys()
    if (this.#prepared.size > capacity && oldest !== undefined) this.#prepared.delete(oldest)
    return made
  }
}
