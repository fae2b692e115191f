/**
 * Signing on by a passkey alone, an extension (D24): `assertion.check` where username or password is asked for. Which
 * device it is and that it has verified its user are two factors in one. Rows J26, L22, L25, L28. Part of the actions
 * that sign users on by password.
 *
 * Never: a word of who has a passkey; a passkey of anybody but the user that the flow is about, once it is about one,
 * whether or not somebody has the name that was typed (D7).
 */
import { z } from 'zod'
import type { Decision } from '../../action.ts'
import { isUsable } from '../../facts.ts'
import type { AnswerTo } from '../../question.ts'
import { tooManyTries, wrongAssertion } from '../../refusal.ts'
import { type AccountSlot, pass } from './verification.ts'

/** The part of an action's configuration that offers it. */
export const passkeysConfig = z
  .object({ enabled: z.boolean() })
  .optional()
  .describe('Extension: whether users may sign on with a passkey in the place of username and password.')

/** Whether an action offers it. */
export function takesPasskeys({ passkeys }: { readonly passkeys?: z.infer<typeof passkeysConfig> }): boolean {
  return passkeys?.enabled === true
}

/** The statuses in which it is offered. */
const statuses: readonly string[] = ['USERNAME_PASSWORD_REQUIRED', 'PASSWORD_REQUIRED', 'SIGN_ON_REQUIRED']

/** Whether a flow waits for a passkey of whoever it may be, so that it shows a challenge for one. */
export function asksForPasskey(flow: { readonly status: string; readonly offers: readonly string[] }): boolean {
  return statuses.includes(flow.status) && flow.offers.includes('assertion.check')
}

interface Known {
  readonly user: { readonly id: string } | null
  readonly identifier: string | null
}

/** Whose passkey has signed? */
export function askWhoseItIs({ user, identifier }: Known, origin: string): Decision<never, never> {
  const isNamed = user !== null || identifier !== null
  return { outcome: 'ask', question: { kind: 'checkPasskey', isNamed, userId: user?.id ?? null, origin } }
}

/** It is the passkey of somebody who may sign on, or not. */
export function judgePasskey(answer: AnswerTo<'checkPasskey'>): Decision<AccountSlot, 'VERIFICATION_CODE_REQUIRED'> {
  switch (answer.result) {
    case 'rejected':
      return { outcome: 'refuse', refusal: wrongAssertion }
    case 'lockedOut':
      return { outcome: 'refuse', refusal: tooManyTries('assertion', answer.secondsUntilUnlock) }
    case 'accepted':
      if (!isUsable(answer.user)) return { outcome: 'refuse', refusal: wrongAssertion }
      return pass(answer.user, ['mfa'], 'passkey-accepted', [], { isPasskey: true })
  }
}
