/** What is known of a grant when its client polls: what was asked for, what came of it, and how its user stands now. One read. */
import {
  hashPolledCode,
  type PolledGrantKind,
  type PolledOutcome,
  type PolledRequest,
} from '../../directory/polled-grants.ts'
import type { UserDocument } from '../../directory/users.ts'
import type { Storage } from '../../storage/port.ts'
import { polledGrantFacts, type PolledGrantStatus } from '../../storage/sql/polled-grants.ts'
import type { PolledTerms } from '../polling/terms.ts'
import type { TokenUser } from '../tokens/access-token.ts'
import type { ClaimSource } from '../tokens/claim-source.ts'

/** Somebody who has approved a grant. */
export interface Approval {
  readonly user: TokenUser
  readonly source: ClaimSource
  /** The consent that the user gave, where they were asked for one. */
  readonly consentId: string | undefined
  /** Whether the user may still sign on, the session lives, and the password is the one that was proved (rows B20, Q08). */
  readonly standing: boolean
}

/** A grant that is polled for. */
export interface PolledFacts {
  readonly id: string
  readonly kind: PolledGrantKind
  readonly clientId: string
  readonly status: PolledGrantStatus
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly terms: PolledTerms
  readonly approval: Approval | undefined
}

/** Reads the grant that a client polls for. */
export async function readPolled(
  storage: Storage,
  environmentId: string,
  code: string,
  now: number,
): Promise<PolledFacts | undefined> {
  const [row] = await storage.read(polledGrantFacts(environmentId, hashPolledCode(code), now))
  if (!row) return undefined
  const { terms } = JSON.parse(row.document) as PolledRequest
  const grant = {
    id: row.id,
    kind: row.kind as PolledGrantKind,
    clientId: row.client_id,
    status: row.status,
    expiresAt: row.expires_at,
    terms: terms as PolledTerms,
  }
  const { user_id: id, session_id: sessionId, outcome: text, decided_at: decidedAt } = row
  if (id === null || sessionId === null || text === null || decidedAt === null) return { ...grant, approval: undefined }
  const { acr, amr, authTime, consentId } = JSON.parse(text) as PolledOutcome
  const passwordKept = row.password_changed_at === null || row.password_changed_at <= decidedAt
  return {
    ...grant,
    approval: {
      user: { id, sessionId, acr, amr, authTime },
      source: {
        userId: id,
        username: row.username ?? '',
        populationId: row.user_population_id ?? '',
        createdAt: row.user_created_at ?? 0,
        updatedAt: row.user_updated_at ?? 0,
        document: row.user_document === null ? {} : (JSON.parse(row.user_document) as UserDocument),
      },
      consentId,
      standing: row.user_usable === 1 && row.session_alive === 1 && passwordKept,
    },
  }
}
