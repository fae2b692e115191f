/**
 * Wrong client credentials by network address (security catalogue D08, D26): who has presented too many is not looked at
 * any more for a while. The counters lie in storage, so that all nodes share them; that an address is blocked is remembered
 * here, so that clients who are right cost nothing.
 *
 * Never: a client locked because somebody else has guessed at its secret; a memory that grows with those who guess.
 */
import { takeGuess, secondsUntil } from './guesses.ts'
import { type Caller, countedAddress, networkOf, tooManyFromAddress } from './addresses.ts'

/** What a node knows of addresses that are blocked. */
export interface ClientRefusals {
  /** @throws Problem LIMITED while the address of a request is blocked */
  requireUnblocked(caller: Caller): void
  /**
   * Counts a refusal, in a commit of its own.
   * @throws Problem LIMITED when it was one too many
   */
  count(caller: Caller): Promise<void>
}

const mostRemembered = 10_000

/** Opens the memory of a node. */
export function openClientRefusals(): ClientRefusals {
  const blockedUntil = new Map<string, number>()
  const keyOf = ({ environment, remoteAddress }: Caller) => `${environment.id} ${networkOf(remoteAddress)}`

  function block(key: string, until: number): void {
    // Whoever is forgotten is counted, and blocked, anew.
    const [oldest] = blockedUntil.keys()
    if (blockedUntil.size >= mostRemembered && oldest !== undefined) blockedUntil.delete(oldest)
    blockedUntil.set(key, until)
  }

  return {
    requireUnblocked(caller) {
      if (blockedUntil.size === 0) return
      const key = keyOf(caller)
      const until = blockedUntil.get(key)
      if (until === undefined) return
      if (until > caller.now) throw tooManyFromAddress(secondsUntil(until, caller.now))
      blockedUntil.delete(key)
    },
    async count(caller) {
      const counted = countedAddress(caller, 'client')
      if (!counted) return
      const guess = await caller.kernel.storage.commit(takeGuess(counted.guessed, counted.bound, caller.now))
      if (guess.allowed) return
      block(keyOf(caller), guess.until)
      throw tooManyFromAddress(secondsUntil(guess.until, caller.now))
    },
  }
}
