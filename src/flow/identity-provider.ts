/**
 * Identity providers as flows know them, and how their attributes become attributes of a user: platform-api 3.13. A
 * mapping is text with placeholders `${providerAttributes.<path>}`; only what an administrator mapped arrives, and only
 * into attributes that describe a person (row M17).
 *
 * Never: a claim that finds its own way into a user because of its name; a mapping to something that decides what the
 * user may do.
 */
import { z } from 'zod'
import { optionalAttributes, username } from './user-attributes.ts'

/** The types of identity providers that can be configured. */
export const identityProviderTypes = [
  'FACEBOOK',
  'GOOGLE',
  'LINKEDIN',
  'LINKEDIN_OIDC',
  'APPLE',
  'TWITTER',
  'AMAZON',
  'YAHOO',
  'MICROSOFT',
  'PAYPAL',
  'GITHUB',
  'OPENID_CONNECT',
] as const

export type IdentityProviderType = (typeof identityProviderTypes)[number]

/** When a mapping writes into a user that exists: never over something, or at each sign-on. */
export type UpdateMode = 'EMPTY_ONLY' | 'ALWAYS'

/** What a provider says becomes this attribute of the user. */
export interface AttributeMapping {
  readonly name: string
  /** Text with placeholders. */
  readonly value: string
  readonly update: UpdateMode
}

/** What a provider said of somebody, flat: path -> value. */
export type ProviderAttributes = Readonly<Record<string, string | number | boolean>>

/** What flows know of a provider. */
export interface FlowIdentityProvider {
  readonly id: string
  readonly name: string
  readonly type: IdentityProviderType
  readonly enabled: boolean
  readonly icon?: { readonly id: string; readonly href: string }
  /** With a population, its users get accounts there even where the action offers no registration. */
  readonly populationId: string | null
}

const { name: nameParts, address: addressParts, photo: photoParts } = optionalAttributes
const { email, externalId, locale, mobilePhone, nickname, preferredLanguage, primaryPhone, timezone, title } =
  optionalAttributes

/** The attributes that may be mapped: path -> what it may hold. */
const mappable: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ['username', username],
  ...members('name', nameParts),
  ...members('address', addressParts),
  ...members('photo', photoParts),
  ...Object.entries({
    email,
    externalId,
    locale,
    mobilePhone,
    nickname,
    preferredLanguage,
    primaryPhone,
    timezone,
    title,
  }),
])

function members(name: string, schema: z.ZodObject): [string, z.ZodType][] {
  return Object.entries(schema.shape).map(([member, part]) => [`${name}.${member}`, part as z.ZodType])
}

/** Every name a mapping may have. */
export const mappableNames: readonly string[] = [...mappable.keys()]

const placeholder = /\$\{providerAttributes\.([A-Za-z0-9_:~-]+(?:\.[A-Za-z0-9_:~-]+){0,5})\}/g

/** What is wrong with the value of a mapping; undefined when nothing is. */
export function mappingProblem(value: string): string | undefined {
  const rest = value.replace(placeholder, '')
  if (rest === value) return 'must refer to an attribute of the provider: ${providerAttributes.<name>}'
  return rest.includes('${') ? 'must refer to attributes as ${providerAttributes.<name>} alone' : undefined
}

/** A user's attribute by its path, as the provider would have it. */
export interface MappedAttribute {
  readonly name: string
  readonly value: string
  readonly update: UpdateMode
}

/**
 * What the mappings make of what a provider said. A mapping with a placeholder that has no value, and a value that the
 * attribute cannot hold, make nothing.
 */
export function mapAttributes(
  mappings: readonly AttributeMapping[],
  said: ProviderAttributes,
): readonly MappedAttribute[] {
  return mappings.flatMap(({ name, value, update }) => {
    let isComplete = true
    const text = value.replace(placeholder, (_whole, path: string) => {
      const found = Object.hasOwn(said, path) ? String(said[path]) : ''
      if (found === '') isComplete = false
      return found
    })
    const holds = mappable.get(name)?.safeParse(text).success === true
    return isComplete && holds ? [{ name, value: text, update }] : []
  })
}
