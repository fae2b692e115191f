/**
 * What a new environment holds from its first moment (platform-api 2): the resources `openid` and `PingOne API` with
 * their scopes and attributes, the sign-on policies `Single_Factor` and `Multi_Factor`, the MFA policy, two FIDO2 policies, three password
 * policies, the languages of the platform, a key rotation policy with its signing key, and a data key. Clients look these up instead of creating them. No
 * population: the API creates none (platform-api 2).
 *
 * Making keys is slow and happens before the unit; the unit only writes rows. Never: a private key in the clear.
 */
import type { KeyObject } from 'node:crypto'
import { bootstrapNotificationsPolicy } from '../delivery/rules/notifications-policy.ts'
import { bootstrapPasswordPolicies } from '../directory/passwords/policy.ts'
import { defaultDeviceAuthenticationPolicy } from '../flow/factors/device-authentication-policy.ts'
import type { PolicyAction } from '../flow/policy.ts'
import type { Kernel } from '../kernel.ts'
import { newDataKey, wrapDataKey } from '../keys/data-key.ts'
import type { SigningAlgorithm } from '../keys/algorithm.ts'
import { type Columns, insertAll } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import type { BillOfMaterials, EnvironmentDocument } from './document.ts'
import { bootstrapFido2Policies } from './fido2-policy.ts'
import { platformLanguages } from './languages.ts'
import { openidAttributeRows } from './openid-attributes.ts'
import { defaultSettings, type EnvironmentSettings } from './settings.ts'
import { preparePolicy, usualSpecification } from './signing-keys.ts'

/** What its creator says of a new environment. */
export interface NewEnvironment {
  readonly organizationId: string
  readonly licenseId: string
  readonly name: string
  readonly type: 'SANDBOX' | 'PRODUCTION'
  readonly region: string
  readonly description?: string
  readonly icon?: string
  /** Default: the one product every environment has. */
  readonly billOfMaterials?: Omit<BillOfMaterials, 'createdAt' | 'updatedAt'>
  readonly settings?: EnvironmentSettings
  /** Epoch milliseconds. */
  readonly now: number
  /** Default: a new one. */
  readonly id?: string
}

/** An environment whose keys are made and whose rows are ready to be written. */
export interface PreparedEnvironment {
  readonly id: string
  /** Seals what whoever adds to the environment has to keep secret. */
  readonly dataKey: KeyObject
  /** Ids that whoever adds more to the environment may need. */
  readonly resourceIds: { readonly openid: string; readonly pingOneApi: string }
  /** Ids of the scopes of both resources, by name. */
  readonly scopeIds: ReadonlyMap<string, string>
  readonly signOnPolicyId: string
  /** Table by table, in the order of writing. */
  readonly rows: readonly (readonly [table: string, rows: readonly Columns[]])[]
}

/** The scopes of the resource `openid` (OpenID Connect Core 5.4 and 11). */
const openidScopes: Readonly<Record<string, string>> = {
  openid: 'Signs the user on and names them.',
  profile: 'Reads the name and other profile data of the user.',
  email: 'Reads the e-mail address of the user.',
  address: 'Reads the postal address of the user.',
  phone: 'Reads the phone number of the user.',
  offline_access: 'Keeps access to what is granted after the user has signed off.',
}

/** The scopes of the resource `PingOne API`, by which users act for themselves (platform-api 3.11.4). */
const selfServiceScopes: Readonly<Record<string, string>> = {
  'p1:create:device': 'Adds an MFA device of the user.',
  'p1:read:device': 'Reads the MFA devices of the user.',
  'p1:update:device': 'Changes the MFA devices of the user.',
  'p1:delete:device': 'Removes MFA devices of the user.',
  'p1:create:pairingKey': 'Makes a key that pairs a device with the user.',
  'p1:read:pairingKey': 'Reads the pairing keys of the user.',
  'p1:delete:pairingKey': 'Removes pairing keys of the user.',
  'p1:read:sessions': 'Reads the sessions of the user.',
  'p1:delete:sessions': 'Ends sessions of the user.',
  'p1:read:user': 'Reads the attributes of the user.',
  'p1:update:user': 'Changes the attributes of the user.',
  'p1:verify:user': 'Verifies the account of the user.',
  'p1:read:userConsent': 'Reads the agreements the user has consented to.',
  'p1:read:userLinkedAccounts': 'Reads the linked accounts of the user.',
  'p1:delete:userLinkedAccounts': 'Removes linked accounts of the user.',
  'p1:read:userPassword': 'Reads the state of the password of the user.',
  'p1:reset:userPassword': 'Changes the password of the user.',
  'p1:validate:userPassword': 'Checks the password of the user.',
  'p1:update:userMfaEnabled': 'Switches MFA of the user on or off.',
  'p1:read:oauthConsent': 'Reads what the user has consented to give applications.',
  'p1:update:oauthConsent': 'Changes what the user has consented to give applications.',
}

/** Scopes that name the attributes they reach; `*` is all of them. */
const scopesOfAttributes: ReadonlySet<string> = new Set(['p1:read:user', 'p1:update:user'])

/** The only action of `Single_Factor`: a password, unless the session has seen one in the last 8 hours. */
const singleFactor: PolicyAction = {
  type: 'LOGIN',
  priority: 1,
  recovery: { enabled: false },
  condition: { secondsSince: '${session.lastSignOn.withAuthenticator.pwd.at}', greater: 28_800 },
}

/** What `Multi_Factor` asks for beside the password, unless the session has seen one in the last 8 hours. */
const secondFactor: PolicyAction = {
  type: 'MULTI_FACTOR_AUTHENTICATION',
  priority: 2,
  noDevicesMode: 'BLOCK',
  condition: { secondsSince: '${session.lastSignOn.withAuthenticator.mfa.at}', greater: 28_800 },
}

/**
 * Makes the keys and rows of a new environment.
 * @returns what `insertEnvironment` writes, in the same or a later unit
 */
export async function prepareEnvironment(
  { world, masterKeys }: Pick<Kernel, 'world' | 'masterKeys'>,
  wanted: NewEnvironment,
): Promise<PreparedEnvironment> {
  const { now, settings = defaultSettings } = wanted
  const id = wanted.id ?? world.uuid()
  const times = { created_at: now, updated_at: now }

  const dataKey = newDataKey(world)
  const algorithms = new Set<SigningAlgorithm>(['RS256', settings.signingAlgorithm])
  const keyPolicies = await Promise.all(
    [...algorithms].map((algorithm) => {
      const isDefault = algorithm === settings.signingAlgorithm
      const name = isDefault ? 'Default Key Rotation Policy' : algorithm
      const options = { isDefault, withNext: false, now }
      return preparePolicy(world, { id, dataKey }, usualSpecification(algorithm, name), options)
    }),
  )

  const resourceIds = { openid: world.uuid(), pingOneApi: world.uuid() }
  const resource = (resourceId: string, name: string, type: string, description: string) => {
    return {
      environment_id: id,
      id: resourceId,
      name,
      type,
      audience: null,
      document: JSON.stringify({ description }),
      ...times,
    }
  }
  const scopes = [
    ...Object.entries(openidScopes).map(([name, description]) => ({
      name,
      description,
      resourceId: resourceIds.openid,
    })),
    ...Object.entries(selfServiceScopes).map(([name, description]) => ({
      name,
      description,
      resourceId: resourceIds.pingOneApi,
    })),
  ].map((scope) => ({ ...scope, id: world.uuid() }))

  const signOnPolicyId = world.uuid()
  const signOnPolicies = [
    { id: signOnPolicyId, name: 'Single_Factor', actions: [singleFactor] },
    { id: world.uuid(), name: 'Multi_Factor', actions: [singleFactor, secondFactor] },
  ]
  const standard = (name: string, policy: object, isDefault = true) => ({
    environment_id: id,
    id: world.uuid(),
    name,
    is_default: isDefault ? 1 : 0,
    document: JSON.stringify(policy),
    ...times,
  })
  const bill = wanted.billOfMaterials ?? { products: [{ id: world.uuid(), type: 'PING_ONE_BASE' as const }] }
  const document: EnvironmentDocument = {
    ...(wanted.description === undefined ? {} : { description: wanted.description }),
    ...(wanted.icon === undefined ? {} : { icon: wanted.icon }),
    billOfMaterials: { ...bill, createdAt: now, updatedAt: now },
  }
  return {
    id,
    dataKey,
    resourceIds,
    scopeIds: new Map(scopes.map((scope) => [scope.name, scope.id])),
    signOnPolicyId,
    rows: [
      [
        'environments',
        [
          {
            id,
            organization_id: wanted.organizationId,
            license_id: wanted.licenseId,
            name: wanted.name,
            type: wanted.type,
            region: wanted.region,
            document: JSON.stringify(document),
            settings: JSON.stringify(settings),
            mfa_settings: null,
            version: 1,
            changed_at: now,
            ...times,
            deleted_at: null,
          },
        ],
      ],
      [
        'data_keys',
        [
          {
            environment_id: id,
            id: world.uuid(),
            wrapped: wrapDataKey(masterKeys.current, dataKey, id, world),
            master_key_id: masterKeys.current.id,
            created_at: now,
          },
        ],
      ],
      ['key_rotation_policies', keyPolicies.map(({ policy }) => policy)],
      ['signing_keys', keyPolicies.flatMap(({ keys }) => keys)],
      [
        'resources',
        [
          resource(resourceIds.openid, 'openid', 'OPENID_CONNECT', 'The OpenID Connect scopes'),
          resource(resourceIds.pingOneApi, 'PingOne API', 'PINGONE_API', 'What users may do for themselves'),
        ],
      ],
      [
        'scopes',
        scopes.map((scope) => ({
          environment_id: id,
          resource_id: scope.resourceId,
          id: scope.id,
          name: scope.name,
          document: JSON.stringify({
            description: scope.description,
            ...(scopesOfAttributes.has(scope.name) ? { schemaAttributes: ['*'] } : {}),
          }),
          ...times,
        })),
      ],
      ['resource_attributes', openidAttributeRows(world, id, resourceIds.openid, now)],
      [
        'password_policies',
        bootstrapPasswordPolicies.map(({ default: isDefault, ...policy }) => ({
          environment_id: id,
          id: world.uuid(),
          name: policy.name,
          is_default: isDefault ? 1 : 0,
          document: JSON.stringify(policy),
          ...times,
        })),
      ],
      [
        'languages',
        platformLanguages().map((language) => ({ environment_id: id, id: world.uuid(), ...language, ...times })),
      ],
      ['notifications_policies', [standard('Default Notification Policy', bootstrapNotificationsPolicy)]],
      ['device_authentication_policies', [standard('Default MFA Policy', defaultDeviceAuthenticationPolicy)]],
      ['fido2_policies', bootstrapFido2Policies().map(({ name, ...policy }, at) => standard(name, policy, at === 0))],
      [
        'sign_on_policies',
        signOnPolicies.map((policy) => ({
          environment_id: id,
          id: policy.id,
          name: policy.name,
          description: null,
          is_default: policy.id === signOnPolicyId ? 1 : 0,
          version: 1,
          ...times,
        })),
      ],
      [
        'sign_on_policy_versions',
        signOnPolicies.map((policy) => ({
          environment_id: id,
          policy_id: policy.id,
          version: 1,
          name: policy.name,
          actions: JSON.stringify(policy.actions.map((action) => ({ id: world.uuid(), ...action }))),
          created_at: now,
        })),
      ],
    ],
  }
}

/**
 * Writes a prepared environment; usable in any unit.
 * @throws UniquenessViolation of `environments` when the organization has an environment of this name
 */
export function* insertEnvironment(prepared: PreparedEnvironment): UnitBody<void> {
  for (const [table, rows] of prepared.rows) yield* insertAll(table, rows)
}
