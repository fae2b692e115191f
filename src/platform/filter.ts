/**
 * SCIM filters: RFC 7644 section 3.4.2.2 as far as PingOne's clients use it (platform-api 1.8). `attribute op "value"`
 * with `eq` and `sw`, joined by `and` and `or`, in as many parentheses as Terraform likes to send; operators in any case.
 *
 * A filter becomes a condition over the columns a list names, with every value bound as a parameter. It is read once
 * from left to right, at most 1 KB, 32 terms and 10 levels deep, so that no filter is expensive (rows N20, O17).
 *
 * Never: an attribute that the list does not name, text of the filter inside the SQL, LIKE, a second pass over the input.
 */
import { type Problem, problem } from '../errors/problem.ts'
import type { SqlValue } from '../storage/port.ts'

/** An operator of a term. */
export type FilterOperator = 'eq' | 'sw'

/** What a filter may say about one attribute. */
export interface FilterAttribute {
  /** The column that holds it; for `sw`, text that compares by bytes. */
  readonly column: string
  readonly operators: readonly FilterOperator[]
  /** `boolean` columns hold 0 and 1 and take `true` and `false`, in quotes or without. Default: text. */
  readonly type?: 'text' | 'boolean'
  /** Brings a value to the form the column holds. */
  readonly normalize?: (value: string) => string
}

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

const longestFilter = 1024
const deepestNesting = 10
const mostTerms = 32

/**
 * Compiles a filter.
 * @throws Problem INVALID_REQUEST with detail INVALID_FILTER, naming the attributes and operators the list supports
 */
export function compileFilter(text: string, options: FilterOptions): CompiledFilter {
  if (text.length > longestFilter || Buffer.byteLength(text) > longestFilter) {
    throw invalidFilter(`must not be longer than ${longestFilter} bytes`, options)
  }
  const reading: Reading = { tokens: tokenize(text, options), at: 0, terms: 0, values: [], options }
  const whole = disjunction(reading, 0)
  if (reading.at < reading.tokens.length) throw invalidFilter('has something behind its end', options)
  return { text: whole, values: reading.values }
}

type Token =
  | { readonly kind: 'open' }
  | { readonly kind: 'close' }
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'value'; readonly text: string }

/** The state of one pass over the tokens. */
interface Reading {
  readonly tokens: readonly Token[]
  at: number
  terms: number
  readonly values: SqlValue[]
  readonly options: FilterOptions
}

/** `conjunction (or conjunction)*` */
function disjunction(reading: Reading, depth: number): string {
  const parts = [conjunction(reading, depth)]
  while (takeWord(reading, 'or')) parts.push(conjunction(reading, depth))
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(' OR ')})`
}

/** `primary (and primary)*` */
function conjunction(reading: Reading, depth: number): string {
  const parts = [primary(reading, depth)]
  while (takeWord(reading, 'and')) parts.push(primary(reading, depth))
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(' AND ')})`
}

/** A term, or a whole filter in parentheses. */
function primary(reading: Reading, depth: number): string {
  const token = reading.tokens[reading.at++]
  switch (token?.kind) {
    case 'word':
      return term(reading, token.text)
    case 'open': {
      if (depth === deepestNesting)
        throw invalidFilter(`must not be nested deeper than ${deepestNesting}`, reading.options)
      const inner = disjunction(reading, depth + 1)
      if (reading.tokens[reading.at++]?.kind !== 'close')
        throw invalidFilter('lacks a closing parenthesis', reading.options)
      return inner
    }
    case 'close':
    case 'value':
    case undefined:
      throw invalidFilter('lacks an attribute', reading.options)
  }
}

/** `attribute operator value`; the attribute has been read. */
function term(reading: Reading, name: string): string {
  const { options } = reading
  reading.terms += 1
  if (reading.terms > mostTerms) throw invalidFilter(`must not have more than ${mostTerms} terms`, options)
  const attribute = Object.hasOwn(options.attributes, name) ? options.attributes[name] : undefined
  if (!attribute) throw invalidFilter('names an attribute that is not supported', options)

  const [operatorToken, valueToken] = [reading.tokens[reading.at++], reading.tokens[reading.at++]]
  const word = operatorToken?.kind === 'word' ? operatorToken.text.toLowerCase() : undefined
  const operator = attribute.operators.find((supported) => supported === word)
  if (!operator)
    throw invalidFilter('uses an operator that is not supported for the attribute', options, attribute.operators)
  if (valueToken?.kind !== 'value' && !(attribute.type === 'boolean' && valueToken?.kind === 'word')) {
    throw invalidFilter('lacks a value in double quotes', options)
  }
  return condition(reading, attribute, operator, valueToken.text)
}

function condition(reading: Reading, attribute: FilterAttribute, operator: FilterOperator, value: string): string {
  const { column } = attribute
  if (attribute.type === 'boolean') {
    const flag = value.toLowerCase()
    if (flag !== 'true' && flag !== 'false')
      throw invalidFilter('compares a boolean with something else', reading.options)
    return `${column} = ${bind(reading, flag === 'true' ? 1 : 0)}`
  }
  const wanted = attribute.normalize ? attribute.normalize(value) : value
  switch (operator) {
    case 'eq':
      return `${column} = ${bind(reading, wanted)}`
    case 'sw': {
      const from = `${column} >= ${bind(reading, wanted)}`
      const end = endOfPrefix(wanted)
      return end === undefined ? from : `(${from} AND ${column} < ${bind(reading, end)})`
    }
  }
}

function bind({ values, options }: Reading, value: SqlValue): string {
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

function takeWord(reading: Reading, word: 'and' | 'or'): boolean {
  const token = reading.tokens[reading.at]
  if (token?.kind !== 'word' || token.text.toLowerCase() !== word) return false
  reading.at += 1
  return true
}

const space = /[ \t]*/y
const name = /[A-Za-z][A-Za-z0-9._-]*/y
const quoted = /"(?:[^"\\]|\\.)*"/sy

function tokenize(text: string, options: FilterOptions): Token[] {
  const tokens: Token[] = []
  let at = skip(text, 0)
  while (at < text.length) {
    const character = text[at]
    if (character === '(' || character === ')') {
      tokens.push({ kind: character === '(' ? 'open' : 'close' })
      at = skip(text, at + 1)
      continue
    }
    const pattern = character === '"' ? quoted : name
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found === undefined) throw invalidFilter('is not well-formed', options)
    tokens.push(character === '"' ? { kind: 'value', text: unquote(found, options) } : { kind: 'word', text: found })
    at = skip(text, at + found.length)
  }
  return tokens
}

function skip(text: string, from: number): number {
  space.lastIndex = from
  return from + (space.exec(text)?.[0].length ?? 0)
}

/** Reads a string literal, which is one of JSON. */
function unquote(literal: string, options: FilterOptions): string {
  let value: unknown
  try {
    value = JSON.parse(literal)
  } catch {
    throw invalidFilter('holds a value that is not well-formed', options)
  }
  if (typeof value !== 'string' || value.includes('\u0000') || !value.isWellFormed()) {
    throw invalidFilter('holds a value that is not well-formed', options)
  }
  return value
}

function invalidFilter(message: string, options: FilterOptions, operators?: readonly FilterOperator[]): Problem {
  const supported = operators ?? Object.values(options.attributes).flatMap((attribute) => attribute.operators)
  return problem('INVALID_REQUEST', {
    details: [
      {
        code: 'INVALID_FILTER',
        target: 'filter',
        message,
        innerError: {
          supportedAttributes: Object.keys(options.attributes),
          supportedOperators: [...new Set(supported)],
        },
      },
    ],
  })
}
