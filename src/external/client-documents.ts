/**
 * The documents that client ids are the addresses of (draft-ietf-oauth-client-id-metadata-document section 5), fetched once
 * for everybody who needs them and kept as long as their server says, within bounds. Rows G07, G08, G13, H12, H13.
 *
 * Never: two fetches of one document at a time; a failure that is remembered; more than a handful of slow servers waited
 * for at once.
 */
import { problem } from '../errors/problem.ts'
import type { World } from '../world.ts'
import type { Egress, OutboundAnswer } from './egress.ts'

/** The documents of a node. */
export interface ClientDocuments {
  /** Whether a document need not be fetched. */
  isAtHand(url: string): boolean
  /**
   * Reads a document.
   * @throws EgressFailed; Error when what comes is no JSON; Problem UNAVAILABLE when too many are being fetched
   */
  read(url: string): Promise<Buffer>
  /** Keeps a document no longer that turned out not to count. */
  forget(url: string): void
}

interface Kept {
  readonly document: Buffer
  readonly until: number
}

const mostDocuments = 500
const mostAtOnce = 32
const maximumBytes = 5 * 1024
const maximumMilliseconds = 5_000
/** How long a document is kept, in seconds: at least, at most, and where its server does not say. */
const [leastAge, greatestAge, standardAge] = [300, 86_400, 3_600]

/** Opens the documents of a node. */
export function openClientDocuments(egress: Egress, world: World): ClientDocuments {
  const kept = new Map<string, Kept>()
  const underWay = new Map<string, Promise<Buffer>>()

  async function fetchAnew(url: string): Promise<Buffer> {
    const headers = { accept: 'application/json' }
    const answer = await egress({ method: 'GET', url, headers, maximumBytes, maximumMilliseconds })
    if (answer.status !== 200) throw new Error(`a client document answered ${answer.status}`)
    if (!/^application\/(?:[\w.-]+\+)?json$/.test(answer.contentType)) throw new Error('a client document is no JSON')
    kept.delete(url)
    kept.set(url, { document: answer.body, until: world.now() + ageOf(answer) * 1000 })
    const [oldest] = kept.keys()
    if (kept.size > mostDocuments && oldest !== undefined) kept.delete(oldest)
    return answer.body
  }

  const atHand = (url: string) => {
    const found = kept.get(url)
    return found && found.until > world.now() ? found.document : undefined
  }

  return {
    isAtHand: (url) => atHand(url) !== undefined,
    forget: (url) => void kept.delete(url),
    async read(url) {
      const document = atHand(url) ?? underWay.get(url)
      if (document) return document
      if (underWay.size >= mostAtOnce) throw problem('UNAVAILABLE', { headers: { 'retry-after': '5' } })
      const fetching = fetchAnew(url).finally(() => underWay.delete(url))
      underWay.set(url, fetching)
      return fetching
    },
  }
}

function ageOf({ cacheControl }: OutboundAnswer): number {
  const directives = cacheControl.split(',').map((directive) => directive.trim().toLowerCase())
  if (directives.includes('no-store') || directives.includes('no-cache')) return leastAge
  const [seconds] = directives.flatMap((directive) => /^max-age=(\d{1,9})$/.exec(directive)?.[1] ?? [])
  return seconds === undefined ? standardAge : Math.min(Math.max(Number(seconds), leastAge), greatestAge)
}
