/** Statements on `users`, each with what is read beside it in the same query: the password, or the count of guesses. */
import type { Statement } from '../port.ts'
import { type Condition, equal, pageOf, type Span } from './page.ts'
import type { PasswordColumns } from './passwords.ts'

/** A row of `users`. Keys are normalised text, made by whoever writes the row. */
export interface UserRow {
  readonly id: string
  readonly population_id: string
  readonly username: string
  readonly username_key: string
  readonly enabled: number
  /** When the account was locked, epoch milliseconds. */
  readonly locked_at: number | null
  /** When that lock ends; null: not by itself. */
  readonly locked_until: number | null
  readonly mfa_enabled: number
  readonly verification_required: number
  /** The address of a registration in its normalised form, unique; null where nobody registered. */
  readonly registered_email_key: string | null
  /** JSON: `UserDocument`. */
  readonly document: string
  readonly last_sign_on_at: number | null
  readonly last_sign_on_ip: string | null
  /** When the user was last asked for attributes while signing on, epoch milliseconds. */
  readonly profile_asked_at: number | null
  readonly version: number
  readonly created_at: number
  readonly updated_at: number
}

const userColumns = `u.id, u.population_id, u.username, u.username_key, u.enabled, u.locked_at, u.locked_until, u.mfa_enabled, u.verification_required,
  u.registered_email_key, u.document,
  u.last_sign_on_at, u.last_sign_on_ip, u.profile_asked_at, u.version, u.created_at, u.updated_at`

/** A user with the columns of the password, all null when there is none. */
export type UserWithPasswordRow = UserRow & { readonly [K in keyof PasswordColumns]: PasswordColumns[K] | null }

/** What is read of a user `u` and their password `p`. */
export const userWithPasswordColumns = `${userColumns}, p.hash, p.changed_at, p.must_change, p.history`

/** Joins the password `p` of a user `u`. */
export const withPasswordOf = 'LEFT JOIN passwords p ON p.environment_id = u.environment_id AND p.user_id = u.id'

const withPassword = `SELECT ${userWithPasswordColumns} FROM users u ${withPasswordOf}`

/** The user of a normalised username, with the password. */
export function userWithPasswordByKey(environmentId: string, key: string): Statement<UserWithPasswordRow> {
  return {
    text: `${withPassword} WHERE u.environment_id = $1 AND u.username_key = $2`,
    values: [environmentId, key],
  }
}

/** The user of an id, with the password. */
export function userWithPasswordById(environmentId: string, id: string): Statement<UserWithPasswordRow> {
  return { text: `${withPassword} WHERE u.environment_id = $1 AND u.id = $2`, values: [environmentId, id] }
}

/** Users with this e-mail address, in its normalised form: those of a registration first, and no more than 50. */
export function usersOfEmail(environmentId: string, emailKey: string): Statement<UserRow> {
  return {
    text: `SELECT ${userColumns} FROM users u WHERE u.environment_id = $1 AND u.email_key = $2
           ORDER BY CASE WHEN u.registered_email_key IS NULL THEN 1 ELSE 0 END, u.created_at, u.id LIMIT 50`,
    values: [environmentId, emailKey],
  }
}

/** A user with the guesses at the password: both null when there were none lately. */
export interface UserWithGuessesRow extends UserRow {
  readonly guesses: number | null
  /** When their window ends, epoch milliseconds; it may have ended. */
  readonly guesses_until: number | null
}

const withGuesses = `SELECT ${userColumns}, l.count AS guesses, l.expires_at AS guesses_until
  FROM users u LEFT JOIN limits l ON l.environment_id = u.environment_id AND l.kind = 'password' AND l.subject = u.id`

/** The user of an id, with the guesses at the password. */
export function userWithGuesses(environmentId: string, id: string): Statement<UserWithGuessesRow> {
  return { text: `${withGuesses} WHERE u.environment_id = $1 AND u.id = $2`, values: [environmentId, id] }
}

/**
 * A page of users, with the guesses at their passwords.
 * @param conditions over the table `u`
 */
export function usersPage(
  environmentId: string,
  conditions: readonly Condition[],
  span: Span,
): Statement<UserWithGuessesRow> {
  return pageOf(withGuesses, 'u', [equal('u.environment_id', environmentId), ...conditions], span)
}

/** One row while the population exists: asked inside the unit that puts a user into it. */
export function populationExists(environmentId: string, populationId: string): Statement<{ readonly id: string }> {
  return {
    text: 'SELECT id FROM populations WHERE environment_id = $1 AND id = $2',
    values: [environmentId, populationId],
  }
}

/** Remembers a sign-on. */
export function recordSignOn(environmentId: string, userId: string, at: number, remoteIp: string): Statement<object> {
  return {
    text: 'UPDATE users SET last_sign_on_at = $3, last_sign_on_ip = $4 WHERE environment_id = $1 AND id = $2',
    values: [environmentId, userId, at, remoteIp],
  }
}

/** Revokes every token family of a user; everything issued from them dies (decision D22). */
export function revokeFamiliesOfUser(environmentId: string, userId: string, now: number): Statement<object> {
  return {
    text: 'UPDATE token_families SET revoked_at = $3 WHERE environment_id = $1 AND user_id = $2 AND revoked_at IS NULL',
    values: [environmentId, userId, now],
  }
}

/**
 * Counts a failed try at a second factor, and locks the account with the last one that is allowed. Nothing is counted
 * while it is locked, so that the lock of an administrator stays theirs. `failures` is 0 where this one has locked it.
 * @param lockedUntil when the lock would end, epoch milliseconds; null: when an administrator ends it
 */
export function countMfaFailure(
  environmentId: string,
  id: string,
  allowed: number,
  now: number,
  lockedUntil: number | null,
): Statement<{ readonly failures: number }> {
  return {
    text: `UPDATE users SET
             mfa_failures = CASE WHEN mfa_failures + 1 >= $3 THEN 0 ELSE mfa_failures + 1 END,
             locked_at = CASE WHEN mfa_failures + 1 >= $3 THEN $4 ELSE locked_at END,
             locked_until = CASE WHEN mfa_failures + 1 >= $3 THEN CAST($5 AS BIGINT) ELSE locked_until END
           WHERE environment_id = $1 AND id = $2 AND (locked_at IS NULL OR locked_until <= $4)
           RETURNING mfa_failures AS failures`,
    values: [environmentId, id, allowed, now, lockedUntil],
  }
}

/** Forgets failed tries at a second factor: one was right. */
export function forgetMfaFailures(environmentId: string, id: string): Statement<object> {
  return {
    text: 'UPDATE users SET mfa_failures = 0 WHERE environment_id = $1 AND id = $2 AND mfa_failures > 0',
    values: [environmentId, id],
  }
}
