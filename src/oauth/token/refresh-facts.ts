/**
 * What is known of a refresh token when it is presented: what its grant fixed, where its chain stands, and how its user,
 * their password and their session are now (rows E07, E08). One read, and more only for applications that say whom they
 * let in.
 */
import type { Context } from '../../contract/operation.ts'
import { canAuthenticate, userWithPasswordFrom } from '../../directory/users.ts'
import type { Application } from '../../environment/application.ts'
import type { Environment } from '../../environment/snapshot.ts'
import { isStillAdmitted } from '../../flow-runtime/admission.ts'
import type { Kernel } from '../../kernel.ts'
import { resolveSite } from '../../site.ts'
import { type FamilyFactsRow, familyFacts, sessionOfFamily } from '../../storage/sql/token-families.ts'
import type { RefreshChain } from '../rules/refresh-token.ts'
import { type FamilyDocument, mayBeOffline } from '../token-family.ts'
import type { TokenUser } from '../tokens/access-token.ts'
import { type ClaimSource, claimSource } from '../tokens/claim-source.ts'
import { type RefreshTokenName, readRefreshToken } from '../tokens/refresh-token.ts'

/** A presented refresh token and the present standing of what it was granted on. */
export interface RefreshFacts extends RefreshTokenName {
  readonly clientId: string
  readonly chain: RefreshChain
  readonly scopes: readonly string[]
  readonly document: FamilyDocument
  readonly user: TokenUser
  /** The session the family belongs to, and when it was used last; undefined where it belongs to none. */
  readonly session: { readonly id: string; readonly activeAt: number } | undefined
  /** The user's claims as they are now; undefined when nothing may be issued for them any more. */
  readonly standing: ClaimSource | undefined
}

/**
 * Reads a refresh token.
 * @param client whoever presents it
 */
export async function readRefreshFacts(
  { kernel, now }: Context,
  environment: Environment,
  client: Application,
  text: string,
): Promise<RefreshFacts | undefined> {
  const name = readRefreshToken(environment, resolveSite(kernel.origins, environment), text, now)
  if (!name) return undefined
  const [row] = await kernel.storage.read(familyFacts(environment.id, name.familyId, now))
  if (!row) return undefined
  const document = JSON.parse(row.family_document) as FamilyDocument
  const { sessionId, acr, amr, authTime } = document
  return {
    ...name,
    clientId: row.family_client_id,
    chain: {
      generation: row.generation,
      createdAt: row.family_created_at,
      rotatedAt: row.rotated_at,
      revokedAt: row.revoked_at,
    },
    scopes: row.family_scope.split(' ').filter((scope) => scope !== ''),
    document,
    user: { id: row.family_user_id, sessionId, acr, amr, authTime },
    session:
      row.session_active_at === null ? undefined : { id: row.family_session_id, activeAt: row.session_active_at },
    standing: await standingOf(kernel, environment, client, row, now),
  }
}

async function standingOf(
  kernel: Kernel,
  environment: Environment,
  client: Application,
  row: FamilyFactsRow,
  now: number,
): Promise<ClaimSource | undefined> {
  const { isOffline } = sessionOfFamily(row.family_session_id)
  const sessionLives = isOffline ? mayBeOffline(environment, client) : row.session_active_at !== null
  if (!sessionLives || row.id === null) return undefined
  const { user, password } = userWithPasswordFrom(environment.id, row)
  const isPasswordKept = password === null || password.changedAt <= row.family_created_at
  const isStanding = canAuthenticate(user, now) && isPasswordKept && (await isStillAdmitted(kernel, client, user))
  return isStanding ? claimSource(user) : undefined
}
