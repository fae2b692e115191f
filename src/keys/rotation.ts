/**
 * PURE: when a key signs, and how long it is published. R17: a key stands in the JWKS at least as long as a verifier may
 * keep an older copy before it signs, and until the last token it signed has expired. The moment at which a key begins to
 * sign is stored with it, so that all nodes change over without a word between them; clocks that differ do no harm, since
 * both keys are published long before and long after.
 *
 * Never: a key that signs before every node publishes it; a key taken away while a token of it may be alive.
 */

const DAY = 86_400_000

/** How long a verifier may keep the JWKS, seconds: `max-age` of its answer. */
export const jwksLifetimeSeconds = 300

/** A node whose configuration is older than 5 s decides nothing any more: by then every node publishes a new key. */
const settlingMilliseconds = 10_000

/** A key stands in the JWKS at least this long before it signs, unless it is the first of its algorithm. */
export const leastPublicationSeconds = jwksLifetimeSeconds + settlingMilliseconds / 1000

/** The longest life that any token can be given (`accessTokenValiditySeconds` of a resource), and a margin for clocks. */
const longestTokenMilliseconds = 2_592_000_000 + 120_000

/** When a key signs. Epoch milliseconds. */
export interface Schedule {
  readonly createdAt: number
  readonly signsFrom: number
  /** When it stopped, once that is over; null before. */
  readonly retiredAt: number | null
}

/** The key of a policy that signs at a moment: the one that began last. */
export function signingAt<K extends Schedule>(keys: readonly K[], now: number): K | undefined {
  let signing: K | undefined
  for (const key of keys) {
    const mayBe = key.retiredAt === null && key.signsFrom <= now
    if (mayBe && (!signing || key.signsFrom > signing.signsFrom)) signing = key
  }
  return signing
}

/** The keys of a policy that will sign later, the nearest first. */
export function upcoming<K extends Schedule>(keys: readonly K[], now: number): readonly K[] {
  return keys
    .filter(({ signsFrom, retiredAt }) => retiredAt === null && signsFrom > now)
    .toSorted((one, other) => one.signsFrom - other.signsFrom)
}

/** When each key that is done with signing stopped: as its successor began. */
export function superseded<K extends Schedule>(keys: readonly K[], now: number): ReadonlyMap<K, number> {
  const begun = keys
    .filter(({ signsFrom, retiredAt }) => retiredAt === null && signsFrom <= now)
    .toSorted((one, other) => one.signsFrom - other.signsFrom)
  return new Map(begun.slice(0, -1).map((key, at) => [key, begun[at + 1]?.signsFrom ?? now]))
}

/** The moment before which a key must have been retired for its last token to have expired by `now`. */
export function allExpiredBefore(now: number): number {
  return now - longestTokenMilliseconds
}

/** What decides when the next key of a policy signs. */
export interface Rotation {
  readonly rotationPeriodDays: number
  /** How long the next key is to be published before it signs, in seconds. */
  readonly publicationSeconds: number
}

/**
 * When a key that is made or planned now is to sign, as planned.
 * @param current the key that signs now; the period counts from when it began
 * @param publishedSince when the next key was or is published
 */
export function plannedFor(
  { rotationPeriodDays, publicationSeconds }: Rotation,
  current: Schedule | undefined,
  publishedSince: number,
  now: number,
): number {
  if (!current) return now
  return Math.max(
    current.signsFrom + rotationPeriodDays * DAY,
    publishedSince + publicationSeconds * 1000,
    now + settlingMilliseconds,
  )
}

/** When a published key may sign if it is to do so as soon as possible: once every verifier can know it. */
export function soonest(publishedSince: number, now: number): number {
  return Math.max(now + settlingMilliseconds, publishedSince + leastPublicationSeconds * 1000)
}

/** When the key after one that signs from `signsFrom` is to sign. */
export function followingOf(signsFrom: number, { rotationPeriodDays }: Pick<Rotation, 'rotationPeriodDays'>): number {
  return signsFrom + rotationPeriodDays * DAY
}
