/** Answers `checkAssertion`: one try at signing by a FIDO2 device of the flow's user (directory/fido2-devices.ts; row L22). */
import type { Context } from '../../contract/operation.ts'
import { tryAssertion } from '../../directory/fido2-devices.ts'
import type { AssertionChallenge } from '../../directory/fido2-options.ts'
import { countedForLockout } from '../../directory/mfa-lockout.ts'
import { userWithPasswordById } from '../../directory/users.ts'
import type { QuestionOf } from '../../flow/question.ts'
import type { Ask, Asked } from '../asked.ts'
import { devicePolicy } from '../device-policy.ts'
import { userFacts } from '../user-facts.ts'

/** Tries the assertion of a request to a flow. */
export const checkAssertionAsk: Ask<'checkAssertion'> = (context, question, secrets) => {
  const { flowId, challengedAt } = question
  return checkAssertion(context, question, secrets, { kind: 'assertion', flowId, challengedAt })
}

/** Tries the assertion of a request. */
export async function checkAssertion(
  context: Context,
  { kind: to, userId, deviceIds, policyId, origin }: QuestionOf<'checkAssertion'>,
  secrets: Readonly<Record<string, string>>,
  challenged: AssertionChallenge,
): Promise<Asked<'checkAssertion'>> {
  const { kernel, environment, now } = context
  const found = await userWithPasswordById(kernel, environment.id, userId)
  if (!found) return { answer: { to, result: 'rejected' } }
  const tried = await tryAssertion(kernel, environment, {
    userId,
    deviceIds,
    devicePolicy: devicePolicy(environment, policyId),
    challenged,
    origin,
    assertion: secrets['assertion'] ?? '',
    now,
  })
  const check = await countedForLockout(context, userId, tried)
  if (check.result !== 'accepted') return { answer: { to, ...check } }
  return {
    answer: { to, result: 'accepted', user: userFacts(context, found) },
    write: { with: 'save', run: check.settle },
  }
}
