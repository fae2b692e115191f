/**
 * The parameters of an OAuth request: RFC 6749 sections 3.1 and 3.2. One that came without a value counts as left out;
 * that it came twice still counts, except of `resource` (RFC 8707 section 2, decision D11).
 * Never: an empty secret, verifier or redirect URI taken for one.
 */
import type { FormParameters } from '../contract/form.ts'

/** The parameters that have a value, and the names that must not have come more than once but did. */
export function withValues({ values, repeated }: FormParameters): FormParameters {
  const present: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(values)) if (value !== '') present[name] = value
  return { values: present, repeated: repeated.filter((name) => name !== 'resource') }
}
