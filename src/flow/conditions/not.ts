/**
 * `{ "not": {…} }`: true when the inner condition is false. authentication-api 5.5.
 *
 * Never: a definite result from an unknown one; that is how a missing fact would remove a step.
 */
import { z } from 'zod'
import { defineCondition, evaluate, type Truth } from '../condition.ts'

const opposite: Readonly<Record<Truth, Truth>> = { true: 'false', false: 'true', unknown: 'unknown' }

export const not = defineCondition({
  operator: 'not',
  schema: (inner) => z.strictObject({ not: inner }),
  compile(json, inner) {
    const part = inner(json.not, 'not')
    return { reads: part.reads, evaluate: (circumstances) => opposite[evaluate(part, circumstances)] }
  },
})
