/**
 * Which groups a user is a member of: directly, by a `userFilter`, or because such a group is nested in others
 * (platform-api 3.4). It is always asked from the user's side and read at use (decision D23): two statements, however
 * many groups there are and however deep they are nested.
 *
 * Never: a member by filter from outside the population of the group, whose administrators have no say there (row N05).
 */
import type { Kernel } from '../kernel.ts'
import { type DynamicGroupRow, dynamicGroups, groupIdsOfUser, groupNamesOfUser } from '../storage/sql/groups.ts'
import { type FilteredUser, matches, readUserFilter } from './user-filter.ts'

/**
 * The groups whose `userFilter` a user matches; one read.
 * @throws Problem when a stored filter cannot be read any more: nobody is judged by half of what was asked for
 */
export async function dynamicGroupsOf(
  { storage }: Pick<Kernel, 'storage'>,
  environmentId: string,
  user: FilteredUser,
): Promise<readonly string[]> {
  const rows = await storage.read(dynamicGroups(environmentId))
  return rows.filter((row) => matches(memberFilter(row), user)).map(({ id }) => id)
}

/** The filter of a dynamic group, narrowed to the population of the group where it has one. */
export function memberFilter({ population_id, user_filter }: Pick<DynamicGroupRow, 'population_id' | 'user_filter'>) {
  const filter = readUserFilter(user_filter)
  if (population_id === '') return filter
  const inPopulation = { kind: 'term', attribute: 'population.id', operator: 'eq', value: population_id } as const
  return { kind: 'and', parts: [inPopulation, filter] } as const
}

/** The ids of every group a user is a member of, in whatever way; two reads. */
export async function groupIdsOf(
  kernel: Pick<Kernel, 'storage'>,
  environmentId: string,
  userId: string,
  user: FilteredUser,
): Promise<readonly string[]> {
  const dynamic = await dynamicGroupsOf(kernel, environmentId, { ...user, id: userId })
  const rows = await kernel.storage.read(groupIdsOfUser(environmentId, userId, dynamic))
  return rows.map(({ id }) => id)
}

/** Every group a user is a member of, with its name; two reads. */
export async function groupNamesOf(
  kernel: Pick<Kernel, 'storage'>,
  environmentId: string,
  userId: string,
  user: FilteredUser,
): Promise<readonly { readonly id: string; readonly name: string }[]> {
  const dynamic = await dynamicGroupsOf(kernel, environmentId, { ...user, id: userId })
  return kernel.storage.read(groupNamesOfUser(environmentId, userId, dynamic))
}
