/**
 * Which users a request may touch, beyond holding the permission: rows N05, N09, N13. A role may be held at single
 * populations, so every operation looks at the population of its user; a user token reaches its own user through a scope.
 *
 * A user out of reach is answered like one that does not exist. Whoever touches the account or the credentials of
 * somebody who holds roles could act as them, so only who could give every one of these roles may.
 */
import { forbidden, populationsAllowed, requireDominance } from '../access/actor.ts'
import { assignmentsOf } from '../access/bearer.ts'
import type { PermissionId } from '../access/permissions.ts'
import type { Context } from '../contract/operation.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import type { Key } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { among, type Condition } from '../storage/sql/page.ts'
import { populationExists, userWithGuesses } from '../storage/sql/users.ts'
import { type ListedUser, listedUser } from './user-representation.ts'

/** What an operation asks of its actor. */
export interface Reach {
  readonly permission: PermissionId
  /** The scope by which a user reaches the own user. */
  readonly self?: string
}

/** A user the actor may touch. */
export interface ReachedUser extends ListedUser {
  /** The actor is this user, and roles have nothing to do with it. */
  readonly asSelf: boolean
}

/** Whether the actor is the user of this id. */
export function isOwnUser({ actor, environment }: Pick<Context, 'actor' | 'environment'>, userId: string): boolean {
  return actor.kind === 'user' && actor.environmentId === environment.id && actor.userId === userId
}

/** Whether a permission is held at a population of the environment of the path. */
export function reachesPopulation(context: Context, permission: PermissionId, populationId: string): boolean {
  const populations = reachablePopulations(context, permission)
  return populations === 'all' || populations.includes(populationId)
}

/** The populations of the environment of the path at which a permission is held. */
function reachablePopulations({ actor, environment }: Context, permission: PermissionId): 'all' | readonly string[] {
  const place = { organizationId: environment.organizationId, environmentId: environment.id }
  return populationsAllowed(actor, permission, place)
}

/** The condition that keeps a list to what the actor may see (row N05). */
export function withinReach(context: Context, permission: PermissionId): readonly Condition[] {
  const populations = reachablePopulations(context, permission)
  return populations === 'all' ? [] : [among('u.population_id', populations)]
}

/**
 * Reads the user of the path.
 * @throws Problem NOT_FOUND when there is none, or none that the actor reaches
 */
export async function reachedUser(context: Context, userId: string, { permission, self }: Reach): Promise<ReachedUser> {
  const { actor, environment, kernel } = context
  const [row] = await kernel.storage.read(userWithGuesses(environment.id, userId))
  if (!row) throw notFound()
  const byRole = reachesPopulation(context, permission, row.population_id)
  const byScope = self !== undefined && actor.kind === 'user' && isOwnUser(context, userId) && actor.scopes.has(self)
  if (!byRole && !byScope) throw notFound()
  return { ...listedUser(context, row), asSelf: !byRole }
}

/**
 * Reads the user of the path, whose account or credentials are about to be touched.
 * @throws Problem NOT_FOUND, or FORBIDDEN when the user holds roles that the actor could not give
 */
export async function controlledUser(context: Context, userId: string, reach: Reach): Promise<ReachedUser> {
  const reached = await reachedUser(context, userId, reach)
  if (!reached.asSelf) await requireControl(context, userId)
  return reached
}

/**
 * Refuses to touch a user who holds roles that the actor could not give.
 * @throws Problem FORBIDDEN
 */
export async function requireControl({ actor, environment, kernel }: Context, userId: string): Promise<void> {
  requireDominance(actor, await assignmentsOf(kernel, environment.id, userId), environment.organizationId)
}

/** The row of a user who is still where the actor was found to reach them. */
export function reachedKey({ user }: ListedUser): Key {
  return { environment_id: user.environmentId, id: user.id, population_id: user.populationId }
}

/**
 * Refuses a population that the actor does not reach, before telling whether it exists.
 * @throws Problem FORBIDDEN
 */
export function requirePopulation(context: Context, permission: PermissionId, populationId: string): void {
  if (!reachesPopulation(context, permission, populationId)) throw forbidden()
}

/**
 * For the unit that puts a user into a population.
 * @throws Problem INVALID_DATA when there is none with this id
 */
export function* requireExistingPopulation({ environment }: Context, populationId: string): UnitBody<void> {
  const rows = yield* run(populationExists(environment.id, populationId))
  if (rows.length === 0) throw invalidData('INVALID_VALUE', 'population.id', 'is not a population of this environment')
}
