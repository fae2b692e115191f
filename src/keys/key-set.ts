/**
 * Published key sets (RFC 7517 section 5) as signatures are verified by them. Importing a key costs nearly as much as verifying
 * by it, so jose keeps in a set what it has imported: here each has one set for as long as its value is in use.
 * Never: the keys of one value in the place of another's.
 */
import type { createLocalJWKSet, JSONWebKeySet } from 'jose'

/** Finds the key of a set that the header of a JWS means. */
export type KeySet = ReturnType<typeof createLocalJWKSet>

const known = new WeakMap<JSONWebKeySet, KeySet>()

/**
 * The set of a value that nobody changes.
 * @throws JWKSInvalid of jose when it is no key set
 */
export async function keySetOf(value: JSONWebKeySet): Promise<KeySet> {
  const { createLocalJWKSet } = await import('jose')
  const present = known.get(value)
  if (present) return present
  const set = createLocalJWKSet(value)
  known.set(value, set)
  return set
}
