/**
 * Answers `lookUpUser`: who has the name that was typed, if they may sign on (decision D7, row J29). One read; the saving of
 * the flow counts it by the address it came from.
 */
import { canAuthenticate, userWithPasswordByUsername } from '../../directory/users.ts'
import { countAddressWith } from '../../limits/addresses.ts'
import type { Ask } from '../asked.ts'
import { userFacts } from '../user-facts.ts'

/** Looks a user up by what they typed. */
export const lookUpUserAsk: Ask<'lookUpUser'> = async (context, { username }) => {
  const { kernel, environment, now } = context
  const found = await userWithPasswordByUsername(kernel, environment.id, username)
  const user = found && canAuthenticate(found.user, now) ? userFacts(context, found) : null
  const run = () => countAddressWith(context, 'lookup')
  return { answer: { to: 'lookUpUser', identifier: username, user }, write: { with: 'save', run } }
}
