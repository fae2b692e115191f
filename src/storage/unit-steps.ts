/**
 * Steps through the body of a unit and holds it to what it declared. Shared by the engines, which differ only in how
 * a statement is run and how a unit is undone.
 */
import type { Statement, Unit, UnitBody } from './port.ts'

/** A unit does not keep what it declared. A mistake in our code, found by the first run on either engine. */
export class UnitBroken extends Error {
  override readonly name = 'UnitBroken'
}

/** One run of one unit. */
export class UnitSteps<T> {
  readonly #unit: Unit<T>
  readonly #body: UnitBody<T>
  #statements = 0

  constructor(unit: Unit<T>) {
    this.#unit = unit
    this.#body = unit.run()
  }

  /**
   * Hands the rows of the last statement to the body and gets its next statement, or its value.
   * @param rows what the last statement returned; nothing at the first step
   * @throws whatever the body throws; UnitBroken when a `single` unit asks for a second statement, or gives up after
   *   its statement returned rows: PostgreSQL has committed it by then
   */
  advance(rows: readonly object[] = []): IteratorResult<Statement<object>, T> {
    const step = this.#step(rows)
    if (!step.done) {
      this.#statements += 1
      if (this.#unit.single && this.#statements > 1) {
        throw new UnitBroken(`Unit ${this.#unit.name} says it is single, yet it asks for a second statement`)
      }
    }
    return step
  }

  #step(rows: readonly object[]): IteratorResult<Statement<object>, T> {
    try {
      return this.#body.next(rows)
    } catch (error) {
      if (this.#unit.single && rows.length > 0) {
        throw new UnitBroken(`Unit ${this.#unit.name} is single and gave up after its statement took effect`, {
          cause: error,
        })
      }
      throw error
    }
  }
}
