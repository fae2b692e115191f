/**
 * Media types as operation selectors: matched without regard to case, parameters or `+json` (decision D5,
 * authentication-api 4.0). RFC 9110 section 8.3.1.
 */

const form = 'application/x-www-form-urlencoded'

/**
 * The canonical form of a Content-Type: lower case, no parameters, no `+json`.
 * @returns undefined when the header is absent or not a media type at all
 */
export function canonicalMediaType(contentType: string | undefined): string | undefined {
  if (!contentType) return undefined
  // As nearly every client of a token endpoint writes it.
  if (contentType === form) return form
  const semicolon = contentType.indexOf(';')
  const essence = (semicolon === -1 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase()
  if (!/^[a-z0-9!#$&^_.+-]{1,127}\/[a-z0-9!#$&^_.+-]{1,127}$/.test(essence)) return undefined
  return essence.endsWith('+json') ? essence.slice(0, -5) : essence
}

/** Whether a Content-Type names a character set other than UTF-8 (row O06). */
export function foreignCharset(contentType: string | undefined): boolean {
  const match = contentType?.includes(';') && /;\s*charset\s*=\s*"?([^";\s]+)"?/i.exec(contentType)
  return match ? match[1]?.toLowerCase() !== 'utf-8' : false
}

/** The media type that selects a PingOne operation by name, as sent: `application/vnd.pingidentity.<name>+json`. */
export function vendorMediaType(operation: string): string {
  return `application/vnd.pingidentity.${operation}+json`
}
