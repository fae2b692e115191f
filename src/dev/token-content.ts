/**
 * The inside of a JSON Web Token, made readable (RFC 7519). It looks and does not judge: an application that relies on a
 * token has to check signature, issuer, audience and time first.
 */

/** What a token says. */
export interface TokenContent {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** Reads a token; undefined when it is none. */
export function tokenContent(token: string): TokenContent | undefined {
  const [header, claims, signature, ...rest] = token.split('.')
  if (header === undefined || claims === undefined || signature === undefined || rest.length > 0) return undefined
  const [readHeader, readClaims] = [readPart(header), readPart(claims)]
  return readHeader && readClaims && { header: readHeader, claims: readClaims }
}

function readPart(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
