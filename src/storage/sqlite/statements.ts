/**
 * One connection and its prepared statements, by text. The one place that knows how `node:sqlite` binds and returns:
 * parameters as an object keyed "1", "2"; whole numbers as 64-bit integers, since it binds a plain number as REAL and
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
    const { statement: compiled, parameters } = this.#prepare(statement.text)
    checkCount(statement, parameters)
    const bound: Record<string, string | bigint | null> = {}
    statement.values.forEach((value, at) => {
      bound[at + 1] = typeof value === 'number' ? BigInt(value) : value
    })
    return compiled.all(bound).map((row) => ({ ...row }))
  }

  #prepare(text: string): Prepared {
    const found = this.#prepared.get(text)
    if (found) {
      this.#prepared.delete(text)
      this.#prepared.set(text, found)
      return found
    }
    const made = { statement: this.#connection.prepare(text), parameters: parameterCount(text) }
    this.#prepared.set(text, made)
    const [oldest] = this.#prepared.keys()
    if (this.#prepared.size > capacity && oldest !== undefined) this.#prepared.delete(oldest)
    return made
  }
}
