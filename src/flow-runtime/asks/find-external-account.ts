/** Answers `findExternalAccount`: whose account somebody came back with (directory/linked-accounts.ts; rows M08, M18, M19). */
import { lockoutOf, matchOf, ownerOf, refreshed } from '../../directory/linked-accounts.ts'
import { canAuthenticate } from '../../directory/users.ts'
import { problem } from '../../errors/problem.ts'
import type { Ask } from '../asked.ts'
import { userFacts } from '../user-facts.ts'

/** Finds the user of an account, or whoever may be the same person. */
export const findExternalAccountAsk: Ask<'findExternalAccount'> = async (
  context,
  { authentication, checksLockout },
) => {
  const { kernel, environment, now } = context
  const to = 'findExternalAccount'
  const provider = environment.identityProviders.get(authentication.providerId)
  if (!provider) throw problem('INVALID_REQUEST')
  const owner = await ownerOf(kernel, environment.id, authentication)
  if (!owner) {
    const match = await matchOf(kernel, environment, provider, authentication, now)
    if (match.kind !== 'linkable') return { answer: { to, result: match.kind } }
    const wait = checksLockout ? await lockoutOf(kernel, environment, match.user, now) : undefined
    if (wait !== undefined) return { answer: { to, result: 'lockedOut', secondsUntilUnlock: wait } }
    return { answer: { to, result: match.kind, userId: match.user.id } }
  }
  const { user, password } = owner
  if (!canAuthenticate(user, now)) return { answer: { to, result: 'linked', user: userFacts(context, owner) } }
  const secondsUntilUnlock = checksLockout ? await lockoutOf(kernel, environment, user, now) : undefined
  if (secondsUntilUnlock !== undefined) return { answer: { to, result: 'lockedOut', secondsUntilUnlock } }
  const { user: present, store } = await refreshed(kernel, environment, provider, user, authentication, now)
  const answer = { to, result: 'linked', user: userFacts(context, { user: present, password }) } as const
  if (!store) return { answer }
  const run = function* () {
    yield* store()
    const detail = { identityProviderId: provider.id }
    yield context.record({ action: 'USER.UPDATED', subject: { type: 'USER', id: user.id }, userId: user.id, detail })
  }
  return { answer, write: { with: 'save', run } }
}
