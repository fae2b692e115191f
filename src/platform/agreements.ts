/**
 * Agreements that users consent to when they sign on: `~/agreements`, platform-api 3.16. What they say is in their
 * languages (agreement-languages.ts) and the revisions of these (agreement-revisions.ts).
 *
 * Never: an enabled agreement without a text to show; one that is disabled or deleted while a sign-on policy asks for it.
 */
import { z } from 'zod'
import { collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { reference, uuid } from '../contract/validation.ts'
import type { AgreementDocument } from '../environment/agreement.ts'
import { notFound } from '../errors/problem.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { agreementById, type AgreementRow, agreementsPage } from '../storage/sql/agreements.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { requireBound, requireDefaultTexts, requireUnreferenced } from './agreement-rules.ts'
import { description, name, requireUnique } from './names.ts'
import { answerPage, filterOf, pageQuery } from './page.ts'

const members = {
  description: description.optional(),
  reconsentPeriodDays: z
    .number()
    .min(1)
    .max(36_500)
    .optional()
    .describe('How long a consent holds. Default: until a revision asks for it anew.'),
}

const agreementRequest = nullMeansAbsent(
  z.object({
    name,
    enabled: z.boolean().describe('true only while it has a current revision in the default language.'),
    ...members,
  }),
)

const agreement = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  name: z.string(),
  enabled: z.boolean(),
  ...members,
})

function agreementBody({ site }: Context, row: AgreementRow) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const self = `${environment}/agreements/${row.id}`
  return {
    _links: links({ self, environment, languages: `${self}/languages` }),
    id: row.id,
    environment: { id: site.environmentId },
    name: row.name,
    enabled: row.enabled === 1,
    ...(JSON.parse(row.document) as AgreementDocument),
  }
}

function columnsOf({ name: named, enabled, ...document }: z.output<typeof agreementRequest>) {
  return { name: named, enabled: enabled ? 1 : 0, document: JSON.stringify(document satisfies AgreementDocument) }
}

const common = { surface: 'management', tag: 'Agreements', source: 'platform-api 3.16', cors: 'none' } as const
const collectionPath = '/v1/environments/{environmentId}/agreements'
const onePath = `${collectionPath}/{agreementId}`
const inEnvironment = z.object({ environmentId: uuid })
const one = inEnvironment.extend({ agreementId: uuid })
const body = { kind: 'json', schema: agreementRequest } as const

const listAgreements = defineOperation({
  ...common,
  id: 'listAgreements',
  method: 'GET',
  path: collectionPath,
  summary: 'List the agreements of an environment',
  permission: { kind: 'role', permission: 'agreements:read:agreement' },
  params: inEnvironment,
  query: pageQuery,
  replies: { 200: collectionSchema('agreements', agreement) },
  errors: ['FORBIDDEN', 'INVALID_DATA', 'INVALID_REQUEST'],
  handle({ query }, context) {
    const filter = filterOf(query, {
      name: { column: 'a.name', operators: ['eq', 'sw'] },
      id: { column: 'a.id', operators: ['eq'] },
    })
    return answerPage(context, query, {
      key: 'agreements',
      statement: (span) => agreementsPage(context.environment.id, filter, span),
      write: (row) => agreementBody(context, row),
    })
  },
})

const readAgreement = defineOperation({
  ...common,
  id: 'readAgreement',
  method: 'GET',
  path: onePath,
  summary: 'Read an agreement',
  permission: { kind: 'role', permission: 'agreements:read:agreement' },
  params: one,
  replies: { 200: agreement },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { agreementId } }, context) {
    const [row] = await context.kernel.storage.read(agreementById(context.environment.id, agreementId))
    if (!row) throw notFound()
    return { status: 200, body: agreementBody(context, row) }
  },
})

const createAgreement = defineOperation({
  ...common,
  id: 'createAgreement',
  method: 'POST',
  path: collectionPath,
  summary: 'Create an agreement; it can be enabled once it has a text',
  permission: { kind: 'role', permission: 'agreements:create:agreement' },
  params: inEnvironment,
  body,
  replies: { 201: agreement },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'FORBIDDEN'],
  event: 'AGREEMENT.CREATED',
  async handle({ body: sent }, context) {
    const { kernel, environment, now } = context
    const id = kernel.world.uuid()
    const row: AgreementRow = { id, ...columnsOf(sent), created_at: now, updated_at: now }
    const commit = kernel.environments.configure(environment.id, 'create-agreement', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      yield* insert('agreements', { environment_id: environment.id, ...row })
      yield* requireBound(environment.id, 'agreements')
      yield* requireDefaultTexts(environment.id, now)
      yield context.record({ subject: { type: 'AGREEMENT', id } })
    })
    await requireUnique('agreements', 'name', commit)
    const answer = agreementBody(context, row)
    return { status: 201, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const updateAgreement = defineOperation({
  ...common,
  id: 'updateAgreement',
  method: 'PUT',
  path: onePath,
  summary: 'Replace an agreement, or enable or disable it',
  permission: { kind: 'role', permission: 'agreements:update:agreement' },
  params: one,
  body,
  replies: { 200: agreement },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'AGREEMENT.UPDATED',
  async handle({ params: { agreementId: id }, body: sent }, context) {
    const { kernel, environment, now } = context
    const columns = { ...columnsOf(sent), updated_at: now }
    const commit = kernel.environments.configure(environment.id, 'update-agreement', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const before = yield* existingAgreement(environment.id, id)
      if (!sent.enabled) yield* requireUnreferenced(environment.id, id)
      yield* update('agreements', { environment_id: environment.id, id }, columns)
      yield* requireDefaultTexts(environment.id, now)
      yield context.record({ subject: { type: 'AGREEMENT', id } })
      return { ...before, ...columns }
    })
    const row = await requireUnique('agreements', 'name', commit)
    return { status: 200, body: agreementBody(context, row) }
  },
})

const deleteAgreement = defineOperation({
  ...common,
  id: 'deleteAgreement',
  method: 'DELETE',
  path: onePath,
  summary: 'Delete an agreement that no sign-on policy refers to, with its texts and what users consented to',
  permission: { kind: 'role', permission: 'agreements:delete:agreement' },
  params: one,
  replies: { 204: null },
  errors: ['REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'AGREEMENT.DELETED',
  async handle({ params: { agreementId: id } }, context) {
    const { kernel, environment, now } = context
    await kernel.environments.configure(environment.id, 'delete-agreement', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      yield* existingAgreement(environment.id, id)
      yield* requireUnreferenced(environment.id, id)
      const belonging = { environment_id: environment.id, agreement_id: id }
      yield* remove('agreement_consents', belonging)
      yield* remove('agreement_revisions', belonging)
      yield* remove('agreement_languages', belonging)
      yield* remove('agreements', { environment_id: environment.id, id })
      yield context.record({ subject: { type: 'AGREEMENT', id } })
    })
    return { status: 204 }
  },
})

/** The row of an agreement, inside a unit. @throws Problem NOT_FOUND */
export function* existingAgreement(environmentId: string, id: string): UnitBody<AgreementRow> {
  const [row] = yield* run(agreementById(environmentId, id))
  if (!row) throw notFound()
  return row
}

export const agreementOperations: readonly Operation[] = [
  listAgreements,
  readAgreement,
  createAgreement,
  updateAgreement,
  deleteAgreement,
]
