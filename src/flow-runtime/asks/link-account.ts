/** Answers `linkAccount`: the link is written with the state (directory/linked-accounts.ts; row M12). */
import { accountOf, ownerOf } from '../../directory/linked-accounts.ts'
import { userWithPasswordById } from '../../directory/users.ts'
import type { Ask } from '../asked.ts'
import { linking } from '../linking.ts'
import { userFacts } from '../user-facts.ts'

/** Prepares a link. */
export const linkAccountAsk: Ask<'linkAccount'> = async (context, { userId, providerId, subject }) => {
  const { kernel, environment } = context
  const to = 'linkAccount'
  const account = { providerId, subject }
  const user = await userWithPasswordById(kernel, environment.id, userId)
  const isTaken =
    (await ownerOf(kernel, environment.id, account)) !== undefined ||
    (await accountOf(kernel, environment.id, userId, providerId)) !== undefined
  if (!user || isTaken) return { answer: { to, result: 'taken' } }
  const answer = { to, result: 'linked', user: userFacts(context, user) } as const
  return { answer, write: { with: 'save', run: () => linking(context, userId, account) } }
}
