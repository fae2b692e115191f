/**
 * The languages of an environment: platform-api 3.16. Every environment begins with those of the platform, of which
 * English alone is enabled, and the default.
 */

/** The languages every environment has; more may be added, these are not removed. */
const platformLocales = 'en cs de es fr fr-CA hu it ja ko nl pl pt ru th tr zh'.split(' ')

/** What a new environment begins with, without ids and times. Made when asked for: the names take some 10 ms to load. */
export function platformLanguages() {
  return platformLocales.map((locale) => ({
    locale,
    name: languageName(locale),
    is_default: locale === 'en' ? 1 : 0,
    enabled: locale === 'en' ? 1 : 0,
    customer_added: 0,
  }))
}

/** A language as English calls it: `fr-CA` is Canadian French. */
export function languageName(locale: string): string {
  return new Intl.DisplayNames(['en'], { type: 'language' }).of(locale) ?? locale
}
