/**
 * How a unit loses: three refusals, each the answer of one race word of `operations.ts`. Architecture, law 4.
 *
 * A refusal carries the table and nothing else. Never: a value of the row, which may be a name or a token and would
 * end up in a log.
 */

/** Somebody else holds this key, name or address. Decision D9 says how it is answered. */
export class UniquenessViolation extends Error {
  override readonly name = 'UniquenessViolation'
  /** The table that holds the other row. */
  readonly table: string

  constructor(table: string) {
    super(`A row of ${table} with the same unique value exists`)
    this.table = table
  }
}

/** The row has moved to another version, or is gone: load it again and judge again. */
export class Stale extends Error {
  override readonly name = 'Stale'
  /** The table of the row. */
  readonly table: string

  constructor(table: string) {
    super(`The row of ${table} is no longer at the version that was read`)
    this.table = table
  }
}

/** There is nothing to consume: the single-use thing was used, has been removed, or never was. */
export class AlreadyConsumed extends Error {
  override readonly name = 'AlreadyConsumed'
  /** The table of the single-use thing. */
  readonly table: string

  constructor(table: string) {
    super(`The row of ${table} was consumed before, or never was`)
    this.table = table
  }
}
