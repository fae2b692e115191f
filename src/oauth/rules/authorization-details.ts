/**
 * Rich authorization requests: `authorization_details`, RFC 9396 sections 2, 5 and 6. An environment declares the types it
 * knows and the members they have (extension); what does not fit one is refused as a whole.
 *
 * Never: a member that nobody declared; a text for the user that the client has written, but as the value of a member.
 */
import { z } from 'zod'

const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, 'must be letters, digits and underscores')
const scalar = {
  name,
  label: z.string().min(1).max(100).optional().describe('What the consent page calls it. Default: the name.'),
  required: z.boolean().default(false),
  allowedValues: z.array(z.string().max(256)).min(1).max(100).optional().describe('Of STRING and STRINGS.'),
}
const scalarMember = z.object({ ...scalar, kind: z.enum(['STRING', 'STRINGS', 'NUMBER', 'BOOLEAN']) })
const member = z.object({
  ...scalar,
  kind: z.enum(['STRING', 'STRINGS', 'NUMBER', 'BOOLEAN', 'OBJECT']),
  members: z.array(scalarMember).min(1).max(20).optional().describe('Of OBJECT.'),
})

/** A type of authorization details, as an environment declares it. */
export const authorizationDetailsType = z.object({
  type: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII')
    .describe('The `type` of the details.'),
  description: z.string().min(1).max(256).describe('What the consent page says of it.'),
  members: z.array(member).max(30).default([]).describe('The members that it may have beside `type`.'),
})

export type AuthorizationDetailsType = z.output<typeof authorizationDetailsType>
type Member = z.output<typeof member>

/** One entry of `authorization_details`, as it was asked for. */
export type AuthorizationDetail = Readonly<Record<string, unknown>> & { readonly type: string }

const longestText = 16_384
const mostDetails = 10
const longestString = 1024
const mostStrings = 50

interface Refused {
  readonly refused: string
}

/**
 * Reads an `authorization_details` parameter.
 * @param declared the types of the environment
 * @param allowed the names of those that the application may ask for
 */
export function readAuthorizationDetails(
  text: string,
  declared: readonly AuthorizationDetailsType[],
  allowed: readonly string[],
): { readonly details: readonly AuthorizationDetail[] } | Refused {
  const list = text.length > longestText ? undefined : listIn(text)
  if (!list || list.length === 0) return { refused: 'authorization_details is no list of objects, or too long' }
  if (list.length > mostDetails) return { refused: 'too many authorization_details' }
  const details: AuthorizationDetail[] = []
  for (const entry of list) {
    const type = isObject(entry) ? entry['type'] : undefined
    const known = declared.find((candidate) => candidate.type === type)
    if (!isObject(entry) || !known || !allowed.includes(known.type)) {
      return { refused: 'a type of authorization_details is unknown, or not allowed for the application' }
    }
    const { type: _, ...members } = entry
    const wrong = problemOf(members, known.members)
    if (wrong !== undefined) return { refused: `${wrong} of ${known.type} is not as declared` }
    details.push({ ...members, type: known.type })
  }
  return { details }
}

/**
 * Narrows what was granted to what a request for a token names of it (section 6.1).
 * @param text the parameter of that request; left out: all of it
 */
export function narrowAuthorizationDetails(
  granted: readonly AuthorizationDetail[],
  text: string | undefined,
): { readonly details: readonly AuthorizationDetail[] } | Refused {
  if (text === undefined) return { details: granted }
  const asked = text.length > longestText ? undefined : listIn(text)
  if (!asked || asked.length === 0) return { refused: 'authorization_details is no list of objects, or too long' }
  const details = asked.flatMap((entry) => granted.find((each) => canonical(each) === canonical(entry)) ?? [])
  return details.length === asked.length ? { details } : { refused: 'authorization_details is not of this grant' }
}

/**
 * What of granted details is the business of a token's audience (sections 9.1 and 13): those that say where they count
 * (`locations`, section 2.2) are for the resources there alone; all others are for everybody.
 */
export function detailsForAudiences(
  details: readonly AuthorizationDetail[],
  audiences: readonly string[],
): readonly AuthorizationDetail[] {
  const isOf = (location: unknown) =>
    typeof location === 'string' &&
    audiences.some((audience) => location === audience || location.startsWith(`${audience.replace(/\/$/, '')}/`))
  return details.filter(({ locations }) => !Array.isArray(locations) || locations.some(isOf))
}

/** An entry in words: its description, and each member with its value. */
export interface DetailInWords {
  readonly description: string
  readonly lines: readonly { readonly label: string; readonly value: string }[]
}

/** What the user is shown of details that were read. */
export function inWords(
  details: readonly AuthorizationDetail[],
  declared: readonly AuthorizationDetailsType[],
): readonly DetailInWords[] {
  return details.flatMap((detail) => {
    const known = declared.find(({ type }) => type === detail.type)
    return known ? { description: known.description, lines: linesOf(detail, known.members, '') } : []
  })
}

function linesOf(members: Readonly<Record<string, unknown>>, declared: readonly Member[], before: string) {
  const lines: { label: string; value: string }[] = []
  for (const { name: own, label = own, kind, members: inner = [] } of declared) {
    const value = ownMember(members, own)
    if (value === undefined) continue
    const whole = `${before}${label}`
    if (kind === 'OBJECT' && isObject(value)) lines.push(...linesOf(value, inner, `${whole}: `))
    else lines.push({ label: whole, value: textOf(value) })
  }
  return lines
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function listIn(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function ownMember(members: Readonly<Record<string, unknown>>, own: string): unknown {
  return Object.hasOwn(members, own) ? members[own] : undefined
}

/** The name of a member that is not as declared; undefined when all are. */
function problemOf(members: Readonly<Record<string, unknown>>, declared: readonly Member[]): string | undefined {
  const surplus = Object.keys(members).find((own) => !declared.some((each) => each.name === own))
  if (surplus !== undefined) return 'a member'
  return declared.find((each) => !fits(ownMember(members, each.name), each))?.name
}

function fits(value: unknown, { kind, required, allowedValues, members = [] }: Member): boolean {
  if (value === undefined) return !required
  const isText = (text: unknown) =>
    typeof text === 'string' && text.length <= longestString && (!allowedValues || allowedValues.includes(text))
  switch (kind) {
    case 'STRING':
      return isText(value)
    case 'STRINGS':
      return Array.isArray(value) && value.length > 0 && value.length <= mostStrings && value.every(isText)
    case 'NUMBER':
      return typeof value === 'number' && Number.isFinite(value)
    case 'BOOLEAN':
      return typeof value === 'boolean'
    case 'OBJECT':
      return isObject(value) && problemOf(value, members) === undefined
  }
}

/** The same text for the same value, whatever the order of members. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (!isObject(value)) return JSON.stringify(value)
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return `{${members.map(([own, each]) => `${JSON.stringify(own)}:${canonical(each)}`).join()}}`
}
