/**
 * Runs something again after a failure that left nothing behind: at most three times, within half a second, so that a
 * caller hears soon enough that the database is away (catalogue R03, R09).
 */
import { setTimeout as pause } from 'node:timers/promises'
import { PostgresFailure } from './failures.ts'

const delays = [20, 80, 240]
/** Steps of the golden ratio spread waiting callers evenly: those that collided do not meet again. */
const golden = 0.618_033_988_749_895
let turn = 0

/**
 * Runs `attempt` until it succeeds or fails for good.
 * @throws what a caller of the storage port may see: no PostgresFailure leaves this function
 */
export async function withRetries<T>(attempt: () => Promise<T>): Promise<T> {
  for (const delay of delays) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof PostgresFailure)) throw error
      if (error.kind === 'refused' || error.kind === 'late') throw error.translate()
    }
    turn = (turn + golden) % 1
    await pause(delay * (0.5 + turn))
  }
  return attempt().catch((error: unknown) => {
    throw error instanceof PostgresFailure ? error.translate() : error
  })
}
