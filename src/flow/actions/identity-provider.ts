/**
 * IDENTITY_PROVIDER: prove who you are at an identity provider. authentication-api 3.5, 5.4; rows M14, M16. What the
 * policy asks for after it is asked for here, whatever the provider did.
 *
 * Never: a sign-on by another provider than the one that is configured; a provider that is disabled or gone.
 */
import { z } from 'zod'
import { type Decision, defineAction, noBody } from '../action.ts'
import { usableProviders } from '../external-authentication.ts'
import { wrongCredentials } from '../refusal.ts'
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

type Status = 'EXTERNAL_AUTHENTICATION_REQUIRED' | 'VERIFICATION_CODE_REQUIRED' | (typeof externalStatuses)[number]

export const identityProvider = defineAction({
  type: 'IDENTITY_PROVIDER',
  config: z.object({
    identityProvider: providerReference,
    acrValues: z
      .string()
      .max(1024)
      .regex(/^[\x20-\x7e]+$/)
      .optional(),
    passUserContext: z.boolean().optional(),
    registration: registrationConfig,
  }),
  problems: (configured) => unavailable(configured.registration?.external, 'registration.external'),
  conditionFacts: ['session', 'user'],
  needs: [],
  slot: accountSlot,
  freshSlot: freshAccountSlot,
  statuses: ['EXTERNAL_AUTHENTICATION_REQUIRED', 'VERIFICATION_CODE_REQUIRED', ...externalStatuses],
  accepts: {
    'usernamePassword.check': { in: ['ACCOUNT_LINKING_REQUIRED'], body: credentialsBody },
    'user.confirm': { in: ['ACCOUNT_CONFIRMATION_REQUIRED'], body: confirmBody },
    'user.register': { in: ['ACCOUNT_LINKING_REQUIRED'], body: registerBody, when: registers },
    'user.verify': { in: ['VERIFICATION_CODE_REQUIRED'], body: verifyBody },
    'user.sendVerificationCode': { in: ['VERIFICATION_CODE_REQUIRED'], body: noBody },
    'session.reset': { in: ['EXTERNAL_AUTHENTICATION_REQUIRED', ...externalStatuses], body: noBody },
  },
  setsPasswordIn: [],
  methods: ['idp'],
  isPrimary: true,
  isDemandedBy: () => false,
  isSatisfied: (proofs, configured) =>
    proofs.some(({ method, provider }) => method === 'idp' && provider?.id === configured.identityProvider.id),
  external: {
    providers: ({ config, status }) =>
      status === 'EXTERNAL_AUTHENTICATION_REQUIRED' ? [config.identityProvider.id] : [],
    request: ({ acrValues = null, passUserContext = false }) => ({ acrValues, passesUser: passUserContext }),
  },

  decide(turn): Decision<AccountSlot, Status> {
    const { event, slot, status, user, config, facts } = turn
    switch (event.type) {
      case 'enter':
        return usableProviders(facts.configuration, [config.identityProvider.id]).length > 0
          ? {
              outcome: 'wait',
              status: 'EXTERNAL_AUTHENTICATION_REQUIRED',
              slot: freshAccountSlot,
              reason: 'external-needed',
            }
          : { outcome: 'fail', failure: 'IDENTITY_PROVIDER_NOT_AVAILABLE', reason: 'provider-not-available' }
      case 'external':
        return askForAccount(turn, event.authentication)
      case 'session.reset':
        return { outcome: 'restart', reason: 'session-reset' }
      case 'user.confirm':
        return confirm(turn, event.body)
      case 'usernamePassword.check':
        return askForOwnership(turn, event.body.username)
      case 'user.register':
        return askToRegister(config, event.body, slot.pending)
      case 'user.verify':
        if (!user) return { outcome: 'refuse', refusal: wrongCredentials }
        return { outcome: 'ask', question: { kind: 'verifyEmail', userId: user.id } }
      case 'user.sendVerificationCode':
        if (!user) return { outcome: 'refuse', refusal: wrongCredentials }
        return { outcome: 'ask', question: { kind: 'sendVerificationCode', userId: user.id } }
      case 'answer':
        switch (event.answer.to) {
          case 'findExternalAccount':
            return judgeAccount(turn, event.answer)
          case 'linkAccount':
            return judgeLink(slot, event.answer)
          case 'provisionUser':
            return judgeProvisioned(slot, event.answer)
          case 'checkPassword':
            return judgeOwnership(slot, event.answer)
          case 'registerUser':
            return judgeRegistration(event.answer, slot.pending)
          case 'sendVerificationCode':
            return awaitVerification(event.answer, slot, status === 'VERIFICATION_CODE_REQUIRED')
          case 'verifyEmail':
            return judgeVerification(event.answer, slot)
          case 'callWebhook':
          case 'evaluateNewPassword':
          case 'lookUpUser':
          case 'recoverPassword':
          case 'sendRecoveryCode':
          case 'sendPasscode':
          case 'checkPasscode':
          case 'updateProfile':
          case 'recordConsent':
            throw new Error('IDENTITY_PROVIDER asks nothing of the kind')
        }
    }
  },
})
