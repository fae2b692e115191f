/** An e-mail address that somebody has just proved by something that was sent there, beside what they did it for. */
import { compareAndSet } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { attributeColumns, type User } from './users.ts'

/** The user with the address proved. */
export function withProvedEmail(user: User): User {
  return { ...user, verificationRequired: false, document: { ...user.document, emailVerified: true } }
}

/** Marks the address as proved, where it is not yet; for the unit of what proves it. @throws Stale */
export function* markEmailProved(user: User, now: number): UnitBody<void> {
  if (user.document.emailVerified === true && !user.verificationRequired) return
  yield* compareAndSet('users', { environment_id: user.environmentId, id: user.id }, user.version, {
    ...attributeColumns(user.username, withProvedEmail(user).document),
    verification_required: 0,
    updated_at: now,
  })
}
