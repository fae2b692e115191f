/**
 * What holds of the agreements of an environment after every write (platform-api 3.16): whoever is asked to consent can
 * be shown what to, and nothing that a sign-on policy asks for is taken away. A unit writes first and checks then; what
 * does not hold rolls it back.
 */
import { agreementBounds } from '../environment/agreement.ts'
import { type Detail, problem } from '../errors/problem.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { agreementCounts, agreementsWithoutDefaultText } from '../storage/sql/agreements.ts'
import { signOnPoliciesOf } from '../storage/sql/environments.ts'

/** What cannot be carried out because of what is there. */
export function constraint(message: string, code: Detail['code'] = 'CONSTRAINT_VIOLATION'): Error {
  return problem('REQUEST_FAILED', { details: [{ code, message }] })
}

/**
 * Every enabled agreement has a text in the default language that is in force; so whatever languages a user reads, there
 * is one to show. For the end of each unit that could change that.
 * @throws Problem REQUEST_FAILED
 */
export function* requireDefaultTexts(environmentId: string, now: number): UnitBody<void> {
  const lacking = yield* run(agreementsWithoutDefaultText(environmentId, now))
  if (lacking.length > 0) {
    throw constraint('An enabled agreement needs a current revision in the default language, enabled in the agreement.')
  }
}

/**
 * No sign-on policy asks for the agreement. For the unit that disables or deletes it.
 * @throws Problem REQUEST_FAILED
 */
export function* requireUnreferenced(environmentId: string, agreementId: string): UnitBody<void> {
  const policies = yield* run(signOnPoliciesOf(environmentId))
  if (policies.some(({ actions }) => isAskedFor(actions, agreementId))) {
    throw constraint('An agreement that an action of a sign-on policy refers to stays enabled.')
  }
}

/** Whether an action of type AGREEMENT among the stored actions of a policy names the agreement. */
export function isAskedFor(actions: string, agreementId: string): boolean {
  const stored = JSON.parse(actions) as readonly {
    readonly type: string
    readonly agreement?: { readonly id: string }
  }[]
  return stored.some(({ type, agreement }) => type === 'AGREEMENT' && agreement?.id === agreementId)
}

/**
 * There are not more of a kind than an environment may have. For the end of the unit that adds one.
 * @throws Problem REQUEST_FAILED with detail LIMIT_EXCEEDED
 */
export function* requireBound(environmentId: string, kind: keyof typeof agreementBounds): UnitBody<void> {
  const [counts] = yield* run(agreementCounts(environmentId))
  const most = agreementBounds[kind]
  if (!counts || counts[kind] > most) {
    throw constraint(`An environment has at most ${most} ${kind} of agreements.`, 'LIMIT_EXCEEDED')
  }
}
