/**
 * Sessions as the runtime sees them: per browser and environment, with what was proved and when (authentication-api
 * 2.18). They end after idling, and absolutely (decision D4). Written only when a flow completes, or with a commit that
 * happens anyway when the last note of use is older than a minute (architecture section 5, "Budgets").
 */
import type { EnvironmentSettings } from '../environment/settings.ts'
import type { SessionFacts } from '../flow/facts.ts'
import type { Outcome } from '../flow/outcome.ts'
import type { Authenticator } from '../flow/proof.ts'
import type { Kernel } from '../kernel.ts'
import { compareAndSet, insert, type Word } from '../storage/operations.ts'
import type { Statement } from '../storage/port.ts'
import { sessionByToken, type SessionRow, touchSession } from '../storage/sql/sessions.ts'
import type { World } from '../world.ts'
import { hashSessionToken } from './session-cookie.ts'
import { endSession } from './session-end.ts'
import { type UserWithPassword, userWithPasswordFrom } from './users.ts'

/** `lastSignOn` of the session resource. Times are epoch milliseconds. */
export interface LastSignOn {
  readonly at: number
  readonly remoteIp: string
  readonly withAuthenticator: Readonly<
    Partial<Record<Authenticator, { readonly at: number; readonly policyId: string }>>
  >
  readonly policyId: string
}

/** From where and when somebody signed on in a session. */
export interface Location {
  readonly at: number
  readonly remoteIp: string
}

/** A live session. */
export interface Session {
  readonly id: string
  readonly userId: string
  readonly version: number
  readonly createdAt: number
  readonly activeAt: number
  readonly expiresAt: number
  readonly lastSignOn: LastSignOn
  /** The last five sign-ons, the newest first. */
  readonly locations: readonly Location[]
  readonly userAgent: string
}

const noteUseAfterMilliseconds = 60_000
const keptLocations = 5

/** A live session and its user as they are now; `user` is undefined when they are gone. */
export interface SessionWithUser {
  readonly session: Session
  readonly user: UserWithPassword | undefined
}

/** Finds the live session of a token with its user; one read. */
export async function sessionOfToken(
  { storage }: Pick<Kernel, 'storage'>,
  environmentId: string,
  token: string,
  now: number,
): Promise<SessionWithUser | undefined> {
  const [row] = await storage.read(sessionByToken(environmentId, hashSessionToken(token), now))
  if (!row) return undefined
  const session = sessionFrom({
    id: row.session_id,
    user_id: row.session_user_id,
    document: row.session_document,
    version: row.session_version,
    created_at: row.session_created_at,
    active_at: row.session_active_at,
    expires_at: row.session_expires_at,
  })
  return { session, user: row.id === null ? undefined : userWithPasswordFrom(environmentId, row) }
}

/** A stored session as a value. */
export function sessionFrom(row: SessionRow): Session {
  const document = JSON.parse(row.document) as Pick<Session, 'lastSignOn' | 'locations' | 'userAgent'>
  return {
    id: row.id,
    userId: row.user_id,
    version: row.version,
    createdAt: row.created_at,
    activeAt: row.active_at,
    expiresAt: row.expires_at,
    lastSignOn: document.lastSignOn,
    locations: document.locations,
    userAgent: document.userAgent,
  }
}

/** The part of a session that sign-on policies look at. */
export function sessionFacts(session: Session): SessionFacts {
  const { pwd, mfa, idp } = session.lastSignOn.withAuthenticator
  return {
    id: session.id,
    userId: session.userId,
    lastSignOn: {
      at: session.lastSignOn.at,
      withAuthenticator: {
        ...(pwd ? { pwd: { at: pwd.at } } : {}),
        ...(mfa ? { mfa: { at: mfa.at } } : {}),
        ...(idp ? { idp: { at: idp.at } } : {}),
      },
    },
  }
}

/** When a session that is used now ends: after idling, but never beyond its absolute life. */
export function sessionEnd(settings: EnvironmentSettings, createdAt: number, now: number): number {
  return Math.min(now + settings.sessionIdleMinutes * 60_000, createdAt + settings.sessionAbsoluteMinutes * 60_000)
}

/** The statement that notes the use of a session, when it is due. */
export function noteUse(
  environmentId: string,
  settings: EnvironmentSettings,
  session: Session,
  now: number,
): Statement<object> | undefined {
  if (now - session.activeAt < noteUseAfterMilliseconds) return undefined
  return touchSession(environmentId, session.id, now, sessionEnd(settings, session.createdAt, now))
}

/** What a sign-on writes into a session. */
export interface SignOn {
  readonly world: World
  readonly environmentId: string
  readonly settings: EnvironmentSettings
  readonly outcome: Outcome
  /** The stored session that the outcome keeps, as it was read; undefined for a new one. */
  readonly kept: Session | undefined
  readonly tokenHash: string
  readonly remoteIp: string
  readonly userAgent: string
  /** Whether it is made under the environment's custom domain. */
  readonly byCustomDomain: boolean
  readonly now: number
}

/**
 * Writes the session of a completed flow, inside the unit that completes it: the kept session under a new token, or a
 * new one in place of somebody else's.
 * @throws Stale when the kept session has changed or ended meanwhile
 */
export function* writeSession(signOn: SignOn): Word<void> {
  const { environmentId, settings, outcome, kept, tokenHash, remoteIp, now } = signOn
  const proved = Object.fromEntries(
    Object.entries(outcome.proved).map(([method, at]) => [method, { at, policyId: outcome.policyId }]),
  )
  const lastSignOn: LastSignOn = {
    at: now,
    remoteIp,
    withAuthenticator: { ...kept?.lastSignOn.withAuthenticator, ...proved },
    policyId: outcome.policyId,
  }
  const locations = [{ at: now, remoteIp }, ...(kept?.locations ?? [])].slice(0, keptLocations)
  const { byCustomDomain } = signOn
  const document = JSON.stringify({
    lastSignOn,
    locations,
    userAgent: signOn.userAgent.slice(0, 512),
    ...(byCustomDomain ? { byCustomDomain } : {}),
  })
  const key = { environment_id: environmentId, id: outcome.session.id }
  const { replaces } = outcome.session
  if (replaces) yield* endSession(signOn.world, { environmentId, id: replaces, ending: 'signed off', now })
  if (kept) {
    yield* compareAndSet('sessions', key, kept.version, {
      token_hash: tokenHash,
      document,
      active_at: now,
      expires_at: sessionEnd(settings, kept.createdAt, now),
    })
    return
  }
  yield* insert('sessions', {
    ...key,
    token_hash: tokenHash,
    user_id: outcome.userId,
    document,
    version: 1,
    created_at: now,
    active_at: now,
    expires_at: sessionEnd(settings, now, now),
  })
}
