/**
 * Registering an account: authentication-api 4.2 `user.register`, 5.2. The password chosen counts once the e-mail
 * address is proved.
 *
 * Never: an attribute that decides what the user may do (row J34); a registration where the policy offers none (J33).
 */
import { z } from 'zod'
import type { Decision } from '../../action.ts'
import type { ExternalAuthentication } from '../../external-authentication.ts'
import type { AnswerTo } from '../../question.ts'
import { type Detail, notRegistered, passwordUnsatisfied } from '../../refusal.ts'
import { type RegistrationAttributes, registrationAttributes } from '../../user-attributes.ts'
import type { AccountSlot } from './verification.ts'
import { secret } from '../../secret.ts'

/** The part of an action's configuration that offers registration. */
export const registrationConfig = z
  .object({
    enabled: z.boolean(),
    external: z.object({ href: z.string() }).optional(),
    population: z.object({ id: z.string() }).optional(),
    confirmIdentityProviderAttributes: z.boolean().optional(),
  })
  .optional()

interface Configured {
  readonly registration?: z.infer<typeof registrationConfig>
}

/** Whether an action offers registration. */
export function registers({ registration }: Configured): boolean {
  return registration?.enabled === true
}

/** Where accounts are made instead; an action that offers registration has no such place (authentication-api 5.2). */
export function registersElsewhere({ registration }: Configured): string | undefined {
  return registration?.enabled ? undefined : registration?.external?.href
}

/** What is wrong with the registration of an action. */
export function registrationProblems({ registration }: Configured): Detail[] {
  if (!registration?.enabled || !registration.external) return []
  const target = 'registration.external'
  return [{ code: 'INVALID_VALUE', target, message: 'is for actions that offer no registration themselves' }]
}

/** `user.register`. */
export const registerBody = registrationAttributes.extend({ password: secret(z.string().min(1).max(1024)) })

/**
 * Asks for the account to be made.
 * @param pending who came back from a provider: the new account is linked to theirs there
 */
export function askToRegister(
  { registration }: Configured,
  attributes: RegistrationAttributes,
  pending?: ExternalAuthentication,
): Decision<never, never> {
  const populationId = registration?.population?.id ?? null
  const link = pending ? { providerId: pending.providerId, subject: pending.subject } : null
  return { outcome: 'ask', question: { kind: 'registerUser', attributes, populationId, link } }
}

/** The account is made, and a code that proves its address is on its way; or not. */
export function judgeRegistration(
  answer: AnswerTo<'registerUser'>,
  pending?: ExternalAuthentication,
): Decision<AccountSlot, 'VERIFICATION_CODE_REQUIRED'> {
  switch (answer.result) {
    case 'refused':
      return { outcome: 'refuse', refusal: notRegistered(answer.detail) }
    case 'unsatisfied':
      return { outcome: 'refuse', refusal: passwordUnsatisfied('password', answer.requirements) }
    case 'registered':
      return {
        outcome: 'wait',
        status: 'VERIFICATION_CODE_REQUIRED',
        slot: pending ? { proved: ['idp', 'pwd'], provider: pending.providerId } : { proved: ['pwd'] },
        user: answer.user,
        reason: 'registered',
      }
  }
}
