/** Statements on `languages`. */
import type { Statement } from '../port.ts'
import { type Condition, equal, pageOf, type Span } from './page.ts'

/** A row of `languages`. */
export interface LanguageRow {
  readonly id: string
  /** BCP 47. */
  readonly locale: string
  readonly name: string
  readonly is_default: number
  readonly enabled: number
  readonly customer_added: number
  readonly created_at: number
  readonly updated_at: number
}

const languages = `SELECT l.id, l.locale, l.name, l.is_default, l.enabled, l.customer_added, l.created_at, l.updated_at
  FROM languages l`

/** The languages of an environment. */
export function languagesOf(environmentId: string): Statement<LanguageRow> {
  return { text: `${languages} WHERE l.environment_id = $1 ORDER BY l.created_at, l.id`, values: [environmentId] }
}

/** One language of an environment. */
export function languageById(environmentId: string, id: string): Statement<LanguageRow> {
  return { text: `${languages} WHERE l.environment_id = $1 AND l.id = $2`, values: [environmentId, id] }
}

/** The language of a locale. */
export function languageOfLocale(environmentId: string, locale: string): Statement<LanguageRow> {
  return { text: `${languages} WHERE l.environment_id = $1 AND l.locale = $2`, values: [environmentId, locale] }
}

/** A page of the languages of an environment. */
export function languagesPage(environmentId: string, filter: readonly Condition[], span: Span): Statement<LanguageRow> {
  return pageOf(languages, 'l', [equal('l.environment_id', environmentId), ...filter], span)
}
