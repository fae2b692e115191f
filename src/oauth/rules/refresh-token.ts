/**
 * PURE: whether a client gets refresh tokens, how long they live, and what a presented one is worth. RFC 6749 sections 1.5
 * and 6, RFC 9700 section 4.14, OpenID Connect Core section 11, authentication-api 2.7, decisions D4 and D21; rows E01-E03,
 * E09, E29.
 *
 * Never: two live successors of one token; a grace for anything but the immediate predecessor; a chain without an end.
 */

/** What a grant of refresh tokens is bound to: nothing that lasts beyond the session, or the user's word that it may. */
export type RefreshBinding = 'session' | 'offline'

/** What an application says of its refresh tokens (platform-api 3.7). Seconds. */
export interface RefreshSettings {
  readonly refreshTokenDuration: number
  readonly refreshTokenRollingDuration: number
  readonly refreshTokenRollingGracePeriodDuration?: number | undefined
  readonly additionalRefreshTokenReplayProtectionEnabled: boolean
}

/** Where a chain of refresh tokens stands. Epoch milliseconds. */
export interface RefreshChain {
  /** The token that is good now, counted from 1; 0: there is none, or none any more. */
  readonly generation: number
  readonly createdAt: number
  /** When that token came of its predecessor; null for the first one. */
  readonly rotatedAt: number | null
  readonly revokedAt: number | null
}

/**
 * What a presented refresh token is worth: `current` is rotated; `predecessor` gets the same successor once more; `replayed`
 * was used before; `dead` belongs to a chain that has ended.
 */
export type RefreshWorth = 'current' | 'predecessor' | 'replayed' | 'dead'

/** Decision D4: what an application has that does not say. */
const defaultGraceSeconds = 10

/**
 * Whether a client gets refresh tokens for what it is granted. An application to which `offline_access` was granted gets
 * them when it asks for that scope, and only then; any other always does (authentication-api 2.7).
 * @param scopes what this request is granted
 * @param mayBeOffline whether `offline_access` is granted to the application
 * @returns undefined when it gets none
 */
export function refreshBinding(
  grantTypes: readonly string[],
  scopes: readonly string[],
  mayBeOffline: boolean,
): RefreshBinding | undefined {
  if (!grantTypes.includes('REFRESH_TOKEN')) return undefined
  if (scopes.includes('offline_access')) return 'offline'
  return mayBeOffline ? undefined : 'session'
}

/** When the present token of a chain ends: by lying idle, or with the chain. */
export function refreshEnd(chain: Pick<RefreshChain, 'createdAt' | 'rotatedAt'>, settings: RefreshSettings): number {
  const idle = (chain.rotatedAt ?? chain.createdAt) + settings.refreshTokenDuration * 1000
  return Math.min(idle, chain.createdAt + settings.refreshTokenRollingDuration * 1000)
}

/**
 * Judges a presented token of a chain.
 * @param generation the one that is presented
 */
export function refreshWorth(
  chain: RefreshChain,
  generation: number,
  settings: RefreshSettings,
  now: number,
): RefreshWorth {
  if (chain.generation === 0 || chain.revokedAt !== null || refreshEnd(chain, settings) <= now) return 'dead'
  if (generation === chain.generation) return 'current'
  if (generation > chain.generation) return 'dead'
  if (generation < chain.generation - 1 || chain.rotatedAt === null) return 'replayed'
  const grace = (settings.refreshTokenRollingGracePeriodDuration ?? defaultGraceSeconds) * 1000
  // `now` may be before the rotation: a request that was taken up first and came second, or a clock that is behind.
  return grace > 0 && now - chain.rotatedAt < grace ? 'predecessor' : 'replayed'
}

/**
 * The scopes that a refresh asks for: all that were granted, or fewer of them (RFC 6749 section 6). What the request for
 * authorization asked for and was not given is passed over once more; anything else is a widening (row E06).
 * @param requested distinct scopes; none: all
 * @param leftOut what was asked for and not granted
 */
export function narrowedScopes(
  requested: readonly string[],
  granted: readonly string[],
  leftOut: readonly string[],
): readonly string[] | { readonly refused: string } {
  if (requested.length === 0) return granted
  const wider = requested.find((name) => !granted.includes(name) && !leftOut.includes(name))
  if (wider !== undefined) return { refused: 'May not request scopes beyond those that were granted' }
  const narrowed = granted.filter((name) => requested.includes(name))
  return narrowed.length > 0 ? narrowed : { refused: 'At least one scope must be granted' }
}
