/**
 * SCIM filters: RFC 7644 section 3.4.2.2 as far as PingOne's clients use it (platform-api 1.8). `attribute op "value"`
 * with `eq` and `sw`, joined by `and` and `or`, in as many parentheses as Terraform likes to send; operators in any case.
 * `attribute[part op "value"]` is the same as `attribute.part op "value"`.
 *
 * A filter is read once from left to right, at most 1 KB, 32 terms and 10 levels deep, so that no filter is expensive
 * (rows N20, O17). What it then means is said elsewhere: a condition of SQL for lists (`platform/filter.ts`), a judgement
 * of one user for groups (`directory/user-filter.ts`).
 *
 * Never: an attribute that the reader does not name, a second pass over the input.
 */
import { type Problem, problem } from '../errors/problem.ts'

/** An operator of a term. */
export type FilterOperator = 'eq' | 'sw'

/** What a filter may say about one attribute. */
export interface FilterableAttribute {
  readonly operators: readonly FilterOperator[]
  /** `boolean` attributes take `true` and `false`, in quotes or without. Default: text. */
  readonly type?: 'text' | 'boolean'
  /** Brings a value to the form in which it is compared. */
  readonly normalize?: (value: string) => string
}

/** Attribute names as clients write them. */
export type FilterableAttributes = Readonly<Record<string, FilterableAttribute>>

/** A filter that was understood; values are normalised. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | {
      readonly kind: 'term'
      readonly attribute: string
      readonly operator: FilterOperator
      readonly value: string | boolean
    }

const longestFilter = 1024
const deepestNesting = 10
const mostTerms = 32

/**
 * Reads a filter.
 * @throws Problem INVALID_REQUEST with detail INVALID_FILTER, naming the attributes and operators that are supported
 */
export function readFilter(text: string, attributes: FilterableAttributes): Filter {
  if (text.length > longestFilter || Buffer.byteLength(text) > longestFilter) {
    throw invalidFilter(`must not be longer than ${longestFilter} bytes`, attributes)
  }
  const reading: Reading = { tokens: tokenize(text, attributes), at: 0, terms: 0, attributes }
  const whole = disjunction(reading, 0)
  if (reading.at < reading.tokens.length) throw invalidFilter('has something behind its end', attributes)
  return whole
}

/** The terms of a filter, in the order they were written. */
export function termsOf(filter: Filter): readonly Extract<Filter, { kind: 'term' }>[] {
  return filter.kind === 'term' ? [filter] : filter.parts.flatMap(termsOf)
}

type Punctuation = '(' | ')' | '[' | ']'

type Token =
  | { readonly kind: Punctuation }
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'value'; readonly text: string }

/** The state of one pass over the tokens. */
interface Reading {
  readonly tokens: readonly Token[]
  at: number
  terms: number
  readonly attributes: FilterableAttributes
}

/** `conjunction (or conjunction)*` */
function disjunction(reading: Reading, depth: number): Filter {
  const parts = [conjunction(reading, depth)]
  while (takeWord(reading, 'or')) parts.push(conjunction(reading, depth))
  return joined('or', parts)
}

/** `primary (and primary)*` */
function conjunction(reading: Reading, depth: number): Filter {
  const parts = [primary(reading, depth)]
  while (takeWord(reading, 'and')) parts.push(primary(reading, depth))
  return joined('and', parts)
}

function joined(kind: 'and' | 'or', parts: readonly Filter[]): Filter {
  const [first] = parts
  return first && parts.length === 1 ? first : { kind, parts }
}

/** A term, or a whole filter in parentheses. */
function primary(reading: Reading, depth: number): Filter {
  const { attributes } = reading
  const token = reading.tokens[reading.at++]
  switch (token?.kind) {
    case 'word':
      return take(reading, '[') ? termInBrackets(reading, token.text) : term(reading, token.text)
    case '(': {
      if (depth === deepestNesting) throw invalidFilter(`must not be nested deeper than ${deepestNesting}`, attributes)
      const inner = disjunction(reading, depth + 1)
      if (!take(reading, ')')) throw invalidFilter('lacks a closing parenthesis', attributes)
      return inner
    }
    case ')':
    case '[':
    case ']':
    case 'value':
    case undefined:
      throw invalidFilter('lacks an attribute', attributes)
  }
}

/** `attribute[part operator value]`; attribute and bracket have been read. */
function termInBrackets(reading: Reading, attribute: string): Filter {
  const part = reading.tokens[reading.at++]
  if (part?.kind !== 'word') throw invalidFilter('lacks an attribute', reading.attributes)
  const inner = term(reading, `${attribute}.${part.text}`)
  if (!take(reading, ']')) throw invalidFilter('lacks a closing bracket', reading.attributes)
  return inner
}

/** `attribute operator value`; the attribute has been read. */
function term(reading: Reading, name: string): Filter {
  const { attributes } = reading
  reading.terms += 1
  if (reading.terms > mostTerms) throw invalidFilter(`must not have more than ${mostTerms} terms`, attributes)
  const attribute = Object.hasOwn(attributes, name) ? attributes[name] : undefined
  if (!attribute) throw invalidFilter('names an attribute that is not supported', attributes)

  const [operatorToken, valueToken] = [reading.tokens[reading.at++], reading.tokens[reading.at++]]
  const word = operatorToken?.kind === 'word' ? operatorToken.text.toLowerCase() : undefined
  const operator = attribute.operators.find((supported) => supported === word)
  if (!operator)
    throw invalidFilter('uses an operator that is not supported for the attribute', attributes, attribute.operators)
  if (valueToken?.kind !== 'value' && !(attribute.type === 'boolean' && valueToken?.kind === 'word')) {
    throw invalidFilter('lacks a value in double quotes', attributes)
  }
  const { text } = valueToken
  if (attribute.type !== 'boolean') {
    return { kind: 'term', attribute: name, operator, value: attribute.normalize ? attribute.normalize(text) : text }
  }
  const flag = text.toLowerCase()
  if (flag !== 'true' && flag !== 'false')
    throw invalidFilter('compares a boolean with something else', reading.attributes)
  return { kind: 'term', attribute: name, operator, value: flag === 'true' }
}

function take(reading: Reading, kind: Punctuation): boolean {
  if (reading.tokens[reading.at]?.kind !== kind) return false
  reading.at += 1
  return true
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

function tokenize(text: string, attributes: FilterableAttributes): Token[] {
  const tokens: Token[] = []
  let at = skip(text, 0)
  while (at < text.length) {
    const character = text[at]
    if (character === '(' || character === ')' || character === '[' || character === ']') {
      tokens.push({ kind: character })
      at = skip(text, at + 1)
      continue
    }
    const pattern = character === '"' ? quoted : name
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found === undefined) throw invalidFilter('is not well-formed', attributes)
    tokens.push(character === '"' ? { kind: 'value', text: unquote(found, attributes) } : { kind: 'word', text: found })
    at = skip(text, at + found.length)
  }
  return tokens
}

function skip(text: string, from: number): number {
  space.lastIndex = from
  return from + (space.exec(text)?.[0].length ?? 0)
}

/** Reads a string literal, which is one of JSON. */
function unquote(literal: string, attributes: FilterableAttributes): string {
  let value: unknown
  try {
    value = JSON.parse(literal)
  } catch {
    throw invalidFilter('holds a value that is not well-formed', attributes)
  }
  if (typeof value !== 'string' || value.includes('\u0000') || !value.isWellFormed()) {
    throw invalidFilter('holds a value that is not well-formed', attributes)
  }
  return value
}

function invalidFilter(
  message: string,
  attributes: FilterableAttributes,
  operators?: readonly FilterOperator[],
): Problem {
  const supported = operators ?? Object.values(attributes).flatMap((attribute) => attribute.operators)
  return problem('INVALID_REQUEST', {
    details: [
      {
        code: 'INVALID_FILTER',
        target: 'filter',
        message,
        innerError: {
          supportedAttributes: Object.keys(attributes),
          supportedOperators: [...new Set(supported)],
        },
      },
    ],
  })
}
