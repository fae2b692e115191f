/**
 * The cookies of an answer: each is one more line, so that none takes the place of another. What the browser is told of
 * its session goes with what it is told of its state (OpenID Connect Session Management 1.0).
 */
import type { Context } from '../contract/operation.ts'
import { browserState, browserStateCookie, readBrowserState } from '../directory/op-browser-state.ts'
import { clearedSessionCookie } from '../directory/session-cookie.ts'

/** Adds a Set-Cookie line to the answer; it takes the place of one for a cookie of the same name. */
export function setCookie({ answer }: Context, line: string): void {
  const name = line.slice(0, line.indexOf('=') + 1)
  const lines = [answer['set-cookie'] ?? []].flat()
  answer['set-cookie'] = [...lines.filter((other) => !other.startsWith(name)), line]
}

/**
 * Tells the browser its state where it has another one.
 * @param sessionId the session that lives in it from now on; null: none
 * @param isWanted whether an application wants to watch it; otherwise only a browser that has a state is told
 */
export function tellBrowserState(context: Context, sessionId: string | null, isWanted: boolean): void {
  const { environment, headers, site } = context
  const known = readBrowserState(headers.cookie)
  if (known === undefined && (!isWanted || sessionId === null)) return
  const state = sessionId === null ? null : browserState(environment, sessionId)
  if (known !== state) setCookie(context, browserStateCookie(site, state))
}

/** Tells the browser that nobody is signed on in it any more. */
export function forgetSession(context: Context): void {
  setCookie(context, clearedSessionCookie(context.site))
  tellBrowserState(context, null, false)
}
