/**
 * What users consented to (platform-api 3.5, 3.16): one consent for each user and agreement, the last one. Whether it
 * holds is judged by `flow/agreement.ts`.
 */
import type { AgreementConsent } from '../flow/agreement.ts'
import type { Kernel } from '../kernel.ts'
import type { Word } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import {
  type AgreementConsentRow,
  readConsent,
  readConsents,
  recordConsent,
  revokeConsent,
} from '../storage/sql/agreement-consents.ts'
import { agreementRevisionText } from '../storage/sql/agreements.ts'

type Storage = Pick<Kernel, 'storage'>

/** A consent as it is stored. Times are epoch milliseconds. */
export interface StoredConsent extends AgreementConsent {
  readonly id: string
  readonly userId: string
  readonly agreementId: string
}

/** The consents of a user; one read. */
export async function consentsOf(
  { storage }: Storage,
  environmentId: string,
  userId: string,
): Promise<readonly StoredConsent[]> {
  return (await storage.read(readConsents(environmentId, userId))).map(consentFrom)
}

/** The consent of a user to an agreement; one read. Undefined: there never was one. */
export async function consentOf(
  { storage }: Storage,
  environmentId: string,
  userId: string,
  agreementId: string,
): Promise<StoredConsent | undefined> {
  const [row] = await storage.read(readConsent(environmentId, userId, agreementId))
  return row && consentFrom(row)
}

/** A consent that is given. */
export interface GivenConsent {
  /** Its id, if the user has never consented to the agreement before. */
  readonly id: string
  readonly userId: string
  readonly agreementId: string
  readonly languageId: string
  readonly revisionId: string
  /** Epoch milliseconds. */
  readonly consentedAt: number
}

/**
 * Records a consent in the place of the one before; for the unit of whoever lets the user consent.
 * @param now epoch milliseconds
 */
export function* acceptAgreement(environmentId: string, given: GivenConsent, now: number): Word<StoredConsent> {
  const rows = yield* run(
    recordConsent(environmentId, {
      id: given.id,
      user_id: given.userId,
      agreement_id: given.agreementId,
      language_id: given.languageId,
      revision_id: given.revisionId,
      consented_at: given.consentedAt,
      updated_at: now,
    }),
  )
  const [row] = rows
  if (!row) throw new TypeError('agreement_consents did not return its row')
  return consentFrom(row)
}

/**
 * Takes a consent back; for the unit of whoever does.
 * @returns undefined: there is none
 */
export function* revokeAgreement(
  environmentId: string,
  userId: string,
  agreementId: string,
  now: number,
): Word<StoredConsent | undefined> {
  const [row] = yield* run(revokeConsent(environmentId, userId, agreementId, now))
  return row && consentFrom(row)
}

/**
 * The text of a revision; one read. HTML is as it was written: `readMarkup` of `environment/agreement-text.ts` takes it
 * apart before it is shown on a page.
 * @returns undefined: there is no such revision any more
 */
export async function agreementTextOf(
  { storage }: Storage,
  environmentId: string,
  { agreementId, languageId, revisionId }: Pick<GivenConsent, 'agreementId' | 'languageId' | 'revisionId'>,
): Promise<string | undefined> {
  const [row] = await storage.read(agreementRevisionText(environmentId, agreementId, languageId, revisionId))
  return row?.text
}

function consentFrom(row: AgreementConsentRow): StoredConsent {
  return {
    id: row.id,
    userId: row.user_id,
    agreementId: row.agreement_id,
    languageId: row.language_id,
    revisionId: row.revision_id,
    consentedAt: row.consented_at,
    revokedAt: row.revoked_at,
  }
}
