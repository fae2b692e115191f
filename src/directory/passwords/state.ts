/**
 * The state of a password, `status` of `GET users/{id}/password` (platform-api 3.6, authentication-api 7.6), judged from
 * facts alone. A lock outweighs everything but the lack of a password: while it lasts, a locked account must not learn
 * that its password has expired.
 */
import { EXPIRY_WARNING_DAYS, type PasswordPolicy } from './policy.ts'

const DAY = 86_400_000

/** What is stored about a password. Times are epoch milliseconds. */
export interface PasswordRecordFacts {
  readonly hasPassword: boolean
  readonly lastChangedAt: number
  /** Set by an administrator, or forced. */
  readonly mustChange: boolean
  /** End of the lock, when wrong guesses have brought one about. */
  readonly lockedUntil?: number
}

/** The state of a password, with what belongs to each. */
export type PasswordState =
  | { readonly status: 'NO_PASSWORD' | 'MUST_CHANGE_PASSWORD' | 'PASSWORD_EXPIRED' }
  | { readonly status: 'PASSWORD_LOCKED_OUT'; readonly secondsUntilUnlock: number }
  /** `daysUntilExpiry` appears in the last 21 days before the password expires. */
  | { readonly status: 'OK'; readonly daysUntilExpiry?: number }

/**
 * Judges the state of a password.
 * @param now epoch milliseconds
 */
export function passwordState(policy: PasswordPolicy, facts: PasswordRecordFacts, now: number): PasswordState {
  if (!facts.hasPassword) return { status: 'NO_PASSWORD' }
  if (facts.lockedUntil !== undefined && facts.lockedUntil > now) {
    return { status: 'PASSWORD_LOCKED_OUT', secondsUntilUnlock: Math.ceil((facts.lockedUntil - now) / 1000) }
  }
  if (facts.mustChange) return { status: 'MUST_CHANGE_PASSWORD' }
  if (policy.maxAgeDays === undefined) return { status: 'OK' }
  const left = facts.lastChangedAt + policy.maxAgeDays * DAY - now
  if (left <= 0) return { status: 'PASSWORD_EXPIRED' }
  const daysUntilExpiry = Math.ceil(left / DAY)
  return daysUntilExpiry <= EXPIRY_WARNING_DAYS ? { status: 'OK', daysUntilExpiry } : { status: 'OK' }
}
