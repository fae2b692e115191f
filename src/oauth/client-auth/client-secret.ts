/**
 * The comparison of a presented secret with those that count: SHA-256 of both sides (decision D15).
 * Never: a comparison that takes longer the more characters are right, or less long for a client that is not there.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { Application } from '../../environment/application.ts'

const unknownHash = Buffer.alloc(32)

/**
 * Whether a secret is the present one of an application or resource, or the previous one in its time.
 * @param now epoch milliseconds
 */
export function secretMatches(
  owner: Pick<Application, 'secretHashes'> | undefined,
  secret: string,
  now: number,
): boolean {
  const presented = hash('sha256', secret, 'buffer')
  let matches = false
  for (const { hash: stored, expiresAt } of owner?.secretHashes ?? []) {
    const fits = timingSafeEqual(stored, presented)
    if (fits && (expiresAt === null || expiresAt > now)) matches = true
  }
  if (!owner) timingSafeEqual(unknownHash, presented)
  return matches
}
