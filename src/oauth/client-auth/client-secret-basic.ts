/** client_secret_basic: the secret in the Authorization header. RFC 6749 section 2.3.1, RFC 7617. */
import { secretMatches } from './client-secret.ts'
import type { ClientCredentials } from './credentials.ts'
import { type ClientAuthMethod, proved } from './method.ts'

export const clientSecretBasic: ClientAuthMethod<ClientCredentials & { readonly secret: string }> = {
  name: 'client_secret_basic',
  registered: 'CLIENT_SECRET_BASIC',
  prove: ({ application, context }, { secret }) =>
    secretMatches(application, secret, context.now) ? proved : undefined,
}
