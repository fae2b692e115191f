/**
 * How often codes may be sent and tried: decision D4 (5 wrong tries, 5 minutes), security catalogue 4.5, rows K16, L10,
 * L14. The counters name the user, so that neither a new code nor a new flow gives new tries, and a name that nobody has
 * is counted like any other (decision D7).
 */
import type { Kernel } from '../kernel.ts'
import { type GuessBound, type Guessed, type GuessKind, secondsUntil, takeGuess } from '../limits/guesses.ts'
import { nobodyNamed } from './password-lockout.ts'

/** Life of recovery and verification codes, milliseconds. */
export const codeLifetime = 300_000

/** How often a recovery or verification code may be tried. */
export const codeTries: GuessBound = { guesses: 5, seconds: 300 }

/** How many codes are sent to one user. */
const codesSent: GuessBound = { guesses: 5, seconds: 900 }

/** Who is meant: a user of the environment, or a name that nobody has who could be sent a code. */
export interface Meant {
  readonly environmentId: string
  readonly userId: string | null
  readonly identifier: string
}

/** The counter of whoever is meant. */
export function counterOf({ masterKeys }: Pick<Kernel, 'masterKeys'>, kind: GuessKind, meant: Meant): Guessed {
  const { environmentId, userId, identifier } = meant
  return { environmentId, kind, subject: userId ?? nobodyNamed(masterKeys, identifier) }
}

/**
 * Counts a code that is about to be sent.
 * @returns the seconds to wait when there were too many
 */
export async function countSending(
  kernel: Pick<Kernel, 'storage' | 'masterKeys'>,
  meant: Meant,
  now: number,
): Promise<number | undefined> {
  const guess = await kernel.storage.commit(takeGuess(counterOf(kernel, 'code-sending', meant), codesSent, now))
  return guess.allowed ? undefined : secondsUntil(guess.until, now)
}
