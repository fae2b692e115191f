/**
 * Locking and unlocking an account: `POST ~/users/{userId}` by media type, platform-api 1.13 and 3.5. A locked user cannot
 * sign on, and neither session nor token of theirs counts while the lock lasts. Unlocking also ends a lock that wrong
 * passwords or second factors have brought about, since all show as one account; what an administrator locks stays so.
 */
import { z } from 'zod'
import { vendorMediaType } from '../contract/media-type.ts'
import { type Context, defineOperation, type Operation, type Reply } from '../contract/operation.ts'
import { guessesAtUser } from '../directory/password-lockout.ts'
import { isLocked } from '../directory/users.ts'
import { notFound } from '../errors/problem.ts'
import { clearGuesses } from '../limits/guesses.ts'
import { update } from '../storage/operations.ts'
import { controlledUser, reachedKey } from './user-control.ts'
import { type ListedUser, userBody, userResource } from './user-representation.ts'
import { common, oneUser } from './user-routes.ts'

const reach = { permission: 'idm:update:user' } as const

const declared = {
  ...common,
  ...oneUser,
  method: 'POST',
  permission: { kind: 'role', population: true, ...reach },
  // Clients may send the account; what is to be done is said by the media type alone.
  body: { kind: 'json', schema: z.object({}) },
  replies: { 200: userResource },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
} as const

const lockAccount = defineOperation({
  ...declared,
  id: 'lockAccount',
  summary: 'Lock the account of a user',
  mediaTypes: [vendorMediaType('account.lock')],
  event: 'USER.LOCKED',
  async handle({ params }, context) {
    const reached = await controlledUser(context, params.userId, reach)
    const { user } = reached
    return setLock(context, reached, isLocked(user, context.now) ? user.lockedAt : context.now)
  },
})

const unlockAccount = defineOperation({
  ...declared,
  id: 'unlockAccount',
  summary: 'Unlock the account of a user',
  mediaTypes: [vendorMediaType('account.unlock')],
  event: 'USER.UNLOCKED',
  async handle({ params }, context) {
    const { user: reached } = await controlledUser(context, params.userId, reach)
    return setLock(context, { user: reached, passwordLockedUntil: undefined }, null)
  },
})

async function setLock(context: Context, reached: ListedUser, lockedAt: number | null): Promise<Reply> {
  const { now, kernel, record } = context
  const { id, environmentId } = reached.user
  await kernel.storage.commit({
    name: 'set-account-lock',
    *run() {
      const columns = { locked_at: lockedAt, locked_until: null, mfa_failures: 0, updated_at: now }
      if (!(yield* update('users', reachedKey(reached), columns))) throw notFound()
      if (lockedAt === null) yield clearGuesses(guessesAtUser(environmentId, id))
      yield record({ subject: { type: 'USER', id } })
    },
  })
  return {
    status: 200,
    body: userBody(context, { ...reached, user: { ...reached.user, lockedAt, lockedUntil: null, updatedAt: now } }),
  }
}

export const userAccountOperations: readonly Operation[] = [lockAccount, unlockAccount]
