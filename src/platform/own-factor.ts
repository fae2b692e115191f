/**
 * Who may change the MFA devices of a user, beyond reaching them: rows L05, L33. Users who have devices change them, and add
 * others, only by having proved one of them lately: a password that somebody else knows would otherwise be enough to put
 * their own device in the place of a factor. Whoever has none yet begins with the sign-on they have.
 *
 * Never: a factor of another session, or one that a remembered browser has spared.
 */
import { requireRecentFactor } from '../access/recent-authentication.ts'
import type { Context } from '../contract/operation.ts'
import { devicesOf } from '../directory/devices.ts'
import { controlledUser, isOwnUser, type Reach, type ReachedUser } from './user-control.ts'

/**
 * Reads the user of the path, whose devices are about to be changed.
 * @throws Problem as `controlledUser`; insufficient_user_authentication
 */
export async function controlledDevices(context: Context, userId: string, reach: Reach): Promise<ReachedUser> {
  const { kernel, environment, actor, now } = context
  const reached = await controlledUser(context, userId, reach)
  if (!isOwnUser(context, userId) || !reached.user.mfaEnabled) return reached
  const devices = await devicesOf(kernel, environment.id, userId, now)
  const isGuarded = devices.some(({ status, blockedAt }) => status === 'ACTIVE' && blockedAt === null)
  if (isGuarded) await requireRecentFactor(kernel, actor, now)
  return reached
}
