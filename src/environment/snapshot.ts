/**
 * The bounded configuration of one environment as one immutable value (architecture section 5, "Snapshot"). Requests
 * read it without a query; a change makes a new one. Applications are not part of it: they are cached one by one.
 */
import type { KeyObject, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import type { PasswordPolicy } from '../directory/passwords/policy.ts'
import type { Agreement } from '../flow/agreement.ts'
import type { FlowConfiguration } from '../flow/configuration.ts'
import type { CompiledPolicy } from '../flow/policy.ts'
import type { SigningAlgorithm } from '../keys/algorithm.ts'
import type { SealContext } from '../keys/sealing.ts'
import type { SecretHash } from './application.ts'
import type { ClientRegistrationPolicy } from './client-registration-policy.ts'
import type { StoredFido2Policy } from './fido2-policy.ts'
import type { IdentityProvider } from './identity-provider.ts'
import type { KeyRotationPolicy, ScheduledKey } from './key-rotation-policy.ts'
import type { MfaSettings } from './mfa-settings.ts'
import type { EnvironmentSettings } from './settings.ts'

/** How the server of a custom resource authenticates at the introspection endpoint (platform-api 3.11). */
export const introspectEndpointAuthMethod = z.enum(['NONE', 'CLIENT_SECRET_BASIC', 'CLIENT_SECRET_POST'])

/** A resource (API audience), platform-api 3.11. */
export interface Resource {
  readonly id: string
  readonly name: string
  readonly type: 'OPENID_CONNECT' | 'PINGONE_API' | 'CUSTOM'
  /** The `aud` of its access tokens; null for the built-in ones, whose audience is the platform. */
  readonly audience: string | null
  readonly accessTokenSeconds: number | null
  readonly introspectEndpointAuthMethod: z.output<typeof introspectEndpointAuthMethod>
  /** SHA-256 of the secrets that are valid, base64url; none for a built-in one. */
  readonly secretHashes: readonly SecretHash[]
  /** Extension: what its access tokens are signed by; null: as the application or the environment has it. */
  readonly signingAlgorithm: SigningAlgorithm | null
}

/** What binds a sealed secret to its resource, and to being the present or the previous one. */
export function resourceSecretContext(
  environmentId: string,
  resourceId: string,
  column: 'sealed' | 'previous_sealed' = 'sealed',
): SealContext {
  return { environmentId, table: 'resource_secrets', row: resourceId, column }
}

/** A scope of a resource, platform-api 3.11.2. */
export interface Scope {
  readonly id: string
  readonly name: string
  readonly description: string | null
  readonly resourceId: string
}

/** A population, platform-api 3.3. */
export interface Population {
  readonly id: string
  readonly name: string
  readonly isDefault: boolean
  readonly passwordPolicyId: string | null
}

/** A password policy with its identity. */
export interface StoredPasswordPolicy {
  readonly id: string
  readonly isDefault: boolean
  readonly policy: PasswordPolicy
}

/** One environment's configuration at one version. */
export interface Environment {
  readonly id: string
  readonly organizationId: string
  readonly name: string
  readonly type: 'SANDBOX' | 'PRODUCTION'
  readonly region: string
  readonly version: number
  readonly settings: EnvironmentSettings
  readonly mfaSettings: MfaSettings
  /** Whose certificates of clients are believed; undefined: as the installation says. */
  readonly clientCertificateAuthorities: readonly X509Certificate[] | undefined
  readonly clientRegistrationPolicy: ClientRegistrationPolicy
  /** Opens what was sealed for this environment. */
  readonly dataKey: KeyObject
  /** Every key whose tokens may be alive, and those that will sign later. */
  readonly signingKeys: readonly ScheduledKey[]
  /** Key rotation policies by id, the oldest first. */
  readonly keyRotationPolicies: ReadonlyMap<string, KeyRotationPolicy>
  readonly defaultKeyRotationPolicy: KeyRotationPolicy
  readonly resources: ReadonlyMap<string, Resource>
  /** Scopes by id. */
  readonly scopes: ReadonlyMap<string, Scope>
  readonly populations: ReadonlyMap<string, Population>
  readonly passwordPolicies: ReadonlyMap<string, StoredPasswordPolicy>
  readonly fido2Policies: ReadonlyMap<string, StoredFido2Policy>
  readonly identityProviders: ReadonlyMap<string, IdentityProvider>
  /** Agreements by id, without their texts. */
  readonly agreements: ReadonlyMap<string, Agreement>
  /** What actions of sign-on policies refer to. */
  readonly flowConfiguration: FlowConfiguration
  /** Sign-on policies by id, each at its current version. */
  readonly policies: ReadonlyMap<string, CompiledPolicy>
  readonly defaultPolicyId: string
}

/** The password policy of a population: its own, or the environment's default. */
export function passwordPolicyOf(environment: Environment, populationId: string): StoredPasswordPolicy {
  const own = environment.populations.get(populationId)?.passwordPolicyId
  const policy = own ? environment.passwordPolicies.get(own) : undefined
  if (policy) return policy
  for (const candidate of environment.passwordPolicies.values()) if (candidate.isDefault) return candidate
  throw new Error('an environment without a default password policy')
}
