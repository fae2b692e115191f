/**
 * What an application may say of how it proves who it is, and of the keys that its tokens are bound to: RFC 7523, RFC 8705,
 * RFC 9449, FAPI 2.0. Extensions beside PingOne's shapes (decision D24), named as RFC 7591 registers them where it does.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import {
  type ClientAlgorithm,
  keyAlgorithms,
  secretAlgorithms,
  type SecretAlgorithm,
} from '../oauth/rules/client-algorithms.ts'
import { type FapiClient, fapiProfiles, fapiRegistrationProblems } from '../oauth/rules/fapi.ts'
import { parseDistinguishedName } from '../oauth/rules/distinguished-name.ts'

const secretAlgorithmNames = Object.keys(secretAlgorithms) as SecretAlgorithm[]
const subjectName = z.string().min(1).max(1024).optional()

export const clientSecurity = {
  tokenEndpointAuthSigningAlg: z
    .enum([...secretAlgorithmNames, ...keyAlgorithms])
    .optional()
    .describe('Extension: the one algorithm that its client assertions may have.'),
  acceptTokenEndpointAudience: z
    .boolean()
    .optional()
    .describe('Extension, for old clients: assertions may name the token endpoint as audience in place of the issuer.'),
  requestObjectSigningAlg: z
    .enum(['none', ...secretAlgorithmNames, ...keyAlgorithms])
    .optional()
    .describe('Extension: the one algorithm that its request objects may have; none: they have no signature.'),
  tlsClientAuthSubjectDn: subjectName.describe('Extension: the subject of its certificate, written as RFC 4514 says.'),
  tlsClientAuthSanDns: subjectName.describe('Extension: a DNS name of its certificate.'),
  tlsClientAuthSanUri: subjectName.describe('Extension: a URI of its certificate.'),
  tlsClientAuthSanIp: subjectName.describe('Extension: an IP address of its certificate.'),
  tlsClientAuthSanEmail: subjectName.describe('Extension: an e-mail address of its certificate.'),
  tlsClientCertificateBoundAccessTokens: z
    .boolean()
    .optional()
    .describe('Extension: its access tokens are bound to its client certificate, and it gets none without one.'),
  dpopBoundAccessTokens: z
    .boolean()
    .optional()
    .describe('Extension: its access tokens are bound to a key by DPoP, and it gets none without a proof.'),
  fapiProfile: z
    .enum(fapiProfiles)
    .optional()
    .describe(
      'Extension: the profile of FAPI 2.0 that every request of the application has to keep. With MESSAGE_SIGNING its authorization requests have to be signed as well.',
    ),
}

const object = z.object(clientSecurity)

/** These members, as they are stored. */
export type ClientSecurity = Readonly<z.output<typeof object>>

/** The members that name a certificate; an application of the method TLS_CLIENT_AUTH has exactly one (RFC 8705 2.1.2). */
export const certificateNames = [
  'tlsClientAuthSubjectDn',
  'tlsClientAuthSanDns',
  'tlsClientAuthSanUri',
  'tlsClientAuthSanIp',
  'tlsClientAuthSanEmail',
] as const

/** What is wrong with the name of a certificate that is registered; undefined when nothing is. */
export function certificateNameProblem(member: (typeof certificateNames)[number], name: string): string | undefined {
  switch (member) {
    case 'tlsClientAuthSubjectDn':
      return parseDistinguishedName(name) ? undefined : 'must be a distinguished name such as CN=client,O=Example,C=DE'
    case 'tlsClientAuthSanDns':
      return /^[A-Za-z0-9_*-]+(?:\.[A-Za-z0-9_-]+)*$/.test(name) ? undefined : 'must be a DNS name'
    case 'tlsClientAuthSanUri':
      return URL.canParse(name) ? undefined : 'must be a URI'
    case 'tlsClientAuthSanIp':
      return isIP(name) === 0 ? 'must be an IP address' : undefined
    case 'tlsClientAuthSanEmail':
      return /^[^@\s]+@[^@\s]+$/.test(name) ? undefined : 'must be an e-mail address'
  }
}

/** Whether the assertions of a method may have an algorithm. */
export function algorithmFits(algorithm: ClientAlgorithm, method: string): boolean {
  return method === (Object.hasOwn(secretAlgorithms, algorithm) ? 'CLIENT_SECRET_JWT' : 'PRIVATE_KEY_JWT')
}

/** What is wrong with an application for the profile that it is to keep. */
export function profileProblems(client: FapiClient): { readonly member: string; readonly message: string }[] {
  return fapiRegistrationProblems(client)
}
