/** `query`: parameters are added to the query of the redirect URI. RFC 6749 section 4.1.2. Never with tokens. */
import type { Reply } from '../../contract/operation.ts'
import { encodeParameters } from './encode.ts'

/** Redirects with the parameters in the query. */
export function query(redirectUri: string, parameters: Readonly<Record<string, string | number>>): Reply {
  const separator = redirectUri.includes('?') ? '&' : '?'
  return { status: 302, headers: { location: `${redirectUri}${separator}${encodeParameters(parameters)}` } }
}
