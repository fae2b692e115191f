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
import { readSessionToken } from '../directory/session-cookie.ts'
import { sessionOfToken } from '../directory/sessions.ts'
import type { Application } from '../environment/application.ts'
import { tellBrowserState } from '../flow-runtime/answer-cookies.ts'
import type { AuthorizationRequest } from './authorize/request.ts'

/** The value for a response that succeeds, where the application wants one; the browser is told its state with it. */
export async function sessionStateFor(
  context: Context,
  { clientId, redirectUri }: AuthorizationRequest,
  sessionId: string,
): Promise<string | undefined> {
  const { kernel, environment, headers } = context
  const found = kernel.environments.application(environment.id, clientId)
  const application = found instanceof Promise ? await found : found
  if (!application || !watches(application)) return undefined
  // Without a redirect the page that asks is the one that will watch; its origin has been let in by then.
  const origin = redirectUri === null ? headers.origin : URL.parse(redirectUri)?.origin
  if (!isWatchable(origin)) return undefined
  return told(context, application, origin, sessionId)
}

/**
 * The value for a response that fails: section 3.2 wants it there too, so that the application sees when that may have
 * changed. It is of the session that the browser has, whoever the request was about, or of none.
 */
export async function sessionStateOfBrowser(
  context: Context,
  application: Application,
  redirectUri: string,
): Promise<string | undefined> {
  if (!watches(application)) return undefined
  const origin = URL.parse(redirectUri)?.origin
  if (!isWatchable(origin)) return undefined
  const { kernel, environment, headers, now } = context
  const token = readSessionToken(headers.cookie)
  const found = token === undefined ? undefined : await sessionOfToken(kernel, environment.id, token, now)
  return told(context, application, origin, found?.session.id ?? null)
}

function watches({ document }: Application): boolean {
  return document.echoed['opSessionCheckEnabled'] === true
}

function isWatchable(origin: string | undefined): origin is string {
  return origin !== undefined && origin !== 'null'
}

/** Tells the browser its state, and the application by what it will know it again. @param sessionId null: nobody is signed on */
function told(context: Context, { clientId }: Application, origin: string, sessionId: string | null): string {
  const { kernel, environment } = context
  tellBrowserState(context, sessionId, true)
  const salt = kernel.world.bytes(16).toString('base64url')
  const state = sessionId === null ? '' : browserState(environment, sessionId)
  return sessionState(clientId, origin, state, salt)
}

/** The value: a hash and its salt, neither with a space in it. */
export function sessionState(clientId: string, origin: string, state: string, salt: string): string {
  return `${hash('sha256', `${clientId} ${origin} ${state} ${salt}`, 'base64url')}.${salt}`
}
