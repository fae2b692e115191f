/** Answers `recordConsent`: what the user grants is remembered with the state (directory/oauth-consents.ts). */
import { grantConsent, readConsent } from '../../directory/oauth-consents.ts'
import type { Ask } from '../asked.ts'

/** Prepares the consent. Where it was given, changed or withdrawn meanwhile, the machine judges once more. */
export const recordConsentAsk: Ask<'recordConsent'> = async (context, { userId, applicationId, scopeIds }) => {
  const { kernel, environment, now } = context
  const before = await readConsent(kernel, environment.id, userId, applicationId)
  const consentId = before?.id ?? kernel.world.uuid()
  const run = function* () {
    const granting = { environmentId: environment.id, userId, applicationId, scopeIds, before, newId: consentId, now }
    yield* grantConsent(granting)
    yield context.record({
      action: 'OAUTH_CONSENT.GRANTED',
      subject: { type: 'OAUTH_CONSENT', id: consentId },
      userId,
      clientId: applicationId,
      detail: { scopeIds },
    })
  }
  return { answer: { to: 'recordConsent', consentId }, write: { with: 'save', run } }
}
