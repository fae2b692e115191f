/**
 * Base64url without padding (RFC 4648 section 5, RFC 7515 section 2), strict: one text for one byte string.
 *
 * Node's own decoder skips illegal characters and accepts `+`, `/`, padding and stray low bits, so that many texts name
 * the same bytes; a signature or an opaque token read like that is malleable. Never: a lenient decode of anything that
 * came from outside.
 */

/**
 * Decodes canonical base64url.
 * @returns the bytes, or undefined when `text` is not exactly what an encoder would have written
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
