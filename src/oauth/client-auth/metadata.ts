/** What the server says of client authentication: RFC 8414 section 2. */
import { z } from 'zod'
import { defineMetadata } from '../metadata.ts'
import { keyAlgorithms, secretAlgorithms } from '../rules/client-algorithms.ts'
import { clientSecretBasic } from './client-secret-basic.ts'
import { clientSecretJwt } from './client-secret-jwt.ts'
import { clientSecretPost } from './client-secret-post.ts'
import { none } from './none.ts'
import { privateKeyJwt } from './private-key-jwt.ts'

/** The names of the methods, for every endpoint that clients authenticate at. */
export const clientAuthMethods: readonly string[] = [
  clientSecretBasic,
  clientSecretPost,
  clientSecretJwt,
  privateKeyJwt,
  none,
].map(({ name }) => name)

export const clientAuthenticationMetadata = defineMetadata(
  {
    token_endpoint_auth_methods_supported: z.array(z.string()),
    token_endpoint_auth_signing_alg_values_supported: z.array(z.string()),
    dpop_signing_alg_values_supported: z.array(z.string()),
  },
  () => ({
    token_endpoint_auth_methods_supported: [...clientAuthMethods],
    token_endpoint_auth_signing_alg_values_supported: [...Object.keys(secretAlgorithms), ...keyAlgorithms],
    dpop_signing_alg_values_supported: [...keyAlgorithms],
  }),
)
