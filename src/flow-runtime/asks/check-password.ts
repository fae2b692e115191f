/** Answers `checkPassword`: one guess is taken and committed, one hash computed (directory/password-check.ts; decision D6). */
import { checkPassword } from '../../directory/password-check.ts'
import { countedAddress, tooManyFromAddress } from '../../limits/addresses.ts'
import type { Ask } from '../asked.ts'
import { userFacts } from '../user-facts.ts'

/** Tries the password of a request. */
export const checkPasswordAsk: Ask<'checkPassword'> = async (context, question, secrets) => {
  const { kernel, environment, now } = context
  const check = await checkPassword(kernel, environment, {
    now,
    username: question.username,
    userId: question.userId,
    password: secrets['password'] ?? '',
    address: countedAddress(context, 'password'),
  })
  const to = 'checkPassword' as const
  switch (check.result) {
    case 'accepted': {
      const { user, password, state, settle } = check
      const answer = {
        to,
        result: 'accepted' as const,
        user: userFacts(context, { user, password }),
        password: state,
      }
      return { answer, write: { with: 'save', run: settle } }
    }
    case 'rejected':
    case 'noPassword':
      return { answer: { to, result: 'rejected' } }
    case 'addressLimited':
      throw tooManyFromAddress(check.secondsUntilUnlock)
    case 'lockedOut':
      return { answer: { to, result: 'lockedOut', secondsUntilUnlock: check.secondsUntilUnlock } }
    case 'otherUser':
      return { answer: { to, result: 'otherUser' } }
  }
}
