/** What the server says of client authentication: RFC 8414 section 2. */
import { z } from 'zod'
import type { Environment } from '../../environment/snapshot.ts'
import type { Site } from '../../site.ts'
import { defineMetadata } from '../metadata.ts'
import { keyAlgorithms, secretAlgorithms } from '../rules/client-algorithms.ts'
import { attestJwtClientAuth } from './attest-jwt-client-auth.ts'
import { clientSecretBasic } from './client-secret-basic.ts'
import { clientSecretJwt } from './client-secret-jwt.ts'
import { clientSecretPost } from './client-secret-post.ts'
import { none } from './none.ts'
import { privateKeyJwt } from './private-key-jwt.ts'
import { selfSignedTlsClientAuth } from './self-signed-tls-client-auth.ts'
import { tlsClientAuth } from './tls-client-auth.ts'

/** The names of the methods, for every endpoint that clients authenticate at. */
export function clientAuthMethods({ settings }: Environment, { mtlsBase }: Site): string[] {
  const methods = [clientSecretBasic, clientSecretPost, clientSecretJwt, privateKeyJwt, none]
  // A certificate can only be presented where somebody asks for it.
  const byCertificate = mtlsBase === undefined ? [] : [tlsClientAuth, selfSignedTlsClientAuth]
  const byAttestation = settings.clientAttestation ? [attestJwtClientAuth] : []
  return [...methods, ...byCertificate, ...byAttestation].map(({ name }) => name)
}

export const clientAuthenticationMetadata = defineMetadata(
  {
    token_endpoint_auth_methods_supported: z.array(z.string()),
    token_endpoint_auth_signing_alg_values_supported: z.array(z.string()),
    dpop_signing_alg_values_supported: z.array(z.string()),
    tls_client_certificate_bound_access_tokens: z.boolean(),
  },
  (environment, site) => ({
    token_endpoint_auth_methods_supported: clientAuthMethods(environment, site),
    token_endpoint_auth_signing_alg_values_supported: [...Object.keys(secretAlgorithms), ...keyAlgorithms],
    dpop_signing_alg_values_supported: [...keyAlgorithms],
    tls_client_certificate_bound_access_tokens: site.mtlsBase !== undefined,
  }),
)
