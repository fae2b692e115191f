/** Statements on `environments`, `environment_changes`, `client_index` and what a snapshot is loaded from. */
import type { Statement } from '../port.ts'
import { among, type Condition, either, pageOf, type Span } from './page.ts'

/** A row of `environments`. */
export interface EnvironmentRow {
  readonly id: string
  readonly organization_id: string
  readonly license_id: string
  readonly name: string
  readonly type: 'SANDBOX' | 'PRODUCTION'
  readonly region: string
  /** JSON: description, icon, billOfMaterials. */
  readonly document: string
  /** JSON: `EnvironmentSettings`. */
  readonly settings: string
  /** Null: those an environment begins with. */
  readonly mfa_settings: string | null
  readonly version: number
  readonly changed_at: number
  readonly created_at: number
  readonly updated_at: number
  readonly deleted_at: number | null
}

/** A live environment. */
export function environmentById(id: string): Statement<EnvironmentRow> {
  return { text: 'SELECT * FROM environments WHERE id = $1 AND deleted_at IS NULL', values: [id] }
}

/** Versions of the environments that changed since `after` (epoch ms), deleted ones included. */
export function environmentVersions(after: number): Statement<Pick<EnvironmentRow, 'id' | 'version' | 'deleted_at'>> {
  return { text: 'SELECT id, version, deleted_at FROM environments WHERE changed_at >= $1', values: [after] }
}

/** Moves an environment to its next version; the row lock makes configuration commits of one environment serial. */
export function bumpEnvironment(id: string, now: number): Statement<{ version: number }> {
  return {
    text: 'UPDATE environments SET version = version + 1, changed_at = $2 WHERE id = $1 AND deleted_at IS NULL RETURNING version',
    values: [id, now],
  }
}

/** What changed in an environment: the kind of object and its id. */
export interface EnvironmentChangeRow {
  readonly version: number
  readonly kind: 'snapshot' | 'domain' | 'application'
  readonly object_id: string
}

/** Appends one change to the feed of an environment. */
export function insertEnvironmentChange(id: string, change: EnvironmentChangeRow, now: number): Statement<object> {
  return {
    text: `INSERT INTO environment_changes (environment_id, version, kind, object_id, changed_at)
           VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
    values: [id, change.version, change.kind, change.object_id, now],
  }
}

/** The changes of an environment after `version`. */
export function environmentChanges(id: string, version: number): Statement<EnvironmentChangeRow> {
  return {
    text: 'SELECT version, kind, object_id FROM environment_changes WHERE environment_id = $1 AND version > $2 ORDER BY version',
    values: [id, version],
  }
}

/** The environment a client id lives in. */
export function environmentOfClient(clientId: string): Statement<{ environment_id: string }> {
  return { text: 'SELECT environment_id FROM client_index WHERE client_id = $1', values: [clientId] }
}

/** A row of `data_keys`. */
export interface DataKeyRow {
  readonly environment_id: string
  readonly id: string
  readonly wrapped: string
  readonly master_key_id: string
}

/** The data key of an environment. */
export function dataKeyOf(environmentId: string): Statement<DataKeyRow> {
  return {
    text: 'SELECT environment_id, id, wrapped, master_key_id FROM data_keys WHERE environment_id = $1',
    values: [environmentId],
  }
}

/** Data keys that are not wrapped under the present master key. */
export function dataKeysNotUnder(masterKeyId: string): Statement<DataKeyRow> {
  return {
    text: 'SELECT environment_id, id, wrapped, master_key_id FROM data_keys WHERE master_key_id <> $1 ORDER BY environment_id LIMIT 500',
    values: [masterKeyId],
  }
}

/** What the snapshot keeps of a resource. */
export interface ResourceRow {
  readonly id: string
  readonly name: string
  readonly type: 'OPENID_CONNECT' | 'PINGONE_API' | 'CUSTOM'
  readonly audience: string | null
  readonly document: string
  readonly created_at: number
  readonly updated_at: number
}

/** The resources of an environment. */
export function resourcesOf(environmentId: string): Statement<ResourceRow> {
  return {
    text: `SELECT id, name, type, audience, document, created_at, updated_at
           FROM resources WHERE environment_id = $1 ORDER BY created_at, id`,
    values: [environmentId],
  }
}

/** A row of `scopes`. */
export interface ScopeRow {
  readonly id: string
  readonly resource_id: string
  readonly name: string
  readonly document: string
  readonly created_at: number
  readonly updated_at: number
}

/** The scopes of all resources of an environment. */
export function scopesOf(environmentId: string): Statement<ScopeRow> {
  return {
    text: `SELECT id, resource_id, name, document, created_at, updated_at
           FROM scopes WHERE environment_id = $1 ORDER BY created_at, id`,
    values: [environmentId],
  }
}

/** A row of `populations`. */
export interface PopulationRow {
  readonly id: string
  readonly name: string
  readonly is_default: number
  readonly password_policy_id: string | null
  readonly document: string
  readonly created_at: number
  readonly updated_at: number
}

/** The populations of an environment. */
export function populationsOf(environmentId: string): Statement<PopulationRow> {
  return {
    text: `SELECT id, name, is_default, password_policy_id, document, created_at, updated_at
           FROM populations WHERE environment_id = $1 ORDER BY created_at, id`,
    values: [environmentId],
  }
}

/** A row of `password_policies`. */
export interface PasswordPolicyRow {
  readonly id: string
  readonly name: string
  readonly is_default: number
  readonly document: string
  readonly created_at: number
  readonly updated_at: number
}

/** The password policies of an environment. */
export function passwordPoliciesOf(environmentId: string): Statement<PasswordPolicyRow> {
  return {
    text: `SELECT id, name, is_default, document, created_at, updated_at
           FROM password_policies WHERE environment_id = $1 ORDER BY created_at, id`,
    values: [environmentId],
  }
}

/** A sign-on policy at its current version. */
export interface SignOnPolicyRow {
  readonly id: string
  readonly name: string
  readonly description: string | null
  readonly is_default: number
  readonly version: number
  /** JSON array of actions. */
  readonly actions: string
  readonly created_at: number
  readonly updated_at: number
}

/** The sign-on policies of an environment, each with the actions of its current version. */
export function signOnPoliciesOf(environmentId: string): Statement<SignOnPolicyRow> {
  return {
    text: `SELECT p.id, p.name, p.description, p.is_default, p.version, v.actions, p.created_at, p.updated_at
           FROM sign_on_policies p
           JOIN sign_on_policy_versions v
             ON v.environment_id = p.environment_id AND v.policy_id = p.id AND v.version = p.version
           WHERE p.environment_id = $1 ORDER BY p.created_at, p.id`,
    values: [environmentId],
  }
}

/** One version of a sign-on policy, which never changes. */
export function signOnPolicyVersion(
  environmentId: string,
  policyId: string,
  version: number,
): Statement<{ readonly name: string; readonly actions: string }> {
  return {
    text: `SELECT name, actions FROM sign_on_policy_versions
           WHERE environment_id = $1 AND policy_id = $2 AND version = $3`,
    values: [environmentId, policyId, version],
  }
}

/** A page of the live environments that lie in the named organizations or are named themselves. */
export function environmentsPage(
  visible: { readonly organizationIds: readonly string[]; readonly environmentIds: readonly string[] },
  filter: readonly Condition[],
  span: Span,
): Statement<EnvironmentRow> {
  const seen = either(among('e.organization_id', visible.organizationIds), among('e.id', visible.environmentIds))
  const live: Condition = () => ({ text: 'e.deleted_at IS NULL', values: [] })
  return pageOf('SELECT e.* FROM environments e', 'e', [live, seen, ...filter], span)
}

/** Moves a data key under another master key, unless another node has just done so. */
export function replaceWrapping(key: DataKeyRow, wrapped: string, masterKeyId: string): Statement<object> {
  return {
    text: `UPDATE data_keys SET wrapped = $1, master_key_id = $2 WHERE environment_id = $3 AND id = $4 AND wrapped = $5`,
    values: [wrapped, masterKeyId, key.environment_id, key.id, key.wrapped],
  }
}
