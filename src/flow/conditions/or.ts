/**
 * `{ "or": […] }`: true when one of the inner conditions is. Several conditions set in a console or by Terraform arrive
 * this way. authentication-api 5.5.
 *
 * Never: false while an inner condition is unknown; an empty list.
 */
import { z } from 'zod'
import { defineCondition, evaluate } from '../condition.ts'

export const or = defineCondition({
  operator: 'or',
  schema: (inner) => z.strictObject({ or: z.array(inner).min(1) }),
  compile(json, inner) {
    const parts = json.or.map((part, index) => inner(part, `or[${index}]`))
    return {
      reads: parts.flatMap((part) => part.reads),
      evaluate(circumstances) {
        const truths = parts.map((part) => evaluate(part, circumstances))
        if (truths.includes('true')) return 'true'
        return truths.includes('unknown') ? 'unknown' : 'false'
      },
    }
  },
})
