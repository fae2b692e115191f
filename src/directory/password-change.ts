/**
 * A new password: judged by the policy of its owner's population and made ready to be stored. platform-api 3.6,
 * authentication-api 4.2 `password.reset`.
 *
 * The rules are pure (passwords/requirements.ts); this file brings them the facts that need hashes or lists, the cheap
 * ones first. What it hands back is the part of a unit that stores the password, so that the caller's own changes and
 * events go into the same commit.
 *
 * Never: a password that is set over one that has changed since it was read (row K39).
 */
import { passwordPolicyOf, type Environment } from '../environment/snapshot.ts'
import type { Kernel } from '../kernel.ts'
import { clearGuesses } from '../limits/guesses.ts'
import { insert, remove } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { Stale, UniquenessViolation } from '../storage/refusals.ts'
import { replacePassword } from '../storage/sql/passwords.ts'
import { guessesAtUser } from './password-lockout.ts'
import { endRecognition } from './recognition.ts'
import { hashesToAvoid, remembered } from './passwords/history.ts'
import type { ImportedHash } from './passwords/imported-hash.ts'
import { LONGEST_PASSWORD_BYTES, type Normalization, normalizePassword } from './passwords/normalize.ts'
import type { PasswordPolicy } from './passwords/policy.ts'
import { type PasswordFacts, requirementText, unsatisfiedRequirements } from './passwords/requirements.ts'
import type { StoredPassword, User } from './users.ts'

/** A change of password. */
export interface PasswordChange {
  /** Epoch milliseconds. */
  readonly now: number
  readonly user: User
  /** The present password as it was read, null when there is none. */
  readonly stored: StoredPassword | null
  /** As typed. */
  readonly newPassword: string
  /** Who sets it. Minimum age and likeness to the present password bind only an owner who knows it. */
  readonly by: 'user' | 'recovery' | 'administrator'
  /** The present password as typed, where the owner has just proved it. */
  readonly currentPassword?: string
  /** Whether the owner must change it at the next sign-on. */
  readonly mustChange: boolean
  /** An administrator may set a password that the policy would not take. */
  readonly bypassPolicy?: boolean
}

/** One requirement that a new password misses; `name` as in `innerError.unsatisfiedRequirements`. */
export interface MissedRequirement {
  readonly name: string
  readonly message: string
}

/** The verdict on a new password. */
export type PasswordChangeVerdict =
  | {
      readonly result: 'accepted'
      /**
       * Stores the password and forgets the guesses at the old one; for the unit of the change.
       * Throws `Stale` when the password has been changed since it was read.
       */
      readonly store: () => UnitBody<void>
    }
  | { readonly result: 'unsatisfied'; readonly requirements: readonly MissedRequirement[] }

/**
 * Judges a new password.
 * @throws HashingOverloaded when the hashing pool is full
 */
export async function changePassword(
  { passwords }: Pick<Kernel, 'passwords'>,
  environment: Environment,
  change: PasswordChange,
): Promise<PasswordChangeVerdict> {
  const { now, user, stored } = change
  const { policy } = passwordPolicyOf(environment, user.populationId)
  const normalized = normalizePassword(change.newPassword)
  if (!normalized.ok) return { result: 'unsatisfied', requirements: [malformed(normalized.reason)] }
  const { password } = normalized

  if (!change.bypassPolicy) {
    const current = change.currentPassword === undefined ? undefined : normalizePassword(change.currentPassword)
    const facts: PasswordFacts = {
      newPassword: password,
      profile: profileOf(user),
      ...(current?.ok && change.by === 'user' ? { currentPassword: current.password } : {}),
      commonlyUsed: policy.excludesCommonlyUsed && (await passwords.isCommonlyUsed(password)),
      historyMatches: false,
      // Who must change a password may do so at once, however young it is.
      ...(change.by === 'user' && stored && !stored.mustChange ? { lastChangedAt: stored.changedAt } : {}),
      now,
    }
    const missed = unsatisfied(policy, facts)
    if (missed.length > 0) return { result: 'unsatisfied', requirements: missed }
    const avoided = hashesToAvoid(policy, stored?.hash ?? null, stored?.former ?? [], now)
    if (avoided.length > 0 && (await passwords.matchesAny(avoided, password))) {
      return { result: 'unsatisfied', requirements: unsatisfied(policy, { ...facts, historyMatches: true }) }
    }
  }

  const hash = await passwords.hash(password)
  return { result: 'accepted', store: () => storePassword(environment, change, hash) }
}

/**
 * Makes an encoded password ready to be stored, which another system has judged: nobody can tell what it is.
 * @returns what stores it; for the unit of the change
 * @throws HashingOverloaded when the hashing pool is full
 */
export async function importPassword(
  { passwords }: Pick<Kernel, 'passwords'>,
  environment: Environment,
  change: Pick<PasswordChange, 'now' | 'user' | 'stored' | 'mustChange'>,
  imported: ImportedHash,
): Promise<() => UnitBody<void>> {
  const hash = await passwords.wrap(imported)
  return () => storePassword(environment, change, hash)
}

function* storePassword(
  environment: Environment,
  { now, user, stored, mustChange }: Pick<PasswordChange, 'now' | 'user' | 'stored' | 'mustChange'>,
  hash: string,
): UnitBody<void> {
  const { policy } = passwordPolicyOf(environment, user.populationId)
  const former = stored ? remembered(policy, [{ hash: stored.hash, replacedAt: now }, ...stored.former], now) : []
  const columns = { hash, changed_at: now, must_change: mustChange ? 1 : 0, history: JSON.stringify(former) }
  if (stored) {
    const replaced = yield* run(replacePassword(environment.id, user.id, stored.hash, columns))
    if (replaced.length === 0) throw new Stale('passwords')
  } else {
    try {
      yield* insert('passwords', { environment_id: environment.id, user_id: user.id, ...columns })
    } catch (error) {
      throw error instanceof UniquenessViolation ? new Stale('passwords') : error
    }
  }
  // Whoever has a password is invited to choose one no more.
  yield* remove('invitations', { environment_id: environment.id, user_id: user.id })
  yield* endRecognition(environment.id, user.id)
  yield clearGuesses(guessesAtUser(environment.id, user.id))
}

function unsatisfied(policy: PasswordPolicy, facts: PasswordFacts): MissedRequirement[] {
  return unsatisfiedRequirements(policy, facts).map((name) => ({ name, message: requirementText(policy, name) }))
}

function malformed(reason: (Normalization & { readonly ok: false })['reason']): MissedRequirement {
  switch (reason) {
    case 'empty':
      return { name: 'length', message: 'Use at least one character.' }
    case 'too_long':
      return { name: 'length', message: `Use at most ${LONGEST_PASSWORD_BYTES} bytes.` }
    case 'illegal_character':
      return { name: 'allowedCharacters', message: 'Do not use control characters.' }
  }
}

/** What a password must not repeat. */
function profileOf({ username, document }: User): object {
  const { emailVerified: _verified, verifyStatus: _status, ...attributes } = document
  return { username, ...attributes }
}
