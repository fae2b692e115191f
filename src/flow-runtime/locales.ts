/** The languages that whoever is signing on reads: what their browser says (RFC 9110 section 12.5.4). */
import type { Context } from '../contract/operation.ts'

/** BCP 47 tags in order of preference. */
export function localesOf({ headers }: Context): readonly string[] {
  return (headers['accept-language'] ?? '')
    .slice(0, 200)
    .split(',')
    .map((range) => range.split(';')[0]?.trim() ?? '')
    .filter((tag) => /^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/.test(tag))
}
