/**
 * Schema failures as PingOne details: each names its target by dotted path (platform-api 1.11). Never quotes a value,
 * since the value may be a secret.
 */
import { z } from 'zod'
import type { Detail, Problem } from '../errors/problem.ts'
import { problem } from '../errors/problem.ts'

/**
 * Parses `value` with `schema`.
 * @throws Problem INVALID_DATA with one detail per failure
 */
export function parseOrRefuse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value, { reportInput: true })
  if (result.success) return result.data
  throw refusal(result.error)
}

/** Turns a zod error into 400 INVALID_DATA. */
export function refusal(error: z.ZodError): Problem {
  return problem('INVALID_DATA', { details: error.issues.slice(0, 50).map(toDetail) })
}

function toDetail(issue: z.core.$ZodIssue): Detail {
  const target = issue.path.map(String).join('.') || 'body'
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined || issue.message.endsWith('received undefined')
        ? { code: 'REQUIRED_VALUE', target, message: 'must not be null' }
        : { code: 'INVALID_VALUE', target, message: `must be of type ${issue.expected}` }
    case 'too_small':
      return outOfRange(target, `must not be smaller than ${issue.minimum}`, 'rangeMinimumValue', issue.minimum)
    case 'too_big':
      return outOfRange(target, `must not be greater than ${issue.maximum}`, 'rangeMaximumValue', issue.maximum)
    case 'invalid_value':
      if (issue.input === undefined) return { code: 'REQUIRED_VALUE', target, message: 'must not be null' }
      return {
        code: 'INVALID_VALUE',
        target,
        message: 'must be one of the allowed values',
        innerError: { allowedValues: issue.values },
      }
    case 'unrecognized_keys':
      return {
        code: 'INVALID_VALUE',
        target: [...issue.path.map(String), issue.keys[0]].join('.'),
        message: 'is not a known property',
      }
    case 'invalid_format':
      return issue.pattern
        ? {
            code: 'INVALID_VALUE',
            target,
            message: 'must have the expected form',
            innerError: { allowedPattern: issue.pattern },
          }
        : { code: 'INVALID_VALUE', target, message: issue.message }
    case 'custom':
    case 'invalid_union':
    case 'not_multiple_of':
    case 'invalid_key':
    case 'invalid_element':
      return { code: 'INVALID_VALUE', target, message: issue.message }
  }
}

function outOfRange(target: string, message: string, member: string, bound: number | bigint): Detail {
  return { code: 'OUT_OF_RANGE', target, message, innerError: { [member]: Number(bound) } }
}

/** An id in a path or body: lower-case UUID (decision D17). */
export const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)

/** A reference to another object: `{ "id": "…" }`. */
export const reference = z.object({ id: uuid })

/** An ISO 8601 time in UTC with milliseconds, as answers hold it. */
export const timestamp = z.string()

/** Epoch milliseconds as ISO 8601 UTC with milliseconds (platform-api 1.3). */
export function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
