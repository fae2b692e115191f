/**
 * The DDL of a shared migration step as each engine needs it, so that both order, compare and refuse alike.
 * Architecture section 5: collation C; integers are integers.
 */
import type { Storage } from './port.ts'
import type { Migration } from './migration.ts'

/** The statements of a migration for one engine, in order. */
export function stepsFor(engine: Storage['engine'], { steps }: Migration): readonly string[] {
  if ('sqlite' in steps) return steps[engine]
  return steps.map(engine === 'sqlite' ? forSqlite : forPostgres)
}

/** SQLite: STRICT tables, which refuse text in an integer column as PostgreSQL does; they know no word BIGINT. */
export function forSqlite(ddl: string): string {
  const text = ddl.trim().replaceAll(/\bBIGINT\b/g, 'INTEGER')
  return /^CREATE TABLE\b/.test(text) ? `${text} STRICT` : text
}

/** PostgreSQL: every text column compares by bytes, whatever the collation of the database is. */
export function forPostgres(ddl: string): string {
  return ddl.trim().replaceAll(/\bTEXT\b/g, 'TEXT COLLATE "C"')
}
