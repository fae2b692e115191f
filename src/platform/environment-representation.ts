/** An environment as the platform answers it: schema and body (platform-api 3.2). */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import type { EnvironmentDocument } from '../environment/document.ts'
import type { EnvironmentRow } from '../storage/sql/environments.ts'
import { billOfMaterials, billOfMaterialsBody } from './bill-of-materials.ts'

/** PingOne's regions. Stile runs where it runs: a region is kept because clients send one and read it back. */
export const region = z.enum(['AP', 'AU', 'CA', 'EU', 'NA', 'SG'])

/** An environment as it is answered. */
export const environment = z.object({
  _links: linksSchema,
  id: uuid,
  name: z.string(),
  description: z.string().optional(),
  icon: z.string().optional(),
  type: z.enum(['SANDBOX', 'PRODUCTION']),
  region,
  status: z.literal('ACTIVE'),
  organization: reference,
  license: reference,
  billOfMaterials: billOfMaterials.optional(),
  createdAt: timestamp,
  updatedAt: timestamp,
})

/** The body of an answer; the bill of materials only where it was asked for. */
export function environmentBody({ site }: Context, row: EnvironmentRow, withBill = false) {
  const document = JSON.parse(row.document) as EnvironmentDocument
  const organization = `${site.apiBase}/organizations/${row.organization_id}`
  const self = `${site.apiBase}/environments/${row.id}`
  const children = [
    'applications',
    'passwordPolicies',
    'populations',
    'resources',
    'settings',
    'signOnPolicies',
    'users',
  ]
  return {
    _links: links({
      self,
      organization,
      license: `${organization}/licenses/${row.license_id}`,
      billOfMaterials: `${self}/billOfMaterials`,
      ...Object.fromEntries(children.map((child) => [child, `${self}/${child}`])),
    }),
    id: row.id,
    name: row.name,
    ...(document.description === undefined ? {} : { description: document.description }),
    ...(document.icon === undefined ? {} : { icon: document.icon }),
    type: row.type,
    region: row.region,
    status: 'ACTIVE' as const,
    organization: { id: row.organization_id },
    license: { id: row.license_id },
    ...(withBill ? { billOfMaterials: billOfMaterialsBody(document.billOfMaterials) } : {}),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}
