/**
 * The attributes of a user that clients may write: `User` of platform-api 3.5 without what the server decides, and what
 * POST, PUT and PATCH make of them. PUT replaces all of them, absent and null meaning none; PATCH is a JSON merge patch
 * (RFC 7396). Whatever is not named here is dropped (row N14).
 *
 * Never: a normalised value in the place of the one that was sent.
 */
import { z } from 'zod'
import { parseOrRefuse } from '../contract/validation.ts'
import type { User, UserDocument } from '../directory/users.ts'
import { optionalAttributes, username } from '../flow/user-attributes.ts'
import { withoutNulls } from './absent-members.ts'

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
