/**
 * The end of sessions: what was issued in them dies (decision D22, rows I13, I14, I20), and the applications that took part
 * are promised to be told, in the same unit. OpenID Connect Back-Channel Logout 1.0 sections 2.3 and 2.7.
 *
 * | how it ends                                                       | grants with `offline_access` |
 * |-------------------------------------------------------------------|------------------------------|
 * | `signed off`: its user is done, or somebody else uses the browser | go on (row E28)              |
 * | `revoked`: somebody takes it away                                 | end as all others do         |
 *
 * Which applications took part is read from their grants; one whose code was never redeemed knows of no session.
 *
 * Never: an application told of a session in which it took no part; a disabled one told anything.
 */
import { type LogoutNotice, promiseLogout } from '../delivery/logout-notice.ts'
import type { ApplicationDocument } from '../environment/application.ts'
import type { Word } from '../storage/operations.ts'
import { usualSubject } from '../environment/resource.ts'
import { run } from '../storage/port.ts'
import {
  participantsOfSession,
  participationsOfUser,
  removeSession,
  removeSessionsOfUser,
  revokeFamiliesOfSession,
} from '../storage/sql/sessions.ts'
import { revokeFamiliesOfUser } from '../storage/sql/users.ts'
import type { World } from '../world.ts'

/** How a session ends. */
export type SessionEnding = 'signed off' | 'revoked'

/** What of an application counts when a session ends. */
export type Participant = { readonly id: string } & Pick<
  ApplicationDocument,
  | 'frontchannelLogoutUri'
  | 'frontchannelLogoutSessionRequired'
  | 'backchannelLogoutUri'
  | 'backchannelLogoutSessionRequired'
  | 'subjectType'
  | 'sectorIdentifierUri'
  | 'redirectUris'
>

/** A session that has just ended. */
export interface EndedSession {
  readonly userId: string
  /** The enabled applications that took part in it. */
  readonly participants: readonly Participant[]
}

/**
 * Ends a session and what was issued in it; for the unit that wants it.
 * @param end.now epoch milliseconds
 * @returns undefined when another caller has ended it
 */
export function* endSession(
  world: World,
  end: { readonly environmentId: string; readonly id: string; readonly ending: SessionEnding; readonly now: number },
): Word<EndedSession | undefined> {
  const { environmentId, id, ending, now } = end
  const [ended] = yield* run(removeSession(environmentId, id))
  if (!ended) return undefined
  const userId = ended.user_id
  const participants = (yield* run(participantsOfSession(environmentId, userId, id))).map(participantFrom)
  yield revokeFamiliesOfSession(environmentId, userId, id, ending === 'revoked', now)
  for (const { id: clientId, backchannelLogoutUri } of participants) {
    const notice = { clientId, userId, sessionId: id, ...domainOf(ended.document) }
    if (backchannelLogoutUri) yield promiseLogout(world, environmentId, notice, now)
  }
  return { userId, participants }
}

/** An application that has to be told session by session is told of so many of the newest. */
const mostSessionsTold = 50

/**
 * Ends the sessions of a user and everything that was issued to them, `offline_access` or not; for the unit that wants it.
 * An application that can be told of a user without naming a session is told once; that is none which has a `sub` of its
 * own making, since logout tokens cannot have it.
 * @param keptTokenHash the session that goes on; what was issued in it ends all the same
 * @param now epoch milliseconds
 */
export function* endSessionsOfUser(
  world: World,
  environmentId: string,
  userId: string,
  keptTokenHash: string | null,
  now: number,
): Word<void> {
  const kept = keptTokenHash ?? ''
  const participations = yield* run(participationsOfUser(environmentId, userId, kept, mostSessionsTold, usualSubject))
  yield removeSessionsOfUser(environmentId, userId, kept)
  yield revokeFamiliesOfUser(environmentId, userId, now)
  const told = new Set<string>()
  for (const participation of participations) {
    const { id: clientId, backchannelLogoutUri, backchannelLogoutSessionRequired } = participantFrom(participation)
    if (!backchannelLogoutUri || told.has(clientId)) continue
    const knowsSubject = participation.own_subject === 0
    // Without a `sid` the token would also mean the session that goes on.
    const isOfAll = backchannelLogoutSessionRequired !== true && keptTokenHash === null && knowsSubject
    if (isOfAll) told.add(clientId)
    const which = isOfAll ? {} : { sessionId: participation.session_id }
    const notice = { clientId, userId, ...which, ...domainOf(participation.session_document) }
    yield promiseLogout(world, environmentId, notice, now)
  }
}

/** Under which name an application knows the issuer of a session. */
function domainOf(document: string | null): Pick<LogoutNotice, 'byCustomDomain'> {
  const { byCustomDomain } = JSON.parse(document ?? '{}') as Pick<LogoutNotice, 'byCustomDomain'>
  return byCustomDomain ? { byCustomDomain } : {}
}

function participantFrom({ id, document }: { readonly id: string; readonly document: string }): Participant {
  const registered = JSON.parse(document) as ApplicationDocument
  return {
    id,
    frontchannelLogoutUri: registered.frontchannelLogoutUri,
    frontchannelLogoutSessionRequired: registered.frontchannelLogoutSessionRequired,
    backchannelLogoutUri: registered.backchannelLogoutUri,
    backchannelLogoutSessionRequired: registered.backchannelLogoutSessionRequired,
    subjectType: registered.subjectType,
    sectorIdentifierUri: registered.sectorIdentifierUri,
    redirectUris: registered.redirectUris,
  }
}
