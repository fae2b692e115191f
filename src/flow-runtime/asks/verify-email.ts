/** Answers `verifyEmail`: the code costs one guess, the address is proved with the state (directory/verification.ts). */
import { verifyEmail } from '../../directory/verification.ts'
import type { Ask } from '../asked.ts'
import { userFacts } from '../user-facts.ts'

/** Tries a verification code. */
export const verifyEmailAsk: Ask<'verifyEmail'> = async (context, { userId }, secrets) => {
  const { kernel, environment, now } = context
  const to = 'verifyEmail'
  const check = await verifyEmail(kernel, environment, { userId, code: secrets['verificationCode'] ?? '', now })
  if (check.result !== 'accepted') return { answer: { to, ...check } }
  const answer = { to, result: 'accepted', user: userFacts(context, check.verified) } as const
  const run = function* () {
    yield* check.settle()
    yield context.record({ action: 'USER.VERIFIED', subject: { type: 'USER', id: userId }, userId })
  }
  return { answer, write: { with: 'save', run } }
}
