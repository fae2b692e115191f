/** Answers `acceptAgreement`: what the user consented to is written with the state (directory/agreement-consents.ts). */
import { acceptAgreement } from '../../directory/agreement-consents.ts'
import { userWithPasswordById } from '../../directory/users.ts'
import { run } from '../../storage/port.ts'
import { Stale } from '../../storage/refusals.ts'
import { lockUser } from '../../storage/sql/devices.ts'
import type { Ask } from '../asked.ts'
import { userFacts } from '../user-facts.ts'

/** Prepares the record. @throws Stale when the flow's user is gone: the machine judges once more */
export const acceptAgreementAsk: Ask<'acceptAgreement'> = async (context, { kind: to, ...consent }) => {
  const { kernel, environment, now } = context
  const { userId } = consent
  const found = await userWithPasswordById(kernel, environment.id, userId)
  if (!found) throw new Stale('users')
  const given = { ...consent, id: kernel.world.uuid(), consentedAt: now }
  const write = function* () {
    if ((yield* run(lockUser(environment.id, userId))).length === 0) throw new Stale('users')
    const { id } = yield* acceptAgreement(environment.id, given, now)
    yield context.record({
      action: 'AGREEMENT_CONSENT.ACCEPTED',
      subject: { type: 'AGREEMENT_CONSENT', id },
      userId,
      detail: consent,
    })
  }
  return { answer: { to, user: userFacts(context, found) }, write: { with: 'save', run: write } }
}
