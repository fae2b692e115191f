/**
 * The one way JSON enters: a scanner in front of `JSON.parse` that refuses what parsers disagree about. RFC 8259 with
 * the limits of security catalogue 4.9 and rows O02-O08: depth 32, 1,000 members, no repeated member names, no
 * `__proto__`, no U+0000, no lone surrogates, valid UTF-8 without a byte order mark, numbers that a double holds.
 *
 * Never: a recursive walk (200,000 nested arrays must not cost a stack), or an answer that quotes the input.
 */
import { problem } from '../errors/problem.ts'

const maximumDepth = 32
const maximumMembers = 1000
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses a JSON body. An empty body is `{}` (decision D5).
 * @throws Problem INVALID_REQUEST naming the rule that was broken
 */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return {}
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    throw malformed('The body is not valid UTF-8.')
  }
  scan(text)
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw malformed('The body is not valid JSON.')
  }
}

/** Checks structure only; syntax is left to `JSON.parse`, which runs on whatever passes. */
function scan(text: string): void {
  const names: (Set<string> | null)[] = []
  let members = 0
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === 0x22) {
      const end = stringEnd(text, at)
      const names_ = names.at(-1)
      if (names_ && isMemberName(text, end)) {
        members++
        if (members > maximumMembers) throw malformed(`The body has more than ${maximumMembers} members.`)
        const name = unescape(text.slice(at, end + 1))
        if (name === '__proto__') throw malformed('The body has a member with a forbidden name.')
        if (names_.has(name)) throw malformed('The body repeats a member name.')
        names_.add(name)
      } else {
        unescape(text.slice(at, end + 1))
      }
      at = end
    } else if (character === 0x7b || character === 0x5b) {
      names.push(character === 0x7b ? new Set() : null)
      if (names.length > maximumDepth) throw malformed(`The body is nested deeper than ${maximumDepth} levels.`)
    } else if (character === 0x7d || character === 0x5d) {
      names.pop()
    } else if (character === 0x2d || (character >= 0x30 && character <= 0x39)) {
      at = numberEnd(text, at)
    }
  }
}

function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === 0x5c) at++
    else if (character === 0x22) return at
  }
  throw malformed('The body is not valid JSON.')
}

function isMemberName(text: string, end: number): boolean {
  for (let at = end + 1; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === 0x3a) return true
    if (character !== 0x20 && character !== 0x09 && character !== 0x0a && character !== 0x0d) return false
  }
  return false
}

function unescape(literal: string): string {
  let value: string
  if (literal.indexOf('\\') === -1) value = literal.slice(1, -1)
  else {
    try {
      value = JSON.parse(literal) as string
    } catch {
      throw malformed('The body is not valid JSON.')
    }
  }
  if (value.includes('\u0000')) throw malformed('The body holds the character U+0000.')
  if (!value.isWellFormed()) throw malformed('The body holds text that is not well-formed Unicode.')
  return value
}

function numberEnd(text: string, start: number): number {
  let end = start + 1
  while (end < text.length && /[0-9.eE+-]/.test(text[end] as string)) end++
  const value = Number(text.slice(start, end))
  const integral = !/[.eE]/.test(text.slice(start, end))
  if (!Number.isFinite(value) || (integral && !Number.isSafeInteger(value))) {
    throw malformed('The body holds a number that cannot be kept exactly.')
  }
  return end - 1
}

function malformed(description: string): Error {
  return problem('INVALID_REQUEST', { description, details: [{ code: 'INVALID_VALUE', message: description }] })
}
