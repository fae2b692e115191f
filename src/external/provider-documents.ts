/**
 * Public documents of identity providers and clients (key sets, configuration documents), fetched once for everybody who needs them
 * and kept for a while. Rows D15, G13, M24.
 *
 * Never: two fetches of one document at the same time; a document fetched anew more often than every 30 s, whatever
 * tokens with unknown keys come in.
 */
import type { World } from '../world.ts'
import type { Egress } from './egress.ts'

/** The documents of a node. */
export interface ProviderDocuments {
  /**
   * Reads a JSON document.
   * @param maximumAge milliseconds; an older copy is fetched anew, but not within 30 s of the last fetch
   * @param failureAge milliseconds for which a failure stands, where anybody at all can ask; by default the next one tries again
   * @throws EgressFailed; SyntaxError or Error when what comes is not a JSON object
   */
  read(url: string, maximumAge: number, failureAge?: number): Promise<Readonly<Record<string, unknown>>>
}

interface Kept {
  readonly fetchedAt: number
  hasFailed: boolean
  readonly document: Promise<Readonly<Record<string, unknown>>>
}

const mostDocuments = 500
const mostOften = 30_000
const maximumBytes = 256 * 1024

/** Opens the documents of a node. */
export function openProviderDocuments(egress: Egress, world: World): ProviderDocuments {
  const kept = new Map<string, Kept>()

  function fetchAnew(url: string, now: number) {
    const document = fetchJson(egress, url)
    const entry: Kept = { fetchedAt: now, hasFailed: false, document }
    kept.delete(url)
    kept.set(url, entry)
    const [oldest] = kept.keys()
    if (kept.size > mostDocuments && oldest !== undefined) kept.delete(oldest)
    document.catch(() => {
      entry.hasFailed = true
    })
    return document
  }

  return {
    read(url, maximumAge, failureAge = -1) {
      const now = world.now()
      const entry = kept.get(url)
      const longest = entry?.hasFailed ? failureAge : Math.max(maximumAge, mostOften)
      if (entry && now - entry.fetchedAt <= longest) return entry.document
      return fetchAnew(url, now)
    },
  }
}

async function fetchJson(egress: Egress, url: string): Promise<Readonly<Record<string, unknown>>> {
  const answer = await egress({ method: 'GET', url, headers: { accept: 'application/json' }, maximumBytes })
  if (answer.status !== 200) throw new Error(`a document answered ${answer.status}`)
  const document: unknown = JSON.parse(answer.body.toString('utf8'))
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new Error('a document is no JSON object')
  }
  return { ...document }
}
