/**
 * Organizations and their licences, to be read (platform-api 3.1). Stile is licensed to everybody: the one licence of an
 * organization is there because clients need its id to create environments.
 */
import { z } from 'zod'
import { allows } from '../access/actor.ts'
import { collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, timestamp, uuid } from '../contract/validation.ts'
import { notFound } from '../errors/problem.ts'
import {
  type LicenseRow,
  licenseById,
  licensesPage,
  type OrganizationRow,
  organizationById,
  organizationsPage,
} from '../storage/sql/organizations.ts'
import { answerPage, filterOf, pageQuery } from './page.ts'

const organization = z.object({
  _links: linksSchema,
  id: uuid,
  name: z.string(),
  type: z.enum(['PAID', 'TRIAL', 'INTERNAL']),
  createdAt: timestamp,
  updatedAt: timestamp,
})

const license = z.object({
  _links: linksSchema,
  id: uuid,
  name: z.string(),
  package: z.string(),
  status: z.enum(['ACTIVE', 'EXPIRED', 'FUTURE', 'TERMINATED']),
  beginsAt: timestamp,
  organization: z.object({ id: uuid }),
  assignedEnvironmentsCount: z.number().int(),
})

const permission = { kind: 'role', permission: 'orgmgt:read:organization' } as const
const common = {
  surface: 'management',
  tag: 'Organizations',
  source: 'platform-api 3.1',
  permission,
  cors: 'none',
} as const

function organizationBody({ site }: Context, row: OrganizationRow) {
  const self = `${site.apiBase}/organizations/${row.id}`
  return {
    _links: links({ self, environments: `${site.apiBase}/environments`, licenses: `${self}/licenses` }),
    id: row.id,
    name: row.name,
    type: row.type,
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}

function licenseBody({ site }: Context, row: LicenseRow) {
  const organizationUrl = `${site.apiBase}/organizations/${row.organization_id}`
  return {
    _links: links({ self: `${organizationUrl}/licenses/${row.id}`, organization: organizationUrl }),
    id: row.id,
    name: row.name,
    package: row.package,
    status: row.status,
    beginsAt: iso(row.begins_at),
    organization: { id: row.organization_id },
    assignedEnvironmentsCount: row.environments,
  }
}

/** 404 for an organization that the actor may not read, as for one that is not there. */
function requireVisible({ actor }: Context, organizationId: string): void {
  if (!allows(actor, 'orgmgt:read:organization', { organizationId })) throw notFound()
}

const listOrganizations = defineOperation({
  ...common,
  id: 'listOrganizations',
  method: 'GET',
  path: '/v1/organizations',
  summary: 'List the organizations the actor may read',
  query: pageQuery,
  replies: { 200: collectionSchema('organizations', organization) },
  errors: ['INVALID_DATA', 'INVALID_REQUEST'],
  handle({ query }, context) {
    const held = context.actor.kind === 'anonymous' ? [] : context.actor.assignments
    const ids = held.filter(({ scopeType }) => scopeType === 'ORGANIZATION').map(({ scopeId }) => scopeId)
    const visible = ids.filter((organizationId) =>
      allows(context.actor, 'orgmgt:read:organization', { organizationId }),
    )
    const filter = filterOf(query, {
      name: { column: 'o.name', operators: ['eq', 'sw'] },
      id: { column: 'o.id', operators: ['eq'] },
    })
    return answerPage(context, query, {
      key: 'organizations',
      statement: (span) => organizationsPage(visible, filter, span),
      write: (row) => organizationBody(context, row),
    })
  },
})

const readOrganization = defineOperation({
  ...common,
  id: 'readOrganization',
  method: 'GET',
  path: '/v1/organizations/{organizationId}',
  summary: 'Read an organization',
  params: z.object({ organizationId: uuid }),
  replies: { 200: organization },
  errors: ['NOT_FOUND'],
  async handle({ params }, context) {
    requireVisible(context, params.organizationId)
    const [row] = await context.kernel.storage.read(organizationById(params.organizationId))
    if (!row) throw notFound()
    return { status: 200, body: organizationBody(context, row) }
  },
})

const listLicenses = defineOperation({
  ...common,
  id: 'listLicenses',
  method: 'GET',
  path: '/v1/organizations/{organizationId}/licenses',
  summary: 'List the licences of an organization',
  params: z.object({ organizationId: uuid }),
  query: pageQuery,
  replies: { 200: collectionSchema('licenses', license) },
  errors: ['NOT_FOUND', 'INVALID_DATA', 'INVALID_REQUEST'],
  handle({ params, query }, context) {
    requireVisible(context, params.organizationId)
    const filter = filterOf(query, {
      name: { column: 'l.name', operators: ['eq', 'sw'] },
      id: { column: 'l.id', operators: ['eq'] },
      status: { column: 'l.status', operators: ['eq'] },
    })
    return answerPage(context, query, {
      key: 'licenses',
      statement: (span) => licensesPage(params.organizationId, filter, span),
      write: (row) => licenseBody(context, row),
    })
  },
})

const readLicense = defineOperation({
  ...common,
  id: 'readLicense',
  method: 'GET',
  path: '/v1/organizations/{organizationId}/licenses/{licenseId}',
  summary: 'Read a licence',
  params: z.object({ organizationId: uuid, licenseId: uuid }),
  replies: { 200: license },
  errors: ['NOT_FOUND'],
  async handle({ params }, context) {
    requireVisible(context, params.organizationId)
    const [row] = await context.kernel.storage.read(licenseById(params.licenseId))
    if (row?.organization_id !== params.organizationId) throw notFound()
    return { status: 200, body: licenseBody(context, row) }
  },
})

export const organizationOperations: readonly Operation[] = [
  listOrganizations,
  readOrganization,
  listLicenses,
  readLicense,
]
