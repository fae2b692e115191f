/**
 * Trying a password: the one place where it is done, for flows and for the management API alike (row K04).
 * authentication-api 4.2 `usernamePassword.check`, platform-api 3.6, decision D6.
 *
 * Whoever is meant, the steps are the same: one read, one guess taken and committed, one hash computed. Unknown,
 * disabled, locked and wrong cannot be told apart by text, time or side effects; `user` in an answer other than
 * `accepted` is for the audit event alone.
 *
 * Never: a hash before its guess is committed, a guess beyond the bound that is hashed.
 */
import { passwordPolicyOf, type Environment } from '../environment/snapshot.ts'
import type { Kernel } from '../kernel.ts'
import { takeWithAddress } from '../limits/addresses.ts'
import { type BoundedGuess, clearGuesses, type Guessed, returnGuess, secondsUntil } from '../limits/guesses.ts'
import type { UnitBody } from '../storage/port.ts'
import { rehashPassword } from '../storage/sql/passwords.ts'
import { guessBound, guessesAtNobody, guessesAtUser } from './password-lockout.ts'
import { normalizePassword, type NormalizedPassword } from './passwords/normalize.ts'
import { HashingOverloaded, type PasswordVerdict } from './passwords/pool.ts'
import { passwordState } from './passwords/state.ts'
import {
  canAuthenticate,
  type StoredPassword,
  type User,
  usernameKey,
  type UserWithPassword,
  userWithPasswordById,
  userWithPasswordByUsername,
} from './users.ts'

/** What is tried, and for whom. At least one of `username` and `userId` is given. */
export interface PasswordTry {
  /** Epoch milliseconds. */
  readonly now: number
  readonly username: string | null
  /** The user that is meant; a `username` beside it must be theirs. */
  readonly userId: string | null
  /** As typed. */
  readonly password: string
  /** The counter of the network address it comes from, where that is limited (row K08). */
  readonly address?: BoundedGuess | undefined
}

/** What came of it. */
export type PasswordCheck =
  | {
      readonly result: 'accepted'
      readonly user: User
      readonly password: StoredPassword
      readonly state: 'OK' | 'MUST_CHANGE_PASSWORD' | 'PASSWORD_EXPIRED'
      /**
       * What belongs into the unit that saves the success: the guesses are forgotten, an old hash is replaced. A unit
       * that stores a changed password yields that change instead.
       */
      readonly settle: () => UnitBody<void>
    }
  /** `failuresRemaining` is missing where no guess was spent, since the text cannot be anybody's password. */
  | { readonly result: 'rejected'; readonly user: User | undefined; readonly failuresRemaining?: number }
  | { readonly result: 'lockedOut'; readonly user: User | undefined; readonly secondsUntilUnlock: number }
  /** Too many wrong passwords came from the address; nobody’s guess was spent. */
  | { readonly result: 'addressLimited'; readonly secondsUntilUnlock: number }
  /** The user has no password; only the management API may tell. */
  | { readonly result: 'noPassword'; readonly user: User; readonly failuresRemaining: number }
  /** `username` names somebody else than `userId`, or nobody. No guess was spent. */
  | { readonly result: 'otherUser' }

/**
 * Tries a password.
 * @throws HashingOverloaded when the hashing pool is full (the guess is given back); StorageUnavailable
 */
export async function checkPassword(
  kernel: Pick<Kernel, 'storage' | 'passwords' | 'masterKeys'>,
  environment: Environment,
  attempt: PasswordTry,
): Promise<PasswordCheck> {
  const { now, username, userId } = attempt
  const normalized = normalizePassword(attempt.password)

  // 1. Who is meant.
  const found = await find(kernel, environment.id, attempt)
  if (userId !== null && username !== null && found && usernameKey(username) !== usernameKey(found.user.username)) {
    return { result: 'otherUser' }
  }
  if (!normalized.ok) return { result: 'rejected', user: found?.user }

  // 2. One guess, committed.
  const nobody = guessesAtNobody(kernel.masterKeys, environment.id, username ?? userId ?? '')
  const guessed = found ? guessesAtUser(environment.id, found.user.id) : nobody
  const { policy } = passwordPolicyOf(environment, found?.user.populationId ?? '')
  const bound = guessBound(policy)
  const taken = await takeWithAddress(kernel, { guessed, bound }, attempt.address, now)
  if ('addressLimited' in taken) return { result: 'addressLimited', secondsUntilUnlock: taken.addressLimited }
  const { guess, fromAddress } = taken
  if (!guess.allowed) {
    return { result: 'lockedOut', user: found?.user, secondsUntilUnlock: secondsUntil(guess.until, now) }
  }

  // 3. One hash.
  const verdict = await verify(found?.password ?? null, normalized.password)
  if (!found) return { result: 'rejected', user: undefined, failuresRemaining: guess.remaining }
  const { user, password } = found
  if (!password) return { result: 'noPassword', user, failuresRemaining: guess.remaining }
  if (!verdict.matches || !canAuthenticate(user, now)) {
    return { result: 'rejected', user, failuresRemaining: guess.remaining }
  }

  // 4. Its state, and what has to be written.
  const facts = { hasPassword: true, lastChangedAt: password.changedAt, mustChange: password.mustChange }
  const { status } = passwordState(policy, facts, now)
  const fresh = verdict.needsRehash ? await rehash(kernel, normalized.password) : undefined
  return {
    result: 'accepted',
    user,
    password,
    state: status === 'MUST_CHANGE_PASSWORD' || status === 'PASSWORD_EXPIRED' ? status : 'OK',
    *settle() {
      if (fromAddress) yield fromAddress()
      yield* settle(guessed, password.hash, fresh)
    },
  }

  async function verify(stored: StoredPassword | null, typed: NormalizedPassword): Promise<PasswordVerdict> {
    try {
      return await kernel.passwords.verify(stored?.hash ?? null, typed)
    } catch (error) {
      if (error instanceof HashingOverloaded) {
        await kernel.storage.commit({
          name: 'limits.return-guesses',
          *run() {
            if (fromAddress) yield fromAddress()
            yield* returnGuess(guessed, bound, guess).run()
          },
        })
      }
      throw error
    }
  }
}

async function find(
  kernel: Pick<Kernel, 'storage'>,
  environmentId: string,
  { username, userId }: PasswordTry,
): Promise<UserWithPassword | undefined> {
  if (userId !== null) return userWithPasswordById(kernel, environmentId, userId)
  return username === null ? undefined : userWithPasswordByUsername(kernel, environmentId, username)
}

/** A hash of the current cost, or none while the pool is busy: the next sign-on will do. */
async function rehash(
  { passwords }: Pick<Kernel, 'passwords'>,
  typed: NormalizedPassword,
): Promise<string | undefined> {
  try {
    return await passwords.hash(typed)
  } catch (error) {
    if (error instanceof HashingOverloaded) return undefined
    throw error
  }
}

function* settle(guessed: Guessed, oldHash: string, fresh: string | undefined): UnitBody<void> {
  yield clearGuesses(guessed)
  if (fresh !== undefined) yield rehashPassword(guessed.environmentId, guessed.subject, oldHash, fresh)
}
