/**
 * Which groups a request may touch, beyond holding the permission: rows N05, N08. A group of a population is for whoever
 * holds the permission there; a group of the environment for whoever holds it at the environment, since its members may
 * come from everywhere. A group out of reach is answered like one that does not exist.
 */
import { forbidden, populationsAllowed } from '../access/actor.ts'
import type { PermissionId } from '../access/permissions.ts'
import type { Context } from '../contract/operation.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { type CountedGroupRow, groupById, groupsMeeting } from '../storage/sql/groups.ts'
import { among, type Condition } from '../storage/sql/page.ts'

function reach({ actor, environment }: Context, permission: PermissionId): 'all' | readonly string[] {
  const place = { organizationId: environment.organizationId, environmentId: environment.id }
  return populationsAllowed(actor, permission, place)
}

/** The condition over `g` that keeps a list to the groups the actor may see (row N05). */
export function groupsWithinReach(context: Context, permission: PermissionId): readonly Condition[] {
  const populations = reach(context, permission)
  return populations === 'all' ? [] : [among('g.population_id', populations)]
}

/** Which of these groups there are and the actor reaches; no read where none is named. */
export async function groupsInReach(
  context: Context,
  permission: PermissionId,
  ids: readonly string[],
): Promise<readonly string[]> {
  if (ids.length === 0) return []
  const { environment, kernel } = context
  const conditions = [...groupsWithinReach(context, permission), among('g.id', ids)]
  const rows = await kernel.storage.read(groupsMeeting(environment.id, conditions))
  return rows.map(({ id }) => id)
}

/**
 * Refuses to put a group where the actor's role does not reach.
 * @param populationId empty for a group of the environment
 * @throws Problem FORBIDDEN
 */
export function requireGroupPlace(context: Context, permission: PermissionId, populationId: string): void {
  if (!isWithin(context, permission, populationId)) throw forbidden()
}

/**
 * Reads the group of the path.
 * @throws Problem NOT_FOUND when there is none, or none that the actor reaches
 */
export async function reachedGroup(context: Context, permission: PermissionId, id: string): Promise<CountedGroupRow> {
  const [row] = await context.kernel.storage.read(groupById(context.environment.id, id))
  if (!row || !isWithin(context, permission, row.population_id)) throw notFound()
  return row
}

/** The same inside a unit, for the group of the path that is about to change. */
export function* controlledGroup(context: Context, permission: PermissionId, id: string): UnitBody<CountedGroupRow> {
  const [row] = yield* run(groupById(context.environment.id, id))
  if (!row || !isWithin(context, permission, row.population_id)) throw notFound()
  return row
}

/** The same for a group that a body names. @throws Problem INVALID_DATA */
export function* namedGroup(context: Context, permission: PermissionId, id: string): UnitBody<CountedGroupRow> {
  const [row] = yield* run(groupById(context.environment.id, id))
  if (!row || !isWithin(context, permission, row.population_id)) throw noGroup('id')
  return row
}

/**
 * For the unit that writes what refers to groups.
 * @param target where the groups are named, for the answer
 * @throws Problem INVALID_DATA when one of them is not a group of the environment
 */
export function* requireGroups(environmentId: string, ids: readonly string[], target: string): UnitBody<void> {
  const wanted = new Set(ids)
  if (wanted.size === 0) return
  const found = yield* run(groupsMeeting(environmentId, [among('g.id', [...wanted])]))
  if (found.length < wanted.size) throw noGroup(target)
}

function noGroup(target: string): Error {
  return invalidData('INVALID_VALUE', target, 'is not a group of the environment')
}

function isWithin(context: Context, permission: PermissionId, populationId: string): boolean {
  const populations = reach(context, permission)
  return populations === 'all' || populations.includes(populationId)
}
