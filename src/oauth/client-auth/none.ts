/**
 * none: a public client names itself, and nobody vouches for it. RFC 6749 section 2.1; what it holds (a code, a refresh
 * token) is bound to it by other means. Never: a client that was given means to prove who it is.
 */
import type { ClientCredentials } from './credentials.ts'
import { type ClientAuthMethod, proved } from './method.ts'

export const none: ClientAuthMethod<ClientCredentials & { readonly method: 'NONE' }> = {
  name: 'none',
  registered: 'NONE',
  prove: () => proved,
}
