/**
 * Setting passwords: `PUT ~/users/{userId}/password` by media type, platform-api 1.13 and 3.6. An administrator sets one
 * (`password.set`), in clear or as another system encoded it, or resets it to one that must be changed
 * (`password.reset`); a user resets the own one and has to prove the present one, whatever roles they hold.
 *
 * Never: a password of the actor's own without the present one (row K22), or of somebody who holds more (N09).
 */
import { z } from 'zod'
import { forbidden } from '../access/actor.ts'
import { vendorMediaType } from '../contract/media-type.ts'
import { type Context, defineOperation, type Operation, type Reply } from '../contract/operation.ts'
import { changePassword, importPassword, type PasswordChange } from '../directory/password-change.ts'
import { readImportedHash } from '../directory/passwords/imported-hash.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { update } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { Stale } from '../storage/refusals.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { absent } from './later-features.ts'
import {
  clearPassword,
  givenPassword,
  passwordChangedMeanwhile,
  passwordUnsatisfied,
  typedPassword,
} from './password-refusals.ts'
import { isOwnUser, type ReachedUser, reachedKey } from './user-control.ts'
import { provedPassword } from './user-password-check.ts'
import { controlledPassword, passwordBody, passwordResource, reachedPassword } from './user-password-state.ts'
import { common, partOfUser } from './user-routes.ts'

const setting = { permission: 'idm:set:userPassword' } as const
const resetting = { ...setting, self: 'p1:reset:userPassword' } as const

const declared = {
  ...common,
  ...partOfUser('/password'),
  source: 'platform-api 3.6',
  method: 'PUT',
  replies: { 200: passwordResource },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND', 'UNAVAILABLE'],
} as const

const passwordToSet = z.object({
  value: givenPassword,
  forceChange: z.boolean().default(false),
  bypassPolicy: z.boolean().default(false),
  external: absent,
})

const setPassword = defineOperation({
  ...declared,
  id: 'setPassword',
  summary: 'Set the password of a user',
  permission: { kind: 'role', population: true, ...setting },
  mediaTypes: [vendorMediaType('password.set')],
  body: { kind: 'json', schema: nullMeansAbsent(passwordToSet) },
  event: 'PASSWORD.SET',
  async handle({ params: { userId }, body }, context) {
    if (isOwnUser(context, userId)) throw forbidden()
    const { reached, stored } = await controlledPassword(context, userId, setting)
    const { value, bypassPolicy } = body
    const wanted = { stored, mustChange: body.forceChange }
    const imported = readImportedHash(value)
    if (imported) {
      const { kernel, environment, now } = context
      const store = await importPassword(kernel, environment, { ...wanted, now, user: reached.user }, imported)
      return storePassword(context, reached, wanted, store)
    }
    return change(context, reached, 'password', { ...wanted, newPassword: value, by: 'administrator', bypassPolicy })
  },
})

const resetPassword = defineOperation({
  ...declared,
  id: 'resetPassword',
  summary: 'Reset a password: the own one, or to one that must be changed',
  permission: { kind: 'role', population: true, ...resetting },
  mediaTypes: [vendorMediaType('password.reset')],
  body: {
    kind: 'json',
    schema: nullMeansAbsent(z.object({ currentPassword: typedPassword.optional(), newPassword: clearPassword })),
  },
  event: 'PASSWORD.RESET',
  async handle({ params: { userId }, body: { currentPassword, newPassword } }, context) {
    if (!isOwnUser(context, userId)) {
      const { reached, stored } = await controlledPassword(context, userId, setting)
      return change(context, reached, 'newPassword', { stored, newPassword, by: 'administrator', mustChange: true })
    }
    if (currentPassword === undefined) throw invalidData('REQUIRED_VALUE', 'currentPassword', 'must not be null')
    const { reached } = await reachedPassword(context, userId, resetting)
    const proved = await provedPassword(context, reached.user, 'currentPassword', currentPassword)
    const own = { stored: proved.password, newPassword, by: 'user', currentPassword, mustChange: false } as const
    return change(context, reached, 'newPassword', own, proved.settle)
  },
})

/**
 * Judges and stores a new password.
 * @param proved what to settle, in a unit of its own, when the present password was right and the new one is refused
 */
async function change(
  context: Context,
  reached: ReachedUser,
  target: 'password' | 'newPassword',
  wanted: Omit<PasswordChange, 'now' | 'user'>,
  proved?: () => UnitBody<void>,
): Promise<Reply> {
  const { kernel, environment, now } = context
  const { user } = reached
  const verdict = await changePassword(kernel, environment, { ...wanted, now, user })
  if (verdict.result === 'unsatisfied') {
    if (proved) await kernel.storage.commit({ name: 'settle-password-check', run: proved })
    throw passwordUnsatisfied(target, verdict.requirements)
  }
  return storePassword(context, reached, wanted, verdict.store)
}

async function storePassword(
  context: Context,
  reached: ReachedUser,
  { mustChange }: Pick<PasswordChange, 'mustChange'>,
  store: () => UnitBody<void>,
): Promise<Reply> {
  const { kernel, now, record } = context
  const { user } = reached
  const commit = kernel.storage.commit({
    name: 'set-password',
    *run() {
      if (!(yield* update('users', reachedKey(reached), { updated_at: now }))) throw notFound()
      yield* store()
      yield record({ subject: { type: 'USER', id: user.id } })
    },
  })
  await commit.catch((error: unknown) => {
    throw error instanceof Stale ? passwordChangedMeanwhile() : error
  })
  const stored = { changedAt: now, mustChange }
  return { status: 200, body: passwordBody(context, { user, passwordLockedUntil: undefined }, stored) }
}

export const passwordSettingOperations: readonly Operation[] = [setPassword, resetPassword]
