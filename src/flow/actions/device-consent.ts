/**
 * DEVICE_CONSENT: whoever entered a user code lets the device have what it asks for, or does not. It is asked every time,
 * whatever was granted before: somebody else may have sent the code (RFC 8628 section 5.4). authentication-api 2.4, 3.3, 4.1
 * `deviceAuthGrant.consent`; rows Q06, Q11.
 *
 * Never: a scope taken from the body; a consent without the user code of this very flow and user; one that comes too late.
 */
import { z } from 'zod'
import { type Decision, defineAction, noBody } from '../action.ts'
import { type DeviceRequest, deviceRequest } from '../device-grant.ts'
import { provenUser } from '../proven-user.ts'
import type { Proof } from '../proof.ts'

/** What the user is shown; null while the action is being entered. */
const slot = deviceRequest.nullable()

type Decided = Decision<z.infer<typeof slot>, 'DAG_CONSENT_REQUIRED'>

export const deviceConsent = defineAction({
  type: 'DEVICE_CONSENT',
  config: z.object({}),
  problems: () => [],
  conditionFacts: [],
  needs: ['user'],
  slot,
  freshSlot: null,
  statuses: ['DAG_CONSENT_REQUIRED'],
  accepts: {
    'deviceAuthGrant.consent': { in: ['DAG_CONSENT_REQUIRED'], body: z.object({ accept: z.boolean() }) },
    'session.reset': { in: ['DAG_CONSENT_REQUIRED'], body: noBody },
  },
  setsPasswordIn: [],
  methods: ['consent'],
  isPrimary: false,
  isDemandedBy: () => false,
  isSatisfied: (proofs) => proofs.some(({ method, consentId }) => method === 'consent' && consentId !== undefined),

  decide({ event, user, flow, facts, now }): Decided {
    const known = provenUser(user, facts)
    const asked = known && requestOf(flow.proofs, known.id)
    if (!known || !asked) return { outcome: 'fail', failure: 'POLICY_NOT_SATISFIED', reason: 'action-failed' }
    if (event.type === 'session.reset') return { outcome: 'restart', reason: 'session-reset' }
    if (now >= asked.expiresAt) {
      return { outcome: 'fail', failure: 'DEVICE_CODE_EXPIRED', isFinal: true, reason: 'device-code-expired' }
    }
    switch (event.type) {
      case 'enter':
        return { outcome: 'wait', status: 'DAG_CONSENT_REQUIRED', slot: asked, reason: 'consent-needed' }
      case 'deviceAuthGrant.consent': {
        if (!event.body.accept) {
          return { outcome: 'fail', failure: 'CONSENT_DENIED', isFinal: true, reason: 'consent-denied' }
        }
        const { applicationId, scopeIds } = asked
        return { outcome: 'ask', question: { kind: 'recordConsent', userId: known.id, applicationId, scopeIds } }
      }
      case 'external':
        throw new Error('DEVICE_CONSENT sends nobody anywhere')
      case 'answer': {
        const { answer } = event
        if (answer.to !== 'recordConsent') throw new Error('DEVICE_CONSENT asks nothing else')
        return {
          outcome: 'prove',
          methods: ['consent'],
          consentId: answer.consentId,
          user: known,
          reason: 'consent-given',
        }
      }
    }
  },
  view({ slot: shown, facts: { configuration } }) {
    if (!shown) return {}
    const { scopeIds, details, userCode, remoteAddress, requestedAt, expiresAt } = shown
    return {
      scopes: scopeIds.flatMap((id) => configuration?.scopes.get(id) ?? []),
      ...(details ? { authorizationDetails: details } : {}),
      deviceAuthorization: {
        userCode,
        remoteAddress,
        requestedAt: new Date(requestedAt).toISOString(),
        expiresAt: new Date(expiresAt).toISOString(),
      },
    }
  },
})

/** What the device asks for whose code this user has entered in this flow. */
function requestOf(proofs: readonly Proof[], userId: string): DeviceRequest | undefined {
  return proofs.find(({ method, userId: whose }) => method === 'userCode' && whose === userId)?.deviceRequest
}
