/**
 * The languages of an agreement: `~/agreements/{id}/languages`, platform-api 3.16. Each is one of the environment's, and
 * shown to users while it is enabled in both and has a revision in force.
 */
import { z } from 'zod'
import { collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { reference, uuid } from '../contract/validation.ts'
import { type AgreementLanguageDocument, revisionFrom } from '../environment/agreement.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { currentRevision } from '../flow/agreement.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import {
  agreementById,
  agreementLanguageById,
  type AgreementLanguageRow,
  agreementLanguagesPage,
  type AgreementRevisionRow,
  revisionsOfAgreement,
} from '../storage/sql/agreements.ts'
import { languageOfLocale } from '../storage/sql/languages.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { requireBound, requireDefaultTexts } from './agreement-rules.ts'
import { existingAgreement } from './agreements.ts'
import { locale } from './languages.ts'
import { name, requireUnique } from './names.ts'
import { answerPage, pageQuery } from './page.ts'

const buttonText = z
  .string()
  .max(256)
  .regex(/^[\p{L}\p{M}\p{N}\p{Zs}\p{P}]+$/u)
  .optional()

const members = {
  displayName: name,
  userExperience: z
    .object({ acceptCheckboxText: buttonText, continueButtonText: buttonText, declineButtonText: buttonText })
    .optional(),
}

const languageRequest = nullMeansAbsent(z.object({ locale, enabled: z.boolean(), ...members }))

const agreementLanguage = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  agreement: reference,
  locale: z.string(),
  enabled: z.boolean(),
  ...members,
  currentRevision: reference.optional(),
})

/** @param revisions those of the agreement, in the order in which they come into force */
function languageBody({ site, now }: Context, row: AgreementLanguageRow, revisions: readonly AgreementRevisionRow[]) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  const agreement = `${environment}/agreements/${row.agreement_id}`
  const self = `${agreement}/languages/${row.id}`
  const own = revisions.filter(({ language_id: id }) => id === row.id).map(revisionFrom)
  const current = currentRevision({ revisions: own }, now)
  return {
    _links: links({ self, environment, agreement, revisions: `${self}/revisions` }),
    id: row.id,
    environment: { id: site.environmentId },
    agreement: { id: row.agreement_id },
    locale: row.locale,
    enabled: row.enabled === 1,
    ...(JSON.parse(row.document) as AgreementLanguageDocument),
    ...(current ? { currentRevision: { id: current.id } } : {}),
  }
}

function columnsOf({ locale: tag, enabled, ...document }: z.output<typeof languageRequest>) {
  const stored: AgreementLanguageDocument = document
  return { locale: tag, enabled: enabled ? 1 : 0, document: JSON.stringify(stored) }
}

const common = { surface: 'management', tag: 'Agreements', source: 'platform-api 3.16', cors: 'none' } as const
const collectionPath = '/v1/environments/{environmentId}/agreements/{agreementId}/languages'
const onePath = `${collectionPath}/{languageId}`
const ofAgreement = z.object({ environmentId: uuid, agreementId: uuid })
const one = ofAgreement.extend({ languageId: uuid })
const body = { kind: 'json', schema: languageRequest } as const
const reading = { kind: 'role', permission: 'agreements:read:agreement' } as const
const writing = { kind: 'role', permission: 'agreements:update:agreement' } as const

const listAgreementLanguages = defineOperation({
  ...common,
  id: 'listAgreementLanguages',
  method: 'GET',
  path: collectionPath,
  summary: 'List the languages of an agreement',
  permission: reading,
  params: ofAgreement,
  query: pageQuery.omit({ filter: true }),
  replies: { 200: collectionSchema('languages', agreementLanguage) },
  errors: ['FORBIDDEN', 'NOT_FOUND', 'INVALID_DATA'],
  async handle({ params: { agreementId }, query }, context) {
    const { kernel, environment } = context
    const [agreement] = await kernel.storage.read(agreementById(environment.id, agreementId))
    if (!agreement) throw notFound()
    const revisions = await kernel.storage.read(revisionsOfAgreement(environment.id, agreementId))
    return answerPage(context, query, {
      key: 'languages',
      statement: (span) => agreementLanguagesPage(environment.id, agreementId, span),
      write: (row) => languageBody(context, row, revisions),
    })
  },
})

const readAgreementLanguage = defineOperation({
  ...common,
  id: 'readAgreementLanguage',
  method: 'GET',
  path: onePath,
  summary: 'Read a language of an agreement',
  permission: reading,
  params: one,
  replies: { 200: agreementLanguage },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { agreementId, languageId } }, context) {
    const { kernel, environment } = context
    const [row] = await kernel.storage.read(agreementLanguageById(environment.id, agreementId, languageId))
    if (!row) throw notFound()
    const revisions = await kernel.storage.read(revisionsOfAgreement(environment.id, agreementId))
    return { status: 200, body: languageBody(context, row, revisions) }
  },
})

const createAgreementLanguage = defineOperation({
  ...common,
  id: 'createAgreementLanguage',
  method: 'POST',
  path: collectionPath,
  summary: 'Add a language to an agreement',
  permission: writing,
  params: ofAgreement,
  body,
  replies: { 201: agreementLanguage },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'AGREEMENT_LANGUAGE.CREATED',
  async handle({ params: { agreementId }, body: sent }, context) {
    const { kernel, environment, now } = context
    const id = kernel.world.uuid()
    const row: AgreementLanguageRow = {
      agreement_id: agreementId,
      id,
      ...columnsOf(sent),
      created_at: now,
      updated_at: now,
    }
    const commit = kernel.environments.configure(environment.id, 'create-agreement-language', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      yield* existingAgreement(environment.id, agreementId)
      if ((yield* run(languageOfLocale(environment.id, sent.locale))).length === 0) {
        throw invalidData('INVALID_VALUE', 'locale', 'is not the locale of a language of the environment')
      }
      yield* insert('agreement_languages', { environment_id: environment.id, ...row })
      yield* requireBound(environment.id, 'languages')
      yield context.record({ subject: { type: 'AGREEMENT_LANGUAGE', id }, detail: { agreementId } })
    })
    await requireUnique('agreement_languages', 'locale', commit)
    const answer = languageBody(context, row, [])
    return { status: 201, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const updateAgreementLanguage = defineOperation({
  ...common,
  id: 'updateAgreementLanguage',
  method: 'PUT',
  path: onePath,
  summary: 'Replace a language of an agreement, or enable or disable it',
  permission: writing,
  params: one,
  body,
  replies: { 200: agreementLanguage },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'AGREEMENT_LANGUAGE.UPDATED',
  async handle({ params: { agreementId, languageId: id }, body: sent }, context) {
    const { kernel, environment, now } = context
    const columns = { ...columnsOf(sent), updated_at: now }
    const row = await kernel.environments.configure(
      environment.id,
      'update-agreement-language',
      now,
      function* (changes) {
        changes.push({ kind: 'snapshot' })
        const before = yield* existingAgreementLanguage(environment.id, agreementId, id)
        if (before.locale !== sent.locale) {
          throw invalidData('INVALID_VALUE', 'locale', 'cannot be changed', { allowedValues: [before.locale] })
        }
        const key = { environment_id: environment.id, agreement_id: agreementId, id }
        yield* update('agreement_languages', key, columns)
        yield* requireDefaultTexts(environment.id, now)
        yield context.record({ subject: { type: 'AGREEMENT_LANGUAGE', id }, detail: { agreementId } })
        return { ...before, ...columns }
      },
    )
    const revisions = await kernel.storage.read(revisionsOfAgreement(environment.id, agreementId))
    return { status: 200, body: languageBody(context, row, revisions) }
  },
})

const deleteAgreementLanguage = defineOperation({
  ...common,
  id: 'deleteAgreementLanguage',
  method: 'DELETE',
  path: onePath,
  summary: 'Remove a language from an agreement, with its revisions',
  permission: writing,
  params: one,
  replies: { 204: null },
  errors: ['REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'AGREEMENT_LANGUAGE.DELETED',
  async handle({ params: { agreementId, languageId: id } }, context) {
    const { kernel, environment, now } = context
    await kernel.environments.configure(environment.id, 'delete-agreement-language', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      yield* existingAgreementLanguage(environment.id, agreementId, id)
      const belonging = { environment_id: environment.id, agreement_id: agreementId }
      yield* remove('agreement_revisions', { ...belonging, language_id: id })
      yield* remove('agreement_languages', { ...belonging, id })
      yield* requireDefaultTexts(environment.id, now)
      yield context.record({ subject: { type: 'AGREEMENT_LANGUAGE', id }, detail: { agreementId } })
    })
    return { status: 204 }
  },
})

/** The row of a language of an agreement, inside a unit. @throws Problem NOT_FOUND */
export function* existingAgreementLanguage(
  environmentId: string,
  agreementId: string,
  id: string,
): UnitBody<AgreementLanguageRow> {
  const [row] = yield* run(agreementLanguageById(environmentId, agreementId, id))
  if (!row) throw notFound()
  return row
}

export const agreementLanguageOperations: readonly Operation[] = [
  listAgreementLanguages,
  readAgreementLanguage,
  createAgreementLanguage,
  updateAgreementLanguage,
  deleteAgreementLanguage,
]
