/**
 * What users may be filtered by (platform-api 1.8), and whether one user matches. A list asks the columns named here, a
 * group's `userFilter` the attributes themselves: both have to come to the same answer.
 *
 * Never: a match by an attribute that is absent.
 */
import { type Filter, type FilterableAttribute, readFilter } from '../contract/filter.ts'
import { textKey, type User, usernameKey } from './users.ts'

/** An attribute of a user that can be filtered by. */
interface UserAttribute extends FilterableAttribute {
  /** Its column of the table `u`. */
  readonly column: string
  /** Brings what a user has to the form of the column; default: as values of filters are. */
  readonly key?: (value: string) => string
}

const prefixes = ['eq', 'sw'] as const

/** By the names that clients write, which are also the paths in the user resource. */
export const userAttributes: Readonly<Record<string, UserAttribute>> = {
  id: { column: 'u.id', operators: ['eq'] },
  username: { column: 'u.username_key', operators: prefixes, normalize: textKey, key: usernameKey },
  email: { column: 'u.email_key', operators: prefixes, normalize: textKey },
  'name.given': { column: 'u.given_key', operators: prefixes, normalize: textKey },
  'name.family': { column: 'u.family_key', operators: prefixes, normalize: textKey },
  mobilePhone: { column: 'u.mobile_phone', operators: prefixes },
  'population.id': { column: 'u.population_id', operators: ['eq'] },
  enabled: { column: 'u.enabled', operators: ['eq'], type: 'boolean' },
  externalId: { column: 'u.external_id', operators: prefixes },
}

/** A user as filters look at them: attributes by PingOne's names, nested as in the user resource. */
export type FilteredUser = Readonly<Record<string, unknown>>

/** A user of the directory, for a filter. */
export function filteredUser({ id, username, populationId, enabled, document }: User): FilteredUser {
  return { ...document, id, username, population: { id: populationId }, enabled }
}

/**
 * Reads a filter over users.
 * @throws Problem INVALID_REQUEST with detail INVALID_FILTER
 */
export function readUserFilter(text: string): Filter {
  return readFilter(text, userAttributes)
}

/** Whether a user matches a filter that was read by `readUserFilter`. */
export function matches(filter: Filter, user: FilteredUser): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.parts.every((part) => matches(part, user))
    case 'or':
      return filter.parts.some((part) => matches(part, user))
    case 'term': {
      const { attribute: name, operator, value: wanted } = filter
      const value = valueAt(user, name)
      if (typeof wanted === 'boolean') return value === wanted
      if (typeof value !== 'string') return false
      const { key, normalize } = userAttributes[name] ?? {}
      const held = (key ?? normalize ?? String)(value)
      return operator === 'eq' ? held === wanted : held.startsWith(wanted)
    }
  }
}

function valueAt(user: FilteredUser, path: string): unknown {
  let value: unknown = user
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as FilteredUser)[name]
  }
  return value
}
