/**
 * Discovery: OpenID Connect Discovery 1.0 section 4, authentication-api 2.1. Every line is derived from what is mounted
 * and switched on. Never: a promise that the environment does not keep.
 */
import { z } from 'zod'
import { defineOperation, type Operation } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { responseModeNames, responseTypeNames } from '../authorize/response.ts'
import { grants } from '../token/grants/index.ts'
import { claimNames } from '../tokens/claims.ts'

const metadata = z.object({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  authorization_challenge_endpoint: z.string().optional(),
  token_endpoint: z.string(),
  userinfo_endpoint: z.string(),
  jwks_uri: z.string(),
  claims_parameter_supported: z.boolean(),
  request_parameter_supported: z.boolean(),
  request_uri_parameter_supported: z.boolean(),
  require_pushed_authorization_requests: z.boolean(),
  scopes_supported: z.array(z.string()),
  response_types_supported: z.array(z.string()),
  response_modes_supported: z.array(z.string()),
  grant_types_supported: z.array(z.string()),
  subject_types_supported: z.array(z.string()),
  id_token_signing_alg_values_supported: z.array(z.string()),
  userinfo_signing_alg_values_supported: z.array(z.string()),
  token_endpoint_auth_methods_supported: z.array(z.string()),
  claim_types_supported: z.array(z.string()),
  claims_supported: z.array(z.string()),
  code_challenge_methods_supported: z.array(z.string()),
  authorization_response_iss_parameter_supported: z.boolean(),
})

const discovery = defineOperation({
  id: 'discovery',
  method: 'GET',
  path: '/{environmentId}/as/.well-known/openid-configuration',
  surface: 'oauth',
  tag: 'OAuth 2 and OpenID Connect',
  summary: 'Read the metadata of the authorization server',
  source: 'authentication-api 2.1; OpenID Connect Discovery 1.0 section 4',
  permission: { kind: 'public' },
  cors: 'any',
  servesWhenStale: true,
  params: z.object({ environmentId: uuid }),
  replies: { 200: metadata },
  errors: ['NOT_FOUND'],
  handle: (_input, { environment, site }) => ({
    status: 200,
    body: {
      issuer: site.issuer,
      authorization_endpoint: `${site.issuer}/authorize`,
      authorization_challenge_endpoint: `${site.issuer}/authorization_challenge`,
      token_endpoint: `${site.issuer}/token`,
      userinfo_endpoint: `${site.issuer}/userinfo`,
      jwks_uri: `${site.issuer}/jwks`,
      claims_parameter_supported: false,
      request_parameter_supported: false,
      request_uri_parameter_supported: false,
      require_pushed_authorization_requests: false,
      scopes_supported: ['openid', 'profile', 'email', 'address', 'phone'],
      response_types_supported: responseTypeNames,
      response_modes_supported: responseModeNames,
      grant_types_supported: [...grants.map((grant) => grant.type), 'implicit'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [...new Set(['RS256', environment.settings.signingAlgorithm])],
      userinfo_signing_alg_values_supported: ['none'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
      claim_types_supported: ['normal'],
      claims_supported: [
        'sub',
        'iss',
        'aud',
        'exp',
        'iat',
        'auth_time',
        'acr',
        'amr',
        'nonce',
        'sid',
        'env',
        'org',
        'p1.region',
        ...claimNames,
      ],
      code_challenge_methods_supported: ['plain', 'S256'],
      authorization_response_iss_parameter_supported: true,
    },
    headers: { 'cache-control': 'public, max-age=300', pragma: '' },
  }),
})

export const discoveryOperations: readonly Operation[] = [discovery]
