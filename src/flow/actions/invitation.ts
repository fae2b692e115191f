/**
 * INVITATION: somebody whom an administrator has invited chooses the first password of their account. authentication-api
 * 4.1 `user.acceptInvite`; row K36. No policy names this action: a flow for an invitation brings it, before all that the
 * policy asks for. The code has come by e-mail, so the password that is chosen with it is the password proved, and the
 * address with it; whatever else the policy asks for is asked for afterwards.
 *
 * Never: a password without the code of this very invitation; a code used up by a password that the policy does not take.
 */
import { z } from 'zod'
import { type Decision, defineAction } from '../action.ts'
import { invitationRequest } from '../invitation.ts'
import { passwordUnsatisfied, tooManyTries, valueMissing, wrongCode } from '../refusal.ts'
import { optionalSecret, secret } from '../secret.ts'

const slot = z.strictObject({})

type Decided = Decision<z.infer<typeof slot>, 'INVITATION_REQUIRED'>

export const invitation = defineAction({
  type: 'INVITATION',
  config: invitationRequest,
  problems: () => [],
  conditionFacts: [],
  needs: [],
  slot,
  freshSlot: {},
  statuses: ['INVITATION_REQUIRED'],
  accepts: {
    'user.acceptInvite': {
      in: ['INVITATION_REQUIRED'],
      body: z.object({
        inviteCode: secret(z.string().min(1).max(64)),
        password: optionalSecret(z.string().min(1).max(1024)),
        accept: z.boolean(),
      }),
    },
  },
  setsPasswordIn: ['INVITATION_REQUIRED'],
  methods: ['pwd'],
  isPrimary: false,
  isDemandedBy: () => false,
  isSatisfied: (proofs, _config, { actionId }) =>
    proofs.some((proof) => proof.method === 'pwd' && proof.actionId === actionId),

  decide({ event, config: { id: invitationId }, user }): Decided {
    if (user?.knownBy !== 'invitation')
      return { outcome: 'fail', failure: 'POLICY_NOT_SATISFIED', reason: 'action-failed' }
    switch (event.type) {
      case 'enter':
        return { outcome: 'wait', status: 'INVITATION_REQUIRED', slot: {}, reason: 'invitation-open' }
      case 'user.acceptInvite':
        return event.body.accept
          ? { outcome: 'ask', question: { kind: 'acceptInvitation', userId: user.id, invitationId } }
          : { outcome: 'fail', failure: 'INVITATION_DECLINED', isFinal: true, reason: 'invitation-declined' }
      case 'external':
        throw new Error('INVITATION sends nobody anywhere')
      case 'answer': {
        const { answer } = event
        if (answer.to !== 'acceptInvitation') throw new Error('INVITATION asks nothing else')
        switch (answer.result) {
          case 'noPassword':
            return { outcome: 'refuse', refusal: valueMissing('password') }
          case 'wrongCode':
            return { outcome: 'refuse', refusal: wrongCode('inviteCode') }
          case 'lockedOut':
            return { outcome: 'refuse', refusal: tooManyTries('inviteCode', answer.secondsUntilUnlock) }
          case 'unsatisfied':
            return { outcome: 'refuse', refusal: passwordUnsatisfied('password', answer.requirements) }
          case 'accepted':
            return { outcome: 'prove', methods: ['pwd'], user: answer.user, reason: 'invitation-accepted' }
        }
      }
    }
  },
})
