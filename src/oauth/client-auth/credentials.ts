/**
 * What a request presents to authenticate its client: RFC 6749 section 2.3.1. Exactly one method per request.
 * The `method` names are the field's own (authentication-api 2.8).
 */
import { z } from 'zod'
import { problem } from '../../errors/problem.ts'
import { defineMetadata } from '../metadata.ts'

export const clientAuthenticationMetadata = defineMetadata(
  { token_endpoint_auth_methods_supported: z.array(z.string()) },
  () => ({ token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'] }),
)

/** Credentials as presented; nothing is verified yet. */
export type ClientCredentials =
  | {
      readonly method: 'CLIENT_SECRET_BASIC' | 'CLIENT_SECRET_POST'
      readonly clientId: string
      readonly secret: string
    }
  | { readonly method: 'NONE'; readonly clientId: string }

/**
 * Reads the credentials of a request.
 * @throws Problem invalid_client when there are none or two, invalid_request when they contradict each other
 */
export function readCredentials(
  authorization: string | undefined,
  form: Readonly<Record<string, string>>,
): ClientCredentials {
  const clientId = form['client_id']
  const secret = form['client_secret']
  if (authorization !== undefined) {
    const basic = readBasic(authorization)
    if (secret !== undefined)
      throw problem('invalid_request', { description: 'more than one client authentication method' })
    if (clientId !== undefined && clientId !== basic.clientId) {
      throw problem('invalid_request', { description: 'client_id differs from the authenticated client' })
    }
    return basic
  }
  if (clientId === undefined) throw problem('invalid_client', { description: 'client authentication is missing' })
  return secret === undefined ? { method: 'NONE', clientId } : { method: 'CLIENT_SECRET_POST', clientId, secret }
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
