/**
 * Refusals: a request that does not fit. The flow stays exactly as it was and the client may try again. The shape is
 * PingOne's error (authentication-api 7.1-7.4; decisions D5, D6); the caller adds id and text of the top-level code.
 *
 * Never: a difference between unknown, disabled and wrong (D6), or a value that the client sent.
 */
import type { RefusalReason } from './reasons.ts'

/** One entry of `details`. */
export interface Detail {
  readonly code:
    | 'CONSTRAINT_VIOLATION'
    | 'INVALID_CREDENTIALS'
    | 'INVALID_OTP'
    | 'INVALID_VALUE'
    | 'LIMIT_EXCEEDED'
    | 'OUT_OF_RANGE'
    | 'PASSWORD_LOCKED_OUT'
    | 'REQUIRED_VALUE'
    | 'UNIQUENESS_VIOLATION'
  readonly message: string
  readonly target?: string
  readonly innerError?: Readonly<Record<string, unknown>>
}

/** What the client is told, and why, for the audit event. */
export interface Refusal {
  readonly status: 400 | 404 | 429
  readonly code: 'INVALID_DATA' | 'INVALID_REQUEST' | 'NOT_FOUND' | 'REQUEST_LIMITED'
  readonly details: readonly Detail[]
  readonly reason: RefusalReason
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number
}

/** One requirement of the password policy that a new password misses; `name` as in authentication-api 7.4. */
export interface UnsatisfiedRequirement {
  readonly name: string
  readonly message: string
}

function invalidData(reason: RefusalReason, ...details: readonly Detail[]): Refusal {
  return { status: 400, code: 'INVALID_DATA', details, reason }
}

/** The flow is over and gone: the same answer as for one that never existed. */
export const flowGone: Refusal = { status: 404, code: 'NOT_FOUND', details: [], reason: 'flow-gone' }

/** The flow cannot be resumed before it is completed or failed. */
export const notFinished: Refusal = { status: 400, code: 'INVALID_REQUEST', details: [], reason: 'not-finished' }

/** A known action that the status of the flow does not allow (D5). */
export const actionNotAllowed: Refusal = {
  status: 400,
  code: 'INVALID_REQUEST',
  details: [],
  reason: 'action-not-allowed',
}

/** Unknown user, disabled user, wrong password: one text for all (D6). */
export const wrongCredentials: Refusal = invalidData('wrong-credentials', {
  code: 'INVALID_CREDENTIALS',
  message: 'Invalid username and/or password.',
})

/** The flow already has a user and the username names somebody else. */
export const otherUser: Refusal = invalidData('other-user', {
  code: 'INVALID_VALUE',
  target: 'username',
  message: 'The username does not match the user of this flow.',
})

/** `currentPassword` is wrong. */
export const wrongCurrentPassword: Refusal = invalidData('wrong-current-password', {
  code: 'INVALID_VALUE',
  target: 'currentPassword',
  message: 'The provided password did not match provisioned password',
})

/** A member of the body that has to be there. */
export function valueMissing(...targets: readonly string[]): Refusal {
  const details = targets.map((target) => ({ code: 'REQUIRED_VALUE', target, message: 'must not be null' }) as const)
  return invalidData('value-missing', ...details)
}

/** A body that is no JSON object at all. */
export const notAnObject: Refusal = { status: 400, code: 'INVALID_REQUEST', details: [], reason: 'malformed-body' }

/** A body whose members are not what the media type holds. */
export function malformedBody(details: readonly Detail[]): Refusal {
  return invalidData('malformed-body', ...details)
}

/** The password is locked after too many failures. */
export function lockedOut(secondsUntilUnlock: number): Refusal {
  return invalidData('locked-out', {
    code: 'PASSWORD_LOCKED_OUT',
    message: 'Too many unsuccessful sign-on attempts. The password is temporarily locked.',
    innerError: { secondsUntilUnlock },
  })
}

/** A code that was sent is not this one, is too old or was used. */
export function wrongCode(target: string): Refusal {
  return invalidData('wrong-code', { code: 'INVALID_VALUE', target, message: 'The code is not valid.' })
}

/** A passcode is wrong, too old or used (authentication-api 4.2 `otp.check`). */
export const wrongPasscode: Refusal = invalidData('wrong-code', {
  code: 'INVALID_OTP',
  target: 'otp',
  message: 'The passcode is not valid.',
})

/** There is no declining the agreement (authentication-api 5.4 `disableDeclineOption`). */
export const consentRequired: Refusal = invalidData('consent-required', {
  code: 'INVALID_VALUE',
  target: 'accept',
  message: 'The agreement has to be accepted.',
})

/** No device of the user has signed the challenge in time (authentication-api 4.2 `assertion.check`). */
export const wrongAssertion: Refusal = invalidData('wrong-assertion', {
  code: 'INVALID_VALUE',
  target: 'assertion',
  message: 'The assertion is not valid.',
})

/** The user has no such device that may be used now: the same for one of somebody else (row L01). */
export const noSuchDevice: Refusal = invalidData('no-such-device', {
  code: 'INVALID_VALUE',
  target: 'device.id',
  message: 'The device cannot be used.',
})

/** The request that an app answers is not one that is waited for: the same for unknown, answered, late and foreign. */
export const noSuchRequest: Refusal = { status: 404, code: 'NOT_FOUND', details: [], reason: 'no-such-request' }

/** Too many wrong codes; no more are looked at for a while. */
export function tooManyTries(target: string, secondsUntilUnlock: number): Refusal {
  const message = 'Too many wrong codes. Wait before you try another one.'
  return invalidData('locked-out', { code: 'LIMIT_EXCEEDED', target, message, innerError: { secondsUntilUnlock } })
}

/** Too many codes were sent; no more are for a while. */
export function tooManyCodes(seconds: number): Refusal {
  const message = 'Too many codes were sent. Use the last one, or wait before you ask for another.'
  const detail: Detail = { code: 'LIMIT_EXCEEDED', message, innerError: { secondsUntilUnlock: seconds } }
  return { status: 429, code: 'REQUEST_LIMITED', details: [detail], reason: 'too-many-codes', retryAfter: seconds }
}

/** Nothing waits to be confirmed or linked. */
export const accountNotConfirmed: Refusal = {
  status: 400,
  code: 'INVALID_REQUEST',
  details: [],
  reason: 'account-not-confirmed',
}

/** One of the two accounts is linked to another one. */
export const alreadyLinked: Refusal = invalidData('already-linked', {
  code: 'CONSTRAINT_VIOLATION',
  message: 'The account is already linked to another one.',
})

/** A password that has to be changed shows nothing until it has been. */
export const passwordChangeFirst: Refusal = invalidData('password-change-first', {
  code: 'CONSTRAINT_VIOLATION',
  target: 'password',
  message: 'The password has to be changed by signing on with it first.',
})

/** An attribute of a registration cannot be had. */
export function notRegistered(detail: Detail): Refusal {
  return invalidData('not-registered', detail)
}

/** A new password misses requirements of the password policy. */
export function passwordUnsatisfied(
  target: 'newPassword' | 'password',
  requirements: readonly UnsatisfiedRequirement[],
): Refusal {
  const texts = Object.fromEntries(requirements.map(({ name, message }) => [name, message]))
  return invalidData('password-unsatisfied', {
    code: 'INVALID_VALUE',
    target,
    message: 'New password did not satisfy password policy requirements',
    innerError: { unsatisfiedRequirements: requirements.map(({ name }) => name), ...texts },
  })
}
