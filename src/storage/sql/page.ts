/**
 * Pages of rows in the order `(created_at, id)`, and the conditions that narrow them. Conditions number their parameters
 * from where they are told to begin, so that any of them can stand behind any other.
 */
import type { SqlValue, Statement } from '../port.ts'

/** A piece of a WHERE clause with the values of its parameters. */
export interface Clause {
  readonly text: string
  readonly values: readonly SqlValue[]
}

/** A condition that begins to number its parameters at `$firstParameter`. */
export type Condition = (firstParameter: number) => Clause

/** `column = value` */
export function equal(column: string, value: SqlValue): Condition {
  return (at) => ({ text: `${column} = $${at}`, values: [value] })
}

/** Whether a column holds one of `values`; of none, nothing does. */
export function among(column: string, values: readonly string[]): Condition {
  if (values.length === 0) return () => ({ text: '1 = 0', values: [] })
  return (at) => ({ text: `${column} IN (${values.map((_, offset) => `$${at + offset}`).join(', ')})`, values })
}

/** Whether at least one of two conditions holds. */
export function either(one: Condition, other: Condition): Condition {
  return (at) => {
    const first = one(at)
    const second = other(at + first.values.length)
    return { text: `(${first.text} OR ${second.text})`, values: [...first.values, ...second.values] }
  }
}

/** Whether all conditions hold. */
export function every(conditions: readonly Condition[]): Condition {
  return (at) => {
    const texts: string[] = []
    const values: SqlValue[] = []
    for (const condition of conditions) {
      const clause = condition(at + values.length)
      texts.push(clause.text)
      values.push(...clause.values)
    }
    return { text: texts.join(' AND '), values }
  }
}

/** Where a page begins (exclusive) and how many rows it has at most. */
export interface Span {
  readonly after: { readonly createdAt: number; readonly id: string }
  readonly limit: number
}

/**
 * A page of rows.
 * @param select up to and without its WHERE; its rows have `created_at` and `id`
 * @param table the alias of the table that is paged
 * @param conditions all must hold
 */
export function pageOf<R extends object>(
  select: string,
  table: string,
  conditions: readonly Condition[],
  { after, limit }: Span,
): Statement<R> {
  const { text, values } = every(conditions)(1)
  const next = values.length + 1
  return {
    text: `${select} WHERE ${text} AND (${table}.created_at, ${table}.id) > ($${next}, $${next + 1})
           ORDER BY ${table}.created_at, ${table}.id LIMIT $${next + 2}`,
    values: [...values, after.createdAt, after.id, limit],
  }
}
