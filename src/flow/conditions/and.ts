/**
 * `{ "and": […] }`: true when every inner condition is. authentication-api 5.5.
 *
 * Never: true or false while an inner condition that matters is unknown; an empty list.
 */
import { z } from 'zod'
import { defineCondition, evaluate } from '../condition.ts'

export const and = defineCondition({
  operator: 'and',
  schema: (inner) => z.strictObject({ and: z.array(inner).min(1) }),
  compile(json, inner) {
    const parts = json.and.map((part, index) => inner(part, `and[${index}]`))
    return {
      reads: parts.flatMap((part) => part.reads),
      evaluate(circumstances) {
        const truths = parts.map((part) => evaluate(part, circumstances))
        if (truths.includes('false')) return 'false'
        return truths.includes('unknown') ? 'unknown' : 'true'
      },
    }
  },
})
