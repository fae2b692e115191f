/** client_secret_post: the secret in the body. RFC 6749 section 2.3.1. Never: a secret in the query string. */
import { secretMatches } from './client-secret.ts'
import type { ClientCredentials } from './credentials.ts'
import { type ClientAuthMethod, proved } from './method.ts'

export const clientSecretPost: ClientAuthMethod<ClientCredentials & { readonly secret: string }> = {
  name: 'client_secret_post',
  registered: 'CLIENT_SECRET_POST',
  prove: ({ application, context }, { secret }) =>
    secretMatches(application, secret, context.now) ? proved : undefined,
}
