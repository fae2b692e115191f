/**
 * Token families: one row per grant of a user to a client (decision D21). Everything issued from a grant names it, so
 * that revoking the row ends all of it (decision D22). `generation` is what refresh tokens will count.
 */
import type { Confirmation } from '../access/confirmation.ts'
import type { Environment } from '../environment/snapshot.ts'
import { insert, type Word } from '../storage/operations.ts'
import type { GrantedRequest } from './granted-request.ts'
import type { TokenUser } from './tokens/access-token.ts'

/** A grant that tokens are issued from. */
export interface TokenFamily {
  readonly id: string
  readonly clientId: string
  readonly user: TokenUser
  readonly scopes: readonly string[]
  /**
   * The key that its refresh tokens are bound to: those of public clients, which nothing else binds (RFC 9449 section 5,
   * RFC 8705 section 7.1).
   */
  readonly confirmation?: Confirmation | undefined
  /** What was granted beside scopes. */
  readonly granted?: GrantedRequest
}

/** What is stored of a family beside its columns. */
export interface FamilyDocument extends GrantedRequest {
  readonly confirmation?: Confirmation | undefined
}

const longestTokenLifeMilliseconds = 30 * 24 * 3600 * 1000

/**
 * Opens a family, inside the unit that issues its first token.
 * @param now epoch milliseconds
 */
export function* openFamily(environment: Environment, family: TokenFamily, now: number): Word<void> {
  yield* insert('token_families', {
    environment_id: environment.id,
    id: family.id,
    client_id: family.clientId,
    user_id: family.user.id,
    session_id: family.user.sessionId,
    scope: family.scopes.join(' '),
    document: JSON.stringify({ confirmation: family.confirmation, ...family.granted } satisfies FamilyDocument),
    generation: 0,
    rotated_at: null,
    revoked_at: null,
    created_at: now,
    expires_at: now + longestTokenLifeMilliseconds,
  })
}
