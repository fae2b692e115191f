/**
 * PURE: what a claim is made of: the values of attribute mappings of applications and resources. platform-api 3.9, 3.11.3.
 * A value is text with placeholders `${user.<path>}`, or `${#datetime.toUnixTimestamp(user.<path>)}` for a time. One
 * placeholder alone keeps the type of what it names; a value with a placeholder that has no value has none itself.
 *
 * Never: a mapping that takes the place of a claim by which tokens are judged; a path that leads out of the user.
 */

/** What has to be looked up beside the user before a value can be worked out. */
export type AttributeNeed = 'groups'

/** Reads an attribute of a user by its path; undefined where there is none. */
export type ReadAttribute = (path: string) => unknown

/** What a claim may be. */
export type ClaimValue = string | number | boolean | readonly string[]

/** A value that is ready to be worked out. */
export interface MappedValue {
  readonly needs: readonly AttributeNeed[]
  /** @param read undefined where no user takes part: only text without placeholders has a value then */
  readonly of: (read: ReadAttribute | undefined) => ClaimValue | undefined
}

/** The paths that a placeholder may name, and what they need. `emailVerified` and `address.formatted` are extensions. */
const paths: ReadonlyMap<string, AttributeNeed | undefined> = new Map<string, AttributeNeed | undefined>([
  ...[
    'id',
    'username',
    'email',
    'name.given',
    'name.middle',
    'name.family',
    'name.formatted',
    'name.honorificPrefix',
    'name.honorificSuffix',
    'nickname',
    'title',
    'type',
    'locale',
    'preferredLanguage',
    'timezone',
    'mobilePhone',
    'primaryPhone',
    'photo.href',
    'address.streetAddress',
    'address.locality',
    'address.region',
    'address.postalCode',
    'address.countryCode',
    'externalId',
    'population.id',
    'verifyStatus',
    'createdAt',
    'updatedAt',
    'emailVerified',
    'address.formatted',
  ].map((path) => [path, undefined] as const),
  ['memberOfGroupIDs', 'groups'],
  ['memberOfGroupNames', 'groups'],
])

const times: readonly string[] = ['createdAt', 'updatedAt']
const placeholder = /\$\{(?:user\.([A-Za-z.]+)|#datetime\.toUnixTimestamp\(user\.([A-Za-z]+)\))\}/g

type Part = string | { readonly path: string; readonly isTime: boolean }

/** The parts of a value, or what is wrong with it. */
function parse(value: string): readonly Part[] | { readonly refused: string } {
  const parts: Part[] = []
  let end = 0
  for (const match of value.matchAll(placeholder)) {
    const [whole, attribute, time] = match
    const path = attribute ?? time ?? ''
    if (!paths.has(path)) return { refused: `names user.${path}, which users do not have` }
    if (time !== undefined && !times.includes(time)) return { refused: `takes user.${time} for a time` }
    if (match.index > end) parts.push(value.slice(end, match.index))
    parts.push({ path, isTime: time !== undefined })
    end = match.index + whole.length
  }
  if (end < value.length) parts.push(value.slice(end))
  const isOpen = parts.some((part) => typeof part === 'string' && part.includes('${'))
  return isOpen ? { refused: 'must refer to attributes as ${user.<name>} alone' } : parts
}

/** What is wrong with the value of a mapping; undefined when nothing is. */
export function mappedValueProblem(value: string): string | undefined {
  const parts = parse(value)
  return 'refused' in parts ? parts.refused : undefined
}

/** Makes a stored value ready. One that this release does not understand has no value: it was judged when written. */
export function mappedValue(value: string): MappedValue {
  const parts = parse(value)
  if ('refused' in parts || parts.length === 0) return { needs: [], of: () => undefined }
  const named = parts.filter((part) => typeof part !== 'string')
  const needs = [...new Set(named.flatMap(({ path }) => paths.get(path) ?? []))]
  const [first] = parts
  if (parts.length === 1 && first !== undefined && typeof first !== 'string') {
    return { needs, of: (read) => valueOf(first, read) }
  }
  return {
    needs,
    of(read) {
      let text = ''
      for (const part of parts) {
        const piece = typeof part === 'string' ? part : valueOf(part, read)
        if (piece === undefined) return undefined
        text += piece.toString()
      }
      return text
    },
  }
}

function valueOf({ path, isTime }: Exclude<Part, string>, read: ReadAttribute | undefined): ClaimValue | undefined {
  const value = read?.(path)
  if (Array.isArray(value)) return value.filter((item) => typeof item === 'string')
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value !== 'string' || value === '') return undefined
  return isTime ? Math.floor(Date.parse(value) / 1000) : value
}

/** Claims by which tokens are judged, or that say whose they are. */
const reserved: ReadonlySet<string> = new Set(
  (
    'acr act amr at_hash aud auth_time authorization_details azp c_hash client_id cnf env events exp iat iss jti may_act ' +
    'nbf nonce org roles s_hash scope sid sub token_use typ'
  ).split(' '),
)

/** Whether no mapping may have this name; `sub` has a mapping of its own. */
export function isReservedClaim(name: string): boolean {
  return reserved.has(name) || name.startsWith('p1.')
}
