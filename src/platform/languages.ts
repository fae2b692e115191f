/**
 * The languages of an environment: `~/languages`, platform-api 3.16. One of them is the default, which is always enabled;
 * agreements are offered in those that are. Those of the platform cannot be removed.
 *
 * Never: two defaults, or none; a language removed that an agreement is written in.
 */
import { z } from 'zod'
import { collectionSchema, links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { languageName } from '../environment/languages.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { agreementInLocale } from '../storage/sql/agreements.ts'
import { languageById, type LanguageRow, languagesPage } from '../storage/sql/languages.ts'
import { nullMeansAbsent } from './absent-members.ts'
import { constraint, requireDefaultTexts } from './agreement-rules.ts'
import { name, requireUnique } from './names.ts'
import { answerPage, filterOf, pageQuery } from './page.ts'

/** A language, perhaps with its script and its region, each in the case of BCP 47: `en`, `fr-CA`, `zh-Hant-TW`. */
export const locale = z
  .string()
  .regex(/^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$/)
  .describe('BCP 47: a language, perhaps with its script and its region.')

const languageRequest = nullMeansAbsent(
  z.object({
    locale,
    name: name.optional().describe('Default: what English calls it.'),
    enabled: z.boolean(),
    default: z.boolean(),
  }),
)

const language = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  locale: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  default: z.boolean(),
  customerAdded: z.boolean(),
  createdAt: timestamp,
  updatedAt: timestamp,
})

function languageBody({ site }: Context, row: LanguageRow) {
  const environment = `${site.apiBase}/environments/${site.environmentId}`
  return {
    _links: links({ self: `${environment}/languages/${row.id}`, environment }),
    id: row.id,
    environment: { id: site.environmentId },
    locale: row.locale,
    name: row.name,
    enabled: row.enabled === 1,
    default: row.is_default === 1,
    customerAdded: row.customer_added === 1,
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}

function columnsOf(body: z.output<typeof languageRequest>) {
  if (body.default && !body.enabled) {
    throw invalidData('CONSTRAINT_VIOLATION', 'enabled', 'must be true for the default language')
  }
  return {
    locale: body.locale,
    name: body.name ?? languageName(body.locale),
    is_default: body.default ? 1 : 0,
    enabled: body.enabled ? 1 : 0,
  }
}

const common = { surface: 'management', tag: 'Languages', source: 'platform-api 3.16', cors: 'none' } as const
const collectionPath = '/v1/environments/{environmentId}/languages'
const onePath = `${collectionPath}/{languageId}`
const inEnvironment = z.object({ environmentId: uuid })
const one = inEnvironment.extend({ languageId: uuid })
const body = { kind: 'json', schema: languageRequest } as const

const listLanguages = defineOperation({
  ...common,
  id: 'listLanguages',
  method: 'GET',
  path: collectionPath,
  summary: 'List the languages of an environment',
  permission: { kind: 'role', permission: 'languages:read:language' },
  params: inEnvironment,
  query: pageQuery,
  replies: { 200: collectionSchema('languages', language) },
  errors: ['FORBIDDEN', 'INVALID_DATA', 'INVALID_REQUEST'],
  handle({ query }, context) {
    const filter = filterOf(query, {
      locale: { column: 'l.locale', operators: ['eq', 'sw'] },
      id: { column: 'l.id', operators: ['eq'] },
    })
    return answerPage(context, query, {
      key: 'languages',
      statement: (span) => languagesPage(context.environment.id, filter, span),
      write: (row) => languageBody(context, row),
    })
  },
})

const readLanguage = defineOperation({
  ...common,
  id: 'readLanguage',
  method: 'GET',
  path: onePath,
  summary: 'Read a language of an environment',
  permission: { kind: 'role', permission: 'languages:read:language' },
  params: one,
  replies: { 200: language },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { languageId } }, context) {
    const [row] = await context.kernel.storage.read(languageById(context.environment.id, languageId))
    if (!row) throw notFound()
    return { status: 200, body: languageBody(context, row) }
  },
})

const createLanguage = defineOperation({
  ...common,
  id: 'createLanguage',
  method: 'POST',
  path: collectionPath,
  summary: 'Add a language to an environment',
  permission: { kind: 'role', permission: 'languages:create:language' },
  params: inEnvironment,
  body,
  replies: { 200: language },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'FORBIDDEN'],
  event: 'LANGUAGE.CREATED',
  async handle({ body: sent }, context) {
    const { kernel, environment, now } = context
    const id = kernel.world.uuid()
    const row: LanguageRow = { id, ...columnsOf(sent), customer_added: 1, created_at: now, updated_at: now }
    const commit = kernel.environments.configure(environment.id, 'create-language', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      if (sent.default) yield* clearDefault(environment.id, now)
      yield* insert('languages', { environment_id: environment.id, ...row })
      yield* requireDefaultTexts(environment.id, now)
      yield context.record({ subject: { type: 'LANGUAGE', id } })
    })
    await requireUnique('languages', 'locale', commit)
    const answer = languageBody(context, row)
    return { status: 200, body: answer, headers: { location: answer._links['self']?.href ?? '' } }
  },
})

const updateLanguage = defineOperation({
  ...common,
  id: 'updateLanguage',
  method: 'PUT',
  path: onePath,
  summary: 'Enable or disable a language, or make it the default',
  permission: { kind: 'role', permission: 'languages:update:language' },
  params: one,
  body,
  replies: { 200: language },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'LANGUAGE.UPDATED',
  async handle({ params: { languageId: id }, body: sent }, context) {
    const { kernel, environment, now } = context
    const columns = { ...columnsOf(sent), updated_at: now }
    const row = await kernel.environments.configure(environment.id, 'update-language', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const before = yield* existing(environment.id, id)
      if (before.locale !== sent.locale) {
        throw invalidData('INVALID_VALUE', 'locale', 'cannot be changed', { allowedValues: [before.locale] })
      }
      if (before.is_default === 1 && !sent.default) {
        throw invalidData(
          'CONSTRAINT_VIOLATION',
          'default',
          'must stay true until another language becomes the default',
        )
      }
      if (before.is_default === 0 && sent.default) yield* clearDefault(environment.id, now)
      yield* update('languages', { environment_id: environment.id, id }, columns)
      yield* requireDefaultTexts(environment.id, now)
      yield context.record({ subject: { type: 'LANGUAGE', id } })
      return { ...before, ...columns }
    })
    return { status: 200, body: languageBody(context, row) }
  },
})

const deleteLanguage = defineOperation({
  ...common,
  id: 'deleteLanguage',
  method: 'DELETE',
  path: onePath,
  summary: 'Remove a language that was added, is not the default, and that no agreement is written in',
  permission: { kind: 'role', permission: 'languages:delete:language' },
  params: one,
  replies: { 204: null },
  errors: ['REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'LANGUAGE.DELETED',
  async handle({ params: { languageId: id } }, context) {
    const { kernel, environment, now } = context
    await kernel.environments.configure(environment.id, 'delete-language', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const row = yield* existing(environment.id, id)
      if (row.customer_added === 0) throw constraint('A language of the platform cannot be deleted.')
      if (row.is_default === 1) throw constraint('The default language cannot be deleted.')
      if ((yield* run(agreementInLocale(environment.id, row.locale))).length > 0) {
        throw constraint('A language that an agreement is written in cannot be deleted.')
      }
      yield* remove('languages', { environment_id: environment.id, id })
      yield context.record({ subject: { type: 'LANGUAGE', id } })
    })
    return { status: 204 }
  },
})

function* existing(environmentId: string, id: string): UnitBody<LanguageRow> {
  const [row] = yield* run(languageById(environmentId, id))
  if (!row) throw notFound()
  return row
}

function* clearDefault(environmentId: string, now: number): UnitBody<void> {
  yield* update('languages', { environment_id: environmentId, is_default: 1 }, { is_default: 0, updated_at: now })
}

export const languageOperations: readonly Operation[] = [
  listLanguages,
  readLanguage,
  createLanguage,
  updateLanguage,
  deleteLanguage,
]
