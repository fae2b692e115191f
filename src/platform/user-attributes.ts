/**
 * The attributes of a user that clients may write: `User` of platform-api 3.5 without what the server decides, and what
 * POST, PUT and PATCH make of them. PUT replaces all of them, absent and null meaning none; PATCH is a JSON merge patch
 * (RFC 7396). Whatever is not named here is dropped (row N14).
 *
 * Never: a pattern that looks at a value longer than its bound (row O17), a normalised value in the place of the one
 * that was sent.
 */
import { z } from 'zod'
import { parseOrRefuse } from '../contract/validation.ts'
import { type User, type UserDocument, usernameKey } from '../directory/users.ts'
import { withoutNulls } from './absent-members.ts'

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

const username = text(128, printable).refine((name) => usernameKey(name) !== '', 'must not be blank')

const secureAddress = z
  .string()
  .max(2048, { abort: true })
  .refine((address) => /^https:\/\//i.test(address) && URL.canParse(address), 'must be an https address')

/** Every attribute but the username: none is required. */
const optionalAttributes = {
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

/** The attributes of a user, as POST and PUT take them and as answers hold them. */
export const writtenAttributes = z.object(optionalAttributes).partial().extend({ username })

/** The attributes as PATCH takes them: any of them, and null to clear one or a part of one. */
export const patchedAttributes = z.object(clearable(writtenAttributes.shape))

/** Every member of a shape, at any depth, optional and nullable. */
function clearable(shape: Readonly<Record<string, z.core.$ZodType>>): Record<string, z.ZodType> {
  const members = Object.entries(shape).map(([name, schema]) => {
    const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema
    const part = inner instanceof z.ZodObject ? z.object(clearable(inner.shape)) : (inner as z.ZodType)
    return [name, part.nullish()] as const
  })
  return Object.fromEntries(members)
}

/** The username and the document that written attributes make; parts without members are left out. */
export function storedAttributes({ username: name, ...attributes }: z.output<typeof writtenAttributes>): {
  readonly username: string
  readonly document: UserDocument
} {
  const members = Object.entries(attributes).filter(([, value]) => !isObject(value) || Object.keys(value).length > 0)
  return { username: name, document: Object.fromEntries(members) }
}

/**
 * The attributes after a merge patch, judged as a whole.
 * @param present what the user has
 * @throws Problem INVALID_DATA
 */
export function mergedAttributes(
  present: Pick<User, 'username' | 'document'>,
  patch: z.output<typeof patchedAttributes>,
): z.output<typeof writtenAttributes> {
  const merged = mergePatch({ ...present.document, username: present.username }, patch)
  return parseOrRefuse(writtenAttributes, withoutNulls(merged))
}

/** RFC 7396 section 2, with null left in its place. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) merged[name] = mergePatch(merged[name], value)
  return merged
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
