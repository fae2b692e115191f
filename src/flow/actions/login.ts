/**
 * LOGIN: prove who you are with username and password. authentication-api 4.2, 5.2; decision D6. A password that must be
 * changed proves nothing until it has been. Recovery, registration and verification are parts of their own in `account/`.
 *
 * Never: a difference between unknown user, disabled user and wrong password; a proof for anybody but the flow's user.
 */
import { z } from 'zod'
import { type ActionTurn, type Decision, defineAction, noBody } from '../action.ts'
import { isUsable } from '../facts.ts'
import { isSameIdentifier } from '../identifier.ts'
import type { Answer, AnswerTo } from '../question.ts'
import {
  lockedOut,
  otherUser,
  passwordUnsatisfied,
  valueMissing,
  wrongCredentials,
  wrongCurrentPassword,
} from '../refusal.ts'
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
  pass,
  verifyBody,
} from './account/verification.ts'
import { unavailable } from './unavailable.ts'
import { secret } from '../secret.ts'

const config = z.object({
  passkeys: passkeysConfig,
  recovery: recoveryConfig,
  registration: registrationConfig,
  socialProviders: z.array(providerReference).max(100).optional(),
  enforceLockoutForIdentityProviders: z.boolean().optional(),
  newUserProvisioning: z
    .object({
      gateways: z.array(z.object({ id: z.string(), type: z.string(), userType: z.object({ id: z.string() }) })),
    })
    .optional(),
})

const password = secret(z.string().min(1).max(1024))

type Status =
  | 'USERNAME_PASSWORD_REQUIRED'
  | 'PASSWORD_REQUIRED'
  | 'MUST_CHANGE_PASSWORD'
  | 'PASSWORD_EXPIRED'
  | 'RECOVERY_CODE_REQUIRED'
  | 'VERIFICATION_CODE_REQUIRED'
  | (typeof externalStatuses)[number]

export const login = defineAction({
  type: 'LOGIN',
  config,
  problems: (configured) => [
    ...registrationProblems(configured),
    ...unavailable(configured.newUserProvisioning?.gateways.length, 'newUserProvisioning.gateways'),
  ],
  conditionFacts: ['session', 'user'],
  needs: [],
  slot: accountSlot,
  freshSlot: freshAccountSlot,
  statuses: [
    'USERNAME_PASSWORD_REQUIRED',
    'PASSWORD_REQUIRED',
    'MUST_CHANGE_PASSWORD',
    'PASSWORD_EXPIRED',
    'RECOVERY_CODE_REQUIRED',
    'VERIFICATION_CODE_REQUIRED',
    ...externalStatuses,
  ],
  accepts: {
    'usernamePassword.check': {
      in: ['USERNAME_PASSWORD_REQUIRED', 'PASSWORD_REQUIRED', 'ACCOUNT_LINKING_REQUIRED'],
      body: credentialsBody,
    },
    'assertion.check': {
      in: ['USERNAME_PASSWORD_REQUIRED', 'PASSWORD_REQUIRED'],
      body: assertionBody,
      when: takesPasskeys,
    },
    'password.forgot': {
      in: ['USERNAME_PASSWORD_REQUIRED', 'PASSWORD_REQUIRED'],
      body: forgotBody,
      when: recovers,
    },
    'password.recover': { in: ['RECOVERY_CODE_REQUIRED'], body: recoverBody },
    'password.sendRecoveryCode': { in: ['RECOVERY_CODE_REQUIRED'], body: noBody },
    'password.reset': {
      in: ['MUST_CHANGE_PASSWORD', 'PASSWORD_EXPIRED'],
      body: z.object({ currentPassword: password, newPassword: password }),
    },
    'user.register': {
      in: ['USERNAME_PASSWORD_REQUIRED', 'ACCOUNT_LINKING_REQUIRED'],
      body: registerBody,
      when: registers,
    },
    'user.verify': { in: ['VERIFICATION_CODE_REQUIRED'], body: verifyBody },
    'user.sendVerificationCode': { in: ['VERIFICATION_CODE_REQUIRED'], body: noBody },
    'user.confirm': { in: ['ACCOUNT_CONFIRMATION_REQUIRED'], body: confirmBody },
    'session.reset': { in: ['PASSWORD_REQUIRED', 'RECOVERY_CODE_REQUIRED', ...externalStatuses], body: noBody },
  },
  setsPasswordIn: ['MUST_CHANGE_PASSWORD', 'PASSWORD_EXPIRED', 'RECOVERY_CODE_REQUIRED'],
  methods: ['pwd', 'idp'],
  takesPasskeys,
  isPrimary: true,
  isDemandedBy: (user) => user.password === 'MUST_CHANGE_PASSWORD' || user.verification === 'REQUIRED',
  isSatisfied: (proofs, { socialProviders = [], ...configured }) =>
    proofs.some(({ method, provider, userVerified }) => {
      if (method === 'pwd' || (userVerified && takesPasskeys(configured))) return true
      // IDENTIFIER_FIRST sends people elsewhere in the place of their password; IDENTITY_PROVIDER asks for it beside.
      const isOwn = provider?.trustedBy === 'LOGIN' && socialProviders.some(({ id }) => id === provider.id)
      return method === 'idp' && (isOwn || provider?.trustedBy === 'IDENTIFIER_FIRST')
    }),
  registersAt: (configured) => registersElsewhere(configured),
  external: {
    providers: ({ config: { socialProviders = [] }, status }) =>
      status === 'USERNAME_PASSWORD_REQUIRED' || status === 'PASSWORD_REQUIRED'
        ? socialProviders.map(({ id }) => id)
        : [],
    request: () => ({ acrValues: null, passesUser: false }),
  },

  decide(turn): Decision<AccountSlot, Status> {
    const { event, user, identifier } = turn
    switch (event.type) {
      case 'enter': {
        const isNamed = user !== null || identifier !== null
        return isNamed
          ? { outcome: 'wait', status: 'PASSWORD_REQUIRED', slot: freshAccountSlot, reason: 'password-needed' }
          : {
              outcome: 'wait',
              status: 'USERNAME_PASSWORD_REQUIRED',
              slot: freshAccountSlot,
              reason: 'credentials-needed',
            }
      }
      case 'session.reset':
        return { outcome: 'restart', reason: 'session-reset' }
      case 'usernamePassword.check': {
        const typed = event.body.username
        if (turn.status === 'ACCOUNT_LINKING_REQUIRED') return askForOwnership(turn, typed)
        if (user) return askToCheck(typed ?? null, user.id)
        // Nobody has the name that was typed before, and nobody shall be able to tell.
        if (identifier !== null && typed !== undefined && !isSameIdentifier(typed, identifier)) {
          return { outcome: 'refuse', refusal: otherUser }
        }
        const username = identifier ?? typed
        if (username === undefined) return { outcome: 'refuse', refusal: valueMissing('username') }
        return askToCheck(username, null)
      }
      case 'assertion.check':
        return askWhoseItIs(turn, event.body.origin)
      case 'password.reset':
        if (!user) return { outcome: 'refuse', refusal: wrongCredentials }
        return { outcome: 'ask', question: { kind: 'evaluateNewPassword', userId: user.id } }
      case 'password.forgot':
        return askForRecoveryCode(turn, event.body.username)
      case 'password.sendRecoveryCode':
        return askForRecoveryCode(turn, undefined)
      case 'password.recover':
        return askToRecover(turn)
      case 'user.register':
        return askToRegister(turn.config, event.body, turn.slot.pending)
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

type JudgedTurn = Pick<
  ActionTurn<z.infer<typeof config>, AccountSlot, unknown>,
  'config' | 'slot' | 'status' | 'user' | 'facts'
>

function askToCheck(username: string | null, userId: string | null): Decision<AccountSlot, Status> {
  return { outcome: 'ask', question: { kind: 'checkPassword', username, userId } }
}

function judge(answer: Answer, turn: JudgedTurn): Decision<AccountSlot, Status> {
  const { slot, status } = turn
  switch (answer.to) {
    case 'checkPassword':
      return slot.pending ? judgeOwnership(slot, answer) : judgePassword(answer)
    case 'checkPasskey':
      return judgePasskey(answer)
    case 'evaluateNewPassword':
      return judgeNewPassword(answer)
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
    case 'findExternalAccount':
      return judgeAccount(turn, answer)
    case 'linkAccount':
      return judgeLink(slot, answer)
    case 'provisionUser':
      return judgeProvisioned(slot, answer)
    default:
      throw new Error('LOGIN asks nothing of the kind')
  }
}

function judgePassword(answer: AnswerTo<'checkPassword'>): Decision<AccountSlot, Status> {
  switch (answer.result) {
    case 'rejected':
      return { outcome: 'refuse', refusal: wrongCredentials }
    case 'otherUser':
      return { outcome: 'refuse', refusal: otherUser }
    case 'lockedOut':
      return { outcome: 'refuse', refusal: lockedOut(answer.secondsUntilUnlock) }
    case 'accepted': {
      const { user } = answer
      if (!isUsable(user)) return { outcome: 'refuse', refusal: wrongCredentials }
      const slot = freshAccountSlot
      switch (answer.password) {
        case 'OK':
          return pass(user, ['pwd'], 'password-accepted')
        case 'MUST_CHANGE_PASSWORD':
          return { outcome: 'wait', status: 'MUST_CHANGE_PASSWORD', slot, user, reason: 'password-must-change' }
        case 'PASSWORD_EXPIRED':
          return { outcome: 'wait', status: 'PASSWORD_EXPIRED', slot, user, reason: 'password-expired' }
      }
    }
  }
}

function judgeNewPassword(answer: AnswerTo<'evaluateNewPassword'>): Decision<AccountSlot, Status> {
  switch (answer.result) {
    case 'wrongCurrent':
      return { outcome: 'refuse', refusal: wrongCurrentPassword }
    case 'unsatisfied':
      return { outcome: 'refuse', refusal: passwordUnsatisfied('newPassword', answer.requirements) }
    case 'lockedOut':
      return { outcome: 'refuse', refusal: lockedOut(answer.secondsUntilUnlock) }
    case 'accepted': {
      const { user } = answer
      return pass(user, ['pwd'], 'password-changed', [{ kind: 'setPassword', userId: user.id }])
    }
  }
}
