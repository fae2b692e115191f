/**
 * IDENTIFIER_FIRST: say who you are before you prove it; the actions after this one ask for the proof.
 * authentication-api 4.2 `user.lookup`, 5.3; decision D7. A user whom the session names need not say it again.
 *
 * Never: a sign-on by a name alone; a difference between a name that somebody has and one that nobody has (row J29).
 */
import { z } from 'zod'
import { type Decision, defineAction, noBody } from '../action.ts'
import { longestIdentifier } from '../identifier.ts'
import type { Answer } from '../question.ts'
import { wrongCredentials } from '../refusal.ts'
import {
  askForRecoveryCode,
  askToRecover,
  awaitRecovery,
  forgotBody,
  judgeRecovery,
  recoverBody,
  recoveryConfig,
  recovers,
} from './account/recovery.ts'
import {
  askToRegister,
  judgeRegistration,
  registerBody,
  registers,
  registrationConfig,
} from './account/registration.ts'
import {
  type AccountSlot,
  accountSlot,
  awaitVerification,
  freshAccountSlot,
  judgeVerification,
  verifyBody,
} from './account/verification.ts'
import { unavailable } from './unavailable.ts'

const reference = z.object({ id: z.string() })

type Status = 'SIGN_ON_REQUIRED' | 'RECOVERY_CODE_REQUIRED' | 'VERIFICATION_CODE_REQUIRED'

export const identifierFirst = defineAction({
  type: 'IDENTIFIER_FIRST',
  config: z.object({
    recovery: recoveryConfig,
    registration: registrationConfig,
    socialProviders: z.array(reference).optional(),
    enforceLockoutForIdentityProviders: z.boolean().optional(),
    discoveryRules: z
      .array(
        z.object({
          condition: z.object({ contains: z.string(), value: z.string() }),
          identityProvider: reference,
        }),
      )
      .optional(),
  }),
  problems: (configured) => [
    ...unavailable(configured.registration?.external, 'registration.external'),
    ...unavailable(configured.socialProviders?.length, 'socialProviders'),
    ...unavailable(configured.enforceLockoutForIdentityProviders, 'enforceLockoutForIdentityProviders'),
    ...unavailable(configured.discoveryRules?.length, 'discoveryRules'),
  ],
  conditionFacts: ['session', 'user'],
  needs: [],
  slot: accountSlot,
  freshSlot: freshAccountSlot,
  statuses: ['SIGN_ON_REQUIRED', 'RECOVERY_CODE_REQUIRED', 'VERIFICATION_CODE_REQUIRED'],
  accepts: {
    'user.lookup': {
      in: ['SIGN_ON_REQUIRED'],
      body: z.object({ username: z.string().min(1).max(longestIdentifier) }),
    },
    'password.forgot': { in: ['SIGN_ON_REQUIRED'], body: forgotBody, when: recovers },
    'password.recover': { in: ['RECOVERY_CODE_REQUIRED'], body: recoverBody },
    'password.sendRecoveryCode': { in: ['RECOVERY_CODE_REQUIRED'], body: noBody },
    'user.register': { in: ['SIGN_ON_REQUIRED'], body: registerBody, when: registers },
    'user.verify': { in: ['VERIFICATION_CODE_REQUIRED'], body: verifyBody },
    'user.sendVerificationCode': { in: ['VERIFICATION_CODE_REQUIRED'], body: noBody },
    'session.reset': { in: ['RECOVERY_CODE_REQUIRED'], body: noBody },
  },
  setsPasswordIn: ['RECOVERY_CODE_REQUIRED'],
  methods: ['pwd'],
  isPrimary: false,
  isDemandedBy: () => false,
  isSatisfied: (_proofs, _config, { user, identifier }) => user !== null || identifier !== null,

  decide(turn): Decision<AccountSlot, Status> {
    const { event, user } = turn
    switch (event.type) {
      case 'enter':
        return { outcome: 'wait', status: 'SIGN_ON_REQUIRED', slot: freshAccountSlot, reason: 'identifier-needed' }
      case 'user.lookup':
        return { outcome: 'ask', question: { kind: 'lookUpUser', username: event.body.username } }
      case 'session.reset':
        return { outcome: 'restart', reason: 'session-reset' }
      case 'password.forgot':
        return askForRecoveryCode(turn, event.body.username)
      case 'password.sendRecoveryCode':
        return askForRecoveryCode(turn, undefined)
      case 'password.recover':
        return askToRecover(turn)
      case 'user.register':
        return askToRegister(turn.config, event.body)
      case 'user.verify':
        if (!user) return { outcome: 'refuse', refusal: wrongCredentials }
        return { outcome: 'ask', question: { kind: 'verifyEmail', userId: user.id } }
      case 'user.sendVerificationCode':
        if (!user) return { outcome: 'refuse', refusal: wrongCredentials }
        return { outcome: 'ask', question: { kind: 'sendVerificationCode', userId: user.id } }
      case 'answer':
        return judge(event.answer, turn.slot, turn.status)
    }
  },
})

function judge(answer: Answer, slot: AccountSlot, status: string): Decision<AccountSlot, Status> {
  switch (answer.to) {
    case 'lookUpUser': {
      const { identifier, user } = answer
      return { outcome: 'identify', named: { identifier, user }, reason: 'user-named' }
    }
    case 'sendRecoveryCode':
      return awaitRecovery(answer)
    case 'recoverPassword':
      return judgeRecovery(answer)
    case 'registerUser':
      return judgeRegistration(answer)
    case 'sendVerificationCode':
      return awaitVerification(answer, slot, status === 'VERIFICATION_CODE_REQUIRED')
    case 'verifyEmail':
      return judgeVerification(answer, slot)
    case 'checkPassword':
    case 'evaluateNewPassword':
    case 'sendPasscode':
    case 'checkPasscode':
      throw new Error('IDENTIFIER_FIRST asks nothing of the kind')
  }
}
