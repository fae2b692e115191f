/**
 * The lock-out of users who fail their second factor: `lockout` of the MFA settings, platform-api 3.14.2, authentication-api
 * 4.2 `otp.check`. Wrong passcodes and signatures are counted together, whatever the flow and the device, until one is
 * right; the last one that is allowed locks the account, for a while or until an administrator unlocks it.
 *
 * Beside it stands the limit of tries (passcodes.ts): that one decides how many are looked at at once, this one for how
 * long somebody may go on.
 */
import type { Context } from '../contract/operation.ts'
import { run } from '../storage/port.ts'
import { countMfaFailure, forgetMfaFailures } from '../storage/sql/users.ts'
import type { PasscodeCheck } from './passcodes.ts'

/**
 * What a try at a second factor means for the account: a wrong one is counted at once; a right one ends the count with
 * what it allows.
 * @param check what came of the try; `lockedOut` was not looked at, and does not count
 */
export async function countedForLockout(
  { kernel, environment, now, record }: Pick<Context, 'kernel' | 'environment' | 'now' | 'record'>,
  userId: string,
  check: PasscodeCheck,
): Promise<PasscodeCheck> {
  const { lockout } = environment.mfaSettings
  if (!lockout || check.result === 'lockedOut') return check
  if (check.result === 'accepted') {
    return {
      ...check,
      *settle() {
        yield* check.settle()
        yield forgetMfaFailures(environment.id, userId)
      },
    }
  }
  const { failureCount, durationSeconds } = lockout
  const until = durationSeconds === undefined ? null : now + durationSeconds * 1000
  await kernel.storage.commit({
    name: 'count-mfa-failure',
    *run() {
      const [counted] = yield* run(countMfaFailure(environment.id, userId, failureCount, now, until))
      if (counted?.failures !== 0) return
      yield record({
        action: 'USER.LOCKED',
        subject: { type: 'USER', id: userId },
        detail: { reason: 'mfa-failures' },
      })
    },
  })
  return check
}
