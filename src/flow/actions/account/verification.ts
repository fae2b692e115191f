/**
 * Proving the e-mail address of an account that has to be verified: authentication-api 4.2 `user.verify`,
 * `user.sendVerificationCode`. Part of the actions that sign users on by password.
 *
 * Never: a password that counts before the address does, where the account has to be verified (row J20).
 */
import { z } from 'zod'
import type { Decision } from '../../action.ts'
import { externalAuthentication } from '../../external-authentication.ts'
import type { UserFacts } from '../../facts.ts'
import { type Authenticator, authenticators } from '../../proof.ts'
import type { AnswerTo, Effect } from '../../question.ts'
import type { TransitionReason } from '../../reasons.ts'
import { tooManyCodes, tooManyTries, wrongCode } from '../../refusal.ts'
import { secret } from '../../secret.ts'

/** What the actions of an account remember; methods that were shown count once the address is proved. */
export const accountSlot = z.strictObject({
  proved: z.array(z.enum(authenticators)),
  /** The provider that vouches for what was shown, or the one the user is sent to. */
  provider: z.string().exactOptional(),
  /** Who came back from a provider and whose account is not settled yet. */
  pending: externalAuthentication.exactOptional(),
  /** Whether they have confirmed what the provider said. */
  isConfirmed: z.boolean().exactOptional(),
  /** Whether it was shown by a passkey. */
  isPasskey: z.literal(true).exactOptional(),
})

export type AccountSlot = z.infer<typeof accountSlot>

export const freshAccountSlot: AccountSlot = { proved: [] }

/** `user.verify`. */
export const verifyBody = z.object({ verificationCode: secret(z.string().min(1).max(64)) })

type Verifying = Decision<AccountSlot, 'VERIFICATION_CODE_REQUIRED'>

/** By what the methods were shown that need something beside the account. */
type ShownBy = Pick<AccountSlot, 'provider' | 'isPasskey'>

/** These methods were shown. They count at once, unless the account has to be verified first: then a code is sent. */
export function pass(
  user: UserFacts,
  shown: readonly Authenticator[],
  reason: TransitionReason,
  effects: readonly Effect[] = [],
  shownBy: ShownBy = {},
): Verifying {
  if (user.verification === 'OK') {
    return { outcome: 'prove', methods: shown, user, effects, reason, ...vouching(shownBy) }
  }
  const question = { kind: 'sendVerificationCode', userId: user.id } as const
  return { outcome: 'ask', question, slot: { proved: [...shown], ...shownBy }, user, effects }
}

function vouching({ provider, isPasskey }: ShownBy) {
  return {
    ...(provider === undefined ? {} : { provider }),
    ...(isPasskey ? ({ factor: 'FIDO2', shows: 'pop', userVerified: true } as const) : {}),
  }
}

/** A code was sent, or may not be sent again yet; one that was sent before is still good. */
export function awaitVerification(
  answer: AnswerTo<'sendVerificationCode'>,
  slot: AccountSlot,
  isWaiting: boolean,
): Verifying {
  if (answer.result === 'lockedOut' && isWaiting) {
    return { outcome: 'refuse', refusal: tooManyCodes(answer.secondsUntilUnlock) }
  }
  return { outcome: 'wait', status: 'VERIFICATION_CODE_REQUIRED', slot, reason: 'verification-needed' }
}

/** The address is proved, and with it counts what was shown before. */
export function judgeVerification(answer: AnswerTo<'verifyEmail'>, { proved, ...shownBy }: AccountSlot): Verifying {
  switch (answer.result) {
    case 'wrongCode':
      return { outcome: 'refuse', refusal: wrongCode('verificationCode') }
    case 'lockedOut':
      return { outcome: 'refuse', refusal: tooManyTries('verificationCode', answer.secondsUntilUnlock) }
    case 'accepted':
      return {
        outcome: 'prove',
        methods: proved,
        user: answer.user,
        reason: 'email-verified',
        ...vouching(shownBy),
      }
  }
}
