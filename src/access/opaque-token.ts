/**
 * Opaque access tokens: random handles by which only this server knows what they say (extension; `accessTokenFormat` of a
 * resource). Stored by their hash, with their claims, until they expire. Never: a handle stored as it is.
 */
import { hash } from 'node:crypto'

/** 32 random bytes in base64url. */
const form = /^[A-Za-z0-9_-]{43}$/

/** Whether a text can be an opaque token. */
export function isOpaqueToken(text: string): boolean {
  return form.test(text)
}

/** The key under which an opaque token is stored. */
export function hashOpaqueToken(token: string): string {
  return hash('sha256', token, 'base64url')
}
