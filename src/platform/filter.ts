/**
 * Filters of lists as SQL: what `contract/filter.ts` has read becomes a condition over the columns a list names, with every
 * value bound as a parameter.
 *
 * Never: text of the filter inside the SQL, LIKE.
 */
import { type Filter, type FilterableAttribute, readFilter } from '../contract/filter.ts'
import type { SqlValue } from '../storage/port.ts'
import type { Condition } from '../storage/sql/page.ts'

/** What a filter may say about one attribute, and where that is found. */
export type FilterAttribute = FilterableAttribute &
  (
    | {
        /** The column that holds it: for `sw`, text that compares by bytes; for booleans, 0 and 1. */
        readonly column: string
      }
    | {
        /** What a value means, where no column holds it; `eq` only. */
        readonly condition: (value: string) => Condition
      }
  )

/** What a list lets be filtered, and where its parameters begin. */
export interface FilterOptions {
  /** Attribute names as clients write them. */
  readonly attributes: Readonly<Record<string, FilterAttribute>>
  /** The number of the first parameter the condition may use: 3 for `$3`. */
  readonly firstParameter: number
}

/** A condition to put behind `AND`, and the values of its parameters in order. */
export interface CompiledFilter {
  readonly text: string
  readonly values: SqlValue[]
}

/**
 * Compiles a filter.
 * @throws Problem INVALID_REQUEST with detail INVALID_FILTER, naming the attributes and operators the list supports
 */
export function compileFilter(text: string, options: FilterOptions): CompiledFilter {
  const values: SqlValue[] = []
  return { text: compiled(readFilter(text, options.attributes), { values, options }), values }
}

/** What a filter that was read by these attributes means. */
export function filterCondition(filter: Filter, attributes: FilterOptions['attributes']): Condition {
  return (firstParameter) => {
    const values: SqlValue[] = []
    return { text: compiled(filter, { values, options: { attributes, firstParameter } }), values }
  }
}

interface Compiling {
  readonly values: SqlValue[]
  readonly options: FilterOptions
}

function compiled(filter: Filter, compiling: Compiling): string {
  if (filter.kind !== 'term') {
    const parts = filter.parts.map((part) => compiled(part, compiling))
    return `(${parts.join(filter.kind === 'and' ? ' AND ' : ' OR ')})`
  }
  const { values, options } = compiling
  const { value, operator } = filter
  const attribute = options.attributes[filter.attribute]
  if (!attribute) throw new TypeError('a filter is compiled by the attributes it was read by')
  if ('condition' in attribute) {
    const clause = attribute.condition(String(value))(options.firstParameter + values.length)
    values.push(...clause.values)
    return clause.text
  }
  const { column } = attribute
  if (typeof value === 'boolean') return `${column} = ${bind(compiling, value ? 1 : 0)}`
  switch (operator) {
    case 'eq':
      return `${column} = ${bind(compiling, value)}`
    case 'sw': {
      const from = `${column} >= ${bind(compiling, value)}`
      const end = endOfPrefix(value)
      return end === undefined ? from : `(${from} AND ${column} < ${bind(compiling, end)})`
    }
  }
}

function bind({ values, options }: Compiling, value: SqlValue): string {
  return `$${options.firstParameter - 1 + values.push(value)}`
}

/**
 * The first text behind all texts that begin with `prefix`, in the order of their UTF-8 bytes, which is the order of
 * their code points. Undefined when nothing lies behind them.
 */
function endOfPrefix(prefix: string): string | undefined {
  const characters = Array.from(prefix)
  while (characters.length > 0) {
    const last = (characters.pop() as string).codePointAt(0) as number
    if (last === 0x10ffff) continue
    // Surrogates are no characters: behind U+D7FF comes U+E000.
    return characters.join('') + String.fromCodePoint(last === 0xd7ff ? 0xe000 : last + 1)
  }
  return undefined
}
