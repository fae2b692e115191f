/** Rows of any table, made from the migrations themselves: tests of deletion and purge must not miss a table. */
import { migrations } from '../../src/storage/migrations/index.ts'
import type { Columns } from '../../src/storage/operations.ts'
import { realWorld } from '../../src/world.ts'

interface Column {
  readonly name: string
  readonly type: 'TEXT' | 'INTEGER' | 'BIGINT'
}

/** Every table of the present schema with its columns. */
export const tables: ReadonlyMap<string, readonly Column[]> = readTables()

function readTables() {
  const found = new Map<string, Column[]>()
  for (const { steps } of migrations) {
    const texts = 'sqlite' in steps ? steps.sqlite : steps
    for (const text of texts) {
      const created = /^CREATE TABLE IF NOT EXISTS (\w+) \(([\s\S]*)\)/.exec(text.trim())
      const added = /^ALTER TABLE (\w+) ADD COLUMN (?:IF NOT EXISTS )?([\s\S]*)$/.exec(text.trim())
      const [, table = '', body = ''] = created ?? added ?? []
      if (table === '') continue
      const columns = [...body.matchAll(/(?:^|[,(])\s*(\w+) (TEXT|INTEGER|BIGINT)\b/g)].map((match) => {
        return { name: match[1] ?? '', type: match[2] as Column['type'] }
      })
      found.set(table, [...(found.get(table) ?? []), ...columns])
    }
  }
  return found
}

/** A row of `table` with every column filled; `fixed` says what some of them hold. */
export function rowOf(table: string, fixed: Columns): Columns {
  const columns = tables.get(table)
  if (!columns) throw new Error(`there is no table ${table}`)
  const row = Object.fromEntries(columns.map(({ name, type }) => [name, valueOf(type)]))
  return Object.fromEntries(Object.entries({ ...row, ...fixed }).filter(([name]) => name in row))
}

/** Times lie in the year 2096, so that no row is over unless a test says so. */
function valueOf(type: Column['type']): string | number {
  const number = realWorld.bytes(3).readUIntBE(0, 3)
  switch (type) {
    case 'TEXT':
      return realWorld.uuid()
    case 'INTEGER':
      return number
    case 'BIGINT':
      return 4_000_000_000_000 + number
  }
}
