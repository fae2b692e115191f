/** Answers `checkPasskey`: one try at signing on by a passkey alone (directory/passkeys.ts; rows L22, L28). */
import { tryPasskey } from '../../directory/passkeys.ts'
import { positionOf } from '../../flow/state.ts'
import { countedAddress, tooManyFromAddress } from '../../limits/addresses.ts'
import type { Ask } from '../asked.ts'
import { userFacts } from '../user-facts.ts'

/** Tries the assertion of a request. */
export const checkPasskeyAsk: Ask<'checkPasskey'> = async (context, { kind: to, ...question }, secrets, flow) => {
  const { kernel, environment, now } = context
  const check = await tryPasskey(kernel, environment, {
    ...question,
    flowId: flow.id,
    position: positionOf(flow),
    assertion: secrets['assertion'] ?? '',
    address: countedAddress(context, 'password'),
    now,
  })
  switch (check.result) {
    case 'accepted': {
      const answer = { to, result: 'accepted', user: userFacts(context, check.found) } as const
      return { answer, write: { with: 'save', run: check.settle } }
    }
    case 'addressLimited':
      throw tooManyFromAddress(check.secondsUntilUnlock)
    case 'rejected':
    case 'lockedOut':
      return { answer: { to, ...check } }
  }
}
