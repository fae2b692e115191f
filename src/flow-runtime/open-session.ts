/**
 * The session that a sign-on opens or brings up to date, under a token that only the browser of this answer is told.
 * Decision D1.
 */
import type { Context } from '../contract/operation.ts'
import { hashSessionToken, sessionCookie } from '../directory/session-cookie.ts'
import { type Session, sessionFrom, writeSession } from '../directory/sessions.ts'
import type { Outcome } from '../flow/outcome.ts'
import type { UnitBody } from '../storage/port.ts'
import { Stale } from '../storage/refusals.ts'
import { sessionById } from '../storage/sql/sessions.ts'
import { recordSignOn } from '../storage/sql/users.ts'
import { setCookie, tellBrowserState } from './answer-cookies.ts'

/** A session about to be written. */
export interface OpenedSession {
  /** What the flow is bound to from now on. */
  readonly token: string
  /** For the unit of the sign-on. @throws Stale when the session that is kept has changed or ended meanwhile */
  readonly write: () => UnitBody<void>
  /** Tells the browser, after that unit. */
  readonly tell: () => void
}

/**
 * Prepares the session of a completed flow; one read where it keeps one.
 * @throws Stale when that one has ended
 */
export async function openSession(context: Context, outcome: Outcome): Promise<OpenedSession> {
  const { kernel, environment, now, remoteAddress } = context
  const kept = outcome.session.kept ? await keptSession(context, outcome) : undefined
  const token = kernel.world.uuid()
  return {
    token,
    *write() {
      yield* writeSession({
        world: kernel.world,
        environmentId: environment.id,
        settings: environment.settings,
        outcome,
        kept,
        tokenHash: hashSessionToken(token),
        remoteIp: remoteAddress,
        userAgent: context.headers['user-agent'] ?? '',
        byCustomDomain: context.site.isCustomDomain,
        now,
      })
      yield recordSignOn(environment.id, outcome.userId, now, remoteAddress)
      yield context.record({
        action: kept ? 'SESSION.UPDATED' : 'SESSION.CREATED',
        subject: { type: 'SESSION', id: outcome.session.id },
        userId: outcome.userId,
        sessionId: outcome.session.id,
        ...(outcome.session.replaces ? { detail: { replaces: outcome.session.replaces } } : {}),
      })
    },
    tell() {
      setCookie(context, sessionCookie(context.site, token, now))
      tellBrowserState(context, outcome.session.id, false)
    },
  }
}

async function keptSession({ kernel, environment, now }: Context, { session }: Outcome): Promise<Session> {
  const [row] = await kernel.storage.read(sessionById(environment.id, session.id, now))
  if (!row) throw new Stale('sessions')
  return sessionFrom(row)
}
