/**
 * What a schema finds wrong, as entries of PingOne's `details` (authentication-api 7.1, 7.3): which member and what is
 * expected there.
 *
 * Never: the offending value itself, which may be a secret.
 */
import type { z } from 'zod'
import type { Detail } from './refusal.ts'

/**
 * Turns the findings of a schema into details.
 * @param error what the schema reported
 * @param within dotted path that the targets start with; empty for the body itself
 */
export function detailsOf(error: z.ZodError, within = ''): Detail[] {
  return error.issues.map((issue) => ({ ...expectation(issue), target: targetOf(within, issue) }))
}

/** A dotted path such as `condition.or[0].greater`. */
export function targetOf(within: string, issue: Pick<z.core.$ZodIssue, 'path'>): string {
  const members = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
  return (within + members).replace(/^\./, '')
}

function expectation(issue: z.core.$ZodIssue): Detail {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined')
        ? { code: 'REQUIRED_VALUE', message: 'must not be null' }
        : { code: 'INVALID_VALUE', message: `must be of type ${issue.expected}` }
    case 'too_small':
      return issue.origin === 'string'
        ? { code: 'REQUIRED_VALUE', message: 'must not be blank' }
        : { code: 'OUT_OF_RANGE', message: 'is too small', innerError: { rangeMinimumValue: Number(issue.minimum) } }
    case 'too_big':
      return { code: 'OUT_OF_RANGE', message: 'is too large', innerError: { rangeMaximumValue: Number(issue.maximum) } }
    case 'invalid_value':
      return { code: 'INVALID_VALUE', message: 'is not an allowed value', innerError: { allowedValues: issue.values } }
    case 'unrecognized_keys':
      return { code: 'INVALID_VALUE', message: `must not hold ${issue.keys.join(', ')}` }
    case 'invalid_union':
      return 'options' in issue && issue.options
        ? { code: 'INVALID_VALUE', message: 'is not an allowed value', innerError: { allowedValues: issue.options } }
        : { code: 'INVALID_VALUE', message: 'is not valid' }
    case 'custom':
      return { code: 'INVALID_VALUE', message: issue.message }
    case 'invalid_format':
    case 'invalid_key':
    case 'invalid_element':
    case 'not_multiple_of':
      return { code: 'INVALID_VALUE', message: 'is not valid' }
  }
}
