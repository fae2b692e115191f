/**
 * Beginning a flow on the sign-on page, for a browser that comes by a link and not with an authorization request: of an
 * invitation, of a device, of a backchannel request. Decisions D1, D2; rows J03, I03.
 *
 * Never: a flow that another browser can go on with: it is bound to the session cookie this one has, or gets.
 */
import type { Context } from '../contract/operation.ts'
import { readSessionToken, sessionCookie } from '../directory/session-cookie.ts'
import { sessionOfToken } from '../directory/sessions.ts'
import type { User } from '../directory/users.ts'
import type { Application } from '../environment/application.ts'
import { problem } from '../errors/problem.ts'
import { signOnPage } from './address.ts'
import { setCookie } from './answer-cookies.ts'
import { beginFlow, type FlowBeginning, storeFlow } from './runtime.ts'

/** What a link says of the flow that it begins. */
export interface LinkFollowed {
  readonly application: Application
  /** The only user that may be signed on; null: anybody. */
  readonly onlyUser: Pick<User, 'id' | 'username'> | null
  readonly acrValues?: readonly string[]
  readonly grants: FlowBeginning['grants']
  /** The languages that the link asks for, as they are written in `ui_locales`. */
  readonly uiLocales?: string | null | undefined
}

/**
 * Begins the flow of a link and stores it, bound to the browser.
 * @returns the sign-on page of the flow
 * @throws Problem access_denied where no policy lets anybody sign on
 */
export async function beginOnPage(
  context: Context,
  { application, onlyUser, acrValues = [], grants, uiLocales = null }: LinkFollowed,
): Promise<string> {
  const { kernel, environment, site, now } = context
  const token = readSessionToken(context.headers.cookie)
  const found = token === undefined ? undefined : await sessionOfToken(kernel, environment.id, token, now)
  const begun = await beginFlow(context, {
    application,
    door: 'redirect',
    forcesLogin: false,
    isSilent: false,
    maxAge: null,
    loginHint: onlyUser?.username ?? null,
    hintedUserId: onlyUser?.id ?? null,
    acrValues,
    grants,
    parameters: { uiLocales },
    session: found?.session ?? null,
    sessionUser: found?.user,
  })
  const { state } = begun
  if (state.status === 'FAILED') throw problem('access_denied', { description: state.failure?.message ?? '' })
  const binding = token ?? kernel.world.uuid()
  await storeFlow(context, begun, binding)
  if (binding !== token) setCookie(context, sessionCookie(site, binding, now))
  return signOnPage(site, application, state.id)
}
