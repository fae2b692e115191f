/**
 * Completion: what a policy still asks for, computed from what was proved. The same judgement picks the next action and
 * finds that there is none, so the two cannot disagree. Fifth law of the house; decision D20; authentication-api 2.4,
 * 5.6; security catalogue J13, J16, J23.
 *
 * Never: a look at where the flow stands; a proof of another user; a step skipped because something is missing, because
 * nobody is known yet, or although it was required before.
 */
import { lacksGroups } from './access-control.ts'
import type { Standing } from './action.ts'
import { type Circumstances, evaluate } from './condition.ts'
import { type FactName, type Facts, type SessionFacts, type UserFacts, isUsable } from './facts.ts'
import type { Outcome } from './outcome.ts'
import { type CompiledAction, readsGroups } from './policy.ts'
import { type LivePolicy, type Variant, type Variants, variantsOf } from './policy-versions.ts'
import { amrWords, type Authenticator, isAuthenticator, type Method, type Proof } from './proof.ts'
import type { StepReason } from './reasons.ts'
import { firstSteps, lastSteps } from './request-steps.ts'
import { type FlowState, type FlowStep, mayBe } from './state.ts'

/** What the judgement comes to. `steps` are the steps of the policy as they stand now. */
export type Judgement =
  /** It cannot be said before these facts of the user are loaded. */
  | { readonly kind: 'lacking'; readonly facts: readonly FactName[]; readonly userId: string }
  /** This action is required and not yet proved. */
  | { readonly kind: 'next'; readonly steps: FlowStep[]; readonly action: CompiledAction }
  | { readonly kind: 'complete'; readonly steps: FlowStep[]; readonly outcome: Outcome }
  /** Nothing is left to ask for, yet that does not amount to a sign-on of one known user. */
  | { readonly kind: 'unprovable'; readonly steps: FlowStep[] }

/**
 * Judges a flow by its policy.
 * @param facts session and user as read for this request
 * @param now epoch milliseconds
 */
export function judge(policy: LivePolicy, flow: FlowState, facts: Facts, now: number): Judgement {
  const evidence = evidenceOf(flow, facts)
  if (isSomebody(evidence) && asksForGroups(policy) && lacksGroups(facts, evidence.user.id)) {
    return { kind: 'lacking', facts: ['groups'], userId: evidence.user.id }
  }
  const matter: Matter = { flow, evidence, facts, now }
  const steps: FlowStep[] = []
  const spared: Method[] = []
  let next: CompiledAction | undefined

  for (const invited of firstSteps(flow)) {
    const isDone = isMet(invited, evidence.proofs, standingOf(invited, matter))
    steps.push({ id: invited.id, type: invited.type, standing: isDone ? 'SATISFIED' : 'REQUIRED', reason: 'invited' })
    if (!isDone) next ??= invited
  }
  const everyVariants = variantsOf(policy)
  for (const variants of everyVariants) {
    const { id, type, definition } = variants[0].action
    const before = flow.steps.find((step) => step.id === id)
    const isRequired = before?.standing === 'REQUIRED' || before?.standing === 'SATISFIED'
    if (next && !isRequired) {
      steps.push({ id, type, standing: 'PENDING', reason: 'not-reached' })
      continue
    }
    const { runs, reason } = isRequired ? { runs: true, reason: before.reason } : whetherToRun(variants, matter)
    if (!runs) {
      steps.push({ id, type, standing: 'SKIPPED', reason })
      if (reason === 'satisfied-by-session') spared.push(...definition.methods, ...passkeyMethods(variants[0].action))
      continue
    }
    const standing = standingOf({ id }, matter)
    const unmet = variants.map(({ action }) => action).find((action) => !isMet(action, evidence.proofs, standing))
    steps.push({ id, type, standing: unmet ? 'REQUIRED' : 'SATISFIED', reason })
    next ??= unmet
  }

  const isMixed = flow.proofs.length > evidence.proofs.length
  const isSignOn = isSomebody(evidence) && !isMixed && everyVariants.length > 0
  for (const requested of lastSteps(flow)) {
    const standing = requestedStanding(requested, matter, next === undefined && isSignOn)
    steps.push({ id: requested.id, type: requested.type, ...standing })
    if (standing.standing === 'REQUIRED') next ??= requested
  }
  if (next) return { kind: 'next', steps, action: next }
  if (!isSignOn) return { kind: 'unprovable', steps }
  return { kind: 'complete', steps, outcome: outcomeOf(policy, matter, evidence, spared) }
}

/** Groups are asked for once somebody is known who could have some: a name alone causes no reads (D7). */
function asksForGroups({ atStart, current }: LivePolicy): boolean {
  return readsGroups(atStart) || readsGroups(current)
}

/** What the request adds is asked for once nothing before it is. */
function requestedStanding(
  requested: CompiledAction,
  matter: Matter,
  isDue: boolean,
): Pick<FlowStep, 'standing' | 'reason'> {
  const { flow, evidence } = matter
  const before = flow.steps.find(({ id }) => id === requested.id)?.standing
  const isRequired = before === 'REQUIRED' || before === 'SATISFIED'
  if (!isDue && !isRequired) return { standing: 'PENDING', reason: 'not-reached' }
  const isDone = isMet(requested, evidence.proofs, standingOf(requested, matter))
  return { standing: isDone ? 'SATISFIED' : 'REQUIRED', reason: 'requested' }
}

/** Who asks, and of whom. */
function standingOf({ id }: Pick<CompiledAction, 'id'>, { flow, evidence, facts, now }: Matter): Standing {
  return { actionId: id, user: evidence.user, identifier: flow.identifier, facts, now }
}

/** What speaks for the flow's user, here and now. */
interface Evidence {
  /** The flow's user, as long as they may sign on. */
  readonly user: UserFacts | null
  /** Proofs of that user. */
  readonly proofs: readonly Proof[]
  /** The session the flow began with, if it lives, is of that user, and may spare steps. */
  readonly session: SessionFacts | null
  /** When the user authenticated last, in epoch milliseconds; null when nothing shows it. */
  readonly at: number | null
}

function evidenceOf(flow: FlowState, facts: Facts): Evidence {
  const isThem = facts.user?.id === flow.user?.id && mayBe(flow.request, flow.user?.id ?? '')
  const user = isThem && isUsable(facts.user) ? facts.user : null
  const proofs = user ? proofsOf(flow) : []
  const live = liveSession(flow, facts)
  const session = flow.sessionCounts && live && live.userId === user?.id ? live : null
  const lastOf = (counts: (method: Method) => boolean) => {
    const times = proofs.filter(({ method }) => counts(method)).map((proof) => proof.at)
    return times.length > 0 ? Math.max(...times) : undefined
  }
  // A policy that takes the word of the application for a factor takes it for an authentication.
  const at = lastOf(isAuthenticator) ?? session?.lastSignOn.at ?? lastOf((method) => method === 'vouched') ?? null
  return { user, proofs, session, at }
}

/** Evidence that somebody is there who authenticated. */
interface EvidenceOfSomebody extends Evidence {
  readonly user: UserFacts
  readonly at: number
}

function isSomebody(evidence: Evidence): evidence is EvidenceOfSomebody {
  return evidence.user !== null && evidence.at !== null
}

function proofsOf({ proofs, user }: FlowState): Proof[] {
  return proofs.filter((proof) => proof.userId === user?.id)
}

/** The flow's own copy of the session it began with, unless that has ended since. */
function liveSession({ session }: FlowState, { session: now }: Facts): SessionFacts | null {
  return session && now?.id === session.id && now.userId === session.userId ? session : null
}

function isMet({ definition, config }: CompiledAction, proofs: readonly Proof[], standing: Standing): boolean {
  return definition.isSatisfied(proofs, config, standing)
}

/** What a passkey proves, where an action takes one. */
function passkeyMethods({ definition, config }: CompiledAction): readonly Method[] {
  return definition.takesPasskeys?.(config) ? ['mfa'] : []
}

/** What there is to judge. */
interface Matter {
  readonly flow: FlowState
  readonly evidence: Evidence
  readonly facts: Facts
  /** Epoch milliseconds. */
  readonly now: number
}

interface Verdict {
  readonly runs: boolean
  readonly reason: StepReason
}

/** An action runs when one of its variants has to. */
function whetherToRun([first, ...others]: Variants, matter: Matter): Verdict {
  const verdict = whetherVariantRuns(first, matter)
  if (verdict.runs) return verdict
  return others.map((variant) => whetherVariantRuns(variant, matter)).find(({ runs }) => runs) ?? verdict
}

function whetherVariantRuns({ action, policy }: Variant, { flow, evidence, facts, now }: Matter): Verdict {
  const { condition, definition } = action
  const isForced = definition.isPrimary || !policy.actions.some((other) => other.definition.isPrimary)
  if (isForced && isReauthenticationDue(flow, now)) return { runs: true, reason: 're-authentication' }
  if (!condition) return { runs: true, reason: 'unconditional' }
  if (!isSomebody(evidence)) return { runs: true, reason: 'user-unknown' }
  if (definition.isDemandedBy(evidence.user)) return { runs: true, reason: 'account-demands' }
  const { user, session } = evidence
  const groups = facts.groups?.userId === user.id ? facts.groups.ids : null
  const circumstances: Circumstances = { user, session, request: facts.request ?? null, groups, now }
  switch (evaluate(condition, circumstances)) {
    case 'true':
      return { runs: true, reason: 'condition-met' }
    case 'unknown':
      return { runs: true, reason: 'condition-unknown' }
    case 'false': {
      const isFalseAnyway = evaluate(condition, { ...circumstances, session: null }) === 'false'
      return { runs: false, reason: isFalseAnyway ? 'condition-not-met' : 'satisfied-by-session' }
    }
  }
}

/** `prompt=login`, or a sign-on at least `max_age` old (0: any). OpenID Connect Core 3.1.2.1. */
function isReauthenticationDue({ request, session }: FlowState, now: number): boolean {
  if (request.forcesLogin) return true
  if (request.maxAge === null || session === null) return false
  return Math.max(0, now - session.lastSignOn.at) >= request.maxAge * 1000
}

function outcomeOf(
  { atStart }: LivePolicy,
  { flow, facts }: Matter,
  evidence: EvidenceOfSomebody,
  spared: readonly Method[],
): Outcome {
  const proved: Partial<Record<Authenticator, number>> = {}
  for (const { method, at } of evidence.proofs) {
    if (isAuthenticator(method)) proved[method] = Math.max(at, proved[method] ?? at)
  }
  const remembered = spared
    .filter(isAuthenticator)
    .filter((method) => evidence.session?.lastSignOn.withAuthenticator[method])
  const words: ReadonlySet<string> = new Set([
    ...Object.keys(proved),
    ...remembered,
    ...evidence.proofs.flatMap(({ shows }) => shows ?? []),
  ])
  const userId = evidence.user.id
  const given = evidence.proofs.find(({ method }) => method === 'consent')?.consentId
  const consentId = given ?? (flow.request.consent && facts.consent?.id)
  const live = liveSession(flow, facts)
  const isKept = live?.userId === userId
  return {
    userId,
    session: {
      id: isKept ? live.id : flow.newSessionId,
      kept: isKept,
      replaces: live && !isKept ? live.id : null,
    },
    policyId: atStart.id,
    policyVersion: atStart.version,
    acr: atStart.name,
    amr: amrWords.filter((word) => words.has(word)),
    authTime: Math.floor(evidence.at / 1000),
    proved,
    ...(consentId === undefined ? {} : { consentId }),
  }
}
