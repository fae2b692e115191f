/**
 * Following the link of an invitation (directory/invitations.ts): a flow of its application begins, in which nobody but
 * whom it invites signs on, and in which the invitation is yet to be accepted. Row K36.
 *
 * Never: anything of the invitation changed by that, which programs do that look at links; a reason why a code is refused.
 */
import type { Context } from '../contract/operation.ts'
import { invitationOfCode } from '../directory/invitations.ts'
import { readSessionToken, sessionCookie } from '../directory/session-cookie.ts'
import { sessionOfToken } from '../directory/sessions.ts'
import { problem } from '../errors/problem.ts'
import { signOnPage } from './address.ts'
import { setCookie } from './answer-cookies.ts'
import { flowApplication } from './flow-application.ts'
import { auditRefusedInvitation } from './refused-invitation.ts'
import { beginFlow, storeFlow } from './runtime.ts'

/**
 * Begins the flow of an invitation, bound to the browser.
 * @returns where it goes on, the code with it; undefined where the code is of no use (any more)
 * @throws Problem access_denied where no policy lets anybody sign on
 */
export async function followInvitation(
  context: Context,
  code: string,
  uiLocales: string | null,
): Promise<string | undefined> {
  const { kernel, environment, site, now } = context
  const found = await invitationOfCode(kernel, environment.id, code, now)
  const invitedTo = found && (found.invitation.applicationId ?? environment.id)
  const application = invitedTo === undefined ? undefined : await flowApplication(context, invitedTo)
  if (!found || !application?.enabled) {
    auditRefusedInvitation(context, 'notOpen', found?.invited.user.id)
    return undefined
  }
  const { invitation, invited } = found
  const token = readSessionToken(context.headers.cookie)
  const live = token === undefined ? undefined : await sessionOfToken(kernel, environment.id, token, now)
  const begun = await beginFlow(context, {
    application,
    door: 'redirect',
    forcesLogin: false,
    isSilent: false,
    maxAge: null,
    loginHint: invited.user.username,
    hintedUserId: invited.user.id,
    acrValues: [],
    grants: { invitation: { id: invitation.id } },
    parameters: { uiLocales },
    session: live?.session ?? null,
    sessionUser: live?.user,
  })
  if (begun.state.status === 'FAILED') {
    throw problem('access_denied', { description: begun.state.failure?.message ?? '' })
  }
  const binding = token ?? kernel.world.uuid()
  await storeFlow(context, begun, binding)
  if (binding !== token) setCookie(context, sessionCookie(site, binding, now))
  return `${signOnPage(site, application, begun.state.id)}&inviteCode=${encodeURIComponent(code)}`
}
