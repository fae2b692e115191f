/** Answers `acceptInvitation`: the code costs one guess, the password is stored with the state (directory/invitations.ts). */
import { acceptInvitation } from '../../directory/invitations.ts'
import { hashSessionToken, readSessionToken } from '../../directory/session-cookie.ts'
import type { Ask } from '../asked.ts'
import { auditRefusedInvitation } from '../refused-invitation.ts'
import { userFacts } from '../user-facts.ts'

/** Tries the code of an invitation and a first password. */
export const acceptInvitationAsk: Ask<'acceptInvitation'> = async (context, { userId, invitationId }, secrets) => {
  const { kernel, environment, now } = context
  const to = 'acceptInvitation'
  const { inviteCode: code = '', password } = secrets
  if (password === undefined) return { answer: { to, result: 'noPassword' } }
  const token = readSessionToken(context.headers.cookie)
  const keptTokenHash = token === undefined ? null : hashSessionToken(token)
  const attempt = { userId, invitationId, code, password, keptTokenHash, now }
  const acceptance = await acceptInvitation(kernel, environment, attempt)
  if (acceptance.result !== 'accepted') {
    if (acceptance.result !== 'unsatisfied') auditRefusedInvitation(context, acceptance.result, userId)
    return { answer: { to, ...acceptance } }
  }
  const { user, settle } = acceptance
  const answer = {
    to,
    result: 'accepted',
    user: userFacts(context, { user, password: { changedAt: now, mustChange: false } }),
  } as const
  const run = function* () {
    yield* settle()
    yield context.record({ action: 'USER.INVITATION_ACCEPTED', subject: { type: 'USER', id: userId }, userId })
  }
  return { answer, write: { with: 'save', run } }
}
