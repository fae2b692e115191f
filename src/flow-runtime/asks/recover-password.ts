/** Answers `recoverPassword`: the code costs one guess, the new password is stored with the state (directory/recovery.ts). */
import { recoverPassword } from '../../directory/recovery.ts'
import { hashSessionToken, readSessionToken } from '../../directory/session-cookie.ts'
import type { Ask } from '../asked.ts'
import { userFacts } from '../user-facts.ts'

/** Tries a recovery code and a new password. */
export const recoverPasswordAsk: Ask<'recoverPassword'> = async (context, { userId, identifier }, secrets) => {
  const { kernel, environment, now } = context
  const to = 'recoverPassword'
  const { recoveryCode: code = '', newPassword = '' } = secrets
  const token = readSessionToken(context.headers.cookie)
  const keptTokenHash = token === undefined ? null : hashSessionToken(token)
  const attempt = { userId, identifier, code, newPassword, keptTokenHash, now }
  const recovery = await recoverPassword(kernel, environment, attempt)
  if (recovery.result !== 'accepted') return { answer: { to, ...recovery } }
  const { user, settle } = recovery
  const password = { changedAt: now, mustChange: false }
  const answer = { to, result: 'accepted', user: userFacts(context, { user, password }) } as const
  const run = function* () {
    yield* settle()
    yield context.record({ action: 'PASSWORD.RECOVERED', subject: { type: 'USER', id: user.id }, userId: user.id })
  }
  return { answer, write: { with: 'save', run } }
}
