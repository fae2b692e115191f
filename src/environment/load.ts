/** Loads snapshots and applications from storage: the one place where configuration rows become values. */
import type { KeyObject } from 'node:crypto'
import { passwordPolicySchema } from '../directory/passwords/policy.ts'
import type { FlowConfiguration } from '../flow/configuration.ts'
import { deviceAuthenticationPolicySchema } from '../flow/factors/device-authentication-policy.ts'
import { type CompiledPolicy, compilePolicy, type PolicySource } from '../flow/policy.ts'
import type { MasterKeys } from '../keys/master-key.ts'
import { type SigningAlgorithm, storedAlgorithm } from '../keys/algorithm.ts'
import { unwrapDataKey } from '../keys/data-key.ts'
import { readCertificates } from '../keys/client-certificate.ts'
import { open, type SealContext } from '../keys/sealing.ts'
import { loadSigningKey, type PublicJwk } from '../keys/signing-key.ts'
import type { Storage } from '../storage/port.ts'
import { applicationById, applicationSecret, grantsOf, policyAssignmentsOf } from '../storage/sql/applications.ts'
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
import { clientRegistrationPolicyOf, dynamicClientById } from '../storage/sql/client-registration.ts'
import { identityProviderAttributesOf, identityProvidersOf } from '../storage/sql/identity-providers.ts'
import { languagesOf } from '../storage/sql/languages.ts'
import type { SecretRow } from '../storage/sql/client-secrets.ts'
import { resourceSecretsOf } from '../storage/sql/resources.ts'
import { keyRotationPoliciesOf, type SigningKeyRow, signingKeysOf } from '../storage/sql/signing-keys.ts'
import { agreementsFrom } from './agreement.ts'
import {
  type Application,
  allowedOrigins,
  applicationDocument,
  applicationType,
  type SecretHash,
} from './application.ts'
import { clientRegistrationPolicyFrom } from './client-registration-policy.ts'
import { flowIdentityProvider, identityProvidersFrom } from './identity-provider.ts'
import { keyRotationPoliciesFrom, type ScheduledKey } from './key-rotation-policy.ts'
import { policiesOf, type PolicyRow } from '../storage/sql/policies.ts'
import { fido2PolicySchema } from './fido2-policy.ts'
import { mfaSettingsFrom } from './mfa-settings.ts'
import { environmentSettings } from './settings.ts'
import type { Environment, Resource, Scope } from './snapshot.ts'

/** What binds a sealed private key to its row. */
export function signingKeyContext(environmentId: string, kid: string): SealContext {
  return { environmentId, table: 'signing_keys', row: kid, column: 'sealed_private_key' }
}

/** Loads the snapshot of a live environment. */
export async function loadEnvironment(
  storage: Storage,
  masterKeys: MasterKeys,
  id: string,
): Promise<Environment | undefined> {
  const [row] = await storage.read(environmentById(id))
  if (!row) return undefined
  const [
    dataKeys,
    keys,
    keyPolicies,
    resources,
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
  ] = await Promise.all([
    storage.read(dataKeyOf(id)),
    storage.read(signingKeysOf(id)),
    storage.read(keyRotationPoliciesOf(id)),
    storage.read(resourcesOf(id)),
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
  ])
  const wrapped = dataKeys[0]
  if (!wrapped) throw new Error('an environment without a data key')
  const dataKey = unwrapDataKey(masterKeys, wrapped.wrapped, id)
  const settings = environmentSettings.parse(JSON.parse(row.settings))
  const signingKeys = keys.map((key) => scheduledKey(id, dataKey, key))
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
    version: row.version,
    settings,
    clientCertificateAuthorities: readCertificates(settings.clientCertificateAuthorities ?? ''),
    mfaSettings: mfaSettingsFrom(row.mfa_settings),
    clientRegistrationPolicy: clientRegistrationPolicyFrom(registrationPolicies[0]?.document),
    dataKey,
    signingKeys,
    keyRotationPolicies,
    defaultKeyRotationPolicy,
    resources: new Map(
      resources.map((resource) => {
        const document = JSON.parse(resource.document) as ResourceDocument
        return [
          resource.id,
          {
            id: resource.id,
            name: resource.name,
            type: resource.type,
            audience: resource.audience,
            accessTokenSeconds: document.accessTokenValiditySeconds ?? null,
            introspectEndpointAuthMethod: document.introspectEndpointAuthMethod ?? 'CLIENT_SECRET_BASIC',
            secretHashes: secretHashes(resourceSecrets.find(({ resource_id }) => resource_id === resource.id)),
            signingAlgorithm: document.signingAlgorithm ?? null,
          },
        ]
      }),
    ),
    scopes: new Map(scopes.map((scope) => [scope.id, scopeFrom(scope)])),
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

/** What the snapshot reads of the document of a resource. */
interface ResourceDocument {
  readonly accessTokenValiditySeconds?: number
  readonly introspectEndpointAuthMethod?: Resource['introspectEndpointAuthMethod']
  readonly signingAlgorithm?: SigningAlgorithm
}

function secretHashes(
  row: Pick<SecretRow, 'hash' | 'previous_hash' | 'previous_expires_at'> | undefined,
): readonly SecretHash[] {
  if (!row) return []
  const { hash, previous_hash: previous, previous_expires_at: until } = row
  return [{ hash, expiresAt: null }, ...(previous === null ? [] : [{ hash: previous, expiresAt: until ?? 0 }])]
}

function scheduledKey(environmentId: string, dataKey: KeyObject, row: SigningKeyRow): ScheduledKey {
  const record = {
    kid: row.id,
    algorithm: storedAlgorithm(row.algorithm),
    publicJwk: JSON.parse(row.public_jwk) as PublicJwk,
    createdAt: row.created_at,
    notAfter: row.expires_at,
  }
  return {
    ...loadSigningKey(record, open(dataKey, row.sealed_private_key, signingKeyContext(environmentId, row.id))),
    policyId: row.policy_id,
    createdAt: row.created_at,
    signsFrom: row.signs_from,
    retiredAt: row.retired_at,
    notAfter: row.expires_at,
  }
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

/** Loads one application with its secrets, grants and policies. */
export async function loadApplication(
  storage: Storage,
  environmentId: string,
  id: string,
): Promise<Application | undefined> {
  const [row] = await storage.read(applicationById(environmentId, id))
  if (!row) return undefined
  const [secrets, grants, assignments] = await Promise.all([
    storage.read(applicationSecret(environmentId, id)),
    storage.read(grantsOf(environmentId, id)),
    storage.read(policyAssignmentsOf(environmentId, id)),
  ])
  const document = applicationDocument(row.document)
  const [dynamic] = document.registration ? await storage.read(dynamicClientById(environmentId, id)) : []
  return {
    id,
    clientId: document.registration?.clientUri ?? id,
    environmentId,
    name: document.registration?.clientName ?? row.name,
    type: applicationType.parse(row.type),
    enabled: row.enabled === 1,
    document,
    secretHashes: secretHashes(secrets[0]),
    grants: grants.map((grant) => ({
      resourceId: grant.resource_id,
      scopeIds: JSON.parse(grant.scope_ids) as string[],
    })),
    policyIds: assignments.map((assignment) => assignment.policy_id),
    allowedOrigins: allowedOrigins(document),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    usedAt: dynamic?.used_at ?? null,
  }
}
