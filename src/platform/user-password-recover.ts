/**
 * Recovering a password through the management API: `POST ~/users/{userId}/password` with `password.sendRecoveryCode` and
 * `password.recover`, platform-api 1.13 and 3.6. Whoever has the code sets the password; the caller only has to reach the
 * user. Other than a flow, which must not tell anybody apart, this names what stands in the way.
 *
 * Never: the code in an answer (row K38).
 */
import { z } from 'zod'
import { vendorMediaType } from '../contract/media-type.ts'
import { defineOperation, type Operation } from '../contract/operation.ts'
import { recoverPassword, sendRecoveryCode } from '../directory/recovery.ts'
import { canAuthenticate } from '../directory/users.ts'
import { problem } from '../errors/problem.ts'
import { secondsUntil } from '../limits/guesses.ts'
import { AlreadyConsumed, Stale } from '../storage/refusals.ts'
import {
  accountNotUsable,
  clearPassword,
  codeWrong,
  noPassword,
  passwordLockedOut,
  passwordUnsatisfied,
  tooManyCodes,
  typedCode,
} from './password-refusals.ts'
import { passwordBody, passwordResource, reachedPassword } from './user-password-state.ts'
import { common, partOfUser } from './user-routes.ts'

const reach = { permission: 'idm:set:userPassword', self: 'p1:reset:userPassword' } as const

const declared = {
  ...common,
  ...partOfUser('/password'),
  source: 'platform-api 3.6',
  method: 'POST',
  permission: { kind: 'role', population: true, ...reach },
  replies: { 200: passwordResource },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND', 'LIMITED', 'UNAVAILABLE'],
} as const

const sendCode = defineOperation({
  ...declared,
  id: 'sendPasswordRecoveryCode',
  summary: 'Send a user a code to recover the password with',
  mediaTypes: [vendorMediaType('password.sendRecoveryCode')],
  body: { kind: 'json', schema: z.object({}) },
  event: 'PASSWORD.RECOVERY_CODE_SENT',
  async handle({ params: { userId } }, context) {
    const { kernel, environment, now, record } = context
    const { reached, stored } = await reachedPassword(context, userId, reach)
    const { user, passwordLockedUntil } = reached
    if (!canAuthenticate(user, now)) throw accountNotUsable()
    if (!stored) throw noPassword()
    if (passwordLockedUntil !== undefined) {
      throw passwordLockedOut('password', secondsUntil(passwordLockedUntil, now))
    }
    const sending = await sendRecoveryCode(kernel, environment, { userId, identifier: '' }, [], now)
    if (sending.result === 'lockedOut') throw tooManyCodes(sending.secondsUntilUnlock)
    if (!sending.recoverer) throw noProvedAddress()
    await kernel.storage.commit({
      name: 'send-recovery-code',
      *run() {
        yield* sending.send()
        yield record({ subject: { type: 'USER', id: userId } })
      },
    })
    kernel.wakeOutbox()
    return { status: 200, body: passwordBody(context, reached, stored) }
  },
})

const recover = defineOperation({
  ...declared,
  id: 'recoverPassword',
  summary: 'Set a password with a recovery code',
  mediaTypes: [vendorMediaType('password.recover')],
  body: { kind: 'json', schema: z.object({ recoveryCode: typedCode, newPassword: clearPassword }) },
  event: 'PASSWORD.RECOVERED',
  async handle({ params: { userId }, body: { recoveryCode: code, newPassword } }, context) {
    const { kernel, environment, now, record } = context
    const { reached } = await reachedPassword(context, userId, reach)
    const attempt = { userId, identifier: '', code, newPassword, keptTokenHash: null, now }
    const recovery = await recoverPassword(kernel, environment, attempt)
    switch (recovery.result) {
      case 'wrongCode':
        throw codeWrong('recoveryCode')
      case 'lockedOut':
        throw passwordLockedOut('recoveryCode', recovery.secondsUntilUnlock)
      case 'unsatisfied':
        throw passwordUnsatisfied('newPassword', recovery.requirements)
      case 'accepted':
    }
    const commit = kernel.storage.commit({
      name: 'recover-password',
      *run() {
        yield* recovery.settle()
        yield record({ subject: { type: 'USER', id: userId } })
      },
    })
    await commit.catch((error: unknown) => {
      throw error instanceof AlreadyConsumed || error instanceof Stale ? codeWrong('recoveryCode') : error
    })
    const shown = { user: reached.user, passwordLockedUntil: undefined }
    return { status: 200, body: passwordBody(context, shown, { changedAt: now, mustChange: false }) }
  },
})

function noProvedAddress() {
  const message = 'The user has no e-mail address that a code could be sent to.'
  return problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', target: 'email', message }] })
}

export const passwordRecoveryOperations: readonly Operation[] = [sendCode, recover]
