/** A population as it is written, stored and answered (platform-api 3.3). Optional members come back only when sent. */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import type { CountedPopulationRow } from '../storage/sql/populations.ts'
import { description, name } from './names.ts'

/** Members without a meaning to Stile yet, kept as sent because clients read them back. */
const kept = {
  description: description.optional(),
  alternativeIdentifiers: z.array(name).max(50).optional(),
  preferredLanguage: z
    .string()
    .regex(/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}$/)
    .optional(),
}

/** A population as it is written. */
export const populationRequest = z.object({
  name,
  ...kept,
  default: z.boolean().optional(),
  passwordPolicy: reference.optional(),
  theme: reference.optional(),
})

/** A population as it is written. */
export type PopulationRequest = z.output<typeof populationRequest>

/** A population as it is answered. */
export const population = z.object({
  _links: linksSchema,
  environment: reference,
  id: uuid,
  name: z.string(),
  ...kept,
  default: z.boolean(),
  passwordPolicy: reference.optional(),
  theme: reference,
  userCount: z.number().int(),
  createdAt: timestamp,
  updatedAt: timestamp,
})

type PopulationDocument = Pick<PopulationRequest, keyof typeof kept>

/** The `document` column of a population: JSON leaves out what is undefined. */
export function populationDocument(request: PopulationRequest): string {
  const document: PopulationDocument = {
    description: request.description,
    alternativeIdentifiers: request.alternativeIdentifiers,
    preferredLanguage: request.preferredLanguage,
  }
  return JSON.stringify(document)
}

/** The body of an answer. */
export function populationBody({ site, environment }: Context, row: CountedPopulationRow) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  const policy = row.password_policy_id
  return {
    _links: links({
      self: `${environmentUrl}/populations/${row.id}`,
      environment: environmentUrl,
      ...(policy === null ? {} : { passwordPolicy: `${environmentUrl}/passwordPolicies/${policy}` }),
    }),
    environment: { id: environment.id },
    id: row.id,
    name: row.name,
    ...(JSON.parse(row.document) as PopulationDocument),
    default: row.is_default === 1,
    ...(policy === null ? {} : { passwordPolicy: { id: policy } }),
    theme: { id: environment.id },
    userCount: row.users,
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}
