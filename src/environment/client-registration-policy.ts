/**
 * What an environment allows clients that register themselves, at the registration endpoint (RFC 7591) or by a document
 * that their client id is the address of (draft-ietf-oauth-client-id-metadata-document). Extension (decision D24), served
 * at `~/clientRegistrationPolicy`. Security catalogue group H.
 *
 * Never: anything switched on where nobody has said so (row H01).
 */
import { z } from 'zod'
import { reference } from '../contract/validation.ts'
import { grantType, tokenEndpointAuthMethod } from './application.ts'

/** A host, or every host below one. */
const host = '(?:\\*\\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'

const hostPattern = z
  .string()
  .max(253)
  .regex(new RegExp(`^${host}$`))

/** A place that redirect URIs may name: a host, an IPv6 literal as browsers write it, or a scheme of native applications. */
const redirectHost = z
  .string()
  .max(253)
  .regex(new RegExp(`^(?:${host}|\\[[0-9a-f:]+\\]|[a-z][a-z0-9+-]*\\.[a-z0-9+.-]*:)$`))

const trustedIssuer = z
  .object({
    issuer: z.string().min(1).max(2048),
    jwks: z.string().optional().describe('Its public keys: a JSON Web Key Set as JSON text.'),
    jwksUrl: z.string().max(2048).optional().describe('Where it publishes its public keys.'),
  })
  .refine(({ jwks, jwksUrl }) => (jwks === undefined) !== (jwksUrl === undefined), 'must have either jwks or jwksUrl')

/** How many in how many seconds. */
const rate = z.object({ count: z.int().min(1).max(100_000), seconds: z.int().min(1).max(86_400) })

export const clientRegistrationPolicy = z.object({
  mode: z
    .enum(['OFF', 'INITIAL_ACCESS_TOKEN', 'OPEN'])
    .default('OFF')
    .describe('Who may register at the registration endpoint: nobody, who has an initial access token, everybody.'),
  grantTypes: z
    .array(grantType)
    .min(1)
    .max(20)
    .default(['AUTHORIZATION_CODE', 'REFRESH_TOKEN'])
    .describe('What clients may register of what they ask for; the rest is left out.'),
  tokenEndpointAuthMethods: z
    .array(tokenEndpointAuthMethod)
    .min(1)
    .max(20)
    .default([...tokenEndpointAuthMethod.options])
    .describe('How clients may authenticate; a client that asks for another way is refused.'),
  acceptTokenEndpointAudience: z
    .boolean()
    .default(false)
    .describe(
      'For old clients: client assertions may name the token endpoint as audience in place of the issuer, as `acceptTokenEndpointAudience` of an application lets them.',
    ),
  grants: z
    .array(z.object({ resource: reference, scopes: z.array(reference).min(1).max(500) }))
    .max(100)
    .default([])
    .describe('The scopes that clients may have beside openid; each gets those of them that it asks for, or all.'),
  redirectHosts: z
    .array(redirectHost)
    .min(1)
    .max(100)
    .optional()
    .describe(
      'The hosts that redirect URIs may name, `*.example.com` for all below one; loopback hosts and private-use schemes (`com.example.app:`) have to be listed as well. Absent: any; then users are shown a page before a failed request sends them to a host that nobody has vouched for.',
    ),
  softwareStatements: z
    .object({
      required: z.boolean().default(false).describe('Refuses clients that come without a software statement.'),
      trustedIssuers: z.array(trustedIssuer).max(50).default([]),
    })
    .prefault({}),
  maximumClients: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1_000)
    .describe('How many clients may have registered themselves at a time.'),
  perNetworkAddress: rate
    .default({ count: 10, seconds: 60 })
    .describe('How many registrations, or documents that have to be fetched, one network address may cause.'),
  unusedClientDays: z
    .int()
    .min(1)
    .max(3_650)
    .default(90)
    .describe('A client that nobody has used for so many days is deleted.'),
  clientIdMetadataDocuments: z
    .object({
      enabled: z
        .boolean()
        .default(false)
        .describe('Whether a client id may be the https address of a document that describes the client.'),
      allowedHosts: z
        .array(hostPattern)
        .min(1)
        .max(100)
        .optional()
        .describe('The hosts of such addresses, `*.example.com` for all below one. Absent: any.'),
    })
    .prefault({}),
})

/** What one environment allows clients that register themselves. */
export type ClientRegistrationPolicy = z.output<typeof clientRegistrationPolicy>

/** What an environment has until somebody changes it: nothing is allowed. */
export const defaultClientRegistrationPolicy: ClientRegistrationPolicy = clientRegistrationPolicy.parse({})

/** The policy of a row. @param stored undefined: nobody has changed it */
export function clientRegistrationPolicyFrom(stored: string | undefined): ClientRegistrationPolicy {
  return stored === undefined ? defaultClientRegistrationPolicy : clientRegistrationPolicy.parse(JSON.parse(stored))
}

/** Whether one of the patterns covers a host. @param hostname as `URL` gives it */
export function coversHost(patterns: readonly string[], hostname: string): boolean {
  return patterns.some((pattern) =>
    pattern.startsWith('*.') ? hostname.endsWith(pattern.slice(1)) : pattern === hostname,
  )
}
