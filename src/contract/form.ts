/**
 * `application/x-www-form-urlencoded` bodies and query strings, read strictly: WHATWG URL section 5.1 with the refusals
 * of security catalogue rows O05, O07, O18, O19 and RFC 6749 section 3.1 ("parameters MUST NOT be included more than
 * once"). A value is a string, never an array; which names were repeated is told apart so that each endpoint can
 * answer in its own way (decision D11).
 */
import { problem } from '../errors/problem.ts'

/** Decoded parameters, without prototype, and the names that came more than once. */
export interface FormParameters {
  readonly values: Readonly<Record<string, string>>
  readonly repeated: readonly string[]
  /** The values that followed the first one of a repeated name. */
  readonly further?: Readonly<Record<string, readonly string[]>>
  /** That every name has a value that is not empty. */
  readonly isFull?: boolean
}

const maximumParameters = 200
const name = /^[A-Za-z0-9_.:-]{1,100}$/
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decodes a query string or form body.
 * @param text without the leading `?`
 * @throws Problem invalid_request for broken percent-encoding, invalid UTF-8, U+0000, or more than 200 parameters
 */
export function parseForm(text: string): FormParameters {
  const values: Record<string, string> = Object.create(null) as Record<string, string>
  const repeated: string[] = []
  if (text === '') return { values, repeated, isFull: true }
  let further: Record<string, string[]> | undefined
  let isFull = true
  const pairs = text.split('&')
  if (pairs.length > maximumParameters) throw problem('invalid_request', { description: 'too many parameters' })
  for (const pair of pairs) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const key = decode(equals === -1 ? pair : pair.slice(0, equals))
    const value = decode(equals === -1 ? '' : pair.slice(equals + 1))
    if (key.includes('[') || key === '__proto__' || key === 'constructor' || key === 'prototype') {
      throw problem('invalid_request', { description: 'a parameter has a name that is not allowed' })
    }
    if (!name.test(key)) continue
    if (values[key] !== undefined) {
      repeated.push(key)
      further ??= Object.create(null) as Record<string, string[]>
      ;(further[key] ??= []).push(value)
    } else {
      values[key] = value
      if (value === '') isFull = false
    }
  }
  return further ? { values, repeated, further, isFull } : { values, repeated, isFull }
}

/**
 * Decodes a form body.
 * @throws Problem invalid_request as `parseForm` does, and for bytes that are no UTF-8
 */
export function parseFormBody(bytes: Uint8Array): FormParameters {
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    throw notWellEncoded()
  }
  return parseForm(text)
}

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return checked(text)
  try {
    return checked(decodeURIComponent(text.replaceAll('+', ' ')))
  } catch {
    throw notWellEncoded()
  }
}

function checked(text: string): string {
  if (text.includes('\u0000') || !text.isWellFormed()) throw notWellEncoded()
  return text
}

function notWellEncoded(): Error {
  return problem('invalid_request', { description: 'the parameters are not well encoded' })
}
