/**
 * The lock-out of a password: what the policy's `lockout` means as a guess limit (platform-api 3.6), and whose counter it
 * is. One counter per user, however the name was typed and wherever the guess was made (rows K03, K04).
 */
import { createHmac } from 'node:crypto'
import { deriveKey, type MasterKeys } from '../keys/master-key.ts'
import type { GuessBound, Guessed } from '../limits/guesses.ts'
import type { PasswordPolicy } from './passwords/policy.ts'
import { usernameKey } from './users.ts'

/** The ceiling of NIST SP 800-63B-4 on failed attempts: holds where a policy has no `lockout`. */
const ceiling: GuessBound = { guesses: 100, seconds: 900 }

/** How often a password may be guessed under a policy. */
export function guessBound({ lockout }: PasswordPolicy): GuessBound {
  return lockout ? { guesses: lockout.failureCount, seconds: lockout.durationSeconds } : ceiling
}

/** The counter of a user. */
export function guessesAtUser(environmentId: string, userId: string): Guessed {
  return { environmentId, kind: 'password', subject: userId }
}

/**
 * The counter of a name that belongs to nobody, so that it locks like any other (decision D6, row K11). The name itself
 * is not kept: people type their passwords into the wrong field.
 */
export function guessesAtNobody(masterKeys: MasterKeys, environmentId: string, username: string): Guessed {
  return { environmentId, kind: 'password', subject: nobodyNamed(masterKeys, username) }
}

/** What stands for a name that belongs to nobody, the same for every spelling. */
export function nobodyNamed(masterKeys: MasterKeys, username: string): string {
  const key = deriveKey(masterKeys.current, 'unknown-username')
  return createHmac('sha256', key).update(usernameKey(username)).digest('base64url')
}

/**
 * When the lock of a password ends, epoch milliseconds; undefined when it is not locked.
 * @param guesses how many the present window has seen
 * @param until when that window ends
 */
export function lockedUntil(
  policy: PasswordPolicy,
  guesses: number | null,
  until: number | null,
  now: number,
): number | undefined {
  if (guesses === null || until === null || until <= now) return undefined
  return guesses >= guessBound(policy).guesses ? until : undefined
}
