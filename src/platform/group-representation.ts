/** A group as it is written, stored and answered (platform-api 3.4). Optional members come back only when sent. */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { readUserFilter } from '../directory/user-filter.ts'
import { Problem, problem } from '../errors/problem.ts'
import type { Columns } from '../storage/operations.ts'
import type { CountedGroupRow } from '../storage/sql/groups.ts'
import { withoutNulls } from './absent-members.ts'
import { description, name } from './names.ts'

const longestCustomData = 16_384

const customData = z
  .record(z.string(), z.unknown())
  .refine((data) => JSON.stringify(data).length <= longestCustomData, 'must not be longer than 16,384 characters')

const members = {
  name,
  description: description.optional(),
  externalId: z.string().min(1).max(1024).optional(),
  userFilter: z
    .string()
    .max(1024)
    .optional()
    .describe(
      'A SCIM filter: whoever matches it is a member, of type INDIRECT; in a group of a population, among its users.',
    ),
  customData: customData.optional(),
  population: reference.optional().describe('Absent: a group of the environment.'),
}

/** A group as it is written. null means absent, except inside `customData`, which is kept as sent. */
export const groupRequest = z.preprocess((sent) => {
  const body = withoutNulls(sent)
  if (!isObject(body) || !isObject(sent) || !isObject(sent['customData'])) return body
  return { ...body, customData: sent['customData'] }
}, z.object(members))

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A group as it is written. */
export type GroupRequest = z.output<typeof groupRequest>

const counts = z.object({ users: z.int() })

/** A group as it is answered. */
export const groupResource = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  ...members,
  displayName: z.string(),
  directMemberCounts: counts,
  totalMemberCounts: counts.optional(),
  createdAt: timestamp,
  updatedAt: timestamp,
})

type GroupDocument = Pick<GroupRequest, 'description' | 'customData'>

/**
 * The columns of what was written.
 * @throws Problem INVALID_DATA for a `userFilter` that cannot be read
 */
export function groupColumns(request: GroupRequest): Columns {
  if (request.userFilter !== undefined) requireReadable(request.userFilter)
  const document: GroupDocument = { description: request.description, customData: request.customData }
  return {
    population_id: request.population?.id ?? '',
    name: request.name,
    external_id: request.externalId ?? null,
    user_filter: request.userFilter ?? null,
    document: JSON.stringify(document),
  }
}

function requireReadable(filter: string): void {
  try {
    readUserFilter(filter)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    throw problem('INVALID_DATA', { details: error.details.map((detail) => ({ ...detail, target: 'userFilter' })) })
  }
}

/** The address of a group. */
export function groupUrl({ site, environment }: Pick<Context, 'site' | 'environment'>, id: string): string {
  return `${site.apiBase}/environments/${environment.id}/groups/${id}`
}

/**
 * The body of a group.
 * @param totalUsers how many users are members in whatever way, where that was asked for
 */
export function groupBody(context: Context, row: CountedGroupRow, totalUsers?: number) {
  const { site, environment } = context
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  const self = groupUrl(context, row.id)
  const population = row.population_id === '' ? undefined : row.population_id
  return {
    _links: links({
      self,
      environment: environmentUrl,
      ...(population === undefined ? {} : { population: `${environmentUrl}/populations/${population}` }),
      memberOfGroups: `${self}/memberOfGroups`,
      roleAssignments: `${self}/roleAssignments`,
    }),
    id: row.id,
    environment: { id: environment.id },
    name: row.name,
    displayName: row.name,
    ...(JSON.parse(row.document) as GroupDocument),
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    ...(row.user_filter === null ? {} : { userFilter: row.user_filter }),
    ...(population === undefined ? {} : { population: { id: population } }),
    directMemberCounts: { users: row.users },
    ...(totalUsers === undefined ? {} : { totalMemberCounts: { users: totalUsers } }),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}
