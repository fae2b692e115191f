/** Answers `registerUser`: the account is made with the state (directory/registration.ts). */
import { eventOrigin } from '../../contract/event-origin.ts'
import type { Context } from '../../contract/operation.ts'
import { ownerOf } from '../../directory/linked-accounts.ts'
import { register } from '../../directory/registration.ts'
import { eventRow } from '../../events/record.ts'
import { countAddress } from '../../limits/addresses.ts'
import type { Ask } from '../asked.ts'
import { localesOf } from '../locales.ts'
import { linking } from '../linking.ts'
import { userFacts } from '../user-facts.ts'

/** The text that clients of PingOne know (authentication-api 4.2). */
const taken = { code: 'UNIQUENESS_VIOLATION', message: 'is unique but a non-unique value is provided' } as const

const noPopulation = {
  code: 'CONSTRAINT_VIOLATION',
  target: 'population',
  message: 'Nobody can register, since there is no population for new users.',
} as const

const linked = {
  code: 'CONSTRAINT_VIOLATION',
  message: 'The account at the identity provider is already linked to another one.',
} as const

/** Tells of a name that is refused because it could be taken for that of a user (row K28). */
function auditLookalike(context: Context, userId: string): void {
  const detail = { resembles: userId }
  const event = { action: 'USER.CONFUSABLE', result: 'FAILED', detail } as const
  context.kernel.volumeEvents.add(eventRow(eventOrigin(context, context.environment.id), event))
}

/** Prepares an account. */
export const registerUserAsk: Ask<'registerUser'> = async (context, { attributes, populationId, link }, secrets) => {
  const { kernel, environment, now } = context
  const to = 'registerUser'
  if (link && (await ownerOf(kernel, environment.id, link)))
    return { answer: { to, result: 'refused', detail: linked } }
  await countAddress(context, 'account')
  const registration = await register(kernel, environment, {
    attributes,
    populationId,
    password: secrets['password'] ?? '',
    locales: localesOf(context),
    now,
  })
  switch (registration.result) {
    case 'taken':
      if (registration.resembles !== undefined) auditLookalike(context, registration.resembles)
      return { answer: { to, result: 'refused', detail: { ...taken, target: registration.attribute } } }
    case 'noPopulation':
      return { answer: { to, result: 'refused', detail: noPopulation } }
    case 'unsatisfied':
      return { answer: { to, ...registration } }
    case 'registered': {
      const { user, replaced, store } = registration
      const password = { changedAt: now, mustChange: false }
      const answer = { to, result: 'registered', user: userFacts(context, { user, password }) } as const
      const subject = { type: 'USER', id: user.id }
      const run = function* () {
        yield* store()
        for (const id of replaced) {
          const detail = { reason: 'abandoned-registration' }
          yield context.record({ action: 'USER.DELETED', subject: { type: 'USER', id }, detail })
        }
        if (link) yield* linking(context, user.id, link)
        yield context.record({ action: 'USER.CREATED', subject, userId: user.id })
      }
      return { answer, write: { with: 'save', sends: true, run } }
    }
  }
}
