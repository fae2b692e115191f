/**
 * How often one caller calls the management API (catalogue 4.5, row N33). Counted by the application or user that a token
 * was issued to, so that neither another token, another address nor another spelling of a path makes a new caller. This is
 * about volume and nothing that could be guessed: each node counts for itself, in memory, and a call costs no statement.
 *
 * Never: a memory that grows with those who call; a caller limited for what another one does.
 */
import type { Config } from '../config.ts'
import { problem } from '../errors/problem.ts'
import { secondsUntil } from './guesses.ts'

/** Who calls: an application, or a user whatever the application. */
export type ApiCaller =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'application'; readonly environmentId: string; readonly clientId: string }
  | { readonly kind: 'user'; readonly environmentId: string; readonly userId: string }

/** The calls that a node counts. */
export interface ApiCalls {
  /** Counts a call at `now`, epoch milliseconds. @throws Problem LIMITED for one too many */
  count(caller: ApiCaller, now: number): void
}

interface Window {
  readonly until: number
  left: number
}

const mostRemembered = 10_000

/** Opens the counters of a node. @param rate undefined: there is no limit */
export function openApiCalls(rate: Config['apiLimit']): ApiCalls {
  const windows = new Map<string, Window>()

  function windowOf(key: string, { guesses, seconds }: NonNullable<typeof rate>, now: number): Window {
    const known = windows.get(key)
    if (known && known.until > now) return known
    const fresh = { until: now + seconds * 1000, left: guesses }
    windows.delete(key)
    windows.set(key, fresh)
    // Whoever is forgotten begins anew.
    const [oldest] = windows.keys()
    if (windows.size > mostRemembered && oldest !== undefined) windows.delete(oldest)
    return fresh
  }

  return {
    count(caller, now) {
      if (!rate || caller.kind === 'anonymous') return
      const id = caller.kind === 'user' ? caller.userId : caller.clientId
      const window = windowOf(`${caller.environmentId} ${id}`, rate, now)
      window.left -= 1
      if (window.left >= 0) return
      const seconds = secondsUntil(window.until, now)
      throw problem('LIMITED', {
        details: [{ code: 'LIMIT_EXCEEDED', message: 'Too many calls. Wait before you call again.' }],
        headers: { 'retry-after': String(seconds) },
      })
    },
  }
}
