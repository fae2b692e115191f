/**
 * Remembered browsers (`rememberMe.web` of device authentication policies, platform-api 3.14.3): after a second factor a
 * user may say that this browser is theirs, and is not asked for one there for a while. Rows J25, L34.
 *
 * What the browser keeps is a random token, which says nothing by itself: storage knows for which users of which
 * environment it counts. Whatever changes how a user is recognised forgets all their browsers.
 *
 * Never: a token in clear in storage; one that the client chose.
 */
import { hash } from 'node:crypto'
import type { Kernel } from '../kernel.ts'
import type { Site } from '../site.ts'
import { remove } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { putRememberedBrowser, rememberedBrowser } from '../storage/sql/remembered-browsers.ts'

const cookieName = 'REMEMBERED'
/** 256 bits. */
const tokenBytes = 32
const tokenForm = /^[A-Za-z0-9_-]{43}$/

/** The token of a request's browser; undefined when it has none, or two of which nobody knows the right one. */
export function readBrowserToken(cookieHeader: string | undefined): string | undefined {
  const prefix = `${cookieName}=`
  const values = (cookieHeader ?? '').split(';').flatMap((part) => {
    const pair = part.trim()
    return pair.startsWith(prefix) ? [pair.slice(prefix.length)] : []
  })
  const [token] = values
  return values.length === 1 && token !== undefined && tokenForm.test(token) ? token : undefined
}

/** Whether a browser is remembered for a user; one read where it has a token. */
export async function isRemembered(
  { storage }: Pick<Kernel, 'storage'>,
  environmentId: string,
  userId: string,
  token: string | undefined,
  now: number,
): Promise<boolean> {
  if (token === undefined) return false
  const rows = await storage.read(rememberedBrowser(environmentId, userId, hashOf(token), now))
  return rows.length > 0
}

/** A browser that is going to be remembered: what belongs into the unit, and the Set-Cookie line of the answer. */
export interface Remembering {
  readonly store: () => UnitBody<void>
  readonly cookie: string
}

/**
 * Prepares to remember a browser. It keeps the token it has, so that it can be remembered for several users.
 * @param seconds for how long
 */
export function remembering(
  { world }: Pick<Kernel, 'world'>,
  site: Site,
  asked: {
    readonly userId: string
    readonly token: string | undefined
    readonly seconds: number
    readonly now: number
  },
): Remembering {
  const { userId, seconds, now } = asked
  const token = asked.token ?? world.bytes(tokenBytes).toString('base64url')
  const expiresAt = now + seconds * 1000
  const safety = site.secure ? 'Secure; HttpOnly; SameSite=None' : 'HttpOnly; SameSite=Lax'
  return {
    *store() {
      yield putRememberedBrowser(site.environmentId, userId, hashOf(token), now, expiresAt)
    },
    // The row says how long it counts; the cookie only has to outlive every one of them.
    cookie: `${cookieName}=${token}; Path=${site.cookiePath}; Max-Age=${cookieSeconds}; ${safety}`,
  }
}

const cookieSeconds = 34_560_000

/** Forgets every browser of a user; for the unit of what changes how they are recognised. */
export function* forgetBrowsers(environmentId: string, userId: string): UnitBody<void> {
  yield* remove('remembered_browsers', { environment_id: environmentId, user_id: userId })
}

function hashOf(token: string): string {
  return hash('sha256', token, 'base64url')
}
