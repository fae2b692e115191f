/**
 * The users of a group, in whatever way they are members: put into it or into one nested in it, or matching the
 * `userFilter` of one of those. As a condition over users, so that lists and counts ask the store once.
 */
import type { Context } from '../contract/operation.ts'
import { memberFilter } from '../directory/groups.ts'
import { userAttributes } from '../directory/user-filter.ts'
import { dynamicGroupsBelow, memberOfGroup } from '../storage/sql/groups.ts'
import { type Condition, either } from '../storage/sql/page.ts'
import { filterCondition } from './filter.ts'

/** The condition over `u` that holds for the members of a group; one read finds out which filters count. */
export async function membersOf({ kernel, environment }: Context, groupId: string): Promise<Condition> {
  const dynamic = await kernel.storage.read(dynamicGroupsBelow(environment.id, groupId))
  return dynamic
    .map((row) => filterCondition(memberFilter(row), userAttributes))
    .reduce(either, memberOfGroup(environment.id, groupId))
}
