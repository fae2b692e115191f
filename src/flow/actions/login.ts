/**
 * LOGIN: prove who you are with username and password. authentication-api 4.2 (`usernamePassword.check`,
 * `password.reset`, `session.reset`), 5.2; decision D6. A password that must be changed proves nothing until it has been.
 *
 * Never: a difference between unknown user, disabled user and wrong password; a proof for anybody but the flow's user.
 */
import { z } from 'zod'
import { type Decision, defineAction, secret } from '../action.ts'
import { isUsable } from '../facts.ts'
import type { Answer } from '../question.ts'
import type { Detail } from '../refusal.ts'
import {
  lockedOut,
  otherUser,
  passwordUnsatisfied,
  valueMissing,
  wrongCredentials,
  wrongCurrentPassword,
} from '../refusal.ts'

const reference = z.object({ id: z.string() })

const config = z.object({
  recovery: z.object({ enabled: z.boolean() }).optional(),
  registration: z
    .object({
      enabled: z.boolean(),
      external: z.object({ href: z.string() }).optional(),
      population: reference.optional(),
      confirmIdentityProviderAttributes: z.boolean().optional(),
    })
    .optional(),
  socialProviders: z.array(reference).optional(),
  enforceLockoutForIdentityProviders: z.boolean().optional(),
  newUserProvisioning: z
    .object({ gateways: z.array(z.object({ id: z.string(), type: z.string(), userType: reference })) })
    .optional(),
})

const password = secret(z.string().min(1).max(1024))

type Status = 'USERNAME_PASSWORD_REQUIRED' | 'PASSWORD_REQUIRED' | 'MUST_CHANGE_PASSWORD' | 'PASSWORD_EXPIRED'

export const login = defineAction({
  type: 'LOGIN',
  config,
  problems: (configured) => [
    ...unavailable(configured.recovery?.enabled, 'recovery.enabled'),
    ...unavailable(configured.registration?.enabled, 'registration.enabled'),
    ...unavailable(configured.registration?.external, 'registration.external'),
    ...unavailable(configured.socialProviders?.length, 'socialProviders'),
    ...unavailable(configured.enforceLockoutForIdentityProviders, 'enforceLockoutForIdentityProviders'),
    ...unavailable(configured.newUserProvisioning?.gateways.length, 'newUserProvisioning.gateways'),
  ],
  conditionFacts: ['session', 'user'],
  needs: [],
  slot: z.null(),
  freshSlot: null,
  statuses: ['USERNAME_PASSWORD_REQUIRED', 'PASSWORD_REQUIRED', 'MUST_CHANGE_PASSWORD', 'PASSWORD_EXPIRED'],
  accepts: {
    'usernamePassword.check': {
      in: ['USERNAME_PASSWORD_REQUIRED', 'PASSWORD_REQUIRED'],
      body: z.object({ username: z.string().min(1).max(256).optional(), password }),
    },
    'password.reset': {
      in: ['MUST_CHANGE_PASSWORD', 'PASSWORD_EXPIRED'],
      body: z.object({ currentPassword: password, newPassword: password }),
    },
    'session.reset': { in: ['PASSWORD_REQUIRED'], body: z.object({}) },
  },
  setsPasswordIn: ['MUST_CHANGE_PASSWORD', 'PASSWORD_EXPIRED'],
  methods: ['pwd'],
  isPrimary: true,
  isDemandedBy: (user) => user.password === 'MUST_CHANGE_PASSWORD',
  isSatisfied: (proofs) => proofs.some(({ method }) => method === 'pwd'),

  decide({ event, user }): Decision<null, Status> {
    switch (event.type) {
      case 'enter':
        return user
          ? { outcome: 'wait', status: 'PASSWORD_REQUIRED', slot: null, reason: 'password-needed' }
          : { outcome: 'wait', status: 'USERNAME_PASSWORD_REQUIRED', slot: null, reason: 'credentials-needed' }
      case 'session.reset':
        return { outcome: 'restart', reason: 'session-reset' }
      case 'usernamePassword.check': {
        const username = event.body.username ?? null
        if (username === null && !user) return { outcome: 'refuse', refusal: valueMissing('username') }
        return { outcome: 'ask', question: { kind: 'checkPassword', username, userId: user?.id ?? null } }
      }
      case 'password.reset':
        if (!user) return { outcome: 'refuse', refusal: wrongCredentials }
        return { outcome: 'ask', question: { kind: 'evaluateNewPassword', userId: user.id } }
      case 'answer':
        return event.answer.to === 'checkPassword' ? judgePassword(event.answer) : judgeNewPassword(event.answer)
    }
  },
})

function judgePassword(answer: Extract<Answer, { to: 'checkPassword' }>): Decision<null, Status> {
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
      switch (answer.password) {
        case 'OK':
          return { outcome: 'prove', methods: ['pwd'], user, reason: 'password-accepted' }
        case 'MUST_CHANGE_PASSWORD':
          return { outcome: 'wait', status: 'MUST_CHANGE_PASSWORD', slot: null, user, reason: 'password-must-change' }
        case 'PASSWORD_EXPIRED':
          return { outcome: 'wait', status: 'PASSWORD_EXPIRED', slot: null, user, reason: 'password-expired' }
      }
    }
  }
}

function judgeNewPassword(answer: Extract<Answer, { to: 'evaluateNewPassword' }>): Decision<null, Status> {
  switch (answer.result) {
    case 'wrongCurrent':
      return { outcome: 'refuse', refusal: wrongCurrentPassword }
    case 'unsatisfied':
      return { outcome: 'refuse', refusal: passwordUnsatisfied(answer.requirements) }
    case 'lockedOut':
      return { outcome: 'refuse', refusal: lockedOut(answer.secondsUntilUnlock) }
    case 'accepted': {
      const { user } = answer
      const effects = [{ kind: 'setPassword', userId: user.id }] as const
      return { outcome: 'prove', methods: ['pwd'], user, effects, reason: 'password-changed' }
    }
  }
}

/** Recovery, registration, social sign-on and gateways do not exist yet: switched on, they are refused, not ignored. */
function unavailable(switchedOn: unknown, target: string): Detail[] {
  return switchedOn ? [{ code: 'INVALID_VALUE', target, message: 'is not available in this version of Stile' }] : []
}
