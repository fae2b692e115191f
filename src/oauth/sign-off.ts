/**
 * The end of a session that its user, or an application with an ID token of it, has asked for: one unit, after which the
 * applications that took part are told (OpenID Connect Front-Channel Logout 1.0 and Back-Channel Logout 1.0).
 */
import type { Context } from '../contract/operation.ts'
import { endSession, type EndedSession, type Participant } from '../directory/session-end.ts'
import { sessionFor } from '../environment/subject.ts'
import { withQuery } from './response-modes/query.ts'
import type { NamedSession } from './rules/sign-off.ts'

/**
 * Ends a session, with the event that the operation declares.
 * @param clientId the application that asked
 * @returns undefined where it had ended before
 */
export async function endNamedSession(
  { kernel, environment, now, record }: Context,
  { sessionId, userId }: NamedSession,
  clientId: string | undefined,
): Promise<EndedSession | undefined> {
  const ended = await kernel.storage.commit({
    name: 'sign-off',
    *run() {
      const end = { environmentId: environment.id, id: sessionId, ending: 'signed off', now } as const
      const session = yield* endSession(kernel.world, end)
      if (session) {
        const who = { userId, sessionId, ...(clientId === undefined ? {} : { clientId }) }
        yield record({ subject: { type: 'SESSION', id: sessionId }, ...who, detail: { userId, kind: 'sign-off' } })
      }
      return session
    },
  })
  if (ended?.participants.some(({ backchannelLogoutUri }) => backchannelLogoutUri)) kernel.wakeOutbox()
  return ended
}

/** The addresses that a browser has to load, each once: Front-Channel Logout 1.0 section 3. */
export function logoutFrames(
  { environment, site }: Pick<Context, 'environment' | 'site'>,
  sessionId: string,
  participants: readonly Participant[],
): readonly string[] {
  return participants.flatMap((participant) => {
    const { frontchannelLogoutUri: uri, frontchannelLogoutSessionRequired: namesSession } = participant
    // What could be registered is http or https; what got into a row by another way is not loaded (row A12).
    if (uri === undefined || !/^https?:\/\//i.test(uri) || !URL.canParse(uri)) return []
    const sid = sessionFor(environment, { document: participant }, sessionId)
    return [withQuery(uri, namesSession ? { iss: site.issuer, sid } : {})]
  })
}
