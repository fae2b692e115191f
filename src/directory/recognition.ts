/**
 * What stands on how a user was recognised, and ends when that changes: a password is set, MFA is switched, a device is
 * removed or blocked. Remembered browsers (row L34), and refresh tokens (row E08): their applications have to ask anew, and
 * the sign-on policy decides what it takes. Sessions and access tokens go on until they end.
 */
import type { UnitBody } from '../storage/port.ts'
import { endRefreshOfUser } from '../storage/sql/token-families.ts'
import { forgetBrowsers } from './remembered-browsers.ts'

/** Ends it; for the unit of the change. */
export function* endRecognition(environmentId: string, userId: string): UnitBody<void> {
  yield* forgetBrowsers(environmentId, userId)
  yield endRefreshOfUser(environmentId, userId)
}
