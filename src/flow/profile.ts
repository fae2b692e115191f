/**
 * The attributes that users can be asked for while they sign on: authentication-api 4.2 `user.update`, 5.4. What names
 * them are the paths of the user resource.
 *
 * Never: an attribute that decides what somebody may do, or who they are: username, population, account, externalId.
 */
import type { z } from 'zod'
import { registrationAttributes } from './user-attributes.ts'

/** The body of `user.update`. */
export const profileBody = registrationAttributes.omit({ username: true }).partial()

/** What a user says of themselves. */
export type Profile = Readonly<z.output<typeof profileBody>>

/** Every attribute that can be asked for. */
export const profileAttributes = [
  'email',
  'mobilePhone',
  'primaryPhone',
  'nickname',
  'title',
  'locale',
  'timezone',
  'preferredLanguage',
  'name.given',
  'name.middle',
  'name.family',
  'name.honorificPrefix',
  'name.honorificSuffix',
  'address.streetAddress',
  'address.locality',
  'address.region',
  'address.postalCode',
  'address.countryCode',
] as const

export type ProfileAttribute = (typeof profileAttributes)[number]

/** The value at a path of a user or of a body; undefined where there is none. */
export function valueAt(whole: object, path: ProfileAttribute): string | undefined {
  const value = path
    .split('.')
    .reduce<unknown>(
      (part, member) => (typeof part === 'object' && part ? (part as Record<string, unknown>)[member] : undefined),
      whole,
    )
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Those of the attributes that a user has no value of. */
export function lackingOf(user: object, wanted: readonly ProfileAttribute[]): ProfileAttribute[] {
  return wanted.filter((path) => valueAt(user, path) === undefined)
}

/** Of a body what is asked for, and nothing else. */
export function chosenOf(body: Profile, wanted: readonly ProfileAttribute[]): Profile {
  return wanted.reduce<Profile>((chosen, path) => {
    const value = valueAt(body, path)
    return value === undefined ? chosen : withValue(chosen, path, value)
  }, {})
}

/** A whole with the values of a part that it has none of. */
export function filledBy<Whole extends object>(whole: Whole, part: Profile): Whole {
  return profileAttributes.reduce<Whole>((filled, path) => {
    const value = valueAt(part, path)
    return value === undefined || valueAt(filled, path) !== undefined ? filled : withValue(filled, path, value)
  }, whole)
}

function withValue<Whole extends object>(whole: Whole, path: ProfileAttribute, value: string): Whole {
  const [member = '', inner] = path.split('.')
  if (inner === undefined) return { ...whole, [member]: value }
  return { ...whole, [member]: { ...(whole as Readonly<Record<string, object | undefined>>)[member], [inner]: value } }
}
