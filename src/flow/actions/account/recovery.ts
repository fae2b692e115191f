/**
 * Recovering a forgotten password by a code: authentication-api 4.2 `password.forgot`, `password.sendRecoveryCode`,
 * `password.recover`; decision D7. The code proves who holds the e-mail address; with it a new password is set, and that
 * is the password proved.
 *
 * Never: a difference between somebody who can recover a password and anybody else, before the code is right (row K12);
 * a new password without the code (row J15).
 */
import { z } from 'zod'
import type { Decision } from '../../action.ts'
import type { Facts } from '../../facts.ts'
import { isSameIdentifier, longestIdentifier } from '../../identifier.ts'
import type { AnswerTo } from '../../question.ts'
import { lockedOut, otherUser, passwordUnsatisfied, tooManyCodes, valueMissing, wrongCode } from '../../refusal.ts'
import { type AccountSlot, freshAccountSlot, pass } from './verification.ts'
import { secret } from '../../secret.ts'

/** The part of an action's configuration that offers recovery. */
export const recoveryConfig = z.object({ enabled: z.boolean() }).optional()

/** Whether an action offers recovery. */
export function recovers({ recovery }: { readonly recovery?: z.infer<typeof recoveryConfig> }): boolean {
  return recovery?.enabled === true
}

/** `password.forgot`. */
export const forgotBody = z.object({ username: z.string().min(1).max(longestIdentifier).optional() })

/** `password.recover`. */
export const recoverBody = z.object({
  recoveryCode: secret(z.string().min(1).max(64)),
  newPassword: secret(z.string().min(1).max(1024)),
})

interface Known {
  readonly user: { readonly id: string } | null
  readonly identifier: string | null
}

/**
 * Begins a recovery, or has a new code sent. Once the flow is about somebody, or about a name that nobody has, no other
 * name begins one: to whom the code goes, and whom the page names, would tell which of the two it is.
 */
export function askForRecoveryCode(
  { user, identifier, facts }: Known & { readonly facts: Facts },
  username: string | undefined,
): Decision<never, never> {
  const own = identifier ?? (user ? facts.user?.attributes['username'] : undefined)
  if (username !== undefined && typeof own === 'string' && !isSameIdentifier(username, own)) {
    return { outcome: 'refuse', refusal: otherUser }
  }
  const name = identifier ?? username ?? null
  if (name === null && !user) return { outcome: 'refuse', refusal: valueMissing('username') }
  return { outcome: 'ask', question: { kind: 'sendRecoveryCode', userId: user?.id ?? null, identifier: name ?? '' } }
}

/** Waits for the code, whether or not one was sent. */
export function awaitRecovery(answer: AnswerTo<'sendRecoveryCode'>): Decision<AccountSlot, 'RECOVERY_CODE_REQUIRED'> {
  if (answer.result === 'lockedOut') return { outcome: 'refuse', refusal: tooManyCodes(answer.secondsUntilUnlock) }
  return {
    outcome: 'wait',
    status: 'RECOVERY_CODE_REQUIRED',
    slot: freshAccountSlot,
    named: { identifier: answer.identifier, user: answer.user },
    reason: 'recovery-begun',
  }
}

/** Tries the code with a new password. */
export function askToRecover({ user, identifier }: Known): Decision<never, never> {
  const question = { kind: 'recoverPassword', userId: user?.id ?? null, identifier: identifier ?? '' } as const
  return { outcome: 'ask', question }
}

/** The code was right and the password is set, or not. */
export function judgeRecovery(
  answer: AnswerTo<'recoverPassword'>,
): Decision<AccountSlot, 'VERIFICATION_CODE_REQUIRED'> {
  switch (answer.result) {
    case 'wrongCode':
      return { outcome: 'refuse', refusal: wrongCode('recoveryCode') }
    case 'lockedOut':
      return { outcome: 'refuse', refusal: lockedOut(answer.secondsUntilUnlock) }
    case 'unsatisfied':
      return { outcome: 'refuse', refusal: passwordUnsatisfied('newPassword', answer.requirements) }
    case 'accepted':
      return pass(answer.user, ['pwd'], 'password-recovered')
  }
}
