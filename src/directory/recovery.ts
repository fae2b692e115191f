/**
 * Recovering a forgotten password: a code goes to the user's e-mail address, and whoever types it back may set a new
 * password. authentication-api 4.2 `password.forgot`, `password.recover`; decisions D4, D7; rows I21, K12, K15-K17, K21,
 * K35.
 *
 * The code is bound to the address it was sent to, and proves it: a registration that was never completed belongs to
 * whoever reads its mail, and nothing that was set up before outlives that. A lock by wrong passwords is no obstacle,
 * or anybody could shut a user out (row K07).
 *
 * Never: a code for somebody who may not sign on or has no password to recover; a code to an address that took the place
 * of another and was not proved (K21); anything by which a caller could tell.
 */
import { notify } from '../delivery/notification.ts'
import type { Environment } from '../environment/snapshot.ts'
import type { Kernel } from '../kernel.ts'
import { forgetGuesses } from '../limits/guesses.ts'
import type { UnitBody } from '../storage/port.ts'
import { codeLifetime, codeTries, countSending, counterOf, type Meant } from './code-limits.ts'
import { newCode, storeCode, tryCode } from './one-time-codes.ts'
import { changePassword, type MissedRequirement } from './password-change.ts'
import { markEmailProved, withProvedEmail } from './proved-email.ts'
import { endAccess } from './user-removal.ts'
import {
  canAuthenticate,
  textKey,
  type User,
  type UserWithPassword,
  userWithPasswordById,
  userWithPasswordByUsername,
} from './users.ts'

type Ports = Pick<Kernel, 'storage' | 'masterKeys' | 'passwords' | 'world'>

/** What came of asking for a code. */
export type RecoverySending =
  /** `recoverer`: who may recover now; `send` belongs into the unit that remembers it, and is nothing for nobody. */
  | { readonly result: 'sent'; readonly recoverer: UserWithPassword | undefined; readonly send: () => UnitBody<void> }
  | { readonly result: 'lockedOut'; readonly secondsUntilUnlock: number }

/**
 * Prepares a recovery code: one read, one counted sending.
 * @param whom the user's id where it is known; otherwise what was typed
 * @param locales BCP 47 tags in which to write to them
 */
export async function sendRecoveryCode(
  kernel: Ports,
  environment: Environment,
  whom: Omit<Meant, 'environmentId'>,
  locales: readonly string[],
  now: number,
): Promise<RecoverySending> {
  const found =
    whom.userId === null
      ? await userWithPasswordByUsername(kernel, environment.id, whom.identifier)
      : await userWithPasswordById(kernel, environment.id, whom.userId)
  const recoverer = found && mayRecover(found, now) ? found : undefined
  const meant = { environmentId: environment.id, userId: found?.user.id ?? null, identifier: whom.identifier }
  const wait = await countSending(kernel, meant, now)
  if (wait !== undefined) return { result: 'lockedOut', secondsUntilUnlock: wait }
  return {
    result: 'sent',
    recoverer,
    *send() {
      if (!recoverer) return
      const { user } = recoverer
      const code = newCode(kernel.world, { kind: 'letters-and-digits', length: 8 })
      yield storeCode(environment, codeFor(user), code, codeLifetime, now)
      yield notify(
        kernel.world,
        environment,
        {
          template: 'recovery_code_template',
          to: user.document.email ?? '',
          userId: user.id,
          locales: user.document.preferredLanguage ? [user.document.preferredLanguage, ...locales] : locales,
          variables: { code, 'user.username': user.username, 'user.name': user.document.name?.given ?? user.username },
          usefulUntil: now + codeLifetime,
        },
        now,
      )
    },
  }
}

function codeFor({ id, document }: User) {
  return { purpose: 'PASSWORD_RECOVERY', subject: `${id}/${textKey(document.email ?? '')}` } as const
}

function mayRecover({ user, password }: UserWithPassword, now: number): boolean {
  const { email, emailVerified } = user.document
  if (!canAuthenticate(user, now) || password === null || email === undefined) return false
  return emailVerified !== false || user.verificationRequired
}

/** What came of a recovery. */
export type Recovery =
  | {
      readonly result: 'accepted'
      readonly user: User
      /**
       * Uses the code up, stores the password, marks the address as proved and ends every other session; for the unit of
       * the recovery. @throws AlreadyConsumed, Stale
       */
      readonly settle: () => UnitBody<void>
    }
  | { readonly result: 'wrongCode' }
  | { readonly result: 'unsatisfied'; readonly requirements: readonly MissedRequirement[] }
  | { readonly result: 'lockedOut'; readonly secondsUntilUnlock: number }

/** A try at recovering a password. */
export interface RecoveryTry {
  readonly userId: string | null
  readonly identifier: string
  /** Both as typed. */
  readonly code: string
  readonly newPassword: string
  /** The session of the browser that recovers; others end. */
  readonly keptTokenHash: string | null
  /** Epoch milliseconds. */
  readonly now: number
}

/**
 * Tries a recovery code and judges the new password. A password that the policy does not take leaves the code good.
 * @throws HashingOverloaded when the hashing pool is full
 */
export async function recoverPassword(
  kernel: Ports,
  environment: Environment,
  { userId, identifier, code, newPassword, keptTokenHash, now }: RecoveryTry,
): Promise<Recovery> {
  const guessed = counterOf(kernel, 'recovery-code', { environmentId: environment.id, userId, identifier })
  // Nobody could be sent a code, so none is right; the steps are the same.
  const found = await userWithPasswordById(kernel, environment.id, userId ?? guessed.subject)
  const wanted = found ? codeFor(found.user) : ({ purpose: 'PASSWORD_RECOVERY', subject: guessed.subject } as const)
  const check = await tryCode(kernel, environment, { ...wanted, typed: code, guessed, bound: codeTries, now })
  if (check.result === 'lockedOut') return check
  if (check.result === 'rejected' || !found || !mayRecover(found, now)) return { result: 'wrongCode' }
  const verdict = await changePassword(kernel, environment, {
    now,
    user: found.user,
    stored: found.password,
    newPassword,
    by: 'recovery',
    mustChange: false,
  })
  if (verdict.result === 'unsatisfied') {
    // The code was right: its guess is forgotten, or five refused passwords would shut its owner out.
    await kernel.storage.commit(forgetGuesses(guessed))
    return verdict
  }
  return {
    result: 'accepted',
    user: withProvedEmail(found.user),
    *settle() {
      yield* check.settle()
      yield* verdict.store()
      yield* markEmailProved(found.user, now)
      yield* endAccess(kernel.world, environment.id, found.user.id, keptTokenHash, now)
    },
  }
}
