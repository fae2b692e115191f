/** Statements on `applications` and what belongs to one: secrets, grants, policy assignments. */
import type { Statement } from '../port.ts'
import type { SecretRow } from './client-secrets.ts'
import { type Condition, equal, pageOf, type Span } from './page.ts'

/** A row of `applications`. */
export interface ApplicationRow {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly enabled: number
  readonly document: string
  readonly version: number
  readonly created_at: number
  readonly updated_at: number
}

/** One application. */
export function applicationById(environmentId: string, id: string): Statement<ApplicationRow> {
  return {
    text: `SELECT id, name, type, enabled, document, version, created_at, updated_at
           FROM applications WHERE environment_id = $1 AND id = $2`,
    values: [environmentId, id],
  }
}

/** A page of the applications of an environment. */
export function applicationsPage(
  environmentId: string,
  conditions: readonly Condition[],
  span: Span,
): Statement<ApplicationRow> {
  return pageOf(
    'SELECT a.id, a.name, a.type, a.enabled, a.document, a.version, a.created_at, a.updated_at FROM applications a',
    'a',
    [equal('a.environment_id', environmentId), ...conditions],
    span,
  )
}

/** The secret of an application, with its predecessor. */
export function applicationSecret(environmentId: string, applicationId: string): Statement<SecretRow> {
  return {
    text: `SELECT sealed, hash, previous_sealed, previous_hash, previous_expires_at, created_at
           FROM application_secrets WHERE environment_id = $1 AND application_id = $2`,
    values: [environmentId, applicationId],
  }
}

/** A row of `application_grants`. */
export interface ApplicationGrantRow {
  readonly id: string
  readonly resource_id: string
  /** JSON array of scope ids. */
  readonly scope_ids: string
  readonly created_at: number
  readonly updated_at: number
}

/** The grants of an application. */
export function grantsOf(environmentId: string, applicationId: string): Statement<ApplicationGrantRow> {
  return {
    text: `SELECT id, resource_id, scope_ids, created_at, updated_at
           FROM application_grants WHERE environment_id = $1 AND application_id = $2 ORDER BY created_at, id`,
    values: [environmentId, applicationId],
  }
}

/** One grant of an application. */
export function grantById(environmentId: string, applicationId: string, id: string): Statement<ApplicationGrantRow> {
  return {
    text: `SELECT id, resource_id, scope_ids, created_at, updated_at
           FROM application_grants WHERE environment_id = $1 AND application_id = $2 AND id = $3`,
    values: [environmentId, applicationId, id],
  }
}

/** How many custom resources an application has grants on. */
export function customResourcesGranted(
  environmentId: string,
  applicationId: string,
): Statement<{ readonly granted: number }> {
  return {
    text: `SELECT COUNT(*) AS granted FROM application_grants g
           JOIN resources r ON r.environment_id = g.environment_id AND r.id = g.resource_id AND r.type = 'CUSTOM'
           WHERE g.environment_id = $1 AND g.application_id = $2`,
    values: [environmentId, applicationId],
  }
}

/** A row of `sign_on_policy_assignments`. */
export interface PolicyAssignmentRow {
  readonly id: string
  readonly policy_id: string
  readonly priority: number
  readonly created_at: number
  readonly updated_at: number
}

/** The sign-on policies assigned to an application, by priority. */
export function policyAssignmentsOf(environmentId: string, applicationId: string): Statement<PolicyAssignmentRow> {
  return {
    text: `SELECT id, policy_id, priority, created_at, updated_at
           FROM sign_on_policy_assignments WHERE environment_id = $1 AND application_id = $2
           ORDER BY priority, created_at, id`,
    values: [environmentId, applicationId],
  }
}

/** One sign-on policy assignment of an application. */
export function policyAssignmentById(
  environmentId: string,
  applicationId: string,
  id: string,
): Statement<PolicyAssignmentRow> {
  return {
    text: `SELECT id, policy_id, priority, created_at, updated_at
           FROM sign_on_policy_assignments WHERE environment_id = $1 AND application_id = $2 AND id = $3`,
    values: [environmentId, applicationId, id],
  }
}

/** Revokes everything that was issued to a client for a user. */
export function revokeFamiliesOfClient(environmentId: string, clientId: string, now: number): Statement<object> {
  return {
    text: `UPDATE token_families SET revoked_at = $3
           WHERE environment_id = $1 AND client_id = $2 AND revoked_at IS NULL`,
    values: [environmentId, clientId, now],
  }
}

/** The worker application of the first administrator: the oldest application of that name and type. */
export function firstAdministrator(name: string): Statement<{ readonly environment_id: string; readonly id: string }> {
  return {
    text: `SELECT environment_id, id FROM applications WHERE name = $1 AND type = 'WORKER' ORDER BY created_at, id LIMIT 1`,
    values: [name],
  }
}
