/**
 * The parameters of an OAuth request: RFC 6749 sections 3.1 and 3.2. One that came without a value counts as left out;
 * that it came twice still counts, except of `resource` (RFC 8707 section 2, decision D11).
 * Never: an empty secret, verifier or redirect URI taken for one.
 */
import type { FormParameters } from '../contract/form.ts'
import type { TransactionContext } from './rules/request-object.ts'

/** The parameters of a request that have a value. */
export interface RequestParameters {
  readonly values: Readonly<Record<string, string>>
  /** The names that must not have come more than once but did. */
  readonly repeated: readonly string[]
  /** Every `resource`, in the order they came. */
  readonly resources: readonly string[]
  /** What was said beside parameters, where the client has signed all of it. */
  readonly signed?: TransactionContext
  /** The user that a `login_hint_token` of the client names. */
  readonly vouchedUserId?: string
}

function withoutEmpty(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const present: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(values)) if (value !== '') present[name] = value
  return present
}

/** The parameters that have a value, and the names that must not have come more than once but did. */
export function withValues({ values, repeated, further, isFull = false }: FormParameters): RequestParameters {
  const present = isFull ? values : withoutEmpty(values)
  const { resource } = present
  if (repeated.length === 0) return { values: present, repeated, resources: resource === undefined ? [] : [resource] }
  const resources = [resource ?? '', ...(further?.['resource'] ?? [])].filter((each) => each !== '')
  return { values: present, repeated: repeated.filter((name) => name !== 'resource'), resources }
}
