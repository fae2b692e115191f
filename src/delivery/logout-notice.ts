/**
 * What an application is promised when a session ends in which it took part: a logout token at its `backchannelLogoutUri`
 * (OpenID Connect Back-Channel Logout 1.0). The promise is one more statement of the unit that ends the session; the token
 * itself is made when it is sent (send-logout-token.ts), since it lives for two minutes.
 *
 * Never: a name or a token in a promise.
 */
import type { Statement } from '../storage/port.ts'
import type { World } from '../world.ts'
import { enqueue } from './outbox.ts'

/** Whose session has ended, and which application has to be told. */
export interface LogoutNotice {
  readonly clientId: string
  readonly userId: string
  /** The session that has ended; undefined: every session of the user. */
  readonly sessionId?: string
  /** Whether its user signed on under the custom domain, so that the application knows that issuer. */
  readonly byCustomDomain?: boolean
}

/** The statement that promises to tell an application. */
export function promiseLogout(
  world: World,
  environmentId: string,
  notice: LogoutNotice,
  now: number,
): Statement<object> {
  return enqueue(world, { kind: 'logout.send', environmentId, payload: JSON.stringify(notice) }, now)
}

/** Reads what was promised. */
export function readLogoutNotice(payload: string): LogoutNotice {
  return JSON.parse(payload) as LogoutNotice
}
