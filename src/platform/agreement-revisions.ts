/**
 * The revisions of an agreement in one language: `~/agreements/{id}/languages/{lid}/revisions`, platform-api 3.16. A
 * revision is never changed, since users have consented to it; it is in force until the next one is. Its text is read by
 * an address of its own, which its links name.
 *
 * Never: a text with markup outside of what a page shows (`environment/agreement-text.ts`).
 */
import { z } from 'zod'
import { collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { agreementTextProblem, maximumTextLength } from '../environment/agreement-text.ts'
import { notFound } from '../errors/problem.ts'
import { agreementContentTypes } from '../flow/agreement.ts'
import { insert, remove } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import {
  agreementLanguageById,
  agreementRevisionById,
  agreementRevisionsPage,
  agreementRevisionText,
  type EndingRevisionRow,
} from '../storage/sql/agreements.ts'
import { existingAgreementLanguage } from './agreement-languages.ts'
import { requireBound, requireDefaultTexts } from './agreement-rules.ts'
import { requireUnique } from './names.ts'
import { answerPage, pageQuery } from './page.ts'

const contentType = z.enum(agreementContentTypes)

const revisionRequest = z
  .object({
    contentType,
    text: z
      .string()
      .min(1)
      .max(maximumTextLength)
      .describe('HTML may have simple elements, and links to https and mailto addresses; anything else is refused.'),
    effectiveAt: z.iso.datetime({ offset: true }).describe('From when it is in force; unique in its language.'),
    requireReconsent: z.boolean().describe('Whether who consented to an earlier revision is asked again.'),
  })
  .superRefine(({ contentType: type, text }, refinement) => {
    const message = agreementTextProblem(type, text)
    if (message !== undefined) refinement.addIssue({ code: 'custom', path: ['text'], message })
  })

const revision = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  agreement: reference,
  language: reference,
  contentType,
  effectiveAt: timestamp,
  notValidAfter: timestamp.optional(),
  requireReconsent: z.boolean(),
})

/** The path of a revision, from the environments on. */
function pathOf(environmentId: string, agreementId: string, languageId: string, id: string): string {
  return `/environments/${environmentId}/agreements/${agreementId}/languages/${languageId}/revisions/${id}`
}

function revisionBody({ site }: Context, row: EndingRevisionRow) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const agreement = `${environment}/agreements/${row.agreement_id}`
  const language = `${agreement}/languages/${row.language_id}`
  const self = `${site.apiBase}${pathOf(site.environmentId, row.agreement_id, row.language_id, row.id)}`
  return {
    _links: links({ self, environment, agreement, language, text: `${self}/text` }),
    id: row.id,
    environment: { id: site.environmentId },
    agreement: { id: row.agreement_id },
    language: { id: row.language_id },
    contentType: contentType.parse(row.content_type),
    effectiveAt: iso(row.effective_at),
    ...(row.next_effective_at === null ? {} : { notValidAfter: iso(row.next_effective_at) }),
    requireReconsent: row.require_reconsent === 1,
  }
}

const common = { surface: 'management', tag: 'Agreements', source: 'platform-api 3.16', cors: 'none' } as const
const collectionPath = '/v1/environments/{environmentId}/agreements/{agreementId}/languages/{languageId}/revisions'
const onePath = `${collectionPath}/{revisionId}`
const ofLanguage = z.object({ environmentId: uuid, agreementId: uuid, languageId: uuid })
const one = ofLanguage.extend({ revisionId: uuid })
const reading = { kind: 'role', permission: 'agreements:read:agreement' } as const
const writing = { kind: 'role', permission: 'agreements:update:agreement' } as const

const listRevisions = defineOperation({
  ...common,
  id: 'listAgreementRevisions',
  method: 'GET',
  path: collectionPath,
  summary: 'List the revisions of an agreement in a language',
  permission: reading,
  params: ofLanguage,
  query: pageQuery.omit({ filter: true }),
  replies: { 200: collectionSchema('revisions', revision) },
  errors: ['FORBIDDEN', 'NOT_FOUND', 'INVALID_DATA'],
  async handle({ params: { agreementId, languageId }, query }, context) {
    const { kernel, environment } = context
    const [language] = await kernel.storage.read(agreementLanguageById(environment.id, agreementId, languageId))
    if (!language) throw notFound()
    return answerPage(context, query, {
      key: 'revisions',
      statement: (span) => agreementRevisionsPage(environment.id, agreementId, languageId, span),
      write: (row) => revisionBody(context, row),
    })
  },
})

const readRevision = defineOperation({
  ...common,
  id: 'readAgreementRevision',
  method: 'GET',
  path: onePath,
  summary: 'Read a revision, without its text',
  permission: reading,
  params: one,
  replies: { 200: revision },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { agreementId, languageId, revisionId } }, context) {
    const { kernel, environment } = context
    const statement = agreementRevisionById(environment.id, agreementId, languageId, revisionId)
    const [row] = await kernel.storage.read(statement)
    if (!row) throw notFound()
    return { status: 200, body: revisionBody(context, row) }
  },
})

const readText = defineOperation({
  ...common,
  id: 'readAgreementRevisionText',
  method: 'GET',
  path: `${onePath}/text`,
  summary: 'Read the text of a revision',
  permission: reading,
  params: one,
  replies: { 200: z.object({ resourcePath: z.string(), data: z.string(), dataType: contentType }) },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { agreementId, languageId, revisionId } }, context) {
    const { kernel, environment } = context
    const statement = agreementRevisionText(environment.id, agreementId, languageId, revisionId)
    const [row] = await kernel.storage.read(statement)
    if (!row) throw notFound()
    const resourcePath = pathOf(environment.id, agreementId, languageId, revisionId)
    return { status: 200, body: { resourcePath, data: row.text, dataType: contentType.parse(row.content_type) } }
  },
})

const createRevision = defineOperation({
  ...common,
  id: 'createAgreementRevision',
  method: 'POST',
  path: collectionPath,
  summary: 'Add a revision to an agreement in a language',
  permission: writing,
  params: ofLanguage,
  body: { kind: 'json', schema: revisionRequest },
  replies: { 201: revision },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'AGREEMENT_REVISION.CREATED',
  async handle({ params: { agreementId, languageId }, body }, context) {
    const { kernel, environment, now } = context
    const id = kernel.world.uuid()
    const commit = kernel.environments.configure(environment.id, 'create-agreement-revision', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      yield* existingAgreementLanguage(environment.id, agreementId, languageId)
      yield* insert('agreement_revisions', {
        environment_id: environment.id,
        agreement_id: agreementId,
        language_id: languageId,
        id,
        content_type: body.contentType,
        text: body.text,
        effective_at: Date.parse(body.effectiveAt),
        require_reconsent: body.requireReconsent ? 1 : 0,
        created_at: now,
      })
      yield* requireBound(environment.id, 'revisions')
      yield context.record({ subject: { type: 'AGREEMENT_REVISION', id }, detail: { agreementId, languageId } })
      const [row] = yield* run(agreementRevisionById(environment.id, agreementId, languageId, id))
      if (!row) throw notFound()
      return row
    })
    const answer = revisionBody(context, await requireUnique('agreement_revisions', 'effectiveAt', commit))
    return { status: 201, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const deleteRevision = defineOperation({
  ...common,
  id: 'deleteAgreementRevision',
  method: 'DELETE',
  path: onePath,
  summary: 'Delete a revision; whoever consented to it is asked again',
  permission: writing,
  params: one,
  replies: { 204: null },
  errors: ['REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'AGREEMENT_REVISION.DELETED',
  async handle({ params: { agreementId, languageId, revisionId: id } }, context) {
    const { kernel, environment, now } = context
    await kernel.environments.configure(environment.id, 'delete-agreement-revision', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const language = { environment_id: environment.id, agreement_id: agreementId, language_id: languageId }
      if ((yield* remove('agreement_revisions', { ...language, id })) === 0) throw notFound()
      yield* requireDefaultTexts(environment.id, now)
      yield context.record({ subject: { type: 'AGREEMENT_REVISION', id }, detail: { agreementId, languageId } })
    })
    return { status: 204 }
  },
})

export const agreementRevisionOperations: readonly Operation[] = [
  listRevisions,
  readRevision,
  readText,
  createRevision,
  deleteRevision,
]
