/**
 * Guess limits: how often a secret may be tried before the next try has to wait (security catalogue 4.5, rows K02-K05).
 * A guess is taken, and committed, before the secret is looked at, so that of any number of parallel guesses no more
 * than the bound are evaluated, on every node together.
 *
 * Never: a counter per spelling, flow, application or node; the subject names who is guessed at and nothing else.
 */
import { increment } from '../storage/operations.ts'
import type { Statement, Unit } from '../storage/port.ts'
import { clearLimit, giveBack, prolongLimit } from '../storage/sql/limits.ts'

/** What may be guessed. */
export type GuessKind =
  | 'password'
  | 'recovery-code'
  | 'verification-code'
  | 'invitation-code'
  | 'passcode'
  | 'passkey'
  | 'code-sending'
  | 'pairing-key'
  | 'push'
  | 'user-code'
  | 'backchannel-notice'
  | 'email-change-reversal'
  | 'address-password'
  | 'address-account'
  | 'address-lookup'
  | 'address-client'
  | 'address-flow'
  | 'address-registration'
  | 'device-notice'

/** Whose secret of which kind. */
export interface Guessed {
  readonly environmentId: string
  readonly kind: GuessKind
  readonly subject: string
}

/** How many guesses a window holds. */
export interface GuessBound {
  readonly guesses: number
  /** Length of a window, seconds; it begins with its first guess. */
  readonly seconds: number
}

/** What became of a guess. */
export interface Guess {
  /** False: the bound was reached before, and the secret must not be looked at. */
  readonly allowed: boolean
  /** How many more the window allows. */
  readonly remaining: number
  /** When the window ends, epoch milliseconds. */
  readonly until: number
}

/** The unit that takes one guess; it must be committed before the secret is looked at. */
export function takeGuess({ environmentId, kind, subject }: Guessed, bound: GuessBound, now: number): Unit<Guess> {
  return {
    name: 'limits.take-guess',
    single: true,
    *run() {
      const key = { environment_id: environmentId, kind, subject }
      const counted = yield* increment('limits', key, { bound: bound.guesses, window: bound.seconds * 1000, now })
      return { allowed: counted.allowed, remaining: bound.guesses - counted.count, until: counted.until }
    },
  }
}

/**
 * The unit that takes one of the guesses of a window; after the last one the next has to wait for a while of its own.
 * @param lockSeconds how long, from the last one
 */
export function takeGuessOrLock(guessed: Guessed, bound: GuessBound, lockSeconds: number, now: number): Unit<Guess> {
  return {
    name: 'limits.take-guess-or-lock',
    *run() {
      const guess = yield* takeGuess(guessed, bound, now).run()
      if (!guess.allowed || guess.remaining > 0) return guess
      const until = Math.max(guess.until, now + lockSeconds * 1000)
      yield prolongLimit(guessed, until)
      return { ...guess, until }
    },
  }
}

/** A counter with its bound. */
export interface BoundedGuess {
  readonly guessed: Guessed
  readonly bound: GuessBound
}

/**
 * The unit that takes one guess of each of two counters, in this order; the second only where the first allows it, so that
 * whoever is stopped by the first uses up nothing of the second.
 * @returns the guesses that were taken, the last of which may not be allowed
 */
export function takeBoth(first: BoundedGuess, second: BoundedGuess, now: number): Unit<readonly Guess[]> {
  return {
    name: 'limits.take-both',
    *run() {
      const one = yield* takeGuess(first.guessed, first.bound, now).run()
      return one.allowed ? [one, yield* takeGuess(second.guessed, second.bound, now).run()] : [one]
    },
  }
}

/** The unit that gives a guess back whose secret was not looked at after all. */
export function returnGuess(guessed: Guessed, bound: GuessBound, guess: Guess): Unit<void> {
  return {
    name: 'limits.return-guess',
    single: true,
    *run() {
      yield giveBack(guessed, bound.guesses, guess.until)
    },
  }
}

/** Forgets the guesses: the secret was right, or there is a new one. For the unit of that change. */
export function clearGuesses(guessed: Guessed): Statement<object> {
  return clearLimit(guessed)
}

/** The unit that forgets the guesses, where nothing else is changed: the secret was right and yet came to nothing. */
export function forgetGuesses(guessed: Guessed): Unit<void> {
  return {
    name: 'limits.forget-guesses',
    single: true,
    *run() {
      yield clearGuesses(guessed)
    },
  }
}

/** Whole seconds until a window ends, at least 1 while it lasts. */
export function secondsUntil(until: number, now: number): number {
  return Math.max(0, Math.ceil((until - now) / 1000))
}
