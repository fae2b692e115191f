/**
 * The rotation of a refresh token: one compare-and-set of the generation, in one unit with what it stands on, and what a
 * token that was rotated before brings about. RFC 9700 section 4.14.2, decision D21, rows E01-E03 and E29.
 *
 * Never: a second successor. Whoever loses the race is judged by where the chain stands then, and gets the same successor
 * or none.
 */
import { eventOrigin } from '../../contract/event-origin.ts'
import type { Context } from '../../contract/operation.ts'
import { consentStands } from '../../directory/oauth-consents.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { record } from '../../events/record.ts'
import { run, type UnitBody } from '../../storage/port.ts'
import { noteSessionActivity } from '../../storage/sql/sessions.ts'
import { type FamilyChainRow, holdFamily, revokeFamily, rotateFamily } from '../../storage/sql/token-families.ts'
import { rotatesRefreshTokens } from '../rules/fapi.ts'
import { type RefreshSettings, refreshEnd, refreshWorth } from '../rules/refresh-token.ts'
import { familyKeptUntil } from '../token-family.ts'
import type { RefreshToken } from '../tokens/refresh-token.ts'
import { type GrantUnit, type Refuse, refuse } from './grant.ts'
import type { RefreshFacts } from './refresh-facts.ts'

/** The one answer for a refresh token that gives nothing, whatever the reason; clients know its text (2.7). */
export const invalidRefreshToken: Refuse = refuse('invalid_grant', 'Refresh token does not exist')

/** How old the note of a session's use may get, in milliseconds. */
const activityNotedAfter = 60_000

/** Puts the successor in the place of the presented token; for an application whose tokens stay, notes the use alone. */
export function rotate(facts: RefreshFacts, client: Application): GrantUnit<Refuse | RefreshToken> {
  const { familyId, generation, clientId, user, scopes, session } = facts
  const { document: settings } = client
  return (context, environment) => ({
    name: 'rotate-refresh-token',
    *run() {
      const { now } = context
      const { consentId } = facts.document
      const consent = { environmentId: environment.id, userId: user.id, applicationId: clientId }
      if (consentId !== undefined && !(yield* consentStands({ ...consent, consentId }, now))) return invalidRefreshToken
      // Sessions before families, as whoever ends a session does it.
      if (session && now - session.activeAt >= activityNotedAfter) {
        yield noteSessionActivity(environment.id, session.id, now)
      }
      const keptUntil = familyKeptUntil(environment, settings, now)
      const rotates = rotatesRefreshTokens(settings)
      let [chain] = rotates ? yield* run(rotateFamily(environment.id, familyId, generation, now, keptUntil)) : []
      if (!chain) {
        ;[chain] = yield* run(holdFamily(environment.id, familyId))
        const worth = chain ? refreshWorth(chainOf(chain), generation, settings, now) : 'dead'
        if (worth === 'replayed') yield* endReplayed(context, environment, facts, settings)
        if (!chain || worth !== (rotates ? 'predecessor' : 'current')) return invalidRefreshToken
      }
      yield record(eventOrigin(context, environment.id), { action: 'TOKEN.REFRESHED', ...whose(facts) })
      return {
        kind: 'refresh-token',
        familyId,
        generation: chain.generation,
        user,
        scopes,
        issuedAt: chain.rotated_at ?? now,
        expiresAt: refreshEnd({ createdAt: chain.created_at, rotatedAt: chain.rotated_at }, settings),
      }
    },
  })
}

function chainOf({ generation, created_at, rotated_at, revoked_at }: FamilyChainRow) {
  return { generation, createdAt: created_at, rotatedAt: rotated_at, revokedAt: revoked_at }
}

/** What a refresh token brings about that was used before. */
export function replayed(facts: RefreshFacts, settings: Pick<RefreshSettings, typeof protection>): GrantUnit<void> {
  return (context, environment) => ({
    name: 'end-replayed-refresh-token',
    run: () => endReplayed(context, environment, facts, settings),
  })
}

const protection = 'additionalRefreshTokenReplayProtectionEnabled'

/** Two parties hold the token: the family dies, unless the application asked that it should not (platform-api 3.7). */
function* endReplayed(
  context: Context,
  environment: Environment,
  facts: RefreshFacts,
  { [protection]: endsFamily }: Pick<RefreshSettings, typeof protection>,
): UnitBody<void> {
  if (endsFamily) yield revokeFamily(environment.id, facts.familyId, context.now)
  yield record(eventOrigin(context, environment.id), {
    action: 'REFRESH_TOKEN.REPLAYED',
    result: 'FAILED',
    ...whose(facts),
  })
}

function whose({ familyId, user, clientId }: RefreshFacts) {
  return {
    subject: { type: 'AUTHORIZATION', id: familyId },
    userId: user.id,
    clientId,
    sessionId: user.sessionId,
  }
}
