/**
 * The password of a user: `~/users/{userId}/password`, platform-api 3.6. Reading its state, forcing a change and ending a
 * lock; setting, checking and recovering have files of their own.
 */
import { z } from 'zod'
import { vendorMediaType } from '../contract/media-type.ts'
import { defineOperation, type Operation } from '../contract/operation.ts'
import { guessesAtUser } from '../directory/password-lockout.ts'
import { clearGuesses } from '../limits/guesses.ts'
import { run } from '../storage/port.ts'
import { forcePasswordChange } from '../storage/sql/passwords.ts'
import { noPassword } from './password-refusals.ts'
import { passwordCheckOperations } from './user-password-check.ts'
import { passwordRecoveryOperations } from './user-password-recover.ts'
import { passwordSettingOperations } from './user-password-set.ts'
import { controlledPassword, passwordBody, passwordResource, reachedPassword } from './user-password-state.ts'
import { common, partOfUser } from './user-routes.ts'

const reading = { permission: 'idm:read:userPassword', self: 'p1:read:userPassword' } as const
const setting = { permission: 'idm:set:userPassword' } as const

const declared = {
  ...common,
  ...partOfUser('/password'),
  source: 'platform-api 3.6',
  replies: { 200: passwordResource },
} as const

const readPassword = defineOperation({
  ...declared,
  id: 'readPassword',
  method: 'GET',
  summary: 'Read the state of a password',
  permission: { kind: 'role', population: true, ...reading },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params }, context) {
    const { reached, stored } = await reachedPassword(context, params.userId, reading)
    return { status: 200, body: passwordBody(context, reached, stored) }
  },
})

const forceChange = defineOperation({
  ...declared,
  id: 'forcePasswordChange',
  method: 'POST',
  summary: 'Make a user change the password at the next sign-on',
  permission: { kind: 'role', population: true, ...setting },
  mediaTypes: [vendorMediaType('password.forceChange')],
  body: { kind: 'json', schema: z.object({}) },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'PASSWORD.FORCED_CHANGE',
  async handle({ params: { userId } }, context) {
    const { reached, stored } = await controlledPassword(context, userId, setting)
    await context.kernel.storage.commit({
      name: 'force-password-change',
      *run() {
        const forced = yield* run(forcePasswordChange(context.environment.id, userId))
        if (forced.length === 0) throw noPassword()
        yield context.record({ subject: { type: 'USER', id: userId } })
      },
    })
    return { status: 200, body: passwordBody(context, reached, stored && { ...stored, mustChange: true }) }
  },
})

const unlockPassword = defineOperation({
  ...declared,
  id: 'unlockPassword',
  method: 'POST',
  summary: 'End the lock that wrong passwords have brought about',
  permission: { kind: 'role', population: true, ...setting },
  mediaTypes: [vendorMediaType('password.unlock')],
  body: { kind: 'json', schema: z.object({}) },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  event: 'PASSWORD.UNLOCKED',
  async handle({ params: { userId } }, context) {
    const { reached, stored } = await controlledPassword(context, userId, setting)
    await context.kernel.storage.commit({
      name: 'unlock-password',
      *run() {
        yield clearGuesses(guessesAtUser(context.environment.id, userId))
        yield context.record({ subject: { type: 'USER', id: userId } })
      },
    })
    return { status: 200, body: passwordBody(context, { ...reached, passwordLockedUntil: undefined }, stored) }
  },
})

/** Every operation on passwords of users. */
export const userPasswordOperations: readonly Operation[] = [
  readPassword,
  ...passwordSettingOperations,
  ...passwordCheckOperations,
  ...passwordRecoveryOperations,
  forceChange,
  unlockPassword,
]
