/**
 * Answers `evaluateNewPassword`: the current password costs one guess, then the new one is judged by the policy. It is
 * stored only with the effect `setPassword`, in the unit that saves the flow (authentication-api 4.2 `password.reset`).
 */
import { changePassword } from '../../directory/password-change.ts'
import { checkPassword } from '../../directory/password-check.ts'
import type { Ask } from '../asked.ts'
import { userFacts } from '../user-facts.ts'

/** Proves the current password of the flow's user and judges the new one. */
export const evaluateNewPasswordAsk: Ask<'evaluateNewPassword'> = async (context, question, secrets) => {
  const { kernel, environment, now } = context
  const currentPassword = secrets['currentPassword'] ?? ''
  const to = 'evaluateNewPassword' as const
  const check = await checkPassword(kernel, environment, {
    now,
    username: null,
    userId: question.userId,
    password: currentPassword,
  })
  if (check.result === 'lockedOut')
    return { answer: { to, result: 'lockedOut', secondsUntilUnlock: check.secondsUntilUnlock } }
  // No address is handed in: whoever comes here has shown the password in this flow.
  if (check.result !== 'accepted') return { answer: { to, result: 'wrongCurrent' } }
  const { user, password } = check
  const verdict = await changePassword(kernel, environment, {
    now,
    user,
    stored: password,
    newPassword: secrets['newPassword'] ?? '',
    by: 'user',
    currentPassword,
    mustChange: false,
  })
  if (verdict.result === 'unsatisfied') {
    // The current password was right: its guess is forgotten, or five refused new passwords would lock the user out.
    await kernel.storage.commit({ name: 'settle-password-check', run: check.settle })
    return { answer: { to, result: 'unsatisfied', requirements: verdict.requirements } }
  }
  const facts = userFacts(context, { user, password: { ...password, mustChange: false, changedAt: now } })
  return { answer: { to, result: 'accepted', user: facts }, write: { with: 'setPassword', run: verdict.store } }
}
