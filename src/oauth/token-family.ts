/**
 * Token families: one row per grant of a user to a client (decision D21). Everything issued from a grant names it, so that
 * revoking the row ends all of it (decision D22). `generation` counts its refresh tokens from 1; 0: there is none.
 *
 * A family ends with the session it was granted in; one that was granted `offline_access` goes on when its user signs off
 * (OpenID Connect Core section 11; directory/session-end.ts), and so does one that nobody has signed on for.
 *
 * Never: a second refresh token for the same application in one session (authentication-api 2.7), unless its user has
 * approved each; or grants without bound (row E27).
 */
import { type Confirmation, refreshConfirmation } from '../access/confirmation.ts'
import type { Application } from '../environment/application.ts'
import type { Environment } from '../environment/snapshot.ts'
import { insert, type Word } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import {
  endOtherRefreshOfSession,
  endRefreshOfFamily,
  type FamilyKey,
  offlineIn,
  oldestOfflineFamilies,
} from '../storage/sql/token-families.ts'
import type { GrantedRequest } from './granted-request.ts'
import { grantedResources } from './granted-resources.ts'
import { type RefreshBinding, type RefreshSettings, refreshBinding, refreshEnd } from './rules/refresh-token.ts'
import type { TokenUser } from './tokens/access-token.ts'
import type { RefreshToken } from './tokens/refresh-token.ts'

/** A grant that tokens are issued from. */
export interface TokenFamily {
  readonly id: string
  readonly clientId: string
  readonly user: TokenUser
  readonly scopes: readonly string[]
  /** What was asked for and not granted. */
  readonly leftOut?: readonly string[] | undefined
  /** The consent that the grant stands on. */
  readonly consentId?: string | undefined
  /** What was granted beside scopes. */
  readonly granted?: GrantedRequest
  /** The user has approved it for another device, and may approve more of them in the same session. */
  readonly isPolled?: boolean
  /** Present when there are refresh tokens. */
  readonly refresh?: FamilyRefresh | undefined
}

/** How the refresh tokens of a family live. */
export interface FamilyRefresh {
  readonly binding: RefreshBinding
  readonly settings: RefreshSettings
  /**
   * The key that they are bound to: of public clients, which nothing else binds (RFC 9449 section 5, RFC 8705 section 7.1),
   * and of attested instances, of which a client has many.
   */
  readonly confirmation: Confirmation | undefined
}

/** What is stored of a family beside its columns. */
export interface FamilyDocument extends GrantedRequest {
  /** The session it was granted in, which a family that is offline may have outlived. */
  readonly sessionId: string
  readonly acr?: string | undefined
  readonly amr: readonly string[]
  readonly authTime?: number | undefined
  readonly leftOut?: readonly string[] | undefined
  readonly consentId?: string | undefined
  readonly confirmation?: Confirmation | undefined
}

const longestTokenLifeMilliseconds = 30 * 24 * 3600 * 1000
/** Offline grants of one user to one application whose refresh tokens are good. */
const mostOfflineGrants = 100
/**
 * More than the one that a new grant puts over the limit, and more than nodes have connections: what is over after grants
 * made at once comes down again, also while they go on.
 */
const mostEndedAtOnce = 50

/** Whether `offline_access` is granted to an application (platform-api 3.9). */
export function mayBeOffline(environment: Environment, client: Application): boolean {
  return grantedResources(environment, client).some(
    ({ type, scopes }) => type === 'OPENID_CONNECT' && scopes.includes('offline_access'),
  )
}

/**
 * How the refresh tokens live that a client gets for a grant: for every grant with a user, to be handed to `openFamily`.
 * @param confirmation the key that the client has proved
 * @returns undefined when it gets none
 */
export function familyRefresh(
  environment: Environment,
  client: Application,
  scopes: readonly string[],
  confirmation: Confirmation | undefined,
): FamilyRefresh | undefined {
  const { document } = client
  const binding = refreshBinding(document.grantTypes, scopes, mayBeOffline(environment, client))
  const isPublic = document.tokenEndpointAuthMethod === 'NONE'
  return binding && { binding, settings: document, confirmation: refreshConfirmation(confirmation, isPublic) }
}

/**
 * Until when the row of a family is kept: as long as anything that names it may be good, and as long as its session can
 * live, since it says which application has to be told when that ends (directory/session-end.ts).
 * @param now epoch milliseconds
 */
export function familyKeptUntil(
  { settings: { sessionAbsoluteMinutes } }: Environment,
  settings: RefreshSettings | undefined,
  now: number,
): number {
  const refreshing = (settings?.refreshTokenDuration ?? 0) * 1000
  return now + Math.max(longestTokenLifeMilliseconds, refreshing, sessionAbsoluteMinutes * 60_000)
}

/**
 * Ends what is over the limit of offline grants, one by one. Of grants made at the same moment each sees the same old
 * ones; a few are over for a while then, and end with the next grants.
 */
function* endOldestOfflineGrants(key: FamilyKey): Word<void> {
  const oldest = yield* run(oldestOfflineFamilies(key, mostOfflineGrants - 1, mostEndedAtOnce))
  for (const { id } of oldest) yield endRefreshOfFamily(key.environmentId, id)
}

/**
 * Opens a family, inside the unit that issues its first token.
 * @param now epoch milliseconds
 * @returns its first refresh token, where it has any
 */
export function* openFamily(
  environment: Environment,
  family: TokenFamily,
  now: number,
): Word<RefreshToken | undefined> {
  const { id, clientId, user, scopes, leftOut, consentId, refresh } = family
  const { sessionId, acr, amr, authTime } = user
  const standing = { sessionId, acr, amr, authTime, leftOut, consentId, confirmation: refresh?.confirmation }
  yield* insert('token_families', {
    environment_id: environment.id,
    id,
    client_id: clientId,
    user_id: user.id,
    session_id: refresh?.binding === 'offline' || sessionId === '' ? offlineIn(sessionId) : sessionId,
    scope: scopes.join(' '),
    document: JSON.stringify({ ...standing, ...family.granted } satisfies FamilyDocument),
    generation: refresh ? 1 : 0,
    rotated_at: null,
    revoked_at: null,
    created_at: now,
    expires_at: familyKeptUntil(environment, refresh?.settings, now),
  })
  if (!refresh) return undefined
  const key = { environmentId: environment.id, userId: user.id, clientId, id }
  if (refresh.binding === 'offline') yield* endOldestOfflineGrants(key)
  else if (!family.isPolled) yield endOtherRefreshOfSession(key, sessionId)
  return {
    kind: 'refresh-token',
    familyId: id,
    generation: 1,
    user,
    scopes,
    issuedAt: now,
    expiresAt: refreshEnd({ createdAt: now, rotatedAt: null }, refresh.settings),
  }
}
