/** How an attribute of a resource looks on the wire, and the one that every custom resource begins with: platform-api 3.11.3. */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { usualSubject } from '../environment/resource.ts'
import type { ResourceAttributeRow } from '../storage/sql/attributes.ts'
import type { ResourceRow } from '../storage/sql/environments.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { claimName, claimValue } from './attribute-value.ts'

const type = z.enum(['CORE', 'CUSTOM', 'PREDEFINED'])

/** What a client sends; its `type` is decided by the resource. */
export const resourceAttributeRequest = nullMeansAbsent(
  z.object({
    name: claimName,
    type: type.optional(),
    value: claimValue,
    idToken: z.boolean().optional().describe('Of the resource openid: whether ID tokens have it. Default: true.'),
    userInfo: z.boolean().optional().describe('Of the resource openid: whether userinfo has it. Default: true.'),
  }),
)

/** What a client is answered. */
export const resourceAttribute = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  resource: reference,
  name: z.string(),
  type,
  value: z.string(),
  idToken: z.boolean().optional(),
  userInfo: z.boolean().optional(),
  createdAt: timestamp,
  updatedAt: timestamp,
})

/** An attribute as the wire has it; the switches belong to the resource `openid` alone. */
export function resourceAttributeBody(
  { site }: Context,
  resource: Pick<ResourceRow, 'id' | 'type'>,
  row: ResourceAttributeRow,
) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const resourceUrl = `${environment}/resources/${resource.id}`
  const switches = { idToken: row.id_token === 1, userInfo: row.user_info === 1 }
  return {
    _links: links({ self: `${resourceUrl}/attributes/${row.id}`, environment, resource: resourceUrl }),
    id: row.id,
    environment: { id: site.environmentId },
    resource: { id: resource.id },
    name: row.name,
    type: row.type,
    value: row.value,
    ...(resource.type === 'OPENID_CONNECT' ? switches : {}),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}

/** The attribute by which a custom resource says who the user is. */
export function coreAttribute(environmentId: string, resourceId: string, id: string, now: number) {
  return {
    environment_id: environmentId,
    resource_id: resourceId,
    id,
    name: 'sub',
    type: 'CORE',
    value: usualSubject,
    id_token: 1,
    user_info: 1,
    created_at: now,
    updated_at: now,
  } as const
}
