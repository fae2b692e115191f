/**
 * Writes that another request may have come before. The runtime judges the event once more when a save is `Stale`; what
 * lost a race in another way says so in the same word, so that the second judgement finds the winner.
 */
import type { UnitBody } from '../storage/port.ts'
import { AlreadyConsumed, Stale, UniquenessViolation } from '../storage/refusals.ts'

/** Runs a part of a unit; whoever is second finds it stale. @throws Stale */
export function* guarded(part: () => UnitBody<void>): UnitBody<void> {
  try {
    yield* part()
  } catch (error) {
    if (error instanceof AlreadyConsumed || error instanceof UniquenessViolation) throw new Stale('flows')
    throw error
  }
}
