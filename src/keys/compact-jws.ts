/**
 * The JWTs of others, taken apart before anything is verified: RFC 7515 section 7.1, read strictly. One text stands for one
 * JWT: base64url as an encoder writes it, JSON without repeated members, a header whose members are of the type that section
 * 4.1 gives them (rows F03, F05, F07).
 *
 * Never: a header or claim believed because of this alone; an extension that somebody marks as critical and we do not know.
 */
import { parseJson } from '../contract/json.ts'
import { decodeBase64url } from './base64url.ts'

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
  return isPlain(header) ? { header, claims } : undefined
}

/**
 * Members that change how the rest is read. There is no extension that we understand, so none may be critical (RFC 7515
 * section 4.1.11), and no payload is compressed or encrypted here (RFC 7516 section 4.1).
 */
const changing = ['crit', 'b64', 'zip', 'enc']
/** Members by which a key or a kind is chosen: one that is no text must not count as none. */
const texts = ['alg', 'kid', 'typ']

function isPlain(header: JsonMembers): boolean {
  return (
    !changing.some((name) => Object.hasOwn(header, name)) &&
    texts.every((name) => header[name] === undefined || typeof header[name] === 'string')
  )
}

function objectOf(bytes: Uint8Array): JsonMembers | undefined {
  try {
    const value = bytes.length > 0 ? parseJson(bytes) : undefined
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}
