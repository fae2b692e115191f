/**
 * client_secret_jwt: an assertion signed by the client secret with HS256 to HS512. OpenID Connect Core section 9,
 * authentication-api 2.8. Never: a secret shorter than the hash (RFC 7518 section 3.2).
 */
import { type SecretAlgorithm, secretAlgorithms } from '../rules/client-algorithms.ts'
import { proveByAssertion } from './assertion.ts'
import type { ClientCredentials } from './credentials.ts'
import type { ClientAuthMethod } from './method.ts'

const algorithms = Object.keys(secretAlgorithms) as SecretAlgorithm[]

export const clientSecretJwt: ClientAuthMethod<ClientCredentials & { readonly assertion: string }> = {
  name: 'client_secret_jwt',
  registered: 'CLIENT_SECRET_JWT',
  prove: (attempt, { assertion }) => proveByAssertion(attempt, assertion, algorithms),
}
