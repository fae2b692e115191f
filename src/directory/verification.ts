/**
 * Proving an e-mail address: a code is sent there and typed back. authentication-api 4.2 `user.verify`,
 * `user.sendVerificationCode`; rows K32, L13. The code is bound to the address as well as to the user: after a change of
 * address the old one proves nothing.
 *
 * Never: an address that counts as proved by a code that was sent to another.
 */
import { notify } from '../delivery/notification.ts'
import type { Environment } from '../environment/snapshot.ts'
import type { Kernel } from '../kernel.ts'
import { compareAndSet } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { codeLifetime, codeTries, countSending, counterOf } from './code-limits.ts'
import { newCode, storeCode, tryCode } from './one-time-codes.ts'
import { attributeColumns, textKey, type User, type UserWithPassword, userWithPasswordById } from './users.ts'

type Ports = Pick<Kernel, 'storage' | 'masterKeys' | 'world'>

/** What a verification code of a user is made for: the address as well as the user. */
export function verificationCodeOf({ id, document }: Pick<User, 'id' | 'document'>) {
  return { purpose: 'EMAIL_VERIFICATION', subject: `${id}/${textKey(document.email ?? '')}` } as const
}

/** How long a code is good, milliseconds: somebody who waits for it types it soon, who was written to later. */
const lifetimes = { email_verification_user: codeLifetime, email_verification_admin: 86_400_000 } as const

/** Which message a verification code comes in. */
export type VerificationTemplate = keyof typeof lifetimes

/** Makes a verification code and promises to send it; for the unit of whatever makes it necessary. */
export function* sendingOfVerification(
  world: Kernel['world'],
  environment: Environment,
  user: User,
  locales: readonly string[],
  now: number,
  template: VerificationTemplate = 'email_verification_user',
): UnitBody<void> {
  const { email, preferredLanguage, name } = user.document
  if (email === undefined) return
  const code = newCode(world, { kind: 'letters-and-digits', length: 8 })
  yield storeCode(environment, verificationCodeOf(user), code, lifetimes[template], now)
  yield notify(
    world,
    environment,
    {
      template,
      to: email,
      userId: user.id,
      locales: preferredLanguage ? [preferredLanguage, ...locales] : locales,
      variables: { code, 'user.username': user.username, 'user.name': name?.given ?? user.username },
      usefulUntil: now + lifetimes[template],
    },
    now,
  )
}

/** What came of asking for a code. */
export type VerificationSending =
  | { readonly result: 'sent'; readonly send: () => UnitBody<void> }
  | { readonly result: 'lockedOut'; readonly secondsUntilUnlock: number }

/** Prepares a verification code for a user whose address is not proved: one counted sending. */
export async function sendVerificationCode(
  kernel: Ports,
  environment: Environment,
  user: User,
  locales: readonly string[],
  now: number,
  template?: VerificationTemplate,
): Promise<VerificationSending> {
  const wait = await countSending(kernel, { environmentId: environment.id, userId: user.id, identifier: '' }, now)
  if (wait !== undefined) return { result: 'lockedOut', secondsUntilUnlock: wait }
  return { result: 'sent', send: () => sendingOfVerification(kernel.world, environment, user, locales, now, template) }
}

/** What came of a verification. */
export type Verification =
  | {
      readonly result: 'accepted'
      /** With the address proved. */
      readonly verified: UserWithPassword
      /** Uses the code up and marks the address; for the unit of the verification. @throws AlreadyConsumed, Stale */
      readonly settle: () => UnitBody<void>
    }
  | { readonly result: 'wrongCode' }
  | { readonly result: 'lockedOut'; readonly secondsUntilUnlock: number }

/** Tries a verification code of a user. */
export async function verifyEmail(
  kernel: Ports,
  environment: Environment,
  { userId, code, now }: { readonly userId: string; readonly code: string; readonly now: number },
): Promise<Verification> {
  const found = await userWithPasswordById(kernel, environment.id, userId)
  if (!found) return { result: 'wrongCode' }
  const { user } = found
  const meant = { environmentId: environment.id, userId, identifier: '' }
  const guessed = counterOf(kernel, 'verification-code', meant)
  const check = await tryCode(kernel, environment, {
    ...verificationCodeOf(user),
    typed: code,
    guessed,
    bound: codeTries,
    now,
  })
  if (check.result === 'lockedOut') return check
  if (check.result === 'rejected') return { result: 'wrongCode' }
  const document = { ...user.document, emailVerified: true }
  return {
    result: 'accepted',
    verified: { ...found, user: { ...user, document, verificationRequired: false } },
    *settle() {
      yield* check.settle()
      yield* compareAndSet('users', { environment_id: environment.id, id: userId }, user.version, {
        ...attributeColumns(user.username, document),
        verification_required: 0,
        updated_at: now,
      })
    },
  }
}
