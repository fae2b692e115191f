/**
 * One-time codes: what is sent to a user and typed back. authentication-api 4.2 (`password.recover`, `user.verify`,
 * `otp.check`), decision D4; rows L10-L16, K15-K17.
 *
 * A code belongs to one purpose and one subject and is good for nothing else: both are part of what is hashed. A newer
 * code takes the place of an older one. A guess is taken and committed before the code is looked at, and only one caller
 * can use a code up.
 *
 * Never: a code in clear in storage; a hash that a reader of the database could turn back by trying (six digits are few:
 * it is keyed, with a key derived from the environment's data key); a counter per code, since a new code would give new
 * guesses.
 */
import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Environment } from '../environment/snapshot.ts'
import type { Kernel } from '../kernel.ts'
import { clearGuesses, type GuessBound, type Guessed, secondsUntil, takeGuess } from '../limits/guesses.ts'
import { consume } from '../storage/operations.ts'
import type { Statement, UnitBody } from '../storage/port.ts'
import { oneTimeCode, putOneTimeCode } from '../storage/sql/one-time-codes.ts'
import type { World } from '../world.ts'

/** For what a code is made: a closed list. */
export type CodePurpose =
  | 'PASSWORD_RECOVERY'
  | 'EMAIL_VERIFICATION'
  | 'TRUSTED_EMAIL_VERIFICATION'
  /** The subject names the user and the address that can be taken back. */
  | 'EMAIL_CHANGE_REVERSAL'
  | 'DEVICE_ACTIVATION'
  /** The subject names the device and the flow or stand-alone authentication it was sent for. */
  | 'DEVICE_AUTHENTICATION'
  /** A pairing key, which is found by its code: the subject is empty. */
  | 'DEVICE_PAIRING'
  /** The user code of a device authorization grant, which is found by it: the subject is empty. */
  | 'DEVICE_USER_CODE'
  /** Kept in a table of its own, a set at a time. */
  | 'RECOVERY_CODE'

/** A code of a purpose for a subject, such as a user's id. */
export interface CodeFor {
  readonly purpose: CodePurpose
  readonly subject: string
}

/** How a code looks. */
export interface CodeForm {
  readonly kind: 'digits' | 'letters-and-digits'
  readonly length: number
}

const symbols: Readonly<Record<CodeForm['kind'], string>> = {
  digits: '0123456789',
  // Without what people mistake for something else (0 and O; 1, I and L), and without the vowels that make words.
  'letters-and-digits': '23456789BCDFGHJKMNPQRSTVWXYZ',
}

/** A new unpredictable code. */
export function newCode(world: Pick<World, 'bytes'>, { kind, length }: CodeForm): string {
  const alphabet = symbols[kind]
  const limit = 256 - (256 % alphabet.length)
  let code = ''
  while (code.length < length) {
    for (const byte of world.bytes(length * 2)) {
      if (byte < limit && code.length < length) code += alphabet.charAt(byte % alphabet.length)
    }
  }
  return code
}

/**
 * The statement that stores a code, for the unit that also promises to send it. An older code of the same purpose and
 * subject is dead from then on.
 * @param lifetime milliseconds
 * @param now epoch milliseconds
 */
export function storeCode(
  environment: Environment,
  codeFor: CodeFor,
  code: string,
  lifetime: number,
  now: number,
): Statement<object> {
  const key = { environmentId: environment.id, purpose: codeFor.purpose, subject: codeFor.subject }
  return putOneTimeCode(key, hashOfCode(environment, codeFor, code).toString('base64url'), now, now + lifetime)
}

/** What came of trying a code. */
export type CodeCheck =
  | {
      readonly result: 'accepted'
      /** Uses the code up and forgets the guesses; for the unit of what the code allows. @throws AlreadyConsumed */
      readonly settle: () => UnitBody<void>
    }
  | { readonly result: 'rejected'; readonly remaining: number }
  | { readonly result: 'lockedOut'; readonly secondsUntilUnlock: number }

/** A try at a code. */
export interface CodeTry extends CodeFor {
  /** As typed: case and white space around it do not matter. */
  readonly typed: string
  /** Whose counter. It names who is guessed at, so that neither a new code nor a new flow gives new guesses. */
  readonly guessed: Guessed
  readonly bound: GuessBound
  /** Epoch milliseconds. */
  readonly now: number
}

/** Tries a code: one guess taken and committed, then one comparison. */
export async function tryCode(
  { storage }: Pick<Kernel, 'storage'>,
  environment: Environment,
  { purpose, subject, typed, guessed, bound, now }: CodeTry,
): Promise<CodeCheck> {
  const guess = await storage.commit(takeGuess(guessed, bound, now))
  if (!guess.allowed) return { result: 'lockedOut', secondsUntilUnlock: secondsUntil(guess.until, now) }
  const [stored] = await storage.read(oneTimeCode({ environmentId: environment.id, purpose, subject }, now))
  const presented = hashOfCode(environment, { purpose, subject }, typed.trim().toUpperCase())
  const expected = stored ? Buffer.from(stored.code_hash, 'base64url') : Buffer.alloc(presented.length)
  const matches = timingSafeEqual(expected, presented)
  if (!stored || !matches) return { result: 'rejected', remaining: guess.remaining }
  return {
    result: 'accepted',
    *settle() {
      const row = { environment_id: environment.id, purpose, subject, code_hash: stored.code_hash }
      yield* consume('one_time_codes', row)
      yield clearGuesses(guessed)
    },
  }
}

const keys = new WeakMap<KeyObject, KeyObject>()

/** The keyed hash of a code, by which it is stored. */
export function hashOfCode({ id, dataKey }: Environment, { purpose, subject }: CodeFor, code: string): Buffer {
  let key = keys.get(dataKey)
  if (!key) {
    key = createSecretKey(Buffer.from(hkdfSync('sha256', dataKey.export(), '', 'stile/one-time-code', 32)))
    keys.set(dataKey, key)
  }
  const bound = JSON.stringify([id, purpose, subject, code])
  return createHmac('sha256', key).update(bound).digest()
}
