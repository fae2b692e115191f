/**
 * A second factor made for tests: another secret of the same user. It exercises what LOGIN does not need (facts when
 * entered, a slot, a question before anything is asked of the client, a configuration that decides which links there
 * are, failure) and shows that the machine takes an action it has never seen.
 */
import { z } from 'zod'
import { defineAction } from '../../src/flow/action.ts'
import type { AnyAction } from '../../src/flow/actions/index.ts'
import type { CompiledCondition } from '../../src/flow/condition.ts'
import type { CompiledAction } from '../../src/flow/policy.ts'
import { wrongCredentials } from '../../src/flow/refusal.ts'
import { secret } from '../../src/flow/secret.ts'

export const secondSecret: AnyAction = defineAction({
  type: 'LOGIN',
  config: z.object({ asksDeviceFirst: z.boolean(), resettable: z.boolean() }),
  problems: () => [],
  conditionFacts: ['session', 'user', 'request'],
  needs: ['request'],
  slot: z.strictObject({ waiting: z.boolean() }),
  freshSlot: { waiting: false },
  statuses: ['PASSWORD_REQUIRED'],
  accepts: {
    'usernamePassword.check': {
      in: ['PASSWORD_REQUIRED'],
      body: z.object({ username: z.string().optional(), password: secret(z.string()) }),
    },
    'session.reset': { in: ['PASSWORD_REQUIRED'], body: z.object({}), when: ({ resettable }) => resettable },
  },
  setsPasswordIn: [],
  methods: ['mfa'],
  isPrimary: false,
  isDemandedBy: () => false,
  isSatisfied: (proofs) => proofs.some(({ method }) => method === 'mfa'),
  decide({ config, slot, event, user }) {
    if (!user) return { outcome: 'fail', failure: 'POLICY_NOT_SATISFIED', reason: 'action-failed' }
    const question = { kind: 'checkPassword', username: null, userId: user.id } as const
    const wait = {
      outcome: 'wait',
      status: 'PASSWORD_REQUIRED',
      slot: { waiting: true },
      reason: 'password-needed',
    } as const
    switch (event.type) {
      case 'enter':
        return config.asksDeviceFirst ? { outcome: 'ask', question } : wait
      case 'session.reset':
        return { outcome: 'restart', reason: 'session-reset' }
      case 'usernamePassword.check':
        return { outcome: 'ask', question }
      case 'external':
        throw new Error('it sends nobody anywhere')
      case 'answer':
        if (event.answer.to !== 'checkPassword') throw new Error('it asks nothing else')
        switch (event.answer.result) {
          case 'accepted':
            return { outcome: 'prove', methods: ['mfa'], user: event.answer.user, reason: 'password-accepted' }
          case 'lockedOut':
            return { outcome: 'fail', failure: 'POLICY_NOT_SATISFIED', reason: 'action-failed' }
          default:
            return slot.waiting ? { outcome: 'refuse', refusal: wrongCredentials } : wait
        }
    }
  },
})

/** The second factor as part of a policy. */
export function secondSecretAction(
  id: string,
  policyVersion: number,
  priority: number,
  condition: CompiledCondition | null = null,
  config: { asksDeviceFirst?: boolean; resettable?: boolean } = {},
): CompiledAction {
  const { asksDeviceFirst = false, resettable = true } = config
  const definition = secondSecret
  return { id, policyVersion, type: 'LOGIN', priority, definition, config: { asksDeviceFirst, resettable }, condition }
}
