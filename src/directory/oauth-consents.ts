/**
 * What users granted to applications: one consent per user and application, which grows with what is granted later
 * (OpenID Connect Core 3.1.2.4; rows B20, E08, I32). Its id is new whenever it was withdrawn in between, so that a code from
 * before stays worthless.
 */
import type { ConsentFacts } from '../flow/consent.ts'
import type { Kernel } from '../kernel.ts'
import { compareAndSet, insert, remove, type Word } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import {
  consentOf,
  consentsOfUser,
  type OauthConsentRow,
  revokeFamiliesOfUserAtClient,
  noteConsentUse,
} from '../storage/sql/oauth-consents.ts'

/** A consent. Times in epoch milliseconds. */
export interface OauthConsent extends ConsentFacts {
  readonly applicationId: string
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
  /** When tokens were issued by it last; null: not yet. */
  readonly usedAt: number | null
}

function consentFrom(row: OauthConsentRow): OauthConsent {
  return {
    id: row.id,
    userId: row.user_id,
    applicationId: row.application_id,
    scopeIds: JSON.parse(row.scope_ids) as string[],
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    usedAt: row.used_at,
  }
}

/** Reads what a user granted to an application. */
export async function readConsent(
  { storage }: Pick<Kernel, 'storage'>,
  environmentId: string,
  userId: string,
  applicationId: string,
): Promise<OauthConsent | undefined> {
  const [row] = await storage.read(consentOf(environmentId, userId, applicationId))
  return row && consentFrom(row)
}

/** Reads what a user granted, to all applications. */
export async function readConsents(
  { storage }: Pick<Kernel, 'storage'>,
  environmentId: string,
  userId: string,
): Promise<readonly OauthConsent[]> {
  return (await storage.read(consentsOfUser(environmentId, userId))).map(consentFrom)
}

/** What is granted now. */
export interface Granting {
  readonly environmentId: string
  readonly userId: string
  readonly applicationId: string
  readonly scopeIds: readonly string[]
  /** The consent so far, as just read. */
  readonly before: OauthConsent | undefined
  /** The id of the consent, where there was none. */
  readonly newId: string
  /** Epoch milliseconds. */
  readonly now: number
}

/**
 * Grants scopes, beside those granted before; for the unit that saves the flow.
 * @throws Stale, UniquenessViolation when the consent was changed, given or withdrawn meanwhile
 */
export function* grantConsent({ before, newId, now, ...granting }: Granting): Word<void> {
  const key = {
    environment_id: granting.environmentId,
    user_id: granting.userId,
    application_id: granting.applicationId,
  }
  const scopeIds = JSON.stringify([...new Set([...(before?.scopeIds ?? []), ...granting.scopeIds])])
  if (before) {
    yield* compareAndSet('oauth_consents', key, before.version, { scope_ids: scopeIds, updated_at: now })
    return
  }
  yield* insert('oauth_consents', {
    ...key,
    id: newId,
    scope_ids: scopeIds,
    version: 1,
    created_at: now,
    updated_at: now,
    used_at: null,
  })
}

/** The consent by which a client gets something for a user. */
export interface ConsentInUse {
  readonly environmentId: string
  readonly userId: string
  readonly applicationId: string
  readonly consentId: string
}

/**
 * Makes sure, inside the unit that issues tokens, that the consent stands: whoever withdraws it waits for the unit, and
 * then revokes what it issued.
 * @returns false when it was withdrawn
 */
export function* consentStands(
  { environmentId, userId, applicationId, consentId }: ConsentInUse,
  now: number,
): UnitBody<boolean> {
  return (yield* run(noteConsentUse(environmentId, userId, applicationId, consentId, now))).length > 0
}

/**
 * Withdraws a consent and ends what was issued to the application for the user.
 * @returns whether it was there
 */
export function* withdrawConsent(
  environmentId: string,
  { id, userId, applicationId }: Pick<OauthConsent, 'id' | 'userId' | 'applicationId'>,
  now: number,
): UnitBody<boolean> {
  const key = { environment_id: environmentId, user_id: userId, application_id: applicationId, id }
  if ((yield* remove('oauth_consents', key)) === 0) return false
  yield revokeFamiliesOfUserAtClient(environmentId, userId, applicationId, now)
  return true
}
