/**
 * What the form of the page that asks about signing off carries (row I10, catalogue "logout CSRF"): made of the session
 * cookie of the browser that was shown the page, under a key of the environment. Nothing has to be stored for it, and it
 * ends with the cookie.
 *
 * Never: a confirmation that another browser, another session or another environment could use.
 */
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { hashSessionToken } from '../directory/session-cookie.ts'
import type { Environment } from '../environment/snapshot.ts'
import { constantTimeEqual } from '../keys/constant-time.ts'

const keys = new WeakMap<KeyObject, KeyObject>()

/** The confirmation for the browser of a session token. */
export function confirmationOf({ id, dataKey }: Pick<Environment, 'id' | 'dataKey'>, token: string): string {
  let key = keys.get(dataKey)
  if (!key) {
    key = createSecretKey(Buffer.from(hkdfSync('sha256', dataKey.export(), '', 'stile/sign-off-confirmation', 32)))
    keys.set(dataKey, key)
  }
  return createHmac('sha256', key)
    .update(`${id}/${hashSessionToken(token)}`)
    .digest('base64url')
}

/** Whether a confirmation was made for the browser of a session token. */
export function isConfirmation(
  environment: Pick<Environment, 'id' | 'dataKey'>,
  token: string,
  confirmation: string,
): boolean {
  return constantTimeEqual(Buffer.from(confirmationOf(environment, token)), Buffer.from(confirmation))
}
