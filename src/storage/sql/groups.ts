/**
 * Statements on `groups`, `group_nestings`, `group_memberships` and `application_groups`. Nesting is followed by one
 * recursive query; `UNION` makes each group come once, so that it ends whatever the rows say.
 */
import type { Statement } from '../port.ts'
import { among, type Condition, equal, every, pageOf, type Span } from './page.ts'

/** A row of `groups`. */
export interface GroupRow {
  readonly id: string
  /** Empty: a group of the environment. A key column, so it is never null. */
  readonly population_id: string
  readonly name: string
  readonly external_id: string | null
  /** A SCIM filter: who matches it is a member. */
  readonly user_filter: string | null
  /** JSON: `GroupDocument`. */
  readonly document: string
  readonly created_at: number
  readonly updated_at: number
}

/** A group and how many users were put into it. */
export interface CountedGroupRow extends GroupRow {
  readonly users: number
}

const countedColumns = `g.*, (SELECT COUNT(*) FROM group_memberships m
    WHERE m.environment_id = g.environment_id AND m.group_id = g.id) AS users`
const counted = `SELECT ${countedColumns} FROM groups g`

/** One group of an environment. */
export function groupById(environmentId: string, id: string): Statement<CountedGroupRow> {
  return { text: `${counted} WHERE g.environment_id = $1 AND g.id = $2`, values: [environmentId, id] }
}

/** A page of the groups of an environment; `conditions` are over the table `g`. */
export function groupsPage(
  environmentId: string,
  conditions: readonly Condition[],
  span: Span,
): Statement<CountedGroupRow> {
  return pageOf(counted, 'g', [equal('g.environment_id', environmentId), ...conditions], span)
}

/** The ids of the groups that meet conditions over the table `g`. */
export function groupsMeeting(
  environmentId: string,
  conditions: readonly Condition[],
): Statement<{ readonly id: string }> {
  const { text, values } = every([equal('g.environment_id', environmentId), ...conditions])(1)
  return { text: `SELECT g.id FROM groups g WHERE ${text}`, values }
}

/** One row when a population has a group. */
export function anyGroupOf(environmentId: string, populationId: string): Statement<{ readonly id: string }> {
  return {
    text: 'SELECT id FROM groups WHERE environment_id = $1 AND population_id = $2 LIMIT 1',
    values: [environmentId, populationId],
  }
}

/** A group that is dynamic: some of its members are those who match a filter. */
export type DynamicGroupRow = Pick<GroupRow, 'id' | 'population_id'> & { readonly user_filter: string }

/** The dynamic groups of an environment. */
export function dynamicGroups(environmentId: string): Statement<DynamicGroupRow> {
  return {
    text: `SELECT id, population_id, user_filter FROM groups
           WHERE environment_id = $1 AND user_filter IS NOT NULL ORDER BY created_at, id`,
    values: [environmentId],
  }
}

/** `below(id)`: a group and all groups nested in it. @param environment, id parameters such as `$1` */
function below(environment: string, id: string): string {
  return `WITH RECURSIVE below(id) AS (
    SELECT g.id FROM groups g WHERE g.environment_id = ${environment} AND g.id = ${id}
    UNION SELECT n.group_id FROM below b JOIN group_nestings n ON n.environment_id = ${environment} AND n.parent_id = b.id)`
}

/** The dynamic ones of a group and all groups nested in it. */
export function dynamicGroupsBelow(environmentId: string, id: string): Statement<DynamicGroupRow> {
  return {
    text: `${below('$1', '$2')} SELECT g.id, g.population_id, g.user_filter FROM below b
           JOIN groups g ON g.environment_id = $1 AND g.id = b.id WHERE g.user_filter IS NOT NULL`,
    values: [environmentId, id],
  }
}

/** Whether the user `u` was put into a group, or into one nested in it. */
export function memberOfGroup(environmentId: string, id: string): Condition {
  return (at) => ({
    text: `u.id IN (${below(`$${at}`, `$${at + 1}`)}
           SELECT m.user_id FROM below b JOIN group_memberships m ON m.environment_id = $${at} AND m.group_id = b.id)`,
    values: [environmentId, id],
  })
}

/** One row when a user was put into a group, or into one nested in it. */
export function anyMemberOf(environmentId: string, id: string): Statement<{ readonly user_id: string }> {
  return {
    text: `${below('$1', '$2')} SELECT m.user_id FROM below b
           JOIN group_memberships m ON m.environment_id = $1 AND m.group_id = b.id LIMIT 1`,
    values: [environmentId, id],
  }
}

/** How many users meet a condition over the table `u`. */
export function countUsers(environmentId: string, condition: Condition): Statement<{ readonly users: number }> {
  const { text, values } = every([equal('u.environment_id', environmentId), condition])(1)
  return { text: `SELECT COUNT(*) AS users FROM users u WHERE ${text}`, values }
}

/**
 * The groups a user is a member of, directly or by nesting.
 * @param dynamic the dynamic groups whose filter the user matches
 */
function groupsOfUser(environmentId: string, userId: string, dynamic: readonly string[]): Condition {
  return (at) => {
    const [environment, user] = [`$${at}`, `$${at + 1}`]
    const { text, values } = among('d.id', dynamic)(at + 2)
    return {
      text: `g.id IN (WITH RECURSIVE above(id) AS (
               SELECT s.id FROM (
                 SELECT m.group_id AS id FROM group_memberships m
                 WHERE m.environment_id = ${environment} AND m.user_id = ${user}
                 UNION SELECT d.id FROM groups d WHERE d.environment_id = ${environment} AND ${text}) s
               UNION SELECT n.parent_id FROM above a
               JOIN group_nestings n ON n.environment_id = ${environment} AND n.group_id = a.id)
             SELECT id FROM above)`,
      values: [environmentId, userId, ...values],
    }
  }
}

/** The ids of the groups a user is a member of. @param dynamic as in `membershipsPage` */
export function groupIdsOfUser(
  environmentId: string,
  userId: string,
  dynamic: readonly string[],
): Statement<{ readonly id: string }> {
  return groupsMeeting(environmentId, [groupsOfUser(environmentId, userId, dynamic)])
}

/** The groups a user is a member of, by their names. @param dynamic as in `membershipsPage` */
export function groupNamesOfUser(
  environmentId: string,
  userId: string,
  dynamic: readonly string[],
): Statement<{ readonly id: string; readonly name: string }> {
  const conditions = [equal('g.environment_id', environmentId), groupsOfUser(environmentId, userId, dynamic)]
  const { text, values } = every(conditions)(1)
  return { text: `SELECT g.id, g.name FROM groups g WHERE ${text} ORDER BY g.name, g.id`, values }
}

/** A group that a user is a member of. */
export interface MembershipRow extends CountedGroupRow {
  /** 1: the user was put into it. 0: they are a member by nesting or by filter alone. */
  readonly direct: number
}

/**
 * A page of the groups a user is a member of.
 * @param dynamic the dynamic groups whose filter the user matches
 * @param conditions over the table `g`
 */
export function membershipsPage(
  environmentId: string,
  userId: string,
  dynamic: readonly string[],
  conditions: readonly Condition[],
  span: Span,
): Statement<MembershipRow> {
  const select = `SELECT ${countedColumns}, CASE WHEN d.user_id IS NULL THEN 0 ELSE 1 END AS direct
    FROM groups g LEFT JOIN group_memberships d ON d.environment_id = g.environment_id AND d.group_id = g.id AND d.user_id = `
  const page = pageOf<MembershipRow>(
    '',
    'g',
    [equal('g.environment_id', environmentId), groupsOfUser(environmentId, userId, dynamic), ...conditions],
    span,
  )
  const values = [...page.values, userId]
  return { text: `${select}$${values.length} ${page.text}`, values }
}

/** The groups that a group is nested in, one level up; `conditions` are over the table `g`. */
export function nestingsPage(
  environmentId: string,
  groupId: string,
  conditions: readonly Condition[],
  span: Span,
): Statement<GroupRow> {
  return pageOf(
    `SELECT g.* FROM group_nestings n JOIN groups g ON g.environment_id = n.environment_id AND g.id = n.parent_id`,
    'g',
    [equal('n.environment_id', environmentId), equal('n.group_id', groupId), ...conditions],
    span,
  )
}

/** One group among those related to another by nesting, and how many levels away: a group may come at several. */
export interface RelatedGroupRow {
  readonly id: string
  readonly level: number
}

/**
 * A group (level 0) and those it is nested in, no further than `levels` away.
 * @param levels bounds the recursion: rows are told apart by group and level
 */
export function groupsAbove(environmentId: string, id: string, levels: number): Statement<RelatedGroupRow> {
  return related(environmentId, id, levels, 'group_id', 'parent_id')
}

/** A group (level 0) and those nested in it, no further than `levels` away. */
export function groupsBelow(environmentId: string, id: string, levels: number): Statement<RelatedGroupRow> {
  return related(environmentId, id, levels, 'parent_id', 'group_id')
}

function related(
  environmentId: string,
  id: string,
  levels: number,
  from: string,
  to: string,
): Statement<RelatedGroupRow> {
  return {
    text: `WITH RECURSIVE related(id, level) AS (
             SELECT id, 0 FROM groups WHERE environment_id = $1 AND id = $2
             UNION SELECT n.${to}, r.level + 1 FROM related r
             JOIN group_nestings n ON n.environment_id = $1 AND n.${from} = r.id WHERE r.level < $3)
           SELECT id, level FROM related`,
    values: [environmentId, id, levels],
  }
}

/** One row when the access control of an application names a group. */
export function anyApplicationOfGroup(environmentId: string, groupId: string): Statement<{ readonly id: string }> {
  return {
    text: `SELECT application_id AS id FROM application_groups WHERE environment_id = $1 AND group_id = $2 LIMIT 1`,
    values: [environmentId, groupId],
  }
}
