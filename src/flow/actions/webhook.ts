/**
 * WEBHOOK (extension, decision D24; docs/decisions/2026-11-26-webhook-step.md): an endpoint of the customer is asked
 * whether a sign-on may go on. It may say yes, no, or that an action of another type has to be proved as well. A no, and
 * an endpoint that does not answer as it should, end the flow: no other policy of the application gets a turn, since the endpoint was asked about the sign-on.
 *
 * Never: a call about somebody who has only named themselves; a silent or garbled endpoint taken for a yes where the
 * policy does not say so; a yes given to one action that counts for another; a sign-on by a webhook alone.
 */
import { z } from 'zod'
import { type Decision, defineAction } from '../action.ts'
import { provenUser } from '../proven-user.ts'

const config = z.object({
  webhook: z
    .object({
      url: z.string().max(2048).describe('Asked by POST. It is no secret, and has no query: the request is signed.'),
      timeoutMilliseconds: z.int().min(100).max(5000).default(2000).describe('For everything, to the last byte.'),
      onError: z
        .enum(['DENY', 'CONTINUE'])
        .default('DENY')
        .describe('What an endpoint that does not answer in time, or not as it should, comes to.'),
    })
    .describe('Extension: the endpoint that is asked whether the sign-on may go on.'),
})

const queryProblem = {
  code: 'INVALID_VALUE',
  target: 'webhook.url',
  message: 'must not have a query: nothing there would be kept secret, and the request is signed',
} as const

/** Holds while the endpoint is asked; no flow rests in it, since the answer decides. */
type Status = 'EXTERNAL_AUTHENTICATION_REQUIRED'

export const webhook = defineAction({
  type: 'WEBHOOK',
  config,
  problems: ({ webhook: { url } }) => (url.includes('?') ? [{ ...queryProblem }] : []),
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
  isSatisfied: (proofs, { webhook: { url, onError } }, standing) =>
    proofs.some(
      ({ webhook: said, actionId }) =>
        actionId === standing.actionId && said?.url === url && (said.answered || onError === 'CONTINUE'),
    ),

  decide({ event, config: { webhook: asked }, user, flow, facts }): Decision<Record<string, never>, Status> {
    const { url, onError, timeoutMilliseconds } = asked
    const known = provenUser(user, facts)
    if (!known) return { outcome: 'fail', failure: 'POLICY_NOT_SATISFIED', reason: 'webhook-without-user' }
    const go = { outcome: 'prove', methods: ['webhook'], webhook: { url, answered: true }, user: known } as const
    switch (event.type) {
      case 'enter': {
        const question = { kind: 'callWebhook', url, timeoutMilliseconds, userId: known.id, flow } as const
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
              isFinal: true,
              ...(answer.code === null ? {} : { details: { reason: answer.code } }),
              reason: 'webhook-denied',
            }
          case 'ERROR':
            return onError === 'CONTINUE'
              ? { ...go, webhook: { url, answered: false }, reason: 'webhook-failed-open' }
              : { outcome: 'fail', failure: 'WEBHOOK_FAILED', isFinal: true, reason: 'webhook-failed' }
        }
      }
    }
  },
})
