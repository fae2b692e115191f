/**
 * What a request presents to authenticate its client: RFC 6749 section 2.3.1, RFC 7521 section 4.2. Exactly one method per
 * request. Whoever presents nothing but a client id is a public client, or one that its certificate or its attester vouches
 * for.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { readCompactJws } from '../../keys/compact-jws.ts'
import { problem } from '../../errors/problem.ts'
import { assertionType } from '../rules/client-assertion.ts'

/** The parameters by which a client authenticates in the body, at every endpoint that it calls. */
export const clientParameters = {
  client_id: z.string().optional(),
  client_secret: z.string().optional(),
  client_assertion_type: z.string().optional(),
  client_assertion: z.string().optional(),
}

/** How a client is refused that does not authenticate. */
export const clientErrors = ['invalid_client', 'use_attestation_challenge', 'use_fresh_attestation', 'LIMITED'] as const

/** Credentials as presented; nothing is verified yet. */
export type ClientCredentials =
  | {
      readonly method: 'CLIENT_SECRET_BASIC' | 'CLIENT_SECRET_POST'
      readonly clientId: string
      readonly secret: string
    }
  | { readonly method: 'CLIENT_ASSERTION'; readonly clientId: string; readonly assertion: string }
  | { readonly method: 'NONE'; readonly clientId: string }

/**
 * Reads the credentials of a request.
 * @throws Problem invalid_client when there are none or they are unreadable, invalid_request when there are two or they
 *   contradict each other
 */
export function readCredentials(
  { authorization, 'oauth-client-attestation': attestation }: IncomingHttpHeaders,
  form: Readonly<Record<string, string>>,
): ClientCredentials {
  const clientId = form['client_id']
  const secret = form['client_secret']
  const assertion = readAssertion(form)
  if ([authorization, secret, assertion].filter((one) => one !== undefined).length > 1) {
    throw problem('invalid_request', { description: 'more than one client authentication method' })
  }
  if (authorization !== undefined) {
    const basic = readBasic(authorization)
    if (clientId !== undefined && clientId !== basic.clientId) {
      throw problem('invalid_request', { description: 'client_id differs from the authenticated client' })
    }
    return basic
  }
  if (assertion !== undefined) {
    return { method: 'CLIENT_ASSERTION', clientId: clientId ?? subjectOf(assertion), assertion }
  }
  if (clientId === undefined) {
    if (typeof attestation === 'string') return { method: 'NONE', clientId: subjectOf(attestation) }
    throw problem('invalid_client', { description: 'client authentication is missing' })
  }
  return secret === undefined ? { method: 'NONE', clientId } : { method: 'CLIENT_SECRET_POST', clientId, secret }
}

/** Whom a JWT is said to be about: known before it can be verified, and compared once more then. */
function subjectOf(jwt: string): string {
  const subject = readCompactJws(jwt)?.claims['sub']
  return typeof subject === 'string' ? subject : ''
}

function readAssertion(form: Readonly<Record<string, string>>): string | undefined {
  const { client_assertion: assertion, client_assertion_type: type } = form
  if (assertion === undefined && type === undefined) return undefined
  if (assertion === undefined || type === undefined) {
    throw problem('invalid_request', { description: 'client_assertion and client_assertion_type belong together' })
  }
  if (type !== assertionType) {
    throw problem('invalid_client', { description: 'client_assertion_type is not supported' })
  }
  return assertion
}

function readBasic(authorization: string): ClientCredentials & { method: 'CLIENT_SECRET_BASIC' } {
  const match = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)
  const text = match?.[1] === undefined ? undefined : strictBase64(match[1])
  const colon = text?.indexOf(':') ?? -1
  if (text === undefined || colon < 1) {
    throw problem('invalid_client', {
      description: 'the Authorization header is not valid Basic authentication',
      headers: { 'www-authenticate': 'Basic realm="stile"' },
    })
  }
  return {
    method: 'CLIENT_SECRET_BASIC',
    clientId: formDecode(text.slice(0, colon)),
    secret: formDecode(text.slice(colon + 1)),
  }
}

/** Node skips characters that are no base64; a text that does not come back the same was not base64. */
function strictBase64(encoded: string): string | undefined {
  const bytes = Buffer.from(encoded, 'base64')
  return bytes.toString('base64') === encoded.padEnd(Math.ceil(encoded.length / 4) * 4, '=')
    ? bytes.toString('utf8')
    : undefined
}

/** RFC 6749 section 2.3.1 form-encodes both parts; a secret sent as it is, with a bare `%`, is taken as it is. */
function formDecode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
