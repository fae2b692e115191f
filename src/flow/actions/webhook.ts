/**
 * WEBHOOK (extension, decision D24): an endpoint of the customer is asked whether a sign-on may go on. It may say yes, no,
 * or that an action of another type has to be proved first. Fails closed unless the policy says otherwise.
 *
 * Never: a call about somebody who has only named themselves; a silent or garbled endpoint taken for a yes where the
 * policy does not say so; a sign-on by a webhook alone.
 */
import { z } from 'zod'
import { type Decision, defineAction } from '../action.ts'

/** `onError`: what an endpoint that does not answer, or not as it should, comes to. */
const config = z.object({
  webhook: z.object({
    url: z.string().max(2048),
    timeoutMilliseconds: z.int().min(100).max(5000).default(2000),
    onError: z.enum(['DENY', 'CONTINUE']).default('DENY'),
  }),
})

/** Holds while the endpoint is asked; no flow rests in it, since the answer decides. */
type Status = 'EXTERNAL_AUTHENTICATION_REQUIRED'

export const webhook = defineAction({
  type: 'WEBHOOK',
  config,
  problems: () => [],
  conditionFacts: ['session', 'user', 'request'],
  needs: ['user'],
  slot: z.strictObject({}),
  freshSlot: {},
  statuses: ['EXTERNAL_AUTHENTICATION_REQUIRED'],
  accepts: {},
  setsPasswordIn: [],
  methods: ['webhook'],
  isPrimary: false,
  isDemandedBy: () => false,
  isSatisfied: (proofs, configured) =>
    proofs.some(({ method, endpoint }) => method === 'webhook' && endpoint === configured.webhook.url),

  decide({ event, config: { webhook: asked }, user, flow, facts }): Decision<Record<string, never>, Status> {
    const { url: endpoint, onError, timeoutMilliseconds } = asked
    const known = user && user.knownBy !== 'identifier' && facts.user?.id === user.id ? facts.user : null
    if (!known) return { outcome: 'fail', failure: 'POLICY_NOT_SATISFIED', reason: 'webhook-without-user' }
    const go = { outcome: 'prove', methods: ['webhook'], endpoint, user: known } as const
    switch (event.type) {
      case 'enter': {
        const question = { kind: 'callWebhook', url: endpoint, timeoutMilliseconds, userId: known.id, flow } as const
        return { outcome: 'ask', question }
      }
      case 'external':
        throw new Error('WEBHOOK sends nobody anywhere')
      case 'answer': {
        const { answer } = event
        if (answer.to !== 'callWebhook') throw new Error('WEBHOOK asks nothing else')
        switch (answer.result) {
          case 'CONTINUE':
            return { ...go, reason: 'webhook-allowed' }
          case 'STEP_UP':
            return { ...go, demands: answer.type, reason: 'webhook-demands' }
          case 'DENY':
            return {
              outcome: 'fail',
              failure: 'WEBHOOK_DENIED',
              ...(answer.code === null ? {} : { failureReason: answer.code }),
              reason: 'webhook-denied',
            }
          case 'ERROR':
            return onError === 'CONTINUE'
              ? { ...go, reason: 'webhook-failed-open' }
              : { outcome: 'fail', failure: 'WEBHOOK_FAILED', reason: 'webhook-failed' }
        }
      }
    }
  },
})
