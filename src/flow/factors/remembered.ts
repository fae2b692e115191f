/** Remembered browsers: where a second factor is spared, and when one becomes such a browser. Rows J25, L34. */
import type { ActionTurn } from '../action.ts'
import type { UserFacts } from '../facts.ts'
import { provenUser } from '../proven-user.ts'
import type { Effect } from '../question.ts'
import { type DeviceAuthenticationPolicy, rememberedSeconds, remembers } from './device-authentication-policy.ts'

/** The user, where nothing is asked for: in a browser that is remembered for them, once they have shown who they are. */
export function sparedUser(
  policy: DeviceAuthenticationPolicy | undefined,
  { user, facts }: Pick<ActionTurn<unknown, unknown, unknown>, 'user' | 'facts'>,
): UserFacts | undefined {
  if (!policy || !remembers(policy)) return undefined
  const known = provenUser(user, facts)
  return known && facts.remembered?.userId === known.id ? known : undefined
}

/** What is to be done for a user who has proved a second factor. @param asked whether they want the browser remembered */
export function remembering(
  policy: DeviceAuthenticationPolicy | undefined,
  asked: true | undefined,
  userId: string,
): readonly Effect[] {
  const lifeTime = policy && remembers(policy)
  return asked && lifeTime ? [{ kind: 'rememberBrowser', userId, seconds: rememberedSeconds(lifeTime) }] : []
}
