/** Answers `updateProfile`: what the user said of themselves is written with the state (directory/profile.ts). */
import { filledProfile } from '../../directory/profile.ts'
import { userWithPasswordById } from '../../directory/users.ts'
import { Stale } from '../../storage/refusals.ts'
import type { Ask } from '../asked.ts'
import { userFacts } from '../user-facts.ts'

/** Prepares the change of the flow's user. @throws Stale when they are gone: the machine judges once more */
export const updateProfileAsk: Ask<'updateProfile'> = async (context, { userId, attributes }) => {
  const { kernel, environment, now } = context
  const found = await userWithPasswordById(kernel, environment.id, userId)
  if (!found) throw new Stale('users')
  const { user, store } = filledProfile(found.user, attributes, now)
  const changed = Object.keys(attributes)
  const run = function* () {
    yield* store()
    yield context.record({ action: 'USER.UPDATED', subject: { type: 'USER', id: userId }, userId, detail: { changed } })
  }
  const answer = { to: 'updateProfile', user: userFacts(context, { ...found, user }) } as const
  return { answer, write: { with: 'save', run } }
}
