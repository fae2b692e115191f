/** Statements on `agreements`, `agreement_languages` and `agreement_revisions`. */
import type { Statement } from '../port.ts'
import { type Condition, equal, pageOf, type Span } from './page.ts'

/** A row of `agreements`. */
export interface AgreementRow {
  readonly id: string
  readonly name: string
  readonly enabled: number
  /** JSON: `AgreementDocument`. */
  readonly document: string
  readonly created_at: number
  readonly updated_at: number
}

const agreements = 'SELECT a.id, a.name, a.enabled, a.document, a.created_at, a.updated_at FROM agreements a'

/** The agreements of an environment. */
export function agreementsOf(environmentId: string): Statement<AgreementRow> {
  return { text: `${agreements} WHERE a.environment_id = $1 ORDER BY a.created_at, a.id`, values: [environmentId] }
}

/** One agreement. */
export function agreementById(environmentId: string, id: string): Statement<AgreementRow> {
  return { text: `${agreements} WHERE a.environment_id = $1 AND a.id = $2`, values: [environmentId, id] }
}

/** A page of the agreements of an environment. */
export function agreementsPage(
  environmentId: string,
  filter: readonly Condition[],
  span: Span,
): Statement<AgreementRow> {
  return pageOf(agreements, 'a', [equal('a.environment_id', environmentId), ...filter], span)
}

/** A row of `agreement_languages`. */
export interface AgreementLanguageRow {
  readonly agreement_id: string
  readonly id: string
  /** BCP 47. */
  readonly locale: string
  readonly enabled: number
  /** JSON: `AgreementLanguageDocument`. */
  readonly document: string
  readonly created_at: number
  readonly updated_at: number
}

const languages = `SELECT l.agreement_id, l.id, l.locale, l.enabled, l.document, l.created_at, l.updated_at
  FROM agreement_languages l`

/** The languages of all agreements of an environment. */
export function agreementLanguagesOf(environmentId: string): Statement<AgreementLanguageRow> {
  return { text: `${languages} WHERE l.environment_id = $1 ORDER BY l.created_at, l.id`, values: [environmentId] }
}

/** One language of an agreement. */
export function agreementLanguageById(
  environmentId: string,
  agreementId: string,
  id: string,
): Statement<AgreementLanguageRow> {
  return {
    text: `${languages} WHERE l.environment_id = $1 AND l.agreement_id = $2 AND l.id = $3`,
    values: [environmentId, agreementId, id],
  }
}

/** A page of the languages of an agreement. */
export function agreementLanguagesPage(
  environmentId: string,
  agreementId: string,
  span: Span,
): Statement<AgreementLanguageRow> {
  return pageOf(languages, 'l', [equal('l.environment_id', environmentId), equal('l.agreement_id', agreementId)], span)
}

/** An agreement that has a language of this locale. */
export function agreementInLocale(environmentId: string, locale: string): Statement<{ readonly agreement_id: string }> {
  return {
    text: 'SELECT agreement_id FROM agreement_languages WHERE environment_id = $1 AND locale = $2 LIMIT 1',
    values: [environmentId, locale],
  }
}

/** A row of `agreement_revisions` without its text. */
export interface AgreementRevisionRow {
  readonly agreement_id: string
  readonly language_id: string
  readonly id: string
  readonly content_type: string
  readonly effective_at: number
  readonly require_reconsent: number
  readonly created_at: number
}

const revisionColumns = `r.agreement_id, r.language_id, r.id, r.content_type, r.effective_at, r.require_reconsent,
  r.created_at`

/** The revisions of all agreements of an environment, in the order in which they come into force. */
export function agreementRevisionsOf(environmentId: string): Statement<AgreementRevisionRow> {
  return {
    text: `SELECT ${revisionColumns} FROM agreement_revisions r WHERE r.environment_id = $1 ORDER BY r.effective_at, r.id`,
    values: [environmentId],
  }
}

/** The revisions of one agreement, in the order in which they come into force. */
export function revisionsOfAgreement(environmentId: string, agreementId: string): Statement<AgreementRevisionRow> {
  return {
    text: `SELECT ${revisionColumns} FROM agreement_revisions r WHERE r.environment_id = $1 AND r.agreement_id = $2
           ORDER BY r.effective_at, r.id`,
    values: [environmentId, agreementId],
  }
}

/** A revision with when the next one in its language comes into force; null: none is known. */
export type EndingRevisionRow = AgreementRevisionRow & { readonly next_effective_at: number | null }

const endingRevisions = `SELECT ${revisionColumns}, (
    SELECT MIN(n.effective_at) FROM agreement_revisions n
    WHERE n.environment_id = r.environment_id AND n.agreement_id = r.agreement_id AND n.language_id = r.language_id
      AND n.effective_at > r.effective_at) AS next_effective_at
  FROM agreement_revisions r`

/** One revision. */
export function agreementRevisionById(
  environmentId: string,
  agreementId: string,
  languageId: string,
  id: string,
): Statement<EndingRevisionRow> {
  return {
    text: `${endingRevisions} WHERE r.environment_id = $1 AND r.agreement_id = $2 AND r.language_id = $3 AND r.id = $4`,
    values: [environmentId, agreementId, languageId, id],
  }
}

/** A page of the revisions of a language. */
export function agreementRevisionsPage(
  environmentId: string,
  agreementId: string,
  languageId: string,
  span: Span,
): Statement<EndingRevisionRow> {
  const language = [
    equal('r.environment_id', environmentId),
    equal('r.agreement_id', agreementId),
    equal('r.language_id', languageId),
  ]
  return pageOf(endingRevisions, 'r', language, span)
}

/** The text of a revision. */
export function agreementRevisionText(
  environmentId: string,
  agreementId: string,
  languageId: string,
  id: string,
): Statement<{ readonly content_type: string; readonly text: string }> {
  return {
    text: `SELECT content_type, text FROM agreement_revisions
           WHERE environment_id = $1 AND agreement_id = $2 AND language_id = $3 AND id = $4`,
    values: [environmentId, agreementId, languageId, id],
  }
}

/** How many agreements, languages of agreements and revisions an environment has. */
export function agreementCounts(environmentId: string): Statement<{
  readonly agreements: number
  readonly languages: number
  readonly revisions: number
}> {
  return {
    text: `SELECT (SELECT COUNT(*) FROM agreements WHERE environment_id = $1) AS agreements,
             (SELECT COUNT(*) FROM agreement_languages WHERE environment_id = $1) AS languages,
             (SELECT COUNT(*) FROM agreement_revisions WHERE environment_id = $1) AS revisions`,
    values: [environmentId],
  }
}

/** Enabled agreements that have no revision in force at `now` in an enabled language of the default locale. */
export function agreementsWithoutDefaultText(environmentId: string, now: number): Statement<{ readonly id: string }> {
  return {
    text: `SELECT a.id FROM agreements a WHERE a.environment_id = $1 AND a.enabled = 1 AND NOT EXISTS (
             SELECT 1 FROM agreement_languages l
             JOIN languages d ON d.environment_id = l.environment_id AND d.locale = l.locale AND d.is_default = 1
             JOIN agreement_revisions r ON r.environment_id = l.environment_id AND r.agreement_id = l.agreement_id
               AND r.language_id = l.id AND r.effective_at <= $2
             WHERE l.environment_id = a.environment_id AND l.agreement_id = a.id AND l.enabled = 1)
           LIMIT 1`,
    values: [environmentId, now],
  }
}
