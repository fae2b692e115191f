/** Statements on `role_assignments` for those who give and take roles; what a request may do is read by `access.ts`. */
import type { Statement } from '../port.ts'
import type { RoleAssignmentRow } from './access.ts'
import { equal, pageOf, type Span } from './page.ts'

/** The role assignments of a group, and of the groups it is nested in. */
export function roleAssignmentsByGroup(environmentId: string, groupId: string): Statement<RoleAssignmentRow> {
  return {
    text: `WITH RECURSIVE above(id) AS (
             SELECT id FROM groups WHERE environment_id = $1 AND id = $2
             UNION SELECT n.parent_id FROM above a
             JOIN group_nestings n ON n.environment_id = $1 AND n.group_id = a.id)
           SELECT r.* FROM above a JOIN role_assignments r ON r.environment_id = $1 AND r.actor_id = a.id
           ORDER BY r.created_at, r.id`,
    values: [environmentId, groupId],
  }
}

/** A page of the role assignments of an application, user or group. */
export function roleAssignmentsPage(environmentId: string, actorId: string, span: Span): Statement<RoleAssignmentRow> {
  return pageOf(
    'SELECT a.* FROM role_assignments a',
    'a',
    [equal('a.environment_id', environmentId), equal('a.actor_id', actorId)],
    span,
  )
}

/** One role assignment of an application, user or group. */
export function roleAssignmentById(environmentId: string, actorId: string, id: string): Statement<RoleAssignmentRow> {
  return {
    text: 'SELECT * FROM role_assignments WHERE environment_id = $1 AND actor_id = $2 AND id = $3',
    values: [environmentId, actorId, id],
  }
}

/** Takes away a role assignment; its row says what it was. */
export function deleteRoleAssignment(environmentId: string, actorId: string, id: string): Statement<RoleAssignmentRow> {
  return {
    text: 'DELETE FROM role_assignments WHERE environment_id = $1 AND actor_id = $2 AND id = $3 RETURNING *',
    values: [environmentId, actorId, id],
  }
}

/** Takes away every role of an application, user or group; the rows say what they were. */
export function deleteRoleAssignmentsOf(environmentId: string, actorId: string): Statement<RoleAssignmentRow> {
  return {
    text: 'DELETE FROM role_assignments WHERE environment_id = $1 AND actor_id = $2 RETURNING *',
    values: [environmentId, actorId],
  }
}

/** Takes away every role that is scoped to a population, whoever holds it. */
export function deleteRoleAssignmentsAt(environmentId: string, populationId: string): Statement<object> {
  return {
    text: `DELETE FROM role_assignments
           WHERE scope_environment_id = $1 AND scope_type = 'POPULATION' AND scope_id = $2`,
    values: [environmentId, populationId],
  }
}

/** One row when an application or user of a live environment holds a role for an organization. */
export function anyHolder(roleId: string, organizationId: string): Statement<{ readonly id: string }> {
  return {
    text: `SELECT a.id FROM role_assignments a
           JOIN environments e ON e.id = a.environment_id AND e.deleted_at IS NULL
           WHERE a.role_id = $1 AND a.scope_type = 'ORGANIZATION' AND a.scope_id = $2 AND a.actor_type <> 'GROUP'
           LIMIT 1`,
    values: [roleId, organizationId],
  }
}

/** The groups of live environments that hold a role for an organization. */
export function groupHolders(
  roleId: string,
  organizationId: string,
): Statement<{ readonly environment_id: string; readonly group_id: string }> {
  return {
    text: `SELECT a.environment_id, a.actor_id AS group_id FROM role_assignments a
           JOIN environments e ON e.id = a.environment_id AND e.deleted_at IS NULL
           WHERE a.role_id = $1 AND a.scope_type = 'ORGANIZATION' AND a.scope_id = $2 AND a.actor_type = 'GROUP'`,
    values: [roleId, organizationId],
  }
}

/** The population of a user, which exists while there is a row. */
export function populationOfUser(
  environmentId: string,
  userId: string,
): Statement<{ readonly id: string; readonly population_id: string }> {
  return {
    text: 'SELECT id, population_id FROM users WHERE environment_id = $1 AND id = $2',
    values: [environmentId, userId],
  }
}

/** The organizations for which somebody in an environment holds a role. */
export function organizationsHeldIn(environmentId: string, roleId: string): Statement<{ readonly scope_id: string }> {
  return {
    text: `SELECT DISTINCT scope_id FROM role_assignments
           WHERE environment_id = $1 AND role_id = $2 AND scope_type = 'ORGANIZATION'`,
    values: [environmentId, roleId],
  }
}
