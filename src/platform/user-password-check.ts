/**
 * Trying a password through the management API: `POST ~/users/{userId}/password` with `password.check`, platform-api 3.6.
 * The guess counts like one of a sign-on (row K04).
 */
import { z } from 'zod'
import { vendorMediaType } from '../contract/media-type.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { checkPassword, type PasswordCheck } from '../directory/password-check.ts'
import { canAuthenticate, type User } from '../directory/users.ts'
import { invalidData, notFound, type Problem } from '../errors/problem.ts'
import {
  accountNotUsable,
  noPassword,
  passwordLockedOut,
  type PasswordTarget,
  passwordWrong,
  typedPassword,
} from './password-refusals.ts'
import { reachedUser } from './user-control.ts'
import { passwordBody, passwordResource } from './user-password-state.ts'
import { common, partOfUser } from './user-routes.ts'

const reach = { permission: 'idm:validate:userPassword', self: 'p1:validate:userPassword' } as const

const checkUserPassword = defineOperation({
  ...common,
  ...partOfUser('/password'),
  id: 'checkPassword',
  method: 'POST',
  summary: 'Check the password of a user',
  source: 'platform-api 3.6',
  permission: { kind: 'role', population: true, ...reach },
  mediaTypes: [vendorMediaType('password.check')],
  body: { kind: 'json', schema: z.object({ password: typedPassword }) },
  replies: { 200: passwordResource },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND', 'UNAVAILABLE'],
  event: 'PASSWORD.CHECK_SUCCEEDED',
  async handle({ params, body }, context) {
    const { user } = await reachedUser(context, params.userId, reach)
    const proved = await provedPassword(context, user, 'password', body.password)
    await context.kernel.storage.commit({
      name: 'settle-password-check',
      *run() {
        yield* proved.settle()
        yield context.record({ subject: { type: 'USER', id: user.id } })
      },
    })
    return { status: 200, body: passwordBody(context, { user, passwordLockedUntil: undefined }, proved.password) }
  },
})

/**
 * Tries the password of a user; what is accepted is still to be settled.
 * @throws Problem INVALID_DATA, after the failure was recorded
 */
export async function provedPassword(
  context: Context,
  user: User,
  target: 'password' | 'currentPassword',
  password: string,
): Promise<Extract<PasswordCheck, { readonly result: 'accepted' }>> {
  if (password === '') throw invalidData('EMPTY_VALUE', target, 'must not be empty')
  const { kernel, environment, now } = context
  if (!canAuthenticate(user, now)) throw accountNotUsable()
  const check = await checkPassword(kernel, environment, { now, username: null, userId: user.id, password })
  if (check.result === 'accepted') return check
  await kernel.storage.commit({
    name: 'record-password-check',
    single: true,
    *run() {
      const subject = { type: 'USER', id: user.id }
      yield context.record({
        action: 'PASSWORD.CHECK_FAILED',
        result: 'FAILED',
        subject,
        detail: { reason: check.result },
      })
    },
  })
  throw refusalOf(check, target)
}

function refusalOf(check: Exclude<PasswordCheck, { readonly result: 'accepted' }>, target: PasswordTarget): Problem {
  switch (check.result) {
    case 'rejected':
      return passwordWrong(target, check.failuresRemaining)
    case 'lockedOut':
      return passwordLockedOut(target, check.secondsUntilUnlock)
    case 'noPassword':
      return noPassword()
    case 'otherUser':
      return notFound()
    case 'addressLimited':
      throw new Error('no address was handed in')
  }
}

export const passwordCheckOperations: readonly Operation[] = [checkUserPassword]
