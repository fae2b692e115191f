/**
 * The JWTs of others, taken apart before anything is verified: RFC 7515 section 7.1, read strictly. One text stands for one
 * JWT: base64url as an encoder writes it, JSON without repeated members (rows F05, F07).
 *
 * Never: a header or claim believed because of this alone; an extension that somebody marks as critical and we do not know.
 */
import { parseJson } from '../contract/json.ts'
import { decodeBase64url } from '../keys/base64url.ts'

/** Members of a JSON object. */
export type JsonMembers = Readonly<Record<string, unknown>>

/** What a JWT says, not verified. */
export interface CompactJws {
  readonly header: JsonMembers
  readonly claims: JsonMembers
}

/** Longest JWT that is looked at, in characters. */
const longestJwt = 64 * 1024

/** Takes a JWT apart; undefined when it is none. */
export function readCompactJws(jwt: string): CompactJws | undefined {
  if (jwt.length > longestJwt) return undefined
  const parts = jwt.split('.', 4)
  if (parts.length !== 3) return undefined
  const [encodedHeader, encodedClaims, signature] = parts.map(decodeBase64url)
  const header = encodedHeader && objectOf(encodedHeader)
  const claims = encodedClaims && objectOf(encodedClaims)
  if (!header || !claims || !signature) return undefined
  // There is no extension that we understand, so none may be critical (RFC 7515 section 4.1.11).
  return header['crit'] === undefined && header['b64'] === undefined ? { header, claims } : undefined
}

function objectOf(bytes: Uint8Array): JsonMembers | undefined {
  try {
    const value = bytes.length > 0 ? parseJson(bytes) : undefined
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}
