/**
 * The closed list of conditions and the reader that compiles them. authentication-api 5.5.
 *
 * Never: a condition that is understood in part. An unknown operator, an unknown member or too deep a nesting is a
 * problem when written, and compiles to a condition that never lets its step be skipped.
 */
import { z } from 'zod'
import { type CompiledCondition, type ConditionDefinition, unreadable } from '../condition.ts'
import { detailsOf } from '../detail.ts'
import type { Detail } from '../refusal.ts'
import { and } from './and.ts'
import { type AnonymousNetwork, anonymousNetwork } from './anonymous-network.ts'
import { type Equals, equals } from './equals.ts'
import { type GeoVelocity, geoVelocity } from './geo-velocity.ts'
import { type Includes, includes } from './includes.ts'
import { type IpRange, ipRange } from './ip-range.ts'
import { type IpRisk, ipRisk } from './ip-risk.ts'
import { not } from './not.ts'
import { or } from './or.ts'
import { type SecondsSince, secondsSince } from './seconds-since.ts'

/** A condition as stored and sent. */
export type ConditionJson =
  | { readonly and: readonly ConditionJson[] }
  | { readonly or: readonly ConditionJson[] }
  | { readonly not: ConditionJson }
  | SecondsSince
  | Equals
  | Includes
  | IpRange
  | IpRisk
  | GeoVelocity
  | AnonymousNetwork

const conditions: readonly ConditionDefinition<unknown>[] = [
  and,
  or,
  not,
  secondsSince,
  equals,
  includes,
  ipRange,
  ipRisk,
  geoVelocity,
  anonymousNetwork,
]

/** Conditions may be nested this deep and hold this many parts; clients send two levels. */
export const nestingLimits = { depth: 5, parts: 50 } as const

/** The schema of a condition, for the contract. The reader below gives better messages. */
export const conditionSchema: z.ZodType<ConditionJson> = z.lazy(() =>
  z.union(conditions.map((condition) => condition.schema(conditionSchema))),
) as z.ZodType<ConditionJson>

/** How one part of a condition is read: what is inside it is read by itself. */
const readers = conditions.map((definition) => ({ ...definition, schema: definition.schema(z.unknown()) }))

/**
 * Compiles a condition.
 * @param json the `condition` member of a policy action
 * @returns the condition, and what is wrong with it; with a problem anywhere, that part is unknown for ever
 */
export function readCondition(json: unknown): { condition: CompiledCondition; problems: readonly Detail[] } {
  const problems: Detail[] = []
  let parts = 0

  function read(part: unknown, target: string, depth: number): CompiledCondition {
    parts += 1
    if (depth > nestingLimits.depth || parts > nestingLimits.parts) {
      return refuse({ code: 'INVALID_VALUE', target, message: 'is nested too deeply or has too many parts' })
    }
    const reader = readers.find(({ operator }) => typeof part === 'object' && part && Object.hasOwn(part, operator))
    if (!reader) {
      const allowedValues = conditions.map(({ operator }) => operator)
      return refuse({
        code: 'INVALID_VALUE',
        target,
        message: 'is not a known condition',
        innerError: { allowedValues },
      })
    }
    const parsed = reader.schema.safeParse(part)
    if (!parsed.success) return refuse(...detailsOf(parsed.error, target))
    return reader.compile(parsed.data, (inner, member) => read(inner, `${target}.${member}`, depth + 1))
  }

  function refuse(...found: Detail[]): CompiledCondition {
    problems.push(...found)
    return unreadable
  }

  return { condition: read(json, 'condition', 1), problems }
}
