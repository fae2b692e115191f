/**
 * What only somebody may do who is certainly there: a user token that changes how its own user is recognised or recovered
 * needs an authentication of the last minutes, and is told so by the challenge of RFC 9470 section 3, so that the client can
 * ask for one with `max_age` (row K22). Who changes the devices they have needs one of these as well (row L05).
 *
 * Never: a token without an authentication time taken for a recent one.
 */
import { problem } from '../errors/problem.ts'
import { sessionFrom } from '../directory/sessions.ts'
import type { Kernel } from '../kernel.ts'
import { sessionById } from '../storage/sql/sessions.ts'
import type { Actor } from './actor.ts'

/** How old an authentication may be, in seconds. */
export const recentSeconds = 300

/**
 * Refuses a user whose authentication is too old. Applications have none and are not meant.
 * @param now epoch milliseconds
 * @throws Problem insufficient_user_authentication
 */
export function requireRecentAuthentication(actor: Actor, now: number): void {
  if (actor.kind !== 'user') return
  const isRecent = actor.authTime !== undefined && now - actor.authTime * 1000 <= recentSeconds * 1000
  if (!isRecent) throw insufficient('A more recent authentication is required')
}

/**
 * Refuses a user who has not proved a second factor lately, in the session of the token.
 * @param now epoch milliseconds
 * @throws Problem insufficient_user_authentication
 */
export async function requireRecentFactor(
  { storage }: Pick<Kernel, 'storage'>,
  actor: Actor,
  now: number,
): Promise<void> {
  if (actor.kind !== 'user') return
  const [row] = await storage.read(sessionById(actor.environmentId, actor.sessionId, now))
  const provedAt =
    row && row.user_id === actor.userId ? sessionFrom(row).lastSignOn.withAuthenticator.mfa?.at : undefined
  if (provedAt === undefined || now - provedAt > recentSeconds * 1000) {
    throw insufficient('A recent authentication with a second factor is required')
  }
}

function insufficient(description: string): Error {
  return problem('insufficient_user_authentication', {
    details: [{ code: 'INVALID_TOKEN', target: 'Authentication Credentials', message: `${description}.` }],
    headers: {
      'www-authenticate': `Bearer error="insufficient_user_authentication", error_description="${description}", max_age="${recentSeconds}"`,
    },
  })
}
