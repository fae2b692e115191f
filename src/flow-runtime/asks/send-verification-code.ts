/** Answers `sendVerificationCode`: a code that proves the user's address (directory/verification.ts). */
import { userWithPasswordById } from '../../directory/users.ts'
import { sendVerificationCode } from '../../directory/verification.ts'
import { countAddress } from '../../limits/addresses.ts'
import type { Ask } from '../asked.ts'
import { localesOf } from '../locales.ts'

/** Prepares a verification code; it is stored and sent with the state. */
export const sendVerificationCodeAsk: Ask<'sendVerificationCode'> = async (context, { userId }) => {
  const { kernel, environment, now } = context
  const to = 'sendVerificationCode'
  await countAddress(context, 'account')
  const found = await userWithPasswordById(kernel, environment.id, userId)
  if (!found) return { answer: { to, result: 'sent' } }
  const sending = await sendVerificationCode(kernel, environment, found.user, localesOf(context), now)
  if (sending.result === 'lockedOut') return { answer: { to, ...sending } }
  return { answer: { to, result: 'sent' }, write: { with: 'save', sends: true, run: sending.send } }
}
