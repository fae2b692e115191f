/**
 * PURE: what the FAPI 2.0 Security Profile (sections 5.3.2 and 5.4) and FAPI 2.0 Message Signing (section 5) demand of an
 * application that keeps one of them: of its registration, of each authorization request, and of each token request. Where
 * a demand is met for every application anyway (`iss`, no open redirector, one use of a code), it is not repeated here.
 *
 * Never: a demand that only one door knows; a profile that leaves a weaker way open beside the one it wants.
 */
import type { KeyAlgorithm } from './client-algorithms.ts'

/** The profiles that an application may keep. */
export const fapiProfiles = ['NONE', 'FAPI_2_0_SECURITY', 'FAPI_2_0_MESSAGE_SIGNING'] as const
export type FapiProfile = (typeof fapiProfiles)[number]

/** Algorithms of whatever is signed (section 5.4.1). */
export const fapiAlgorithms: readonly KeyAlgorithm[] = ['PS256', 'ES256', 'EdDSA']

/** Methods by which a client proves who it is (section 5.3.2.1, 6). */
const fapiMethods = ['PRIVATE_KEY_JWT', 'TLS_CLIENT_AUTH', 'SELF_SIGNED_TLS_CLIENT_AUTH']

/** The longest life of an authorization code, in milliseconds (section 5.3.2.1, 11). */
const longestCode = 60_000

/** What of an application the profiles look at. */
export interface FapiClient {
  readonly fapiProfile?: FapiProfile | undefined
  readonly tokenEndpointAuthMethod: string
  readonly tokenEndpointAuthSigningAlg?: string | undefined
  readonly acceptTokenEndpointAudience?: boolean | undefined
  readonly requestObjectSigningAlg?: string | undefined
  readonly idTokenSignedResponseAlg?: string | undefined
  readonly userinfoSignedResponseAlg?: string | undefined
  readonly authorizationSignedResponseAlg?: string | undefined
  readonly grantTypes: readonly string[]
  readonly responseTypes: readonly string[]
  readonly redirectUris: readonly string[]
}

/** Whether an application keeps one of the profiles. */
export function keepsFapi({ fapiProfile = 'NONE' }: Pick<FapiClient, 'fapiProfile'>): boolean {
  return fapiProfile !== 'NONE'
}

/** What is wrong with the registration of an application that is to keep a profile. */
export function fapiRegistrationProblems(client: FapiClient): { readonly member: string; readonly message: string }[] {
  if (!keepsFapi(client)) return []
  const problems: readonly (readonly [string, boolean, string])[] = [
    [
      'tokenEndpointAuthMethod',
      !fapiMethods.includes(client.tokenEndpointAuthMethod),
      `must be one of ${fapiMethods.join(', ')} with a FAPI profile`,
    ],
    [
      'tokenEndpointAuthSigningAlg',
      client.tokenEndpointAuthSigningAlg !== undefined && !isFapiAlgorithm(client.tokenEndpointAuthSigningAlg),
      `must be one of ${fapiAlgorithms.join(', ')} with a FAPI profile`,
    ],
    [
      'requestObjectSigningAlg',
      client.requestObjectSigningAlg !== undefined && !isFapiAlgorithm(client.requestObjectSigningAlg),
      `must be one of ${fapiAlgorithms.join(', ')} with a FAPI profile`,
    ],
    [
      'idTokenSignedResponseAlg',
      client.idTokenSignedResponseAlg !== undefined && !isFapiAlgorithm(client.idTokenSignedResponseAlg),
      `must be one of ${fapiAlgorithms.join(', ')} with a FAPI profile`,
    ],
    [
      'userinfoSignedResponseAlg',
      client.userinfoSignedResponseAlg !== undefined && !isFapiAlgorithm(client.userinfoSignedResponseAlg),
      `must be one of ${fapiAlgorithms.join(', ')} with a FAPI profile`,
    ],
    [
      'authorizationSignedResponseAlg',
      client.authorizationSignedResponseAlg !== undefined && !isFapiAlgorithm(client.authorizationSignedResponseAlg),
      `must be one of ${fapiAlgorithms.join(', ')} with a FAPI profile`,
    ],
    ['acceptTokenEndpointAudience', client.acceptTokenEndpointAudience === true, 'must be false with a FAPI profile'],
    ['grantTypes', client.grantTypes.includes('IMPLICIT'), 'must not hold IMPLICIT with a FAPI profile'],
    [
      'responseTypes',
      client.responseTypes.some((type) => type !== 'CODE'),
      'must hold nothing but CODE with a FAPI profile',
    ],
    [
      'redirectUris',
      client.redirectUris.some((uri) => /^http:/i.test(uri) && !/^http:\/\/(?:127\.0\.0\.1|\[::1\])[:/]/i.test(uri)),
      'must not hold addresses of plain http with a FAPI profile',
    ],
  ]
  return problems.filter(([, isWrong]) => isWrong).map(([member, , message]) => ({ member, message }))
}

/** Whether something may be signed by an algorithm. */
export function isFapiAlgorithm(algorithm: string): boolean {
  return fapiAlgorithms.some((allowed) => allowed === algorithm)
}

/**
 * What is signed for an application that keeps a profile, where the environment would sign by an algorithm that the profile
 * does not allow (section 5.4.1): as its ID tokens are. Undefined for any other application.
 */
export function fapiSigningAlgorithm<Algorithm extends string>(
  client: Pick<FapiClient, 'fapiProfile'> & { readonly idTokenSignedResponseAlg?: Algorithm | undefined },
): Algorithm | 'ES256' | undefined {
  return keepsFapi(client) ? (client.idTokenSignedResponseAlg ?? 'ES256') : undefined
}

/** What of an authorization request the profiles look at. */
export interface FapiAuthorizationRequest {
  /** Whether nothing but a code is asked for. */
  readonly isCodeAlone: boolean
  /** Whether there is a challenge by S256. */
  readonly isChallenged: boolean
  /** Whether the answer goes to an address that the request names. */
  readonly isRedirected: boolean
}

/**
 * What is wrong with an authorization request of an application that keeps a profile (section 5.3.2.2, 1, 5 and 6);
 * undefined when nothing is. That it was pushed is demanded by `demandsPushedRequests`.
 */
export function fapiAuthorizationProblem(
  client: Pick<FapiClient, 'fapiProfile'>,
  request: FapiAuthorizationRequest,
): string | undefined {
  if (!keepsFapi(client)) return undefined
  if (!request.isCodeAlone) return 'the profile of the application allows response_type=code only'
  if (!request.isChallenged) return 'the profile of the application demands a code_challenge by S256'
  return request.isRedirected ? undefined : 'the profile of the application demands a redirect_uri'
}

/** Whether authorization requests have to be pushed (section 5.3.2.2, 3). */
export function demandsPushedRequests(client: Pick<FapiClient, 'fapiProfile'>): boolean {
  return keepsFapi(client)
}

/** Whether what is pushed has to be signed (Message Signing, section 5.3.1). */
export function demandsSignedRequests({ fapiProfile }: Pick<FapiClient, 'fapiProfile'>): boolean {
  return fapiProfile === 'FAPI_2_0_MESSAGE_SIGNING'
}

/** When a code ends. Epoch milliseconds. */
export function codeEnd(
  client: Pick<FapiClient, 'fapiProfile'>,
  code: { readonly createdAt: number; readonly expiresAt: number },
): number {
  return keepsFapi(client) ? Math.min(code.expiresAt, code.createdAt + longestCode) : code.expiresAt
}

/**
 * Whether refresh tokens are replaced with each use. A client that has to prove who it is, and whose tokens are bound, gains
 * nothing by it and may lose its grant to a lost answer (section 5.3.2.1, 9).
 */
export function rotatesRefreshTokens(client: Pick<FapiClient, 'fapiProfile'>): boolean {
  return !keepsFapi(client)
}
