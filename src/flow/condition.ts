/**
 * Conditions: when an action of a sign-on policy runs. An action runs when its condition is true or absent
 * (authentication-api 5.5). Evaluation has three results, so that what is missing or broken stays visible through
 * `and`, `or` and `not` (Kleene's logic): only a definite `false` lets a step be skipped (security catalogue J23).
 *
 * Never: an exception, a missing fact or an unknown operator that removes a step.
 */
import type { z } from 'zod'
import type { FactName, RequestFacts, SessionFacts, UserFacts } from './facts.ts'

/** What evaluating gives. `unknown`: a fact is missing or something went wrong. */
export type Truth = 'true' | 'false' | 'unknown'

/** What conditions are evaluated against; `null` where there is no such thing or it does not count. */
export interface Circumstances {
  readonly session: SessionFacts | null
  readonly user: UserFacts | null
  readonly request: RequestFacts | null
  /** Ids of the groups the user is a member of, in whatever way. */
  readonly groups?: readonly string[] | null
  /** Epoch milliseconds. */
  readonly now: number
}

const groupPrefix = 'user.memberOfGroups.'

/** The facts a condition can name, as written in a policy between `${` and `}`. */
export type FactPath =
  | 'session.lastSignOn.at'
  | 'session.lastSignOn.withAuthenticator.pwd.at'
  | 'session.lastSignOn.withAuthenticator.mfa.at'
  | 'flow.request.http.remoteIp'
  /** What is known of the network of the address, and how fast the user would have travelled there, km/h. */
  | 'flow.request.network.isAnonymous'
  | 'flow.request.network.riskScore'
  | 'flow.request.network.speed'
  /** Extension: whether the user is a member of the group with the id that follows. */
  | `${typeof groupPrefix}${string}`
  | `user.${string}`

/**
 * One fact a condition reads, and values of it such that every result the condition can take is taken at one of them.
 * For times of the session the values are ages in seconds. A missing fact is always one value more.
 */
export interface Reading {
  readonly fact: FactPath
  readonly points: readonly (string | number | boolean)[]
}

/** A condition ready to be evaluated. */
export interface CompiledCondition {
  readonly reads: readonly Reading[]
  evaluate(circumstances: Circumstances): Truth
}

/** One kind of condition; `operator` is the member of the JSON object that names it. */
export interface ConditionDefinition<Json> {
  readonly operator: string
  /** Its JSON; members it does not know are refused. `inner` is the schema of conditions inside it. */
  schema(inner: z.ZodType): z.ZodType<Json>
  /** `inner` compiles conditions inside it. */
  compile(json: Json, inner: (json: unknown, member: string) => CompiledCondition): CompiledCondition
}

/** Declares a kind of condition. */
export function defineCondition<Json>(definition: ConditionDefinition<Json>): ConditionDefinition<Json> {
  return definition
}

/** A condition that could not be read: its action always runs. */
export const unreadable: CompiledCondition = { reads: [], evaluate: () => 'unknown' }

/** Evaluates a condition; whatever goes wrong is `unknown`. */
export function evaluate(condition: CompiledCondition, circumstances: Circumstances): Truth {
  try {
    const truth = condition.evaluate(circumstances)
    return truth === 'true' || truth === 'false' ? truth : 'unknown'
  } catch {
    return 'unknown'
  }
}

/** Which fact the machine has to load for a path. */
export function factOf(path: FactPath): FactName {
  if (path.startsWith('session.')) return 'session'
  if (path.startsWith(groupPrefix)) return 'groups'
  return path.startsWith('user.') ? 'user' : 'request'
}

/** Whether a condition reads this fact. */
export function readsFact(condition: CompiledCondition, fact: FactName): boolean {
  return condition.reads.some((reading) => factOf(reading.fact) === fact)
}

/** The ids of the groups whose members a condition tells from others. */
export function groupsReadBy(condition: CompiledCondition): readonly string[] {
  const paths = condition.reads.map((reading) => reading.fact).filter((fact) => fact.startsWith(groupPrefix))
  return [...new Set(paths.map((path) => path.slice(groupPrefix.length)))]
}
