/**
 * IDENTIFIER_FIRST: say who you are before you prove it; the actions after this one ask for the proof.
 * authentication-api 4.2 `user.lookup`, 5.3; decision D7. A user whom the session names need not say it again.
 *
 * Never: a sign-on by a name alone; a difference between a name that somebody has and one that nobody has (row J29).
 */
import { z } from 'zod'
import { type ActionTurn, type Decision, defineAction, noBody } from '../action.ts'
import { usableProviders } from '../external-authentication.ts'
import type { Facts } from '../facts.ts'
import { longestIdentifier } from '../identifier.ts'
import type { Answer } from '../question.ts'
import { wrongCredentials } from '../refusal.ts'
import { assertionBody } from '../factors/assertion.ts'
import { credentialsBody } from './account/credentials.ts'
import {
  askForAccount,
  askForOwnership,
  confirm,
  confirmBody,
  externalStatuses,
  judgeAccount,
  judgeLink,
  judgeOwnership,
  judgeProvisioned,
  providerReference,
} from './account/external.ts'
import { askWhoseItIs, judgePasskey, passkeysConfig, takesPasskeys } from './account/passkey.ts'
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
  registersElsewhere,
  registrationConfig,
  registrationProblems,
} from './account/registration.ts'
import {
  type AccountSlot,
  accountSlot,
  awaitVerification,
  freshAccountSlot,
  judgeVerification,
  verifyBody,
} from './account/verification.ts'

const config = z.object({
  passkeys: passkeysConfig,
  recovery: recoveryConfig,
  registration: registrationConfig,
  socialProviders: z.array(providerReference).max(100).optional(),
  enforceLockoutForIdentityProviders: z.boolean().optional(),
  discoveryRules: z
    .array(
      z.object({
        condition: z.object({ contains: z.string().min(1).max(256), value: z.literal('${identifier}') }),
        identityProvider: providerReference,
      }),
    )
    .max(100)
    .optional(),
})

type Config = z.infer<typeof config>

type Status =
  | 'SIGN_ON_REQUIRED'
  | 'RECOVERY_CODE_REQUIRED'
  | 'VERIFICATION_CODE_REQUIRED'
  | 'EXTERNAL_AUTHENTICATION_REQUIRED'
  | (typeof externalStatuses)[number]

export const identifierFirst = defineAction({
  type: 'IDENTIFIER_FIRST',
  config,
  problems: (configured) => registrationProblems(configured),
  conditionFacts: ['session', 'user'],
  needs: [],
  slot: accountSlot,
  freshSlot: freshAccountSlot,
  statuses: [
    'SIGN_ON_REQUIRED',
    'RECOVERY_CODE_REQUIRED',
    'VERIFICATION_CODE_REQUIRED',
    'EXTERNAL_AUTHENTICATION_REQUIRED',
    ...externalStatuses,
  ],
  accepts: {
    'user.lookup': {
      in: ['SIGN_ON_REQUIRED'],
      body: z.object({ username: z.string().min(1).max(longestIdentifier) }),
    },
    'assertion.check': { in: ['SIGN_ON_REQUIRED'], body: assertionBody, when: takesPasskeys },
    'password.forgot': { in: ['SIGN_ON_REQUIRED'], body: forgotBody, when: recovers },
    'password.recover': { in: ['RECOVERY_CODE_REQUIRED'], body: recoverBody },
    'password.sendRecoveryCode': { in: ['RECOVERY_CODE_REQUIRED'], body: noBody },
    'usernamePassword.check': { in: ['ACCOUNT_LINKING_REQUIRED'], body: credentialsBody },
    'user.confirm': { in: ['ACCOUNT_CONFIRMATION_REQUIRED'], body: confirmBody },
    'user.register': { in: ['SIGN_ON_REQUIRED', 'ACCOUNT_LINKING_REQUIRED'], body: registerBody, when: registers },
    'user.verify': { in: ['VERIFICATION_CODE_REQUIRED'], body: verifyBody },
    'user.sendVerificationCode': { in: ['VERIFICATION_CODE_REQUIRED'], body: noBody },
    'session.reset': {
      in: ['RECOVERY_CODE_REQUIRED', 'EXTERNAL_AUTHENTICATION_REQUIRED', ...externalStatuses],
      body: noBody,
    },
  },
  setsPasswordIn: ['RECOVERY_CODE_REQUIRED'],
  methods: ['pwd', 'idp'],
  takesPasskeys,
  isPrimary: false,
  isDemandedBy: () => false,
  isSatisfied: (proofs, configured, { user, identifier, actionId }) =>
    (user !== null || identifier !== null) &&
    proofs.every(
      ({ provider, userVerified, ...proof }) =>
        (provider?.trustedBy !== 'IDENTIFIER_FIRST' || isConfigured(configured, provider.id)) &&
        (!userVerified || proof.actionId !== actionId || takesPasskeys(configured)),
    ),
  registersAt: (configured) => registersElsewhere(configured),
  external: {
    providers: ({ config: configured, slot, status }) => {
      if (status === 'EXTERNAL_AUTHENTICATION_REQUIRED') return slot.provider === undefined ? [] : [slot.provider]
      return status === 'SIGN_ON_REQUIRED' ? (configured.socialProviders ?? []).map(({ id }) => id) : []
    },
    request: () => ({ acrValues: null, passesUser: true }),
  },

  decide(turn): Decision<AccountSlot, Status> {
    const { event, user } = turn
    switch (event.type) {
      case 'enter':
        return { outcome: 'wait', status: 'SIGN_ON_REQUIRED', slot: freshAccountSlot, reason: 'identifier-needed' }
      case 'user.lookup':
        return { outcome: 'ask', question: { kind: 'lookUpUser', username: event.body.username } }
      case 'assertion.check':
        return askWhoseItIs(turn, event.body.origin)
      case 'session.reset':
        return { outcome: 'restart', reason: 'session-reset' }
      case 'password.forgot':
        return askForRecoveryCode(turn, event.body.username)
      case 'password.sendRecoveryCode':
        return askForRecoveryCode(turn, undefined)
      case 'password.recover':
        return askToRecover(turn)
      case 'user.register':
        return askToRegister(turn.config, event.body, turn.slot.pending)
      case 'usernamePassword.check':
        return askForOwnership(turn, event.body.username)
      case 'user.confirm':
        return confirm(turn, event.body)
      case 'external':
        return askForAccount(turn, event.authentication)
      case 'user.verify':
        if (!user) return { outcome: 'refuse', refusal: wrongCredentials }
        return { outcome: 'ask', question: { kind: 'verifyEmail', userId: user.id } }
      case 'user.sendVerificationCode':
        if (!user) return { outcome: 'refuse', refusal: wrongCredentials }
        return { outcome: 'ask', question: { kind: 'sendVerificationCode', userId: user.id } }
      case 'answer':
        return judge(event.answer, turn)
    }
  },
})

/** Whether users may be sent to this provider in the place of their password. */
function isConfigured({ socialProviders = [], discoveryRules = [] }: Config, providerId: string): boolean {
  return [...socialProviders, ...discoveryRules.map((rule) => rule.identityProvider)].some(
    ({ id }) => id === providerId,
  )
}

/**
 * The provider that signs on whoever has such a name, by the first rule that fits; whether anybody has it makes no
 * difference (row J29).
 */
function discovered({ discoveryRules = [] }: Config, identifier: string, facts: Facts): string | undefined {
  const name = identifier.toLowerCase()
  const fitting = discoveryRules.filter(({ condition }) => name.includes(condition.contains.toLowerCase()))
  const ids = fitting.map(({ identityProvider }) => identityProvider.id)
  return usableProviders(facts.configuration, ids)[0]?.id
}

type JudgedTurn = Pick<ActionTurn<Config, AccountSlot, unknown>, 'config' | 'slot' | 'status' | 'user' | 'facts'>

function judge(answer: Answer, turn: JudgedTurn): Decision<AccountSlot, Status> {
  const { slot, status } = turn
  switch (answer.to) {
    case 'lookUpUser': {
      const { identifier, user } = answer
      const provider = discovered(turn.config, identifier, turn.facts)
      if (provider !== undefined) {
        return {
          outcome: 'wait',
          status: 'EXTERNAL_AUTHENTICATION_REQUIRED',
          slot: { ...freshAccountSlot, provider },
          named: { identifier, user },
          reason: 'external-needed',
        }
      }
      return { outcome: 'identify', named: { identifier, user }, reason: 'user-named' }
    }
    case 'sendRecoveryCode':
      return awaitRecovery(answer)
    case 'recoverPassword':
      return judgeRecovery(answer)
    case 'registerUser':
      return judgeRegistration(answer, slot.pending)
    case 'sendVerificationCode':
      return awaitVerification(answer, slot, status === 'VERIFICATION_CODE_REQUIRED')
    case 'verifyEmail':
      return judgeVerification(answer, slot)
    case 'checkPasskey':
      return judgePasskey(answer)
    case 'checkPassword':
      return judgeOwnership(slot, answer)
    case 'findExternalAccount':
      return judgeAccount(turn, answer)
    case 'linkAccount':
      return judgeLink(slot, answer)
    case 'provisionUser':
      return judgeProvisioned(slot, answer)
    default:
      throw new Error('IDENTIFIER_FIRST asks nothing of the kind')
  }
}
