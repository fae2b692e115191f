/**
 * Following the link of an invitation (directory/invitations.ts): a flow of its application begins, in which nobody but
 * whom it invites signs on, and in which the invitation is yet to be accepted. Row K36.
 *
 * Never: anything of the invitation changed by that, which programs do that look at links; a reason why a code is refused.
 */
import type { Context } from '../contract/operation.ts'
import { invitationOfCode } from '../directory/invitations.ts'
import { beginOnPage } from './begin-on-page.ts'
import { flowApplication } from './flow-application.ts'
import { auditRefusedInvitation } from './refused-invitation.ts'

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
  const { kernel, environment, now } = context
  const found = await invitationOfCode(kernel, environment.id, code, now)
  const invitedTo = found && (found.invitation.applicationId ?? environment.id)
  const application = invitedTo === undefined ? undefined : await flowApplication(context, invitedTo)
  if (!found || !application?.enabled) {
    auditRefusedInvitation(context, 'notOpen', found?.invited.user.id)
    return undefined
  }
  const { invitation, invited } = found
  const grants = { invitation: { id: invitation.id } }
  const page = await beginOnPage(context, { application, onlyUser: invited.user, grants, uiLocales })
  return `${page}&inviteCode=${encodeURIComponent(code)}`
}
