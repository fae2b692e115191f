/**
 * What may be bound to a parameter, the same for both engines. Architecture section 5, "One text for both engines".
 *
 * The engines differ in what they make of the rest: SQLite stores NaN as NULL and keeps U+0000, PostgreSQL refuses
 * both; a boolean is 1 in one and `true` in the other; fractions land in integer columns of SQLite; both replace lone
 * surrogates, so that two different texts would collide. So all of that is refused here, before an engine sees it.
 *
 * Never: the refused value in the message.
 */
import type { Statement } from './port.ts'

/** A statement with a value that must not be bound, or with too many or too few values. A mistake of the caller. */
export class Unbindable extends TypeError {
  override readonly name = 'Unbindable'
}

/**
 * Checks every value of a statement.
 * @throws Unbindable naming the parameter and the kind of value
 */
export function checkBindable(statement: Statement<object>): void {
  const { values } = statement
  for (let at = 0; at < values.length; at += 1) {
    const objection = objectionTo(values[at])
    if (objection) throw new Unbindable(`Parameter $${at + 1} of "${excerpt(statement.text)}" is ${objection}`)
  }
}

/**
 * Checks that a text that runs outside a unit is a query.
 * @throws TypeError when it would change something without being part of a unit
 */
export function checkQuery(statement: Statement<object>): void {
  if (!/^\s*(SELECT|WITH)\b/.test(statement.text)) {
    throw new TypeError(`"${excerpt(statement.text)}" is not a query: a change belongs in a unit`)
  }
}

/** How many parameters a text has: its highest `$n`. */
export function parameterCount(text: string): number {
  let highest = 0
  for (const [, digits] of text.matchAll(/\$(\d+)/g)) highest = Math.max(highest, Number(digits))
  return highest
}

/**
 * Checks that every parameter of a text has a value: SQLite would quietly bind NULL to the rest.
 * @param parameters the `parameterCount` of the text
 * @throws Unbindable
 */
export function checkCount(statement: Statement<object>, parameters: number): void {
  const given = statement.values.length
  if (given !== parameters) {
    throw new Unbindable(`"${excerpt(statement.text)}" has ${parameters} parameters and was given ${given} values`)
  }
}

function objectionTo(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      if (value.includes('\u0000')) return 'text that holds U+0000'
      return value.isWellFormed() ? undefined : 'text that holds half of a surrogate pair'
    case 'number':
      return Number.isSafeInteger(value) ? undefined : 'not a safe whole number'
    case 'boolean':
      return 'a boolean (bind 0 or 1)'
    case 'undefined':
      return 'undefined (bind null)'
    case 'object':
      return value === null ? undefined : 'an object (bind its JSON text)'
    case 'bigint':
    case 'symbol':
    case 'function':
      return `a ${typeof value}`
  }
}

function excerpt(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 80)
}
