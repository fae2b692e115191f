/**
 * Who calls the management API and what their role assignments allow. Pure: assignments are read at use by
 * `bearer.ts` (decision D23), judged here.
 *
 * No escalation (platform-api 3.21, rows N07-N10): nobody gives, or touches the credentials behind, more than they hold
 * themselves at the same or a broader scope.
 */
import { problem } from '../errors/problem.ts'
import type { PermissionId } from './permissions.ts'
import { roleById, type ScopeType } from './roles.ts'

/** A role held at a scope. */
export interface RoleAssignment {
  readonly id: string
  readonly roleId: string
  readonly scopeType: ScopeType
  readonly scopeId: string
  /** The environment that the scope lies in; null at organization level. */
  readonly scopeEnvironmentId: string | null
  readonly readOnly: boolean
}

/** Whoever a request acts for. */
export type Actor =
  | { readonly kind: 'anonymous' }
  | {
      readonly kind: 'application'
      readonly environmentId: string
      readonly clientId: string
      readonly assignments: readonly RoleAssignment[]
    }
  | {
      readonly kind: 'user'
      readonly environmentId: string
      readonly clientId: string
      readonly userId: string
      readonly sessionId: string
      readonly scopes: ReadonlySet<string>
      /** When they authenticated, epoch seconds. */
      readonly authTime: number | undefined
      readonly assignments: readonly RoleAssignment[]
    }

/** A place in the tree organization > environment > population. */
export interface Place {
  readonly organizationId: string
  readonly environmentId?: string
  readonly populationId?: string
}

/** Whether an assignment's scope holds at `place`: it is that place or lies above it. */
function covers(assignment: RoleAssignment, place: Place): boolean {
  switch (assignment.scopeType) {
    case 'ORGANIZATION':
      return assignment.scopeId === place.organizationId
    case 'ENVIRONMENT':
      return assignment.scopeId === place.environmentId
    case 'POPULATION':
      return assignment.scopeEnvironmentId === place.environmentId && assignment.scopeId === place.populationId
  }
}

function assignmentsOf(actor: Actor): readonly RoleAssignment[] {
  return actor.kind === 'anonymous' ? [] : actor.assignments
}

/** Whether the actor holds `permission` at `place`. */
export function allows(actor: Actor, permission: PermissionId, place: Place): boolean {
  return assignmentsOf(actor).some(
    (assignment) => covers(assignment, place) && roleById(assignment.roleId)?.permissions.has(permission) === true,
  )
}

/**
 * The populations of an environment at which the actor holds `permission`.
 * @returns 'all' when it is held at the environment or above
 */
export function populationsAllowed(actor: Actor, permission: PermissionId, place: Place): 'all' | readonly string[] {
  if (allows(actor, permission, place)) return 'all'
  return assignmentsOf(actor)
    .filter(
      (assignment) =>
        assignment.scopeType === 'POPULATION' &&
        assignment.scopeEnvironmentId === place.environmentId &&
        roleById(assignment.roleId)?.permissions.has(permission) === true,
    )
    .map((assignment) => assignment.scopeId)
}

/** Throws 403 unless the actor holds `permission` at `place`. */
export function requirePermission(actor: Actor, permission: PermissionId, place: Place): void {
  if (!allows(actor, permission, place)) throw forbidden()
}

/** 403 for an operation the actor's roles do not reach. */
export function forbidden(): Error {
  return problem('FORBIDDEN', {
    details: [{ code: 'INSUFFICIENT_PERMISSIONS', message: 'No role of the actor allows this operation here.' }],
  })
}

/**
 * Whether the actor may give (or take away, or act on the credentials of somebody who holds) `assignment`: every
 * permission of it must be held at the same or a broader scope.
 * @param organizationId the organization that the assignment's scope lies in
 */
export function dominates(
  actor: Actor,
  assignment: Omit<RoleAssignment, 'id' | 'readOnly'>,
  organizationId: string,
): boolean {
  const role = roleById(assignment.roleId)
  if (!role) return false
  const place = placeOf(assignment, organizationId)
  return [...role.permissions].every((permission) => allows(actor, permission, place))
}

function placeOf(assignment: Omit<RoleAssignment, 'id' | 'readOnly'>, organizationId: string): Place {
  switch (assignment.scopeType) {
    case 'ORGANIZATION':
      return { organizationId: assignment.scopeId }
    case 'ENVIRONMENT':
      return { organizationId, environmentId: assignment.scopeId }
    case 'POPULATION':
      return { organizationId, environmentId: assignment.scopeEnvironmentId ?? '', populationId: assignment.scopeId }
  }
}

/** Throws 403 unless the actor dominates every one of `held`: who touches a credential could use it (rows N09, N10). */
export function requireDominance(actor: Actor, held: readonly RoleAssignment[], organizationId: string): void {
  if (
    actor.kind === 'user' &&
    held.length > 0 &&
    held.every((one) => actor.assignments.some((own) => own.id === one.id))
  )
    return
  if (!held.every((assignment) => dominates(actor, assignment, organizationId))) throw forbidden()
}
