/**
 * OAUTH_CONSENT (extension): the user grants what the application asks for, or does not. No policy names this action: the
 * request brings it, and it comes after all that the policy asks for (OpenID Connect Core 3.1.2.4, RFC 6749 section 4.1.1).
 *
 * Never: a scope taken from the body; anybody asked who has not proved who they are.
 */
import { z } from 'zod'
import { type Decision, defineAction } from '../action.ts'
import { consentBody, consentRequest, covers } from '../consent.ts'
import { provenUser } from '../proven-user.ts'

const slot = z.strictObject({})

type Decided = Decision<z.infer<typeof slot>, 'CONSENT_REQUIRED'>

export const oauthConsent = defineAction({
  type: 'OAUTH_CONSENT',
  config: consentRequest,
  problems: () => [],
  conditionFacts: [],
  needs: ['user', 'consent'],
  slot,
  freshSlot: {},
  statuses: ['CONSENT_REQUIRED'],
  accepts: { 'oauth.consent': { in: ['CONSENT_REQUIRED'], body: consentBody } },
  setsPasswordIn: [],
  methods: ['consent'],
  isPrimary: false,
  isDemandedBy: () => false,
  isSatisfied(proofs, requested, { user, facts: { consent } }) {
    if (proofs.some(({ method }) => method === 'consent')) return true
    return (
      !requested.isAsked &&
      requested.details === undefined &&
      consent != null &&
      consent.userId === user?.id &&
      covers(consent, requested)
    )
  },

  decide({ event, config: { scopeIds }, user, flow: { applicationId }, facts }): Decided {
    const known = provenUser(user, facts)
    if (!known) return { outcome: 'fail', failure: 'POLICY_NOT_SATISFIED', reason: 'action-failed' }
    switch (event.type) {
      case 'enter':
        return { outcome: 'wait', status: 'CONSENT_REQUIRED', slot: {}, reason: 'consent-needed' }
      case 'oauth.consent':
        return event.body.accept
          ? { outcome: 'ask', question: { kind: 'recordConsent', userId: known.id, applicationId, scopeIds } }
          : { outcome: 'fail', failure: 'CONSENT_DENIED', isFinal: true, reason: 'consent-denied' }
      case 'external':
        throw new Error('OAUTH_CONSENT sends nobody anywhere')
      case 'answer': {
        const { answer } = event
        if (answer.to !== 'recordConsent') throw new Error('OAUTH_CONSENT asks nothing else')
        const { consentId } = answer
        return { outcome: 'prove', methods: ['consent'], consentId, user: known, reason: 'consent-given' }
      }
    }
  },
  view: ({ config: { scopeIds, details }, facts: { configuration } }) => ({
    scopes: scopeIds.flatMap((id) => configuration?.scopes.get(id) ?? []),
    ...(details ? { authorizationDetails: details } : {}),
  }),
})
