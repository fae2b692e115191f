/**
 * Limits by the network address that a request comes from (security catalogue 4.5, rows J32, K08, K13): one address cannot
 * try one password at a thousand users, make a thousand accounts, or fill the storage with flows that nobody goes on with.
 * The counters lie in storage, so that all nodes share them.
 *
 * Never: a header believed that no trusted proxy sent (row O24); a single address of an IPv6 network counted, of which
 * whoever has one has them all.
 */
import { isIPv6 } from 'node:net'
import type { Config } from '../config.ts'
import { problem } from '../errors/problem.ts'
import { increment } from '../storage/operations.ts'
import type { Statement, Storage, UnitBody } from '../storage/port.ts'
import { giveBack } from '../storage/sql/limits.ts'
import { type BoundedGuess, type Guess, secondsUntil, takeBoth, takeGuess } from './guesses.ts'

/** What is counted by address; each has a setting. */
export type AddressLimit = 'password' | 'account' | 'lookup' | 'client' | 'flow'

/** What of a request the limits look at. */
export interface Caller {
  readonly kernel: { readonly config: Pick<Config, 'addressLimits'>; readonly storage: Storage }
  readonly environment: { readonly id: string }
  /** The trusted address. */
  readonly remoteAddress: string
  /** Epoch milliseconds. */
  readonly now: number
}

/** The counter of the address of a request; undefined where the limit is off. */
export function countedAddress(
  { kernel, environment, remoteAddress }: Omit<Caller, 'now'>,
  limit: AddressLimit,
): BoundedGuess | undefined {
  const bound = kernel.config.addressLimits[limit]
  if (!bound) return undefined
  return {
    guessed: { environmentId: environment.id, kind: `address-${limit}`, subject: networkOf(remoteAddress) },
    bound,
  }
}

/**
 * Counts a request that is about to do something costly, in a commit of its own.
 * @throws Problem LIMITED
 */
export async function countAddress(caller: Caller, limit: AddressLimit): Promise<void> {
  const counted = countedAddress(caller, limit)
  if (!counted) return
  const guess = await caller.kernel.storage.commit(takeGuess(counted.guessed, counted.bound, caller.now))
  if (!guess.allowed) throw tooManyFromAddress(secondsUntil(guess.until, caller.now))
}

/**
 * Counts a client that wants to become known, or whose metadata has to be fetched, in a commit of its own.
 * @param bound what the policy of the environment allows one network address
 * @throws Problem LIMITED
 */
export async function countRegistration(
  caller: Caller,
  bound: { readonly count: number; readonly seconds: number },
): Promise<void> {
  const { kernel, environment, remoteAddress, now } = caller
  const guessed = {
    environmentId: environment.id,
    kind: 'address-registration',
    subject: networkOf(remoteAddress),
  } as const
  const allowed = { guesses: bound.count, seconds: bound.seconds }
  const guess = await kernel.storage.commit(takeGuess(guessed, allowed, now))
  if (!guess.allowed) throw tooManyFromAddress(secondsUntil(guess.until, now))
}

/**
 * Counts a request inside the unit that saves what it came to: what is beyond the bound comes to nothing.
 * @throws Problem LIMITED
 */
export function* countAddressWith(caller: Caller, limit: AddressLimit): UnitBody<void> {
  const counted = countedAddress(caller, limit)
  if (!counted) return
  const { guessed, bound } = counted
  const key = { environment_id: guessed.environmentId, kind: guessed.kind, subject: guessed.subject }
  const { now } = caller
  const { allowed, until } = yield* increment('limits', key, {
    bound: bound.guesses,
    window: bound.seconds * 1000,
    now,
  })
  if (!allowed) throw tooManyFromAddress(secondsUntil(until, now))
}

/** What was taken: the guess at somebody, and what gives back that of the address once it was no wrong one. */
export type Taken =
  | { readonly guess: Guess; readonly fromAddress: (() => Statement<object>) | undefined }
  | { readonly addressLimited: number }

/**
 * Takes one guess of somebody’s counter and, where it is limited, of the address’s, in one commit.
 * @returns `addressLimited`: the seconds to wait, where the address has none left; nothing was taken then
 */
export async function takeWithAddress(
  { storage }: { readonly storage: Storage },
  { guessed, bound }: BoundedGuess,
  address: BoundedGuess | undefined,
  now: number,
): Promise<Taken> {
  if (!address) return { guess: await storage.commit(takeGuess(guessed, bound, now)), fromAddress: undefined }
  const [first, guess] = await storage.commit(takeBoth(address, { guessed, bound }, now))
  if (!first || !guess) return { addressLimited: secondsUntil(first?.until ?? now, now) }
  return { guess, fromAddress: () => giveBack(address.guessed, address.bound.guesses, first.until) }
}

/** 429 with the seconds to wait. */
export function tooManyFromAddress(seconds: number): Error {
  const message = 'Too many attempts came from this network address. Wait before you try again.'
  return problem('LIMITED', {
    details: [{ code: 'LIMIT_EXCEEDED', message, innerError: { secondsUntilUnlock: seconds } }],
    headers: { 'retry-after': String(seconds) },
  })
}

/** The network that an address stands for: an IPv4 address itself, the /64 of an IPv6 one. */
export function networkOf(address: string): string {
  const [plain = ''] = address.split('%')
  if (!isIPv6(plain)) return plain
  const [head = '', tail = ''] = plain.toLowerCase().split('::')
  const before = groupsOf(head)
  const after = plain.includes('::') ? groupsOf(tail) : []
  const gap = Array.from({ length: 8 - before.length - after.length }, () => 0)
  const groups = [...before, ...gap, ...after].slice(0, 4)
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`
}

/** The groups of a part of an IPv6 address; an IPv4 address at its end is two. */
function groupsOf(part: string): readonly number[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}
