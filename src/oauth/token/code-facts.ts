/**
 * What is known of an authorization code when it is redeemed: what the authorization request fixed, and how its user
 * and session stand now. One read.
 */
import { hash } from 'node:crypto'
import type { UserDocument } from '../../directory/users.ts'
import type { Storage } from '../../storage/port.ts'
import { codeFacts } from '../../storage/sql/authorization-codes.ts'
import type { GrantedRequest } from '../granted-request.ts'
import type { CodeChallenge } from '../rules/pkce.ts'
import type { TokenUser } from '../tokens/access-token.ts'
import type { ClaimSource } from '../tokens/claim-source.ts'

/** What the authorization endpoint stores with a code. */
export interface CodeDocument extends GrantedRequest {
  /** As it was sent, or null when the request had none. */
  readonly redirectUri: string | null
  readonly challenge: CodeChallenge | null
  /** The thumbprint of the DPoP key that may redeem it; absent: any key, or none. */
  readonly dpopJkt?: string | undefined
  readonly nonce: string | null
  readonly scopes: readonly string[]
  /** What the request asked for and was not granted. */
  readonly leftOut?: readonly string[] | undefined
  readonly audiences: readonly string[]
  readonly accessTokenSeconds: number | null
  readonly acr: string | undefined
  readonly amr: readonly string[]
  readonly authTime: number | undefined
  /** The consent by which the code was issued, where the application needs one. */
  readonly consentId?: string | undefined
  /** The family of the access token that came beside the code (`code token`): who leaked one has leaked the other. */
  readonly frontChannelFamilyId?: string | undefined
}

/** A stored code and the present standing of whom it speaks for. */
export interface CodeFacts {
  readonly hash: string
  readonly familyId: string
  readonly clientId: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly used: boolean
  readonly document: CodeDocument
  readonly user: TokenUser
  readonly source: ClaimSource
  /** Whether the user may still sign on, the session lives, and the password is the one that was proved (row B20). */
  readonly standing: boolean
}

/** The key under which a code is stored: a code itself never is. */
export function hashCode(code: string): string {
  return hash('sha256', code, 'base64url')
}

/** Reads a code of an environment. */
export async function readCode(
  storage: Storage,
  environmentId: string,
  code: string,
  now: number,
): Promise<CodeFacts | undefined> {
  const codeHash = hashCode(code)
  const [row] = await storage.read(codeFacts(environmentId, codeHash, now))
  if (!row) return undefined
  const document = JSON.parse(row.document) as CodeDocument
  const passwordKept = row.password_changed_at === null || row.password_changed_at <= row.created_at
  return {
    hash: codeHash,
    familyId: row.family_id,
    clientId: row.client_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    used: row.used_at !== null,
    document,
    user: {
      id: row.user_id,
      sessionId: row.session_id,
      acr: document.acr,
      amr: document.amr,
      authTime: document.authTime,
    },
    source: {
      userId: row.user_id,
      username: row.username ?? '',
      populationId: row.population_id ?? '',
      createdAt: row.user_created_at ?? 0,
      updatedAt: row.user_updated_at ?? 0,
      document: row.user_document === null ? {} : (JSON.parse(row.user_document) as UserDocument),
    },
    standing: row.user_usable === 1 && row.session_alive === 1 && passwordKept,
  }
}
