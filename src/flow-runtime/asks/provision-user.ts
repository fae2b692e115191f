/** Answers `provisionUser`: the account is made and linked with the state (directory/linked-accounts.ts; rows M17, M25). */
import { provisioned } from '../../directory/linked-accounts.ts'
import type { Ask } from '../asked.ts'
import { linking } from '../linking.ts'
import { localesOf } from '../locales.ts'
import { userFacts } from '../user-facts.ts'

/** Prepares an account. */
export const provisionUserAsk: Ask<'provisionUser'> = async (context, { authentication, populationId }) => {
  const { kernel, environment, now } = context
  const to = 'provisionUser'
  const provider = environment.identityProviders.get(authentication.providerId)
  const made =
    provider &&
    (await provisioned(kernel, environment, provider, authentication, populationId, localesOf(context), now))
  if (!made) return { answer: { to, result: 'refused' } }
  const { user, store } = made
  const run = function* () {
    yield* store()
    yield* linking(context, user.id, authentication)
    const detail = { identityProviderId: authentication.providerId }
    yield context.record({ action: 'USER.CREATED', subject: { type: 'USER', id: user.id }, userId: user.id, detail })
  }
  const answer = { to, result: 'registered', user: userFacts(context, { user, password: null }) } as const
  return { answer, write: { with: 'save', run, ...(user.verificationRequired ? { sends: true } : {}) } }
}
