/**
 * PURE: which JWK set an application may register as its public keys (`jwks`, platform-api 3.7): RFC 7517, RFC 8725
 * section 3.5.
 * Never: a private or symmetric key, which would be a secret told; a key too weak to be worth verifying.
 */
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { parseJson } from '../contract/json.ts'

const longestText = 32 * 1024
const mostKeys = 20
const leastRsaBits = 2048
const curves = ['P-256', 'P-384', 'P-521', 'Ed25519', 'X25519']
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** What is wrong with a JWK set given as JSON text; undefined when nothing is. */
export function keySetProblem(text: string): string | undefined {
  if (text.length > longestText) return `must not be longer than ${longestText} characters`
  const keys = keysOf(text)
  if (!keys || keys.length === 0) return 'must be a JSON Web Key Set with at least one key'
  if (keys.length > mostKeys) return `must not hold more than ${mostKeys} keys`
  return keys.map(keyProblem).find((problem) => problem !== undefined)
}

function keysOf(text: string): readonly unknown[] | undefined {
  try {
    const set = parseJson(Buffer.from(text)) as { readonly keys?: unknown } | null
    return Array.isArray(set?.keys) ? set.keys : undefined
  } catch {
    return undefined
  }
}

function keyProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must hold keys that are objects'
  const key = value as JsonWebKey
  if (privateMembers.some((member) => Object.hasOwn(key, member))) return 'must hold public keys only'
  if (!['RSA', 'EC', 'OKP'].includes(key.kty ?? '')) return 'must hold keys of the types RSA, EC and OKP only'
  if (key.kty !== 'RSA' && !curves.includes(key.crv ?? ''))
    return `must hold keys on the curves ${curves.join(', ')} only`
  try {
    const { modulusLength = leastRsaBits } = createPublicKey({ key, format: 'jwk' }).asymmetricKeyDetails ?? {}
    return modulusLength < leastRsaBits ? `must hold RSA keys of at least ${leastRsaBits} bits` : undefined
  } catch {
    return 'must hold well-formed keys'
  }
}
