/**
 * The agreements of an environment (platform-api 3.16), made from their rows. Their texts are not part of it: one is read
 * when it is shown.
 */
import {
  type Agreement,
  type AgreementLanguage,
  type AgreementRevision,
  type AgreementUserExperience,
  agreementContentTypes,
} from '../flow/agreement.ts'
import type { AgreementLanguageRow, AgreementRevisionRow, AgreementRow } from '../storage/sql/agreements.ts'
import type { LanguageRow } from '../storage/sql/languages.ts'

/** The `document` column of an agreement. */
export interface AgreementDocument {
  readonly description?: string | undefined
  readonly reconsentPeriodDays?: number | undefined
}

/** The `document` column of a language of an agreement. */
export interface AgreementLanguageDocument {
  readonly displayName: string
  readonly userExperience?: AgreementUserExperience | undefined
}

/**
 * How much of it an environment may have: all of it is held in memory, and the pages of a sign-on look through it.
 */
export const agreementBounds = { agreements: 100, languages: 1000, revisions: 5000 } as const

/**
 * The agreements of an environment, by id. A language is offered while it is enabled in the agreement and in the
 * environment.
 * @param revisions in the order in which they come into force
 * @throws when a row has a content type that this version does not know
 */
export function agreementsFrom(
  environmentLanguages: readonly LanguageRow[],
  agreements: readonly AgreementRow[],
  languages: readonly AgreementLanguageRow[],
  revisions: readonly AgreementRevisionRow[],
): ReadonlyMap<string, Agreement> {
  const defaultLocale = environmentLanguages.find((language) => language.is_default === 1)?.locale
  const enabled = new Set(environmentLanguages.filter((each) => each.enabled === 1).map(({ locale }) => locale))
  const languagesOf = Map.groupBy(languages, ({ agreement_id: id }) => id)
  const revisionsOf = Map.groupBy(revisions, ({ language_id: id }) => id)
  const compiled = (row: AgreementLanguageRow): AgreementLanguage => {
    const { displayName, userExperience = {} } = JSON.parse(row.document) as AgreementLanguageDocument
    return {
      id: row.id,
      locale: row.locale,
      displayName,
      isOffered: row.enabled === 1 && enabled.has(row.locale),
      userExperience,
      revisions: (revisionsOf.get(row.id) ?? []).map(revisionFrom),
    }
  }
  return new Map(
    agreements.map(({ id, name, enabled: isEnabled, document }) => {
      const { reconsentPeriodDays = null } = JSON.parse(document) as AgreementDocument
      const own = (languagesOf.get(id) ?? []).map(compiled)
      return [id, { id, name, enabled: isEnabled === 1, reconsentPeriodDays, defaultLocale, languages: own }]
    }),
  )
}

/** A revision of a row. */
export function revisionFrom(row: AgreementRevisionRow): AgreementRevision {
  const contentType = agreementContentTypes.find((known) => known === row.content_type)
  if (!contentType) throw new Error(`no such content type of a revision: ${row.content_type}`)
  return { id: row.id, contentType, effectiveAt: row.effective_at, requireReconsent: row.require_reconsent === 1 }
}
