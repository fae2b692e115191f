/** Answers `sendRecoveryCode`: a code for whoever may recover a password (directory/recovery.ts; decision D7). */
import { sendRecoveryCode } from '../../directory/recovery.ts'
import { countAddress } from '../../limits/addresses.ts'
import type { Ask } from '../asked.ts'
import { localesOf } from '../locales.ts'
import { userFacts } from '../user-facts.ts'

/** Prepares a recovery code; it is stored and sent with the state. */
export const sendRecoveryCodeAsk: Ask<'sendRecoveryCode'> = async (context, { userId, identifier }) => {
  const { kernel, environment, now } = context
  const to = 'sendRecoveryCode'
  await countAddress(context, 'account')
  const sending = await sendRecoveryCode(kernel, environment, { userId, identifier }, localesOf(context), now)
  if (sending.result === 'lockedOut') return { answer: { to, ...sending } }
  const { recoverer, send } = sending
  const user = recoverer ? userFacts(context, recoverer) : null
  return { answer: { to, result: 'sent', identifier, user }, write: { with: 'save', sends: true, run: send } }
}
