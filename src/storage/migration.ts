/**
 * What a migration is: a number, a name and a few steps of DDL. Architecture section 5, "Migrations".
 *
 * Steps are idempotent (`IF NOT EXISTS`), because a node may die after a step took effect and before it was recorded.
 * Expand first and contract a release later, so that old and new nodes run side by side. Never: a change of data and a
 * change of tables in one step; a migration that is edited after it was released.
 */

/** The texts of a migration where the engines need different DDL. Both lists have the same length. */
export interface EngineSteps {
  readonly sqlite: readonly string[]
  readonly postgres: readonly string[]
}

/** One numbered migration. */
export interface Migration {
  /** 1, 2, 3 … without gaps, in the order of the releases. */
  readonly number: number
  /** Kebab-case, as in the name of its file. */
  readonly name: string
  /**
   * Its steps: one statement each, in order. One list serves both engines and is the default; its type words are
   * `TEXT`, `INTEGER` (32 bits, flags) and `BIGINT` (times), which `dialect.ts` fits to each engine (collation C on
   * PostgreSQL, STRICT tables on SQLite). Texts of one engine are run as they stand.
   */
  readonly steps: readonly string[] | EngineSteps
}
