/** Answers `checkAssertion`: one try at signing by a FIDO2 device of the flow's user (directory/fido2-devices.ts; row L22). */
import { tryAssertion } from '../../directory/fido2-devices.ts'
import { userWithPasswordById } from '../../directory/users.ts'
import type { Ask } from '../asked.ts'
import { devicePolicy } from '../device-policy.ts'
import { userFacts } from '../user-facts.ts'

/** Tries the assertion of a request. */
export const checkAssertionAsk: Ask<'checkAssertion'> = async (
  context,
  { kind: to, policyId, ...question },
  secrets,
) => {
  const { kernel, environment, now } = context
  const found = await userWithPasswordById(kernel, environment.id, question.userId)
  if (!found) return { answer: { to, result: 'rejected' } }
  const check = await tryAssertion(kernel, environment, {
    ...question,
    devicePolicy: devicePolicy(environment, policyId),
    assertion: secrets['assertion'] ?? '',
    now,
  })
  if (check.result !== 'accepted') return { answer: { to, ...check } }
  return {
    answer: { to, result: 'accepted', user: userFacts(context, found) },
    write: { with: 'save', run: check.settle },
  }
}
