/**
 * `session_state`: OpenID Connect Session Management 1.0 sections 2 and 3.2, for applications with `opSessionCheckEnabled`
 * (authentication-api 2.4). A salted hash of the client, the origin of its page and the OP browser state; the script of the
 * `check_session_iframe` makes it anew and compares.
 *
 * Never: a value for an application that has no origin, such as one on a phone: nothing could watch it.
 */
import { hash } from 'node:crypto'
import type { Context } from '../contract/operation.ts'
import { browserState } from '../directory/op-browser-state.ts'
import { tellBrowserState } from '../flow-runtime/answer-cookies.ts'
import type { AuthorizationRequest } from './authorize/request.ts'

/** The parameter of an authorization response, where the application wants it; the browser is told its state with it. */
export async function sessionStateFor(
  context: Context,
  { clientId, redirectUri }: AuthorizationRequest,
  sessionId: string,
): Promise<{ readonly session_state?: string }> {
  const { kernel, environment, headers } = context
  const found = kernel.environments.application(environment.id, clientId)
  const application = found instanceof Promise ? await found : found
  if (application?.document.echoed['opSessionCheckEnabled'] !== true) return {}
  // Without a redirect the page that asks is the one that will watch; its origin has been let in by then.
  const origin = redirectUri === null ? headers.origin : URL.parse(redirectUri)?.origin
  if (origin === undefined || origin === 'null') return {}
  tellBrowserState(context, sessionId, true)
  const salt = kernel.world.bytes(16).toString('base64url')
  return { session_state: sessionState(application.clientId, origin, browserState(environment, sessionId), salt) }
}

/** The value: a hash and its salt, neither with a space in it. */
export function sessionState(clientId: string, origin: string, state: string, salt: string): string {
  return `${hash('sha256', `${clientId} ${origin} ${state} ${salt}`, 'base64url')}.${salt}`
}
