/** Loads snapshots from storage: where configuration rows become values (applications: load-application.ts). */
import type { KeyObject } from 'node:crypto'
import { passwordPolicySchema } from '../directory/passwords/policy.ts'
import type { FlowConfiguration } from '../flow/configuration.ts'
import { deviceAuthenticationPolicySchema } from '../flow/factors/device-authentication-policy.ts'
import { type CompiledPolicy, compilePolicy, type PolicySource } from '../flow/policy.ts'
import type { MasterKeys } from '../keys/master-key.ts'
import { storedAlgorithm } from '../keys/algorithm.ts'
import { unwrapDataKey } from '../keys/data-key.ts'
import { readCertificates } from '../keys/client-certificate.ts'
import { open, type SealContext } from '../keys/sealing.ts'
import { loadSigningKey, type PublicJwk, type SigningKey } from '../keys/signing-key.ts'
import type { Storage } from '../storage/port.ts'
import { resourceAttributesOf } from '../storage/sql/attributes.ts'
import { agreementLanguagesOf, agreementRevisionsOf, agreementsOf } from '../storage/sql/agreements.ts'
import {
  dataKeyOf,
  environmentById,
  passwordPoliciesOf,
  populationsOf,
  type ResourceRow,
  resourcesOf,
  type ScopeRow,
  scopesOf,
  signOnPoliciesOf,
} from '../storage/sql/environments.ts'
import { clientRegistrationPolicyOf } from '../storage/sql/client-registration.ts'
import { identityProviderAttributesOf, identityProvidersOf } from '../storage/sql/identity-providers.ts'
import { customDomainOf } from '../storage/sql/custom-domains.ts'
import { languagesOf } from '../storage/sql/languages.ts'
import { resourceSecretsOf } from '../storage/sql/resources.ts'
import { keyRotationPoliciesOf, type SigningKeyRow, signingKeysOf } from '../storage/sql/signing-keys.ts'
import { agreementsFrom } from './agreement.ts'
import { clientRegistrationPolicyFrom } from './client-registration-policy.ts'
import { flowIdentityProvider, identityProvidersFrom } from './identity-provider.ts'
import { keyRotationPoliciesFrom, type ScheduledKey } from './key-rotation-policy.ts'
import { policiesOf, type PolicyRow } from '../storage/sql/policies.ts'
import { fido2PolicySchema } from './fido2-policy.ts'
import { mfaSettingsFrom } from './mfa-settings.ts'
import { claimsByScopeFrom, resourcesFrom, type Scope } from './resource.ts'
import { environmentSettings } from './settings.ts'
import type { Environment } from './snapshot.ts'

/** What binds a sealed private key to its row. */
export function signingKeyContext(environmentId: string, kid: string): SealContext {
  return { environmentId, table: 'signing_keys', row: kid, column: 'sealed_private_key' }
}

/**
 * Loads the snapshot of a live environment.
 * @param previous an older snapshot of it: keys that both have are taken over, since reading one costs more than all the rest
 */
export async function loadEnvironment(
  storage: Storage,
  masterKeys: MasterKeys,
  id: string,
  previous?: Environment,
): Promise<Environment | undefined> {
  const [row] = await storage.read(environmentById(id))
  if (!row) return undefined
  const [
    dataKeys,
    keys,
    keyPolicies,
    resources,
    attributes,
    scopes,
    populations,
    passwordPolicies,
    providers,
    mappings,
    devicePolicies,
    fido2Policies,
    policies,
    languages,
    agreementRows,
    agreementLanguages,
    agreementRevisions,
    resourceSecrets,
    registrationPolicies,
    customDomains,
  ] = await Promise.all([
    storage.read(dataKeyOf(id)),
    storage.read(signingKeysOf(id)),
    storage.read(keyRotationPoliciesOf(id)),
    storage.read(resourcesOf(id)),
    storage.read(resourceAttributesOf(id)),
    storage.read(scopesOf(id)),
    storage.read(populationsOf(id)),
    storage.read(passwordPoliciesOf(id)),
    storage.read(identityProvidersOf(id)),
    storage.read(identityProviderAttributesOf(id)),
    storage.read(policiesOf('device_authentication_policies', id)),
    storage.read(policiesOf('fido2_policies', id)),
    storage.read(signOnPoliciesOf(id)),
    storage.read(languagesOf(id)),
    storage.read(agreementsOf(id)),
    storage.read(agreementLanguagesOf(id)),
    storage.read(agreementRevisionsOf(id)),
    storage.read(resourceSecretsOf(id)),
    storage.read(clientRegistrationPolicyOf(id)),
    storage.read(customDomainOf(id)),
  ])
  const wrapped = dataKeys[0]
  if (!wrapped) throw new Error('an environment without a data key')
  const dataKey = unwrapDataKey(masterKeys, wrapped.wrapped, id)
  const settings = environmentSettings.parse(JSON.parse(row.settings))
  const signingKeys = keys.map((key) => scheduledKey(id, dataKey, key, previous))
  const keyRotationPolicies = keyRotationPoliciesFrom(keyPolicies, signingKeys)
  const defaultKeyRotationPolicy = [...keyRotationPolicies.values()].find(({ isDefault }) => isDefault)
  const defaultPolicy = policies.find((policy) => policy.is_default === 1)
  if (!defaultKeyRotationPolicy || !defaultPolicy) throw new Error('an environment without a default policy')
  const identityProviders = identityProvidersFrom(providers, mappings)
  const agreements = agreementsFrom(languages, agreementRows, agreementLanguages, agreementRevisions)
  return {
    id,
    organizationId: row.organization_id,
    name: row.name,
    type: row.type,
    region: row.region,
    customDomain: customDomains.find(({ status }) => status === 'ACTIVE')?.domain_name,
    version: row.version,
    settings,
    clientCertificateAuthorities: readCertificates(settings.clientCertificateAuthorities ?? ''),
    mfaSettings: mfaSettingsFrom(row.mfa_settings),
    clientRegistrationPolicy: clientRegistrationPolicyFrom(registrationPolicies[0]?.document),
    dataKey,
    signingKeys,
    keyRotationPolicies,
    defaultKeyRotationPolicy,
    resources: resourcesFrom(resources, resourceSecrets, attributes),
    scopes: new Map(scopes.map((scope) => [scope.id, scopeFrom(scope)])),
    claimsByScope: claimsByScopeFrom(resources, scopes, attributes),
    populations: new Map(
      populations.map((population) => [
        population.id,
        {
          id: population.id,
          name: population.name,
          isDefault: population.is_default === 1,
          passwordPolicyId: population.password_policy_id,
        },
      ]),
    ),
    passwordPolicies: new Map(
      passwordPolicies.map((policy) => [
        policy.id,
        {
          id: policy.id,
          isDefault: policy.is_default === 1,
          policy: passwordPolicySchema.parse(JSON.parse(policy.document)),
        },
      ]),
    ),
    fido2Policies: new Map(
      fido2Policies.map(({ id: policyId, is_default, document }) => [
        policyId,
        { id: policyId, isDefault: is_default === 1, policy: fido2PolicySchema.parse(JSON.parse(document)) },
      ]),
    ),
    identityProviders,
    agreements,
    flowConfiguration: flowConfiguration(identityProviders, agreements, devicePolicies, scopeViews(resources, scopes)),
    policies: new Map(policies.map((policy) => [policy.id, policyFrom(policy)])),
    defaultPolicyId: defaultPolicy.id,
  }
}

function scheduledKey(
  environmentId: string,
  dataKey: KeyObject,
  row: SigningKeyRow,
  previous: Environment | undefined,
): ScheduledKey {
  // A key never changes under its id; when it signs may.
  const known = previous?.signingKeys.find(({ kid, jwk }) => kid === row.id && JSON.stringify(jwk) === row.public_jwk)
  return {
    ...(known ?? unsealedKey(environmentId, dataKey, row)),
    policyId: row.policy_id,
    createdAt: row.created_at,
    signsFrom: row.signs_from,
    retiredAt: row.retired_at,
    notAfter: row.expires_at,
  }
}

function unsealedKey(environmentId: string, dataKey: KeyObject, row: SigningKeyRow): SigningKey {
  const record = {
    kid: row.id,
    algorithm: storedAlgorithm(row.algorithm),
    publicJwk: JSON.parse(row.public_jwk) as PublicJwk,
    createdAt: row.created_at,
    notAfter: row.expires_at,
  }
  return loadSigningKey(record, open(dataKey, row.sealed_private_key, signingKeyContext(environmentId, row.id)))
}

function flowConfiguration(
  identityProviders: Environment['identityProviders'],
  agreements: FlowConfiguration['agreements'],
  rows: readonly PolicyRow[],
  scopes: FlowConfiguration['scopes'],
): FlowConfiguration {
  const policies = new Map(
    rows.map(({ id, document }) => [id, deviceAuthenticationPolicySchema.parse(JSON.parse(document))]),
  )
  const standard = policies.get(rows.find((row) => row.is_default === 1)?.id ?? '')
  if (!standard) throw new Error('an environment without a default device authentication policy')
  return {
    agreements,
    identityProviders: new Map(
      [...identityProviders.values()].map((provider) => [provider.id, flowIdentityProvider(provider)]),
    ),
    deviceAuthenticationPolicies: policies,
    defaultDeviceAuthenticationPolicy: standard,
    scopes,
  }
}

function scopeFrom({ id, name, resource_id, document }: ScopeRow): Scope {
  const { description } = JSON.parse(document) as { description?: string }
  return { id, name, description: description ?? null, resourceId: resource_id }
}

/** The scopes as users are shown them. */
function scopeViews(resources: readonly ResourceRow[], scopes: readonly ScopeRow[]): FlowConfiguration['scopes'] {
  const names = new Map(resources.map(({ id, name }) => [id, name]))
  return new Map(
    scopes
      .map(scopeFrom)
      .map(({ id, name, description, resourceId }) => [
        id,
        { name, ...(description ? { description } : {}), resource: { name: names.get(resourceId) ?? '' } },
      ]),
  )
}

/** Compiles a stored policy. It was validated when written; a row that no longer fits fails loudly, never openly. */
export function policyFrom(row: { id: string; name: string; version: number; actions: string }): CompiledPolicy {
  return compilePolicy({
    id: row.id,
    name: row.name,
    version: row.version,
    actions: JSON.parse(row.actions) as PolicySource['actions'],
  })
}
