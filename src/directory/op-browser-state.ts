/**
 * The OP browser state of OpenID Connect Session Management 1.0 section 3.2: what scripts of the `check_session_iframe`
 * compare to see whether somebody else is signed on in the browser, or nobody. It is made of the session's id under a key of
 * the environment, so it stays while the session stays, however often its token changes, and says nothing about it.
 *
 * The cookie is the only one of Stile that scripts can read. Never: anything that could be used in the place of `ST`.
 */
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import type { Environment } from '../environment/snapshot.ts'
import type { Site } from '../site.ts'
import { sessionCookieSeconds } from './session-cookie.ts'

/** The name of the cookie; the frame's script looks for it. */
export const browserStateCookieName = 'OPBS'

const keys = new WeakMap<KeyObject, KeyObject>()

/** The state of a browser in which a session lives. */
export function browserState({ id, dataKey }: Pick<Environment, 'id' | 'dataKey'>, sessionId: string): string {
  let key = keys.get(dataKey)
  if (!key) {
    key = createSecretKey(Buffer.from(hkdfSync('sha256', dataKey.export(), '', 'stile/op-browser-state', 32)))
    keys.set(dataKey, key)
  }
  return createHmac('sha256', key).update(`${id}/${sessionId}`).digest('base64url')
}

/** The state that a request carries; undefined when it carries none. */
export function readBrowserState(cookieHeader: string | undefined): string | undefined {
  const prefix = `${browserStateCookieName}=`
  const pairs = (cookieHeader ?? '').split(';').map((part) => part.trim())
  return pairs.find((pair) => pair.startsWith(prefix))?.slice(prefix.length)
}

/** The Set-Cookie line of a state; null: the line that ends it. */
export function browserStateCookie(site: Site, state: string | null): string {
  const safety = site.secure ? 'Secure; SameSite=None' : 'SameSite=Lax'
  const life = state === null ? 0 : sessionCookieSeconds
  return `${browserStateCookieName}=${state ?? ''}; Path=${site.cookiePath}; Max-Age=${life}; ${safety}`
}
