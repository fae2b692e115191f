/**
 * How the management API refuses a password: platform-api 3.6, authentication-api 7.3 and 7.4.
 *
 * Never: the password, or a hint at what was wrong with a guess.
 */
import { z } from 'zod'
import type { MissedRequirement } from '../directory/password-change.ts'
import { isEncoded, readImportedHash } from '../directory/passwords/imported-hash.ts'
import { invalidData, type Problem, problem } from '../errors/problem.ts'

/** The member of the body that holds the password, or the code that stands for it. */
export type PasswordTarget = 'password' | 'currentPassword' | 'newPassword' | 'recoveryCode'

/** A new password that misses requirements of the policy; each is named, and explained in a member of its own. */
export function passwordUnsatisfied(
  target: 'password' | 'newPassword',
  requirements: readonly MissedRequirement[],
): Problem {
  const subject = target === 'password' ? 'User password' : 'New password'
  const message = `${subject} did not satisfy password policy requirements`
  return invalidData('INVALID_VALUE', target, message, {
    unsatisfiedRequirements: requirements.map(({ name }) => name),
    ...Object.fromEntries(requirements.map(({ name, message: text }) => [name, text])),
  })
}

/** A guess that was wrong; how many more there are, where one was spent. */
export function passwordWrong(target: PasswordTarget, failuresRemaining: number | undefined): Problem {
  const message = 'The provided password did not match provisioned password'
  return invalidData(
    'INVALID_VALUE',
    target,
    message,
    failuresRemaining === undefined ? undefined : { failuresRemaining },
  )
}

/** Too many wrong guesses. */
export function passwordLockedOut(target: PasswordTarget, secondsUntilUnlock: number): Problem {
  const message = 'Too many unsuccessful attempts. The password is temporarily locked.'
  return invalidData('PASSWORD_LOCKED_OUT', target, message, { secondsUntilUnlock })
}

/** The user has no password. */
export function noPassword(): Problem {
  return invalidData('NO_PASSWORD', 'password', 'The user has no password.')
}

/** The password has been changed by somebody else while this request was judging it. */
export function passwordChangedMeanwhile(): Problem {
  return problem('REQUEST_FAILED', {
    details: [{ code: 'CONSTRAINT_VIOLATION', target: 'password', message: 'The password was changed meanwhile.' }],
  })
}

/** A disabled or locked user: no password of theirs is right. */
export function accountNotUsable(): Problem {
  return problem('REQUEST_FAILED', {
    details: [{ code: 'CONSTRAINT_VIOLATION', message: 'The account of the user is disabled or locked.' }],
  })
}

/** A code that was sent is not this one, is too old or was used. */
export function codeWrong(target: 'recoveryCode' | 'verificationCode'): Problem {
  return invalidData('INVALID_VALUE', target, 'The code is not valid.')
}

/** Too many wrong codes; no more are looked at for a while. */
export function tooManyTries(target: string, secondsUntilUnlock: number): Problem {
  const message = 'Too many wrong codes. Wait before you try another one.'
  return invalidData('LIMIT_EXCEEDED', target, message, { secondsUntilUnlock })
}

/** Too many codes were sent; no more are for a while. */
export function tooManyCodes(seconds: number): Problem {
  const message = 'Too many codes were sent. Use the last one, or wait before you ask for another.'
  const details = [{ code: 'LIMIT_EXCEEDED', message, innerError: { secondsUntilUnlock: seconds } } as const]
  return problem('LIMITED', { details, headers: { 'retry-after': String(seconds) } })
}

/** A code in a body. */
export const typedCode = z.string().min(1).max(64)

/** A password in a body; longer ones than the rules look at are refused unseen. */
export const typedPassword = z.string().max(4096, { abort: true })

/** A password in a body that sets one and takes it in clear alone: encoded ones nobody could judge. */
export const clearPassword = typedPassword.refine((value) => !isEncoded(value), 'must be in clear')

/** A password in a body that sets one for another person: in clear, or as another system encoded it. */
export const givenPassword = typedPassword.refine(
  (value) => !isEncoded(value) || readImportedHash(value) !== undefined,
  'must be in clear or an encoded password of a known kind and a bearable cost',
)
