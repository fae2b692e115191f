/** `fragment`: parameters travel in the fragment, which browsers do not send on. OAuth 2.0 Multiple Response Types section 5. */
import type { Reply } from '../../contract/operation.ts'
import { encodeParameters } from './encode.ts'

/** Redirects with the parameters in the fragment. */
export function fragment(redirectUri: string, parameters: Readonly<Record<string, string | number>>): Reply {
  return { status: 302, headers: { location: `${redirectUri}#${encodeParameters(parameters)}` } }
}
