/**
 * The keys that verify this environment's tokens, those that will sign later among them: RFC 7517 section 5, with `x5c` for
 * clients that build a certificate (authentication-api 2.2).
 */
import { z } from 'zod'
import { defineOperation, type Operation } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import type { ScheduledKey } from '../../environment/key-rotation-policy.ts'
import { signingAlgorithms } from '../../keys/algorithm.ts'
import { jwksLifetimeSeconds } from '../../keys/rotation.ts'
import type { PublicJwk } from '../../keys/signing-key.ts'
import { defineMetadata } from '../metadata.ts'

export const jwksMetadata = defineMetadata({ jwks_uri: z.string() }, (_environment, site) => ({
  jwks_uri: `${site.issuer}/jwks`,
}))

const jwk = z.object({
  kty: z.enum(['RSA', 'EC', 'OKP']),
  use: z.literal('sig'),
  kid: z.string(),
  alg: z.enum(signingAlgorithms),
  n: z.string().optional(),
  e: z.string().optional(),
  crv: z.string().optional(),
  x: z.string().optional(),
  y: z.string().optional(),
  x5c: z.array(z.string()),
  x5t: z.string().optional(),
  'x5t#S256': z.string().optional(),
})

/** Every key, those that have begun to sign first: some clients look no further than the first that fits. */
function published(keys: readonly ScheduledKey[], now: number): readonly PublicJwk[] {
  const [begun, upcoming] = [true, false].map((has) => keys.filter(({ signsFrom }) => signsFrom <= now === has))
  return [...(begun ?? []), ...(upcoming ?? [])].map((key) => key.jwk)
}

const jwks = defineOperation({
  id: 'jwks',
  method: 'GET',
  path: '/{environmentId}/as/jwks',
  surface: 'oauth',
  tag: 'OAuth 2 and OpenID Connect',
  summary: 'Read the keys that verify tokens',
  source: 'authentication-api 2.2; RFC 7517 section 5',
  permission: { kind: 'public' },
  cors: 'any',
  servesWhenStale: true,
  params: z.object({ environmentId: uuid }),
  replies: { 200: z.object({ keys: z.array(jwk) }) },
  errors: ['NOT_FOUND'],
  handle: (_input, { environment, now }) => ({
    status: 200,
    body: { keys: published(environment.signingKeys, now) },
    headers: { 'cache-control': `public, max-age=${jwksLifetimeSeconds}`, pragma: '' },
  }),
})

export const jwksOperations: readonly Operation[] = [jwks]
