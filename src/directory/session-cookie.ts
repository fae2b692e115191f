/**
 * The `ST` cookie: PingOne's session token (authentication-api 2.18, decision D1). Its value is a random UUID and never
 * an id; storage holds its SHA-256. Two cookies of that name in one request are refused (row I26).
 */
import { hash } from 'node:crypto'
import { problem } from '../errors/problem.ts'
import type { Site } from '../site.ts'

const uuid4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
/** How long browsers keep it, in seconds. */
export const sessionCookieSeconds = 2_592_000

/**
 * Reads the session token of a request.
 * @returns undefined when there is none, or it is nothing this server would have set
 * @throws Problem INVALID_REQUEST when there are two
 */
export function readSessionToken(cookieHeader: string | undefined): string | undefined {
  if (!cookieHeader) return undefined
  let found: string | undefined
  for (const part of cookieHeader.split(';')) {
    const pair = part.trim()
    if (!pair.startsWith('ST=')) continue
    if (found !== undefined)
      throw problem('INVALID_REQUEST', { description: 'The request carries two session cookies.' })
    found = pair.slice(3)
  }
  return found !== undefined && uuid4.test(found) ? found : undefined
}

/** The form in which a session token is stored. */
export function hashSessionToken(token: string): string {
  return hash('sha256', token, 'base64url')
}

/**
 * The Set-Cookie line of a session token.
 * @param now epoch milliseconds
 */
export function sessionCookie(site: Site, token: string, now: number): string {
  return cookieLine(site, token, sessionCookieSeconds, now)
}

/** The Set-Cookie line that makes a browser forget its session token: whoever signed off leaves none behind. */
export function clearedSessionCookie(site: Site): string {
  return cookieLine(site, '', 0, 0)
}

function cookieLine(site: Site, value: string, seconds: number, now: number): string {
  const expires = new Date(now + seconds * 1000).toUTCString()
  const safety = site.secure ? 'Secure; HttpOnly; SameSite=None' : 'HttpOnly; SameSite=Lax'
  return `ST=${value}; Path=${site.cookiePath}; Max-Age=${seconds}; Expires=${expires}; ${safety}`
}
