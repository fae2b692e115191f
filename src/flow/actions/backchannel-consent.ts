/**
 * BACKCHANNEL_CONSENT: the user approves a backchannel authentication request, or does not (OpenID CIBA Core sections 7.1 and
 * 8). No policy names this action: the request brings it, behind all that the policy asks for. Whoever approved the sign-on
 * in their app has been shown the request there, and is not asked once more.
 *
 * Never: a scope taken from the body; anybody asked who has not proved who they are.
 */
import { z } from 'zod'
import { type Decision, defineAction } from '../action.ts'
import { backchannelRequest } from '../backchannel.ts'
import { consentBody } from '../consent.ts'
import { provenUser } from '../proven-user.ts'

const slot = z.strictObject({})

type Decided = Decision<z.infer<typeof slot>, 'CONSENT_REQUIRED'>

export const backchannelConsent = defineAction({
  type: 'BACKCHANNEL_CONSENT',
  config: backchannelRequest,
  problems: () => [],
  conditionFacts: [],
  needs: ['user'],
  slot,
  freshSlot: {},
  statuses: ['CONSENT_REQUIRED'],
  accepts: { 'oauth.consent': { in: ['CONSENT_REQUIRED'], body: consentBody } },
  setsPasswordIn: [],
  methods: ['consent'],
  isPrimary: false,
  isDemandedBy: () => false,
  isSatisfied: (proofs) =>
    // What an app signs beside a passcode is its answer to a push request.
    proofs.some(({ method, factor, shows }) => method === 'consent' || (factor === 'MOBILE' && shows === 'pop')),

  decide({ event, config: { scopeIds, expiresAt }, user, flow: { applicationId }, facts, now }): Decided {
    const known = provenUser(user, facts)
    if (!known) return { outcome: 'fail', failure: 'POLICY_NOT_SATISFIED', reason: 'action-failed' }
    if (now >= expiresAt) {
      return { outcome: 'fail', failure: 'REQUEST_EXPIRED', isFinal: true, reason: 'request-expired' }
    }
    switch (event.type) {
      case 'enter':
        return { outcome: 'wait', status: 'CONSENT_REQUIRED', slot: {}, reason: 'consent-needed' }
      case 'oauth.consent':
        return event.body.accept
          ? { outcome: 'ask', question: { kind: 'recordConsent', userId: known.id, applicationId, scopeIds } }
          : { outcome: 'fail', failure: 'CONSENT_DENIED', isFinal: true, reason: 'consent-denied' }
      case 'external':
        throw new Error('BACKCHANNEL_CONSENT sends nobody anywhere')
      case 'answer': {
        const { answer } = event
        if (answer.to !== 'recordConsent') throw new Error('BACKCHANNEL_CONSENT asks nothing else')
        const { consentId } = answer
        return { outcome: 'prove', methods: ['consent'], consentId, user: known, reason: 'consent-given' }
      }
    }
  },
  view: ({ config: { scopeIds, details, bindingMessage }, facts: { configuration } }) => ({
    scopes: scopeIds.flatMap((id) => configuration?.scopes.get(id) ?? []),
    ...(details ? { authorizationDetails: details } : {}),
    ...(bindingMessage === null ? {} : { bindingMessage }),
  }),
})
