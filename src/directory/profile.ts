/**
 * What users say of themselves while they sign on: authentication-api 4.2 `user.update`. Attributes that have a value keep
 * it; an address that is said here is not proved by that (row K32).
 */
import { filledBy, type Profile } from '../flow/profile.ts'
import { compareAndSet } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { attributeColumns, type User } from './users.ts'

/** A user with what they said, and what writes it. */
export interface Filled {
  readonly user: User
  /** For the unit that saves the flow. @throws Stale */
  readonly store: () => UnitBody<void>
}

/** Prepares the change of a user. @param now epoch milliseconds; also when they were asked */
export function filledProfile(user: User, said: Profile, now: number): Filled {
  const filled = filledBy(user.document, said)
  const isAddressNew = filled.email !== user.document.email
  const document = isAddressNew ? { ...filled, emailVerified: false } : filled
  return {
    user: { ...user, document, profileAskedAt: now },
    *store() {
      yield* compareAndSet('users', { environment_id: user.environmentId, id: user.id }, user.version, {
        ...attributeColumns(user.username, document),
        profile_asked_at: now,
        updated_at: now,
      })
    },
  }
}
