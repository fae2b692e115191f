/**
 * The bounded configuration of one environment as one immutable value (architecture section 5, "Snapshot"). Requests
 * read it without a query; a change makes a new one. Applications are not part of it: they are cached one by one.
 */
import type { KeyObject, X509Certificate } from 'node:crypto'
import type { PasswordPolicy } from '../directory/passwords/policy.ts'
import type { Agreement } from '../flow/agreement.ts'
import type { FlowConfiguration } from '../flow/configuration.ts'
import type { CompiledPolicy } from '../flow/policy.ts'
import type { ClientRegistrationPolicy } from './client-registration-policy.ts'
import type { StoredFido2Policy } from './fido2-policy.ts'
import type { IdentityProvider } from './identity-provider.ts'
import type { KeyRotationPolicy, ScheduledKey } from './key-rotation-policy.ts'
import type { MfaSettings } from './mfa-settings.ts'
import type { MappedClaim, Resource, Scope } from './resource.ts'
import type { EnvironmentSettings } from './settings.ts'

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
  /** The name of its custom domain, while that is active. */
  readonly customDomain: string | undefined
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
  /** The claims about the user that each scope of the resource `openid` brings, by the name of the scope. */
  readonly claimsByScope: ReadonlyMap<string, readonly MappedClaim[]>
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
