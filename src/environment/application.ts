/**
 * An OIDC application as the runtime sees it: its stored document, its secrets as hashes, its grants as scope names and
 * its policies in order. Cached one by one (architecture section 5). Fields: authentication-api 2.19, platform-api 3.7.
 */
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { reference } from '../contract/validation.ts'
import type { SealContext } from '../keys/sealing.ts'
import type { ApplicationClaims } from './application-claims.ts'
import type { ApplicationTokens } from './application-tokens.ts'
import type { ClientSecurity } from './client-security.ts'
import type { SecretHash } from './secret-hash.ts'

export const grantType = z.enum([
  'AUTHORIZATION_CODE',
  'IMPLICIT',
  'CLIENT_CREDENTIALS',
  'REFRESH_TOKEN',
  'DEVICE_CODE',
  'CIBA',
  'TOKEN_EXCHANGE',
  'JWT_BEARER',
])
export const responseType = z.enum(['CODE', 'TOKEN', 'ID_TOKEN'])
export const tokenEndpointAuthMethod = z
  .enum([
    'NONE',
    'CLIENT_SECRET_BASIC',
    'CLIENT_SECRET_POST',
    'CLIENT_SECRET_JWT',
    'PRIVATE_KEY_JWT',
    'TLS_CLIENT_AUTH',
    'SELF_SIGNED_TLS_CLIENT_AUTH',
    'ATTEST_JWT_CLIENT_AUTH',
  ])
  .describe(
    'Extensions: those by TLS (RFC 8705), and that by attestation (a draft, where the environment has switched it on).',
  )
export const applicationType = z.enum(['WEB_APP', 'NATIVE_APP', 'SINGLE_PAGE_APP', 'WORKER', 'SERVICE', 'CUSTOM_APP'])
export const pkceEnforcement = z.enum(['OPTIONAL', 'REQUIRED', 'S256_REQUIRED'])
export const parRequirement = z.enum(['OPTIONAL', 'REQUIRED'])
export const refreshTokenType = z.enum(['JSON_WEB_TOKEN', 'OPAQUE_TOKEN'])

export const corsSettings = z.object({
  behavior: z.enum(['ALLOW_NO_ORIGINS', 'ALLOW_SPECIFIC_ORIGINS']),
  origins: z.array(z.string().max(256)).max(20).optional(),
})

/** Who may sign on: members of one of the groups, or of all (platform-api 3.7). */
export const accessControlGroup = z.object({
  type: z.enum(['ANY_GROUP', 'ALL_GROUPS']),
  groups: z.array(reference).min(1).max(100),
})

/** Who may sign on: those who hold a role of the platform. */
export const accessControlRole = z.object({ type: z.literal('ADMIN_USERS_ONLY') })

/**
 * What is known of a client that registered itself, beside what every application has: RFC 7591 section 2. Nothing of it
 * was verified by anybody, unless a software statement says so.
 */
export interface ClientRegistration {
  /** The address that is its client id, where that is the address of its metadata document. */
  readonly clientUri?: string | undefined
  /** As it calls itself; the name of its application has to be unique and is made of it. */
  readonly clientName?: string | undefined
  readonly contacts?: readonly string[] | undefined
  readonly softwareId?: string | undefined
  readonly softwareVersion?: string | undefined
  /** As it was sent, and whoever signed it. */
  readonly softwareStatement?: string | undefined
  readonly softwareStatementIssuer?: string | undefined
  /** What its document and the policy came to when they were last looked at. */
  readonly fingerprint?: string | undefined
}

/** What is stored of an application beside its columns. Optional members are kept only when they were sent. */
export interface ApplicationDocument extends ClientSecurity, Readonly<ApplicationTokens> {
  readonly description?: string | undefined
  readonly loginPageUrl?: string | undefined
  readonly homePageUrl?: string | undefined
  readonly initiateLoginUri?: string | undefined
  readonly targetLinkUri?: string | undefined
  readonly icon?: { readonly id: string; readonly href: string } | undefined
  readonly hiddenFromAppPortal: boolean
  readonly grantTypes: readonly z.output<typeof grantType>[]
  readonly responseTypes: readonly z.output<typeof responseType>[]
  readonly tokenEndpointAuthMethod: z.output<typeof tokenEndpointAuthMethod>
  readonly pkceEnforcement: z.output<typeof pkceEnforcement>
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly allowWildcardInRedirectUris: boolean
  /** Whether authorization requests have to be pushed (RFC 9126). */
  readonly parRequirement: z.output<typeof parRequirement>
  /** Life of a pushed request in seconds. */
  readonly parTimeout: number
  /** Whether authorization requests have to come in a request object that is signed (RFC 9101). */
  readonly requireSignedRequestObject: boolean
  /** Whether request objects may be unsigned. */
  readonly supportUnsignedRequestObject: boolean
  /** Extension: addresses from which request objects may be fetched. */
  readonly requestUris?: readonly string[] | undefined
  readonly corsSettings?: z.output<typeof corsSettings> | undefined
  readonly accessControl?:
    | {
        readonly role?: z.output<typeof accessControlRole> | undefined
        readonly group?: z.output<typeof accessControlGroup> | undefined
      }
    | undefined
  /** The short name of its page for user codes, instead of its id (RFC 8628; platform-api 3.7). */
  readonly devicePathId?: string | undefined
  /** A page of its own, in the place of that one. */
  readonly deviceCustomVerificationUri?: string | undefined
  /** Life of a device code, and the time between two polls, in seconds. */
  readonly deviceTimeout: number
  readonly devicePollingInterval: number
  readonly assignActorRoles: boolean
  /** Life of one refresh token, in seconds. */
  readonly refreshTokenDuration: number
  /** Life of a chain of refresh tokens from the first one on, in seconds. */
  readonly refreshTokenRollingDuration: number
  /** How long a refresh token may be sent once more after it was rotated, in seconds. Default: decision D4. */
  readonly refreshTokenRollingGracePeriodDuration?: number | undefined
  /** Default: OPAQUE_TOKEN. */
  readonly refreshTokenType?: z.output<typeof refreshTokenType> | undefined
  /** Whether a refresh token that comes back after it was rotated ends everything that came of it. */
  readonly additionalRefreshTokenReplayProtectionEnabled: boolean
  /** The public keys of the application, a JWK set as JSON text, or where it publishes them. */
  readonly jwks?: string | undefined
  readonly jwksUrl?: string | undefined
  /** Extension: whether it may sign users on by the authorization challenge endpoint. */
  readonly isFirstParty?: boolean | undefined
  /** Extension: whether users are asked to grant what it requests. */
  readonly requireConsent?: boolean | undefined
  /** Extension, OpenID Connect Front-Channel Logout 1.0: the page that is loaded in a frame when a session ends. */
  readonly frontchannelLogoutUri?: string | undefined
  readonly frontchannelLogoutSessionRequired?: boolean | undefined
  /** Extension, OpenID Connect Back-Channel Logout 1.0: where a logout token is posted when a session ends. */
  readonly backchannelLogoutUri?: string | undefined
  readonly backchannelLogoutSessionRequired?: boolean | undefined
  /** Extension: types of `authorization_details` that it may ask for. */
  readonly authorizationDetailsTypes?: readonly string[] | undefined
  /** Extension: its privacy policy and its terms of service, linked on the sign-on pages. */
  readonly policyUri?: string | undefined
  readonly tosUri?: string | undefined
  /** The names of the app of a native application, by which Apple, Google and Huawei know it. */
  readonly mobile?:
    | {
        readonly bundleId?: string | undefined
        readonly packageName?: string | undefined
        readonly huaweiAppId?: string | undefined
        readonly huaweiPackageName?: string | undefined
      }
    | undefined
  /** Extension: there when the client registered itself. */
  readonly registration?: ClientRegistration | undefined
  /** Members that are kept as sent and read back unchanged (platform-api 1.14): `platform/later-features.ts`. */
  readonly echoed: Readonly<Record<string, string | number | boolean | readonly string[]>>
}

/** What an application has where nothing else is said; grants and authentication method are always said. */
export const applicationDefaults = {
  hiddenFromAppPortal: false,
  responseTypes: [],
  pkceEnforcement: 'S256_REQUIRED',
  redirectUris: [],
  postLogoutRedirectUris: [],
  allowWildcardInRedirectUris: false,
  parRequirement: 'OPTIONAL',
  parTimeout: 60,
  deviceTimeout: 600,
  devicePollingInterval: 5,
  requireSignedRequestObject: false,
  supportUnsignedRequestObject: false,
  assignActorRoles: false,
  refreshTokenDuration: 2_592_000,
  refreshTokenRollingDuration: 15_552_000,
  additionalRefreshTokenReplayProtectionEnabled: true,
  includeX5t: false,
  echoed: {},
} as const satisfies Omit<ApplicationDocument, 'grantTypes' | 'tokenEndpointAuthMethod'>

/** Reads the stored document of an application; members that came with a later version have their defaults. */
export function applicationDocument(text: string): ApplicationDocument {
  return { ...applicationDefaults, ...(JSON.parse(text) as ApplicationDocument) }
}

/** What binds a sealed secret to its application, and to being the present or the previous one. */
export function applicationSecretContext(
  environmentId: string,
  applicationId: string,
  column: 'sealed' | 'previous_sealed' = 'sealed',
): SealContext {
  return { environmentId, table: 'application_secrets', row: applicationId, column }
}

/** A secret by which an application is answered, and until when it is valid; null: until it is replaced. Epoch milliseconds. */
export interface AnswerSecret {
  readonly secret: KeyObject
  readonly expiresAt: number | null
}

/** An application with all that a request needs to know of it. */
export interface Application extends ApplicationClaims {
  readonly id: string
  /** How it names itself, and is named in tokens: its id, or the address of its metadata document. */
  readonly clientId: string
  readonly environmentId: string
  /** As users know it. */
  readonly name: string
  readonly type: z.output<typeof applicationType>
  readonly enabled: boolean
  readonly document: ApplicationDocument
  /** SHA-256 of the secrets that are valid, base64url; the second until its time. */
  readonly secretHashes: readonly SecretHash[]
  /** Its secrets, the present one first, where it is answered by that (HS256 to HS512, decision D15). */
  readonly answerSecrets: readonly AnswerSecret[]
  /** Granted scopes by resource. `openid` itself is never granted explicitly (platform-api 3.9). */
  readonly grants: readonly { readonly resourceId: string; readonly scopeIds: readonly string[] }[]
  /** Ids of the assigned sign-on policies, by priority. Empty: the environment's default policy. */
  readonly policyIds: readonly string[]
  /** Origins that may read answers from a browser (decision D12), worked out once when loaded. */
  readonly allowedOrigins: ReadonlySet<string>
  readonly createdAt: number
  readonly updatedAt: number
  /** When the use of a client that registered itself was last noted, epoch milliseconds; null for all others. */
  readonly usedAt: number | null
}

/** The schema of `{ "id": … }` members. */
export const applicationReference = reference

/**
 * Which origins a browser may call the auth endpoints from: the listed ones, or, without `corsSettings`, those of the
 * redirect URIs and the login page (decision D12).
 */
export function allowedOrigins(document: ApplicationDocument): ReadonlySet<string> {
  const settings = document.corsSettings
  if (settings) return new Set(settings.behavior === 'ALLOW_SPECIFIC_ORIGINS' ? settings.origins : [])
  const origins = new Set<string>()
  for (const address of [...document.redirectUris, document.loginPageUrl ?? '']) {
    if (!/^https?:/i.test(address) || !URL.canParse(address)) continue
    origins.add(new URL(address).origin)
  }
  return origins
}
