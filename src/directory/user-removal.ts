/**
 * What belongs to a user and ends with them, or with whoever had the account before: rows E23, K35, N31. One list, so
 * that nothing revives when a name or an address is used again.
 */
import { clearGuesses } from '../limits/guesses.ts'
import { remove } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import type { World } from '../world.ts'
import { guessesAtUser } from './password-lockout.ts'
import { forgetBrowsers } from './remembered-browsers.ts'
import { endSessionsOfUser } from './session-end.ts'

/** Removes what a user who is deleted leaves behind; for the unit of the deletion. */
export function* removeBelongings(world: World, environmentId: string, userId: string, now: number): UnitBody<void> {
  const belonging = { environment_id: environmentId, user_id: userId }
  yield* remove('passwords', belonging)
  yield* remove('invitations', belonging)
  yield* remove('linked_accounts', belonging)
  yield* remove('devices', belonging)
  yield* remove('fido2_credentials', belonging)
  yield* remove('fido2_attestations', belonging)
  yield* remove('mobile_devices', belonging)
  yield* remove('pairing_keys', belonging)
  yield* remove('device_pairings', belonging)
  yield* remove('push_requests', belonging)
  yield* remove('polled_grants', belonging)
  yield* remove('opaque_tokens', belonging)
  yield* remove('recovery_codes', belonging)
  yield* remove('agreement_consents', belonging)
  yield* remove('group_memberships', belonging)
  yield* remove('device_authentications', belonging)
  yield* forgetBrowsers(environmentId, userId)
  yield clearGuesses(guessesAtUser(environmentId, userId))
  yield* endAccess(world, environmentId, userId, null, now)
}

/**
 * Ends every session of a user, what they granted to applications, and everything that was issued; for the unit that gives
 * the account back to who owns it (rows I21, K35).
 * @param keptTokenHash the session of the browser that does it, which goes on
 */
export function* endAccess(
  world: World,
  environmentId: string,
  userId: string,
  keptTokenHash: string | null,
  now: number,
): UnitBody<void> {
  yield* endSessionsOfUser(world, environmentId, userId, keptTokenHash, now)
  yield* remove('oauth_consents', { environment_id: environmentId, user_id: userId })
}
