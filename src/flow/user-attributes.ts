/**
 * The attributes of a user and what may be written into each: platform-api 3.5. The same rules hold for the management
 * API and for what users say of themselves in a flow.
 *
 * Never: a pattern that looks at a value longer than its bound (row O17); an attribute that a user may give themselves
 * although it decides what they may do (row J34).
 */
import { z } from 'zod'

/** Text of bounded length; the pattern sees nothing longer. */
function text(longest: number, pattern: RegExp) {
  return z.string().min(1).max(longest, { abort: true }).regex(pattern)
}

const printable = /^[\p{L}\p{M}\p{Zs}\p{S}\p{N}\p{P}]*$/u
const plainName = /^[\p{L}\p{M}\p{N}' .-]*$/u
const label = text(256, printable)
const phone = text(32, printable).regex(/[0-9]/)
const languageRange = String.raw`(?:\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)(?:; ?q=[01](?:\.[0-9]{0,3})?)?`

/** RFC 5321 without quoted local parts and address literals. Full-width forms would be a second spelling (row K30). */
const email = z
  .string()
  .max(256, { abort: true })
  .refine((address) => address.normalize('NFKC') === address && isEmail(address), 'must be a well-formed email address')

const localPart = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u
const domain =
  /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?(?:\.[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?)*$/u

function isEmail(address: string): boolean {
  const [local = '', host = '', ...rest] = address.split('@')
  return rest.length === 0 && local.length <= 64 && localPart.test(local) && domain.test(host)
}

/** A name to sign on by. */
export const username = text(128, printable).refine((name) => name.normalize('NFKC').trim() !== '', 'must not be blank')

const secureAddress = z
  .string()
  .max(2048, { abort: true })
  .refine((address) => /^https:\/\//i.test(address) && URL.canParse(address), 'must be an https address')

/** Every attribute but the username: none is required. */
export const optionalAttributes = {
  name: z.object({
    given: label.optional(),
    middle: label.optional(),
    family: text(256, plainName).optional(),
    formatted: text(256, plainName).optional(),
    honorificPrefix: label.optional(),
    honorificSuffix: label.optional(),
  }),
  email,
  address: z.object({
    countryCode: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .optional(),
    locality: label.optional(),
    postalCode: text(40, printable).optional(),
    region: label.optional(),
    streetAddress: text(256, /^[\p{L}\p{M}\p{N}\p{Zs}\p{P}\n\r]*$/u).optional(),
  }),
  externalId: z.string().min(1).max(1024),
  locale: label,
  mobilePhone: phone,
  nickname: label,
  photo: z.object({ href: secureAddress }),
  preferredLanguage: text(256, new RegExp(`^${languageRange}(?:, ?${languageRange})*$`)),
  primaryPhone: phone,
  timezone: text(256, /^\w+\/\w+$/),
  title: label,
  type: label,
  verifyStatus: z.enum(['NOT_INITIATED', 'ENABLED', 'DISABLED']),
}

const { name, email: address, nickname, title, locale, timezone, preferredLanguage } = optionalAttributes

/** What users may say of themselves when they register: authentication-api 4.2 `user.register`. */
export const registrationAttributes = z.object({
  username,
  email: address,
  name: name.optional(),
  address: optionalAttributes.address.optional(),
  nickname: nickname.optional(),
  title: title.optional(),
  locale: locale.optional(),
  timezone: timezone.optional(),
  preferredLanguage: preferredLanguage.optional(),
  mobilePhone: optionalAttributes.mobilePhone.optional(),
  primaryPhone: optionalAttributes.primaryPhone.optional(),
})

export type RegistrationAttributes = Readonly<z.output<typeof registrationAttributes>>
