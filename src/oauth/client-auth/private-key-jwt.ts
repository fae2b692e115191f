/**
 * private_key_jwt: an assertion signed by a private key, of which the application has registered the public one (`jwks`)
 * or publishes it (`jwksUrl`). OpenID Connect Core section 9, RFC 7523 section 2.2, authentication-api 2.8.
 * Never: a key, or the address of one, out of the assertion (rows D13, F04).
 */
import { keyAlgorithms } from '../rules/client-algorithms.ts'
import { proveByAssertion } from './assertion.ts'
import type { ClientCredentials } from './credentials.ts'
import type { ClientAuthMethod } from './method.ts'

export const privateKeyJwt: ClientAuthMethod<ClientCredentials & { readonly assertion: string }> = {
  name: 'private_key_jwt',
  registered: 'PRIVATE_KEY_JWT',
  prove: (attempt, { assertion }) => proveByAssertion(attempt, assertion, keyAlgorithms),
}
