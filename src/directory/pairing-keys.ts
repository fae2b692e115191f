/**
 * Pairing keys: codes by which an app becomes a MOBILE device of a user. authentication-api 6.1, platform-api 3.14.5; rows
 * L03, L05, L16.
 *
 * A code is told once, to whoever makes the key. It is long enough not to be guessed, and guesses are counted all the same:
 * by the address that they come from, since a code that is none names nobody.
 *
 * Never: a code in clear in storage; a key that pairs two apps, however many claim it at once.
 */
import { problem } from '../errors/problem.ts'
import type { Environment } from '../environment/snapshot.ts'
import type { Kernel } from '../kernel.ts'
import { type Guess, type Guessed, returnGuess, secondsUntil, takeGuess } from '../limits/guesses.ts'
import { consumeByMark, insert } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { lockUser } from '../storage/sql/devices.ts'
import { pairingKeyByCode, type PairingKeyRow, pairingKeysOf } from '../storage/sql/mobile-devices.ts'
import { type CodeForm, hashOfCode, newCode } from './one-time-codes.ts'

/** A pairing key. Times are epoch milliseconds. */
export interface PairingKey {
  readonly id: string
  readonly userId: string
  readonly applicationIds: readonly string[]
  readonly isClaimed: boolean
  readonly createdAt: number
  readonly expiresAt: number
}

/** How many keys a user may have whose time is not over. */
const mostKeys = 20

/** Some 46 and 57 bits: sixty tries an hour find nothing. */
const forms: Readonly<Record<Environment['mfaSettings']['pairing']['pairingKeyFormat'], CodeForm>> = {
  NUMERIC: { kind: 'digits', length: 14 },
  ALPHANUMERIC: { kind: 'letters-and-digits', length: 12 },
}

/** How often codes may be tried from one address. */
const tries = { guesses: 10, seconds: 600 }

function storedHash(environment: Environment, code: string): string {
  return hashOfCode(environment, { purpose: 'DEVICE_PAIRING', subject: '' }, code).toString('base64url')
}

/** The key of a row. */
export function pairingKeyFrom(row: PairingKeyRow): PairingKey {
  return {
    id: row.id,
    userId: row.user_id,
    applicationIds: JSON.parse(row.applications) as string[],
    isClaimed: row.claimed_at !== null,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}

/** A new code, in the form that the environment's settings say. */
export function newPairingCode({ world }: Pick<Kernel, 'world'>, { mfaSettings }: Environment): string {
  return newCode(world, forms[mfaSettings.pairing.pairingKeyFormat])
}

/**
 * Keeps a new key; for the unit that makes it.
 * @returns false when there is no such user
 * @throws Problem REQUEST_FAILED when they have as many as they may; UniquenessViolation for a code that is taken
 */
export function* keepPairingKey(environment: Environment, key: PairingKey, code: string): UnitBody<boolean> {
  if ((yield* run(lockUser(environment.id, key.userId))).length === 0) return false
  const present = yield* run(pairingKeysOf(environment.id, key.userId, key.createdAt))
  if (present.length >= mostKeys) throw tooMany()
  yield* insert('pairing_keys', {
    environment_id: environment.id,
    id: key.id,
    user_id: key.userId,
    code_hash: storedHash(environment, code),
    applications: JSON.stringify(key.applicationIds),
    claimed_at: null,
    created_at: key.createdAt,
    expires_at: key.expiresAt,
  })
  return true
}

function tooMany(): Error {
  const message = 'Maximum number of pairing keys has been reached'
  const innerError = { maximumAllowed: mostKeys }
  return problem('REQUEST_FAILED', { details: [{ code: 'LIMIT_EXCEEDED', message, innerError }] })
}

/** What came of trying a code. */
export type PairingKeyCheck =
  /** `claim` belongs into the unit that makes the device. @throws AlreadyConsumed */
  | { readonly result: 'found'; readonly key: PairingKey; readonly claim: () => UnitBody<void> }
  | { readonly result: 'rejected' }
  | { readonly result: 'lockedOut'; readonly secondsUntilUnlock: number }

/**
 * Tries a code: one guess, given back when the key is claimed.
 * @param remoteAddress where the request comes from
 */
export async function tryPairingCode(
  { storage }: Pick<Kernel, 'storage'>,
  environment: Environment,
  { typed, remoteAddress, now }: { readonly typed: string; readonly remoteAddress: string; readonly now: number },
): Promise<PairingKeyCheck> {
  const guessed: Guessed = { environmentId: environment.id, kind: 'pairing-key', subject: remoteAddress }
  const guess = await storage.commit(takeGuess(guessed, tries, now))
  if (!guess.allowed) return { result: 'lockedOut', secondsUntilUnlock: secondsUntil(guess.until, now) }
  const code = typed.replaceAll(/[\s-]/g, '').toUpperCase()
  const [row] = await storage.read(pairingKeyByCode(environment.id, storedHash(environment, code), now))
  if (!row || row.claimed_at !== null) return { result: 'rejected' }
  return {
    result: 'found',
    key: pairingKeyFrom(row),
    claim: () => claimKey(environment.id, row.id, now, guessed, guess),
  }
}

function* claimKey(environmentId: string, id: string, now: number, guessed: Guessed, guess: Guess): UnitBody<void> {
  yield* consumeByMark('pairing_keys', { environment_id: environmentId, id }, { column: 'claimed_at', at: now })
  yield* returnGuess(guessed, tries, guess).run()
}
