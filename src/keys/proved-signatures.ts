/**
 * Signatures that were found to hold: whether one does is a fact of the token and the key, and never changes. A token is
 * presented many times, and verifying it is most of what reading it costs.
 *
 * Kept by key, so that what is known of a key goes with it, and by hash, so that no token lies in memory.
 * Never: a signature that does not hold; anything of a token but that (its times and all else are judged each time).
 */
import { hash } from 'node:crypto'

/** So many of the newest are kept of each key, and at most twice as many. */
const kept = 2_000

interface Generations {
  young: Set<string>
  old: Set<string>
}

const proved = new WeakMap<object, Generations>()

/**
 * Whether the signature of a token holds, by what is known or by verifying it.
 * @param key the object that stands for the key: another object is another key
 * @param token all of it, signature included
 */
export function holdsAsKnown(key: object, token: string, verify: () => boolean): boolean {
  const known = proved.get(key)
  const name = hash('sha256', token, 'base64url')
  if (known?.young.has(name) || known?.old.has(name)) return true
  if (!verify()) return false
  remember(key, known, name)
  return true
}

function remember(key: object, known: Generations | undefined, name: string): void {
  const generations = known ?? { young: new Set(), old: new Set() }
  if (!known) proved.set(key, generations)
  generations.young.add(name)
  if (generations.young.size < kept) return
  generations.old = generations.young
  generations.young = new Set()
}
