/** The languages that whoever is signing on reads: what was asked for, then what their browser says (RFC 9110 section 12.5.4). */
import type { Context } from '../contract/operation.ts'

/**
 * BCP 47 tags in order of preference.
 * @param uiLocales `ui_locales` of the authorization request, which says more than the browser (OpenID Connect Core 3.1.2.1)
 */
export function localesOf({ headers }: Context, uiLocales: unknown = null): readonly string[] {
  const wished = typeof uiLocales === 'string' ? uiLocales.slice(0, 200).split(' ') : []
  const read = (headers['accept-language'] ?? '').slice(0, 200).split(',')
  return [...wished, ...read]
    .map((range) => range.split(';')[0]?.trim() ?? '')
    .filter((tag) => /^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/.test(tag))
}
