/**
 * The redemption of an authorization code: single use as one unit, and what a second use or a guessed verifier brings
 * about. RFC 6749 sections 4.1.2 and 10.5, decisions D21 and D22, rows B01, B03 and B14.
 */
import { eventOrigin } from '../../contract/event-origin.ts'
import type { Context } from '../../contract/operation.ts'
import { consentStands } from '../../directory/oauth-consents.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { record } from '../../events/record.ts'
import { increment } from '../../storage/operations.ts'
import { run, type Statement, type UnitBody } from '../../storage/port.ts'
import { burnCode, takeCode } from '../../storage/sql/authorization-codes.ts'
import { revokeFamily } from '../../storage/sql/token-families.ts'
import { grantedRequest } from '../granted-request.ts'
import { type FamilyRefresh, openFamily } from '../token-family.ts'
import type { RefreshToken } from '../tokens/refresh-token.ts'
import type { CodeFacts } from './code-facts.ts'
import { type GrantUnit, type Refuse, refuse } from './grant.ts'

/** The one answer for a code that gives nothing, whatever the reason. */
export const invalidCode: Refuse = refuse('invalid_grant', 'the authorization code is not valid')

/**
 * Uses up the code and opens its family in one unit. Whoever comes second revokes what the first was given (RFC 6749
 * section 4.1.2, row B01): a code that two parties hold has leaked.
 * @param refresh how the refresh tokens of the family live, where it has any
 */
export function redeem(
  code: CodeFacts,
  refresh: FamilyRefresh | undefined,
): GrantUnit<Refuse | RefreshToken | undefined> {
  return (context, environment) => ({
    name: 'redeem-authorization-code',
    run: () => taking(context, environment, code, refresh),
  })
}

function* taking(
  context: Context,
  environment: Environment,
  code: CodeFacts,
  refresh: FamilyRefresh | undefined,
): UnitBody<Refuse | RefreshToken | undefined> {
  const { now } = context
  if (!(yield* mayBeIssued(environment, code, now))) return invalidCode
  const [taken] = yield* run(takeCode(environment.id, code.hash, now))
  if (!taken) {
    yield* revokeFamilies(environment, code, now)
    yield replayed(context, environment, code)
    return invalidCode
  }
  const { familyId: id, clientId, user, document } = code
  const { scopes, leftOut, consentId } = document
  const granted = grantedRequest(document)
  const family = { id, clientId, user, scopes, leftOut, consentId, granted, refresh }
  const refreshToken = yield* openFamily(environment, family, now)
  yield record(eventOrigin(context, environment.id), { action: 'TOKEN.ISSUED', ...whose(code) })
  return refreshToken
}

function replayed(context: Context, environment: Environment, code: CodeFacts): Statement<object> {
  const event = { action: 'AUTHORIZATION_CODE.REPLAYED', result: 'FAILED', ...whose(code) } as const
  return record(eventOrigin(context, environment.id), event)
}

function whose({ familyId, user, clientId }: CodeFacts) {
  return {
    subject: { type: 'AUTHORIZATION', id: familyId },
    userId: user.id,
    clientId,
    sessionId: user.sessionId,
  }
}

/** Whether the consent that the code was issued by stands, where it was issued by one (row B20). */
function* mayBeIssued(environment: Environment, { clientId, user, document }: CodeFacts, now: number) {
  const { consentId } = document
  if (consentId === undefined) return true
  const consent = { environmentId: environment.id, userId: user.id, applicationId: clientId, consentId }
  return yield* consentStands(consent, now)
}

/** Ends what was issued from a code, and what came beside it. */
function* revokeFamilies(environment: Environment, { familyId, document }: CodeFacts, now: number): UnitBody<void> {
  yield revokeFamily(environment.id, familyId, now)
  const { frontChannelFamilyId: beside } = document
  if (beside !== undefined) yield revokeFamily(environment.id, beside, now)
}

/** Revokes what was issued from a code that is presented once more. */
export function revokeReplayed(code: CodeFacts): GrantUnit<void> {
  return (context, environment) => ({
    name: 'revoke-replayed-code',
    *run() {
      yield* revokeFamilies(environment, code, context.now)
      yield replayed(context, environment, code)
    },
  })
}

/** Wrong verifiers that use a code up. */
const mostWrongVerifiers = 5

/**
 * Counts a wrong verifier; the fifth uses the code up (row B14). The right one needs no count of its own: it takes the
 * code, and of guesses in parallel it does so only while fewer than five wrong ones are committed.
 */
export function countWrongVerifier(code: CodeFacts): GrantUnit<void> {
  return (context, environment) => ({
    name: 'count-wrong-verifier',
    *run() {
      const { now } = context
      const key = { environment_id: environment.id, kind: 'code-verifier', subject: code.hash }
      const window = code.expiresAt - now
      const { count } = yield* increment('limits', key, { bound: mostWrongVerifiers, window, now })
      if (count < mostWrongVerifiers) return
      const [burnt] = yield* run(burnCode(environment.id, code.hash))
      if (!burnt) return
      yield record(eventOrigin(context, environment.id), {
        action: 'AUTHORIZATION_CODE.BURNT',
        result: 'FAILED',
        ...whose(code),
      })
    },
  })
}
