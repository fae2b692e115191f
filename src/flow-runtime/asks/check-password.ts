/** Answers `checkPassword`: one guess is taken and committed, one hash computed (directory/password-check.ts; decision D6). */
import type { Context } from '../../contract/operation.ts'
import { checkPassword } from '../../directory/password-check.ts'
import type { Answer, Question } from '../../flow/question.ts'
import type { Asked } from '../asked.ts'
import { userFacts } from '../user-facts.ts'

/** Tries the password of a request. */
export async function checkPasswordAsk(
  context: Context,
  question: Extract<Question, { kind: 'checkPassword' }>,
  secrets: Readonly<Record<string, string>>,
): Promise<Asked> {
  const { kernel, environment, now } = context
  const check = await checkPassword(kernel, environment, {
    now,
    username: question.username,
    userId: question.userId,
    password: secrets['password'] ?? '',
  })
  const to = 'checkPassword' as const
  switch (check.result) {
    case 'accepted': {
      const { user, password, state, settle } = check
      const answer: Answer = {
        to,
        result: 'accepted',
        user: userFacts(environment, { user, password }, now),
        password: state,
      }
      return { answer, write: { with: 'save', run: settle } }
    }
    case 'rejected':
    case 'noPassword':
      return { answer: { to, result: 'rejected' } }
    case 'lockedOut':
      return { answer: { to, result: 'lockedOut', secondsUntilUnlock: check.secondsUntilUnlock } }
    case 'otherUser':
      return { answer: { to, result: 'otherUser' } }
  }
}
