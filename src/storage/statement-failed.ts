/**
 * A statement the database would not run: a mistake in our SQL or a broken constraint, never a lost race and never an
 * outage. It ends the unit at once, on both engines: PostgreSQL's transaction is lost after an error, so a unit must
 * not be able to catch one and go on.
 *
 * Never: a bound value in the message. Engines quote values in some of theirs, so only what names a part of the
 * schema is passed on.
 */
export class StatementFailed extends Error {
  override readonly name = 'StatementFailed'
  /** The engine's own code: an SQLSTATE, or SQLite's extended result code. */
  readonly code: string

  /**
   * @param code the engine's own code
   * @param what what it says, free of values
   */
  constructor(code: string, what: string) {
    super(`The database refused a statement (${code}): ${what}`)
    this.code = code
  }
}
