/**
 * Sign-on policies: their JSON, what may be written, and the immutable compiled form the machine runs.
 * authentication-api 5.1-5.5; decision D20 (a write makes a new version, and versions never change).
 *
 * Never: a policy understood in part. What is not available is refused when written; a stored condition that cannot be
 * read compiles to one that never lets its step be skipped.
 */
import { z } from 'zod'
import { type ActionType, type AnyAction, actionOfType, actions } from './actions/index.ts'
import { type CompiledCondition, factOf, groupsReadBy, readsFact } from './condition.ts'
import { type ConditionJson, conditionSchema, readCondition } from './conditions/index.ts'
import { detailsOf } from './detail.ts'
import type { FactName } from './facts.ts'
import type { Detail } from './refusal.ts'

type Listed = (typeof actions)[number]

/** One action of a policy as clients write it; ids and links are the platform's. */
export type PolicyAction = {
  [Name in Listed['type']]: {
    readonly type: Name
    /** The order of evaluation, ascending from 1. */
    readonly priority: number
    readonly condition?: ConditionJson | undefined
  } & Readonly<z.infer<Extract<Listed, { type: Name }>['config']>>
}[Listed['type']]

/** The schema of a policy action, discriminated by `type`. */
export const policyActionSchema = schemaOfActions(conditionSchema.optional()) as z.ZodType<PolicyAction>

/** The same, but with the condition left to its own reader, which explains better what is wrong. */
const actionAroundCondition = schemaOfActions(z.unknown().optional()) as z.ZodType<
  PolicyAction & { condition?: unknown }
>

function schemaOfActions(condition: z.ZodType): z.ZodType {
  const schemas = actions.map((action) =>
    action.config.extend({ type: z.literal(action.type), priority: z.int().min(1), condition }),
  )
  const [first, ...others] = schemas
  return first ? z.discriminatedUnion('type', [first, ...others]) : z.never()
}

/** One thing that is wrong with a policy; `action` is the index of the action it is wrong with. */
export interface PolicyProblem extends Detail {
  readonly action: number
}

/**
 * Finds out whether a policy may be written.
 * @param candidates the actions the policy would have, as sent
 * @returns what is wrong, as PingOne details whose targets are relative to the action; empty when nothing is
 */
export function validatePolicy(candidates: readonly unknown[]): PolicyProblem[] {
  return candidates.flatMap((candidate, action) => problemsOf(candidate).map((detail) => ({ ...detail, action })))
}

function problemsOf(candidate: unknown): readonly Detail[] {
  const parsed = actionAroundCondition.safeParse(candidate)
  if (!parsed.success) return detailsOf(parsed.error)
  const { type, priority, condition: json } = parsed.data
  const action: AnyAction = actionOfType(type)
  const problems = action.problems(parsed.data)
  if (json === undefined) return problems
  const { condition, problems: unreadable } = readCondition(json)
  const mayRead = (fact: FactName) => {
    const source = fact === 'groups' ? 'user' : fact
    return action.conditionFacts.includes(source) && (source !== 'user' || priority > 1)
  }
  const misplaced = condition.reads.filter((reading) => !mayRead(factOf(reading.fact)))
  return [...problems, ...unreadable, ...misplaced.map((reading) => misplacedFact(reading.fact))]
}

function misplacedFact(fact: string): Detail {
  const message = `a condition on \${${fact}} is not allowed on an action of this type and priority`
  return { code: 'CONSTRAINT_VIOLATION', target: 'condition', message }
}

/** An action ready to run. */
export interface CompiledAction {
  readonly id: string
  /** The version of the policy it is part of. */
  readonly policyVersion: number
  readonly type: ActionType
  readonly priority: number
  readonly definition: AnyAction
  readonly config: unknown
  /** `null`: the action always runs. */
  readonly condition: CompiledCondition | null
}

/** One version of a policy, ready to run: immutable, its actions in order. */
export interface CompiledPolicy {
  readonly id: string
  readonly name: string
  readonly version: number
  readonly actions: readonly CompiledAction[]
}

/** One version of a policy as stored. */
export interface PolicySource {
  readonly id: string
  readonly name: string
  readonly version: number
  readonly actions: readonly (PolicyAction & { readonly id: string })[]
}

/**
 * Compiles one version of a policy.
 * @throws when an action has a type or configuration this version does not know
 */
export function compilePolicy({ id, name, version, actions: sources }: PolicySource): CompiledPolicy {
  const ordered = sources.toSorted((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : 1))
  return Object.freeze({
    id,
    name,
    version,
    actions: Object.freeze(ordered.map((source) => compileAction(source, version))),
  })
}

function compileAction(source: PolicyAction & { readonly id: string }, policyVersion: number): CompiledAction {
  const { id, type, priority, condition } = source
  const definition = actionOfType(type)
  return Object.freeze({
    id,
    policyVersion,
    type,
    priority,
    definition,
    config: definition.config.parse(source),
    condition: condition === undefined ? null : readCondition(condition).condition,
  })
}

/** Whether somebody nobody knows can sign on by a policy: devices alone ask nobody who they are. */
export function asksWho(policy: CompiledPolicy | undefined): boolean {
  const methods = policy?.actions.flatMap(({ definition }) => definition.methods) ?? []
  return methods.includes('pwd') || methods.includes('idp')
}

/** The ids of the groups that the condition of an action names. */
export function groupsNamedBy({ condition }: Pick<PolicyAction, 'condition'>): readonly string[] {
  return condition === undefined ? [] : groupsReadBy(readCondition(condition).condition)
}

/** Whether a policy has a condition on the groups of the user. */
export function readsGroups({ actions: compiled }: CompiledPolicy): boolean {
  return compiled.some(({ condition }) => condition !== null && readsFact(condition, 'groups'))
}
