/**
 * Settings of one environment: lifetimes and the signing algorithm (decisions D4, D18). An extension beside PingOne's
 * shapes (D24): served at `~/settings`.
 */
import { z } from 'zod'
import { signingAlgorithms } from '../keys/algorithm.ts'
import { authoritiesProblem } from '../keys/client-certificate.ts'
import { keySetProblem } from './client-key-set.ts'
import { leastPublicationSeconds } from '../keys/rotation.ts'
import { authorizationDetailsType } from '../oauth/rules/authorization-details.ts'

/** An algorithm that an environment's own keys sign with. */
export const signingAlgorithm = z.enum(signingAlgorithms)

/** A JWK set as JSON text. */
const keySet = z.string().refine((text) => keySetProblem(text) === undefined, {
  error: ({ input }) => keySetProblem(String(input)) ?? '',
})

export const environmentSettings = z.object({
  signingAlgorithm: signingAlgorithm
    .default('RS256')
    .describe('Signs access and ID tokens, unless they have one of their own.'),
  keyPublicationSeconds: z
    .number()
    .int()
    .min(leastPublicationSeconds)
    .max(2_592_000)
    .default(86_400)
    .describe('How long the next signing key stands in the JWKS, at the least, before it signs as planned.'),
  accessTokenSeconds: z
    .number()
    .int()
    .min(60)
    .max(86_400)
    .default(3600)
    .describe('Life of access tokens for the platform.'),
  idTokenSeconds: z.number().int().min(60).max(86_400).default(3600).describe('Life of ID tokens.'),
  authorizationCodeSeconds: z.number().int().min(10).max(600).default(60).describe('Life of an authorization code.'),
  requirePushedAuthorizationRequests: z
    .boolean()
    .default(false)
    .describe('Authorization requests have to be pushed (RFC 9126), whatever the application says.'),
  clientAssertionSeconds: z
    .number()
    .int()
    .min(30)
    .max(3600)
    .default(300)
    .describe('The longest life of a JWT by which a client authenticates.'),
  clientCertificateAuthorities: z
    .string()
    .refine((pem) => authoritiesProblem(pem) === undefined, {
      error: ({ input }) => authoritiesProblem(String(input)) ?? '',
    })
    .optional()
    .describe('The authorities, as PEM, that may issue certificates of clients; by default those of the installation.'),
  clientAttestation: z
    .object({
      attesters: z
        .array(z.object({ issuer: z.string().min(1).max(2048), jwks: keySet }))
        .min(1)
        .max(20)
        .describe('Who may vouch for instances of clients, each with its public keys.'),
      challengeRequired: z
        .boolean()
        .default(false)
        .describe('Proofs have to hold a challenge that the server has given.'),
    })
    .optional()
    .describe(
      'Draft: switches on attestation-based client authentication (draft-ietf-oauth-attestation-based-client-auth-07).',
    ),
  dpopNonceRequired: z
    .boolean()
    .default(false)
    .describe('DPoP proofs have to hold a nonce that the server has given (RFC 9449 section 8).'),
  authorizationDetailsTypes: z
    .array(authorizationDetailsType)
    .max(50)
    .refine((types) => new Set(types.map(({ type }) => type)).size === types.length, 'must not declare a type twice')
    .default([])
    .describe('Types of `authorization_details` (RFC 9396), each with the members that it may have.'),
  sessionIdleMinutes: z
    .number()
    .int()
    .min(1)
    .max(43_200)
    .default(43_200)
    .describe('A session ends after this long without use.'),
  sessionAbsoluteMinutes: z
    .number()
    .int()
    .min(1)
    .max(525_600)
    .default(129_600)
    .describe('A session ends this long after it began.'),
})

/** The settings of one environment. */
export type EnvironmentSettings = z.output<typeof environmentSettings>

/** What an environment has until somebody changes it. */
export const defaultSettings: EnvironmentSettings = environmentSettings.parse({})
