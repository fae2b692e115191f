/** How an attribute mapping of an application looks on the wire, and the one that every application has: platform-api 3.9. */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import type { ApplicationAttributeRow } from '../storage/sql/attributes.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { claimName, claimValue } from './attribute-value.ts'
import { absent } from './later-features.ts'

const mappingType = z.enum(['CORE', 'SCOPE', 'CUSTOM'])

/** What a client sends. */
export const applicationAttributeRequest = nullMeansAbsent(
  z.object({
    name: claimName,
    value: claimValue,
    required: z.boolean().default(false).describe('Nothing is issued to users who have no value for it.'),
    mappingType: mappingType.optional(),
    idToken: z.boolean().default(true),
    userInfo: z.boolean().default(true),
    oidcScopes: z.array(uuid).max(100).optional().describe('Scopes of openid it comes with. Default: with openid.'),
    nameFormat: absent,
  }),
)

/** What a client is answered. */
export const applicationAttribute = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  application: reference,
  name: z.string(),
  value: z.string(),
  required: z.boolean(),
  mappingType,
  idToken: z.boolean(),
  userInfo: z.boolean(),
  oidcScopes: z.array(z.string()).optional(),
  createdAt: timestamp,
  updatedAt: timestamp,
})

/** A mapping as the wire has it. */
export function applicationAttributeBody({ site }: Context, row: ApplicationAttributeRow) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const application = `${environment}/applications/${row.application_id}`
  return {
    _links: links({ self: `${application}/attributes/${row.id}`, environment, application }),
    id: row.id,
    environment: { id: site.environmentId },
    application: { id: row.application_id },
    name: row.name,
    value: row.value,
    required: row.required === 1,
    mappingType: row.mapping_type,
    idToken: row.id_token === 1,
    userInfo: row.user_info === 1,
    ...(row.oidc_scopes === null ? {} : { oidcScopes: JSON.parse(row.oidc_scopes) as string[] }),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}
