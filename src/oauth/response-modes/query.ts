/** `query`: parameters are added to the query of the redirect URI. RFC 6749 section 4.1.2. Never with tokens. */
import type { Reply } from '../../contract/operation.ts'
import { encodeParameters } from './encode.ts'

/** Redirects with the parameters in the query. */
export function query(redirectUri: string, parameters: Readonly<Record<string, string | number>>): Reply {
  return { status: 302, headers: { location: withQuery(redirectUri, parameters) } }
}

/** An address with parameters added to its query; as it is where there are none. */
export function withQuery(address: string, parameters: Readonly<Record<string, string | number>>): string {
  const encoded = encodeParameters(parameters)
  return encoded === '' ? address : `${address}${address.includes('?') ? '&' : '?'}${encoded}`
}
