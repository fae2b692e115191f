/**
 * The challenge endpoint: draft-ietf-oauth-attestation-based-client-auth-07 section 8 (extension). Whoever authenticates by
 * attestation asks here for what its next proof has to hold. It is there only where the environment has switched that on.
 */
import { z } from 'zod'
import { defineOperation, type Operation } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { notFound } from '../../errors/problem.ts'
import { attestationChallenge } from '../client-auth/attest-jwt-client-auth.ts'
import { defineMetadata } from '../metadata.ts'
import { keyAlgorithms } from '../rules/client-algorithms.ts'

export const attestationMetadata = defineMetadata(
  {
    challenge_endpoint: z.string().optional(),
    client_attestation_signing_alg_values_supported: z.array(z.string()).optional(),
    client_attestation_pop_signing_alg_values_supported: z.array(z.string()).optional(),
  },
  ({ settings }, site) =>
    settings.clientAttestation
      ? {
          challenge_endpoint: `${site.issuer}/challenge`,
          client_attestation_signing_alg_values_supported: [...keyAlgorithms],
          client_attestation_pop_signing_alg_values_supported: [...keyAlgorithms],
        }
      : {},
)

export const attestationChallengeOperations: readonly Operation[] = [
  defineOperation({
    id: 'attestationChallenge',
    method: 'POST',
    path: '/{environmentId}/as/challenge',
    surface: 'oauth',
    tag: 'OAuth 2 and OpenID Connect',
    summary: 'Get a challenge for the proof of an attested client',
    source: 'draft-ietf-oauth-attestation-based-client-auth-07 section 8',
    extension: true,
    permission: { kind: 'public' },
    cors: 'any',
    params: z.object({ environmentId: uuid }),
    replies: { 200: z.object({ attestation_challenge: z.string() }) },
    errors: ['NOT_FOUND'],
    handle(_input, { environment, now }) {
      if (!environment.settings.clientAttestation) throw notFound()
      return { status: 200, body: { attestation_challenge: attestationChallenge(environment, now) } }
    },
  }),
]
