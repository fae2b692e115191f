/**
 * PURE: what a provider said of somebody, flat, so that mappings can name it: `address.country`, `elements.0.id`.
 *
 * Never: more than a bounded number of values of bounded length; an e-mail address whose verification another source
 * vouches for.
 */
import type { ProviderAttributes } from '../flow/identity-provider.ts'
import type { Claims } from './id-token-claims.ts'

const deepest = 5
const most = 200
const longest = 2048
const name = /^[A-Za-z0-9_:~-]{1,64}$/

/** Claims of the protocol: they say nothing of the person. */
const ofProtocol: ReadonlySet<string> = new Set(
  'iss aud azp exp iat nbf jti nonce at_hash c_hash s_hash auth_time acr amr sid'.split(' '),
)

/**
 * The attributes of somebody.
 * @param sources what the provider said, the first wins
 * @param aliases further names: name -> path
 */
export function providerAttributes(
  sources: readonly Claims[],
  aliases: Readonly<Record<string, string>>,
): ProviderAttributes {
  const found = new Map<string, string | number | boolean>()
  const add = (path: string, value: unknown, depth: number): void => {
    if (typeof value === 'object' && value !== null) {
      if (depth >= deepest) return
      for (const [member, inner] of Object.entries(value)) {
        if (name.test(member) && !(depth === 0 && ofProtocol.has(member))) {
          add(path === '' ? member : `${path}.${member}`, inner, depth + 1)
        }
      }
      return
    }
    const isPlain = typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
    if (!isPlain && (typeof value !== 'string' || value.length > longest)) return
    if (found.size < most && !found.has(path)) found.set(path, value)
  }
  for (const source of sources) add('', source, 0)
  for (const [alias, path] of Object.entries(aliases)) {
    const value = found.get(path)
    if (value !== undefined) found.set(alias, value)
  }
  return Object.fromEntries(found)
}

/** An e-mail address and whether the provider has verified it: `true`, and nothing that merely looks like it (row M08). */
export interface ProviderEmail {
  readonly address: string
  readonly verified: boolean
}

/** The e-mail address that the first source with one names. */
export function providerEmail(sources: readonly Claims[]): ProviderEmail | null {
  for (const { email, email_verified: verified } of sources) {
    if (typeof email === 'string' && email !== '') return { address: email, verified: verified === true }
  }
  return null
}
